"""Files that others can read or change, each planted at a real site."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority
from support.signing_sites import signing_site

from gitupd.service.checkup.examining import examine
from gitupd.service.clock import now
from gitupd.service.site import Site

if TYPE_CHECKING:
    from checkup.conftest import Examined

KEY = Authority.root("Ours").issued.key_pem
MODES = {
    0o640: "it is a secret, and its group can read it",
    0o604: "it is a secret, and everybody on this machine can read it",
    0o660: "it is a secret, and its group can change it",
    0o400: None,
    0o600: None,
}


def planted(path: Path, content: bytes, mode: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_nothing_is_wrong_with_a_new_site(examined: Examined) -> None:
    assert examined() == {}


def test_a_site_into_which_others_can_look(site: Site, examined: Examined) -> None:
    site.path.chmod(0o750)
    assert examined() == {}, "a group may be let in"
    site.path.chmod(0o755)
    (finding,) = examined().values()
    assert finding.what.startswith("others on this machine can look into it")
    assert finding.cure == f"chmod o-rwx {site.path}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("session.key", b"x" * 32),
        ("backups.key", b"x"),
        ("authority/passphrase", b"wordless"),
        ("authority/issuing.key", KEY),
        ("tls/further.pem", Authority.root("Ours").pem + KEY),
        ("secrets.txt", b"# created: 2026\nAGE-SECRET-KEY-1QQQ\n"),
    ],
)
def test_secrets_that_others_can_read(site: Site, examined: Examined, name: str, content: bytes) -> None:
    path = planted(site.path / name, content, 0o600)
    for mode, what in MODES.items():
        path.chmod(mode)
        found = examined().get(name)
        assert (found and found.what) == what
        assert found is None or found.cure.startswith(f"chmod 600 {path}")


def test_what_is_no_secret_may_be_read(site: Site, examined: Examined) -> None:
    planted(site.path / "authority/root.pem", Authority.root("Ours").pem, 0o644)
    planted(site.path / "trust/root.pem", Authority.root("Ours").pem, 0o644)
    assert examined() == {}


def test_a_key_elsewhere_may_be_read_by_a_group(site: Site, tmp_path: Path, examined: Examined) -> None:
    issued = Authority.root("Ours").device("upd.example")
    files = issued.files(tmp_path / "letsencrypt")
    pair = f'certificate = "{files.certificate}"\nkey = "{files.key}"\n'
    (site.path / "gitupd.toml").write_text(f"[tls]\n{pair}", "utf-8")
    files.key.chmod(0o640)
    opened = Site(site.path)
    assert examined(opened=opened) == {}
    files.key.chmod(0o644)
    (finding,) = examined(opened=opened).values()
    assert finding.where == str(files.key)
    assert "everybody on this machine can read it" in finding.what
    opened.close()


def test_keys_and_passphrase_of_an_authority(tmp_path: Path) -> None:
    with signing_site(tmp_path / "site") as site:
        site.close()
        assert [each for each in examine(site, now()) if each.mend] == []
        for path in (tmp_path / "site/authority").rglob("*"):
            if path.is_file():
                path.chmod(0o644)
        open_ones = {Path(each.where).name for each in examine(site, now()) if each.mend}
        assert {"passphrase"} < open_ones
        assert any(name.endswith(("key", "key.pem")) for name in open_ones)
        (site.path / "gitupd.toml").write_text(f'[signing]\npassphrase_file = "{tmp_path}/words"\n', "utf-8")
        (site.path / "authority/passphrase").rename(tmp_path / "words")
        elsewhere = Site(site.path)
        assert str(tmp_path / "words") in {each.where for each in examine(elsewhere, now()) if each.mend}
        elsewhere.close()


def test_a_key_among_what_is_trusted(site: Site, examined: Examined) -> None:
    planted(site.path / "trust/root.pem", Authority.root("Ours").pem + KEY, 0o600)
    assert examined()["trust/root.pem"].what.startswith("a private key lies among what the site trusts")


@pytest.mark.parametrize("name", ["trust", "config.git/hooks", "config.git/HEAD", "gitupd.toml"])
def test_what_everybody_can_change(site: Site, examined: Examined, name: str) -> None:
    path = site.path / name
    path.chmod(path.stat().st_mode | 0o002)
    (finding,) = examined().values()
    assert (finding.where, finding.what) == (str(path), "everybody on this machine can change it")


def test_of_many_files_a_few_are_named(site: Site, examined: Examined) -> None:
    for number in range(9):
        planted(site.path / f"trust/note-{number}.txt", b"", 0o666)
    found = examined()
    assert len(found) == 4
    assert found[str(site.path)].what == "6 more files can be changed by everybody on this machine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_that_belong_to_somebody_else(site: Site, examined: Examined) -> None:
    for name in ("config.git/HEAD", "config.git/config"):
        os.chown(site.path / name, 12345, -1)
    (finding,) = examined().values()
    assert finding.what.startswith("it and 1 more belong to 12345, and the site to root")
    assert finding.cure.startswith(f"chown -R root: {site.path}")
