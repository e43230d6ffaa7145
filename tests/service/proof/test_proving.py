"""A site is compared with recorded answers of the PHP server, and with another gitupd that says something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.old_server import RECORDED, Reply, install, playing, recorded
from support.ports import free_port
from support.serving import serving

from gitupd.core.proof.comparing import Cause, OnPurpose
from gitupd.core.search import checked_search
from gitupd.core.words import counted
from gitupd.service.clock import now
from gitupd.service.creating import import_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.proof.asking import OldServer, OldServerFault
from gitupd.service.proof.proving import Proof, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.proof.findings import Findings
    from gitupd.service.site import Site

EVERYBODY = Wanted(checked_search(""), rollouts=True)


class Sites:
    """Imports installations, and closes what it has opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Site] = []

    def of(self, name: str, **changed: bytes) -> Site:
        """Return a site of the recorded installation called *name*, with some files *changed* by a commit."""
        source = install(name, self._folder / name / "php")
        site, _, _ = import_site(source, self._folder / name / f"site-{len(self._made)}", who="test", now=now())
        self._made.append(site)
        if changed:
            live = site.deployments.live()
            assert live is not None
            files = dict(site.config.files(live.commit)) | changed
            site.config.commit_files(files, "Changed", "Test <test@localhost>")
            deploy(site, "main", who="test", now=now(), force=True, reason="meant")
        return site

    def close(self) -> None:
        for site in self._made:
            site.close()


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    made = Sites(tmp_path)
    yield made
    made.close()


def proof(site: Site, url: str, wanted: Wanted = EVERYBODY) -> Findings:
    return Proof(site, OldServer(url, rate=1000), now(), lambda other: OldServer(other, rate=1000)).run(wanted)


def digits(number: int) -> str:
    return f"00903330{number:04x}"


def test_a_server_that_says_the_same_is_found_to_do_so(sites: Sites) -> None:
    with recorded("plain") as old:
        findings = proof(sites.of("plain"), old.url)
    assert findings.verdict == "no difference: all 5 devices are told the same as before, and can be moved over"
    assert (findings.known, findings.asked) == (5, 5)
    assert (findings.differences, findings.on_purpose, findings.troubles, findings.notes) == ((), (), (), ())
    assert sorted(old.asked[1:]) == sorted(RECORDED["plain"]["answers"].keys() - {""})
    assert [query.partition("CHECK=")[2] for query in old.asked if "sn=00-90-33-30-00-01" in query and "CHECK" in query]


PURPOSES = {
    "certificates": {OnPurpose.CERTIFICATE: 3, OnPurpose.SIGNATURE: 1},
    "no queries": {OnPurpose.QUERIES: 1},
    "no master": {OnPurpose.MASTER: 1},
    "gone": {OnPurpose.ENVIRONMENT: 1},
}


@pytest.mark.parametrize("name", PURPOSES)
def test_what_differs_on_purpose_is_told_apart(sites: Sites, name: str) -> None:
    with recorded(name) as old:
        findings = proof(sites.of(name), old.url)
    assert {purpose: len(serials) for purpose, serials in findings.on_purpose} == PURPOSES[name]
    assert findings.differences == ()
    assert findings.verdict.startswith("no difference but those on purpose: ")


def test_a_device_in_the_middle_of_a_rollout_is_not_asked_about(sites: Sites) -> None:
    with recorded("certificates") as old:
        findings = proof(sites.of("certificates"), old.url, Wanted(checked_search("")))
    ((why, serials),) = findings.left_out
    assert "in the middle of a roll-out" in why
    assert [serial.digits for serial in serials] == [digits(0x15)]
    assert not any("00-90-33-30-00-15" in query for query in old.asked)
    assert findings.verdict == "no difference but those on purpose in what could be compared, of 4 of 5 devices"


def test_files_that_were_changed_a_moment_ago_are_no_difference(sites: Sites) -> None:
    with recorded("fresh") as old:
        findings = proof(sites.of("fresh"), old.url)
    assert [what for what, _ in findings.troubles] == [f"the old server gave no script: {Cause.FRESH}"]
    assert findings.verdict == "nothing was compared"


