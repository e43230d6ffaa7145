"""A site is compared with the server that it replaces, on the command line: at the import, and whenever one likes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.old_server import Reply, install, playing, recorded
from support.ports import free_port

from gitupd.cli.main import cli
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.creating import import_site

if TYPE_CHECKING:
    from pathlib import Path

    from support.old_server import OldServerPlayed

SAME = "no difference: all 5 devices are told the same as before, and can be moved over"
QUICK = ("--rate", "1000")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return install("plain", tmp_path / "php")


@pytest.fixture
def site(source: Path) -> Path:
    made, _, _ = import_site(source, source.parent / "site", who="test", now=now())
    made.close()
    return made.path


def gitupd(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def prove(site: Path, old: OldServerPlayed, *options: str) -> Result:
    return gitupd("prove", old.url, "--site", site, *QUICK, *options)


def test_no_difference_is_a_sentence(site: Path) -> None:
    with recorded("plain") as old:
        done = prove(site, old)
    assert (done.exit_code, done.stdout.splitlines()) == (0, ["compared 28 polls of 5 devices", "", SAME])


def test_differences_are_listed_and_have_an_exit_code_of_their_own(site: Path) -> None:
    with recorded("plain", **{"config add B /b": "config add B /other\x1b[31m"}) as old:
        done = prove(site, old)
        facts = json.loads(prove(site, old, "--json").stdout)
    assert done.exit_code == 2
    lines = done.stdout.splitlines()
    assert lines[2] == "1. 3 devices: 00-90-33-30-00-02, 00-90-33-30-00-03, 00-90-33-30-00-05"
    assert lines[4:6] == ["   - config add B /other\N{REPLACEMENT CHARACTER}[31m", "   + config add B /b"]
    assert lines[-1] == "1 kind of differences, which concern 3 devices" == facts["verdict"]
    (difference,) = facts["differences"]
    assert difference["devices"] == ["00-90-33-30-00-02", "00-90-33-30-00-03", "00-90-33-30-00-05"]
    assert difference["lines"] == ["- config add B /other\x1b[31m", "+ config add B /b"]
    assert facts["devices"] == facts["compared"] == 5


def test_what_could_not_be_compared_is_something_to_mend(site: Path) -> None:
    with recorded("plain") as old:
        whole = old.reply
        old.reply = lambda query, said: Reply(b"", 500) if "IP811" in query else whole(query, said)
        done = prove(site, old)
    assert done.exit_code == 1
    assert "not compared: " in done.stdout
    assert done.stdout.endswith("no difference in what could be compared, of 4 of 5 devices\n")


def test_a_filter_and_a_limit_are_options(site: Path) -> None:
    with recorded("plain") as old:
        done = prove(site, old, "--devices", "type:IP811")
        assert done.stdout.endswith("no difference: the device is told the same as before, and can be moved over\n")
        done = prove(site, old, "--limit", "1", "--json")
        assert json.loads(done.stdout)["compared"] == 1
        assert isinstance(prove(site, old, "--devices", "typ:IP811").exception, Exception)


def test_nobody_to_ask_is_told(site: Path) -> None:
    done = gitupd("prove", f"http://127.0.0.1:{free_port()}/update/update.php", "--site", site)
    assert "can't be asked: Connection refused" in str(done.exception)


def test_an_import_proves_itself(source: Path) -> None:
    with recorded("plain") as old:
        report = source.parent / "report.txt"
        done = gitupd("import-php", source, source.parent / "new", "--prove", old.url, *QUICK, "--report", report)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert "knows   5 devices, 5 of them present; 0 roll-outs of certificates wait for people" in lines
    assert lines[-1] == SAME == report.read_text().splitlines()[-1]


def test_options_of_a_proof_need_one(source: Path) -> None:
    done = gitupd("import-php", source, source.parent / "new", "--limit", "3")
    assert (done.exit_code, (source.parent / "new").exists()) == (2, False)


def test_an_import_says_all_of_it_to_programs(source: Path) -> None:
    with recorded("plain", **{"config add ALL /x 1": "config add ALL /x 2"}) as old:
        done = gitupd("import-php", source, source.parent / "new", "--prove", old.url, *QUICK, "--json")
    facts = json.loads(done.stdout)
    assert done.exit_code == 2
    assert (facts["devices"], facts["present"], facts["administrator"]) == (5, 5, "admin")
    assert facts["site"] == str(source.parent / "new")
    assert facts["proof"]["verdict"] == "1 kind of differences, which concern 5 devices"


def test_an_import_whose_old_server_is_gone_leaves_the_site(source: Path) -> None:
    place = source.parent / "new"
    with playing(lambda *_: Reply(b"", 404)) as old:
        done = gitupd("import-php", source, place, "--prove", old.url)
    assert isinstance(done.exception, SiteError)
    assert f"can be compared later: gitupd prove URL --site {place}" in str(done.exception)
    assert "log in: admin, with the password" in done.stdout
    with recorded("plain") as old:
        assert prove(place, old).exit_code == 0
