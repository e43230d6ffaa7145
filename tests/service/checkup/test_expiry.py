"""Certificates of a site that end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.authorities import DAY, EXPIRED, FUTURE, NOW, Authority, Validity

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.core.people.audit import Event, Kind
from gitupd.service.certificates.server import own_certificate
from gitupd.service.checkup.examining import examine
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from checkup.conftest import Examined

ENDING = Validity(NOW - 300 * DAY, NOW + 10 * DAY)


def with_certificate(site: Site, folder: Path, valid: Validity) -> Site:
    """Have the settings name a server's certificate, valid so long."""
    files = Authority.root("Ours").device("upd.example", valid=valid).files(folder)
    text = f'https = "127.0.0.1:0"\n[tls]\ncertificate = "{files.certificate}"\nkey = "{files.key}"\n'
    (site.path / "gitupd.toml").write_text(text, "utf-8")
    return Site(site.path)


@pytest.mark.parametrize(
    ("valid", "what"),
    [
        (EXPIRED, f"the server's certificate has ended on {EXPIRED.end:%Y-%m-%d}"),
        (ENDING, f"the server's certificate ends on {ENDING.end:%Y-%m-%d}"),
        (FUTURE, f"the server's certificate is not valid before {FUTURE.start:%Y-%m-%d}"),
    ],
)
def test_the_servers_certificate(site: Site, tmp_path: Path, examined: Examined, valid: Validity, what: str) -> None:
    opened = with_certificate(site, tmp_path / "tls", valid)
    (finding,) = examined(opened=opened).values()
    assert finding.what == what
    opened.close()


def test_one_that_was_made_by_itself_ends_in_ten_years(site: Site, examined: Examined) -> None:
    own_certificate(site, now())
    assert examined() == {}
    found = examined(now() + timedelta(days=3651))
    assert found["tls/server.pem"].cure == "remove it and its key, and a new one is made"


def test_a_certificate_that_is_missing_or_of_another_key(site: Site, tmp_path: Path, examined: Examined) -> None:
    opened = with_certificate(site, tmp_path / "tls", Validity())
    key = tmp_path / "tls/upd.example.key"
    key.write_bytes(Authority.root("Other").issued.key_pem)
    (finding,) = examined(opened=opened).values()
    assert finding.what.endswith("this key is that of another certificate")
    (tmp_path / "tls/upd.example.pem").unlink()
    (finding,) = examined(opened=opened).values()
    assert finding.what == "it can't be used: No such file or directory"
    opened.close()


def test_what_is_trusted(site: Site, examined: Examined) -> None:
    event = Event(now(), "test", Kind.TRUST_ADD)
    old, ending, good = (
        Authority.root(name, valid=valid) for name, valid in (("Old", EXPIRED), ("End", ENDING), ("Good", Validity()))
    )
    for each in (old, ending, good):
        site.trust.add(each.pem, event)
    (late,) = site.trust.add(good.crl(next_update=NOW - DAY), event)
    (site.path / "trust/junk.pem").write_bytes(b"junk")
    found = examined()
    assert found["trust/old.pem"].what.startswith(f"the authority Old has ended on {EXPIRED.end:%Y-%m-%d}")
    assert found["trust/end.pem"].what.startswith(f"the authority End ends on {ENDING.end:%Y-%m-%d}")
    assert found[f"trust/{late}"].what == "the list of revoked certificates should have been replaced by a newer one"
    assert found["trust/junk.pem"].what.startswith("it is neither a certificate nor")
    assert len(found) == 4


def test_what_goes_along_with_certificates_of_devices(site: Site, examined: Examined) -> None:
    files = {
        **site.config.files(site.config.resolve("main")),
        "certificates/CAkey-01.pem": Authority.root("Ours", valid=ENDING).pem,
    }
    files["policies/certificates.yaml"] = b"enabled: true\nauthorities: [Ours]\n"
    deploy(site, site.config.commit_files(files, "Roll out", "Ada <ada@example.org>"), who="test", now=now())
    assert examined()["certificates/CAkey*"].what.startswith(
        "Ours, which goes along with certificates of devices, ends"
    )


def test_devices_whose_certificate_has_ended_are_worth_knowing(site: Site, examined: Examined) -> None:
    for number, days in enumerate((-3, -1, 20)):
        serial = parse_serial(f"00903300000{number}")
        site.rollouts.note(serial, Need(Stage.GOOD, "why"), now(), now() + timedelta(days=days), None)
    assert examined() == {}
    assert "2 certificates of devices have ended" in [each.what for each in examine(site, now())]