CHANGES = {
    "another line": ({"config add B /b": "config add B /other"}, ("- config add B /other", "+ config add B /b"), 3),
    "a line less": ({"config add S /s": ""}, ("+ config add S /s",), 1),
    "another interval": ({"config add UP1 /poll 15": "config add UP1 /poll 20"}, None, 5),
    "another firmware": ({"137213": "137214"}, None, 4),
    "no backup": ({"mod cmd UP0 scfg {HOST}/update/update.php?mode=backup&hwid=#h&sn=#m": ""}, None, 5),
    "another query": ({"mod%20cmd%20CMD0%20xml-info": "mod%20cmd%20X"}, None, 5),
    "other hours": ({"/allow 22,23": "/allow 22"}, None, 5),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_else_differs_is_listed_with_those_whom_it_concerns(sites: Sites, what: str) -> None:
    changed, lines, count = CHANGES[what]
    old_texts = dict(changed)
    if what == "no backup":
        old_texts = {"mode=backup&hwid=#h&sn=#m": "mode=backup"}
    with recorded("plain", **old_texts) as old:
        findings = proof(sites.of("plain"), old.url)
    concerned = {serial for difference in findings.differences for serial in difference.serials}
    assert len(concerned) == count
    if lines is not None:
        assert lines in [difference.changes for difference in findings.differences]
    assert findings.verdict.endswith(f"of differences, which concern {counted(count, 'device')}")


def test_alike_differences_are_one_kind(sites: Sites) -> None:
    with recorded("plain", **{"config add ALL /x 1": "config add ALL /x 2"}) as old:
        findings = proof(sites.of("plain"), old.url)
    (difference,) = findings.differences
    assert difference.changes == ("- config add ALL /x 2", "+ config add ALL /x 1")
    assert len(difference.serials) == 5
    assert len(difference.titles) > 1


def test_a_limit_and_a_filter_are_kept(sites: Sites) -> None:
    site = sites.of("plain")
    with recorded("plain") as old:
        findings = proof(site, old.url, Wanted(checked_search(""), limit=2))
        assert findings.verdict == "no difference in what could be compared, of 2 of 5 devices"
        before = len(old.asked)
        findings = proof(site, old.url, Wanted(checked_search("type:IP811")))
    assert (findings.known, findings.asked) == (1, 1)
    assert all("IP811" in query or "sn=" not in query for query in old.asked[before:])


def test_nothing_is_noted_down_at_the_site(sites: Sites) -> None:
    site = sites.of("certificates")
    before = [(device, site.rollouts.of(device.serial)) for device in site.inventory.devices()]
    with recorded("certificates") as old:
        proof(site, old.url)
    assert [(device, site.rollouts.of(device.serial)) for device in site.inventory.devices()] == before


def test_the_last_poll_is_in_the_phase_that_the_device_is_in(sites: Sites) -> None:
    with recorded("plain") as old:
        proof(sites.of("plain"), old.url)
    for number, phase in ((1, "update"), (3, "staging"), (5, "_first_update")):
        of_device = [query for query in old.asked if f"sn=00-90-33-30-00-0{number}" in query]
        assert f"phase={phase}&" in of_device[-1]


def test_a_server_that_stops_to_answer_is_left_in_peace(sites: Sites) -> None:
    with recorded("plain") as played:
        whole = played.reply

        def failing(query: str, arguments: dict[str, str]) -> Reply:
            return whole(query, arguments) if len(played.asked) < 12 else Reply(b"", 500)

        played.reply = failing
        findings = proof(sites.of("plain"), played.url)
    assert len(played.asked) == 11 + 5
    assert "given up after 5 polls in succession without a script" in [what for what, _ in findings.troubles]
    assert findings.asked < 5


def test_one_answer_that_fails_is_named_and_the_rest_is_compared(sites: Sites) -> None:
    with recorded("plain") as played:
        whole = played.reply
        played.reply = lambda query, said: (
            Reply(b"", 500) if "IP811" in query and "staging" in query else whole(query, said)
        )
        findings = proof(sites.of("plain"), played.url)
    ((what, serials),) = findings.troubles
    assert "answers 500: it fails; its error log says why" in what
    assert [serial.digits for serial in serials] == [digits(4)]
    assert findings.verdict == "no difference in what could be compared, of 4 of 5 devices"


def test_php_that_shows_its_errors_is_told(sites: Sites) -> None:
    notice = "<br />\n<b>Deprecated</b>:  Creation of dynamic property in <b>update.php</b> on line <b>3</b><br />\n"
    with recorded("gone") as played:
        whole = played.reply
        played.reply = lambda query, said: Reply(notice.encode() + whole(query, said).body)
        findings = proof(sites.of("gone"), played.url)
    assert findings.differences == ()
    assert any("PHP shows its errors in scripts" in note for note in findings.notes)


def test_https_that_can_not_be_asked_is_told(sites: Sites) -> None:
    with recorded("https") as old:
        findings = proof(sites.of("https"), old.url)
    ((what, _),) = findings.troubles
    assert what.startswith("what devices get by HTTPS was not compared: https://127.0.0.1:8444/update/update.php can't")
    assert findings.differences == ()


def test_devices_without_a_type_are_named(tmp_path: Path) -> None:
    source = install("gone", tmp_path / "untyped")
    for path in (source / "status").iterdir():
        path.write_text("<state><device/></state>")
    site, _, _ = import_site(source, tmp_path / "site", who="test", now=now())
    with recorded("gone") as old:
        findings = proof(site, old.url)
    site.close()
    ((why, serials),) = findings.left_out
    assert "they have not said their type" in why
    assert len(serials) == 2


def test_another_gitupd_is_compared_as_well_by_https_too(sites: Sites) -> None:
    port = free_port()
    transport = f"https: required\nhttps_port: {port}\n".encode()
    same, other = (
        sites.of("gone", **{"policies/transport.yaml": transport, "snippets/update-all-default.txt": text})
        for text in (b"config add X /x\n", b"config add X /y\n")
    )
    with serving(other.path, options=["--http", "127.0.0.1:0", "--https", f"127.0.0.1:{port}"]) as server:
        server.ready(other.deployments.live().commit)
        url = f"http://127.0.0.1:{server.port}/update/update.php"
        found = Proof(same, OldServer(url, rate=1000), now(), lambda to: OldServer(to, rate=1000, verify=False)).run(
            EVERYBODY
        )
    (difference,) = found.differences
    assert difference.changes == ("- config add X /y", "+ config add X /x")
    assert len(difference.serials) == 2
    assert found.troubles == ()
    assert {note.rpartition(" is ")[2] for note in found.notes} == {"a gitupd itself"}


def test_a_server_that_is_none_is_told_before_any_device_is_asked_about(sites: Sites) -> None:
    site = sites.of("gone")
    with (
        playing(lambda _query, _said: Reply(b"<html>Welcome</html>")) as played,
        pytest.raises(OldServerFault) as fault,
    ):
        proof(site, played.url)
    assert "answers with a page, not with a script" in str(fault.value)
    assert played.asked == [""]
