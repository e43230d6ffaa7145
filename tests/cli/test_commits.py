"""Approving, freezing and listing commits on the command line: what it prints, refuses and writes into the audit."""

from __future__ import annotations

import getpass
import json
import os
import re
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.calling import called

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from gitupd.core.snapshot import CommitId

ME = f"{getpass.getuser()}@{os.uname().nodename}"
ADA = "Ada <ada@example.org>"
RULE = b"mode: automatic\ngrace: 0s\napproval: second-person\n"
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"


class Place:
    """A site on disk in the time zone of Berlin, where each commit needs a second person, and its commands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        create_site(path, who="test", now=now())[0].close()
        settings = path / "gitupd.toml"
        settings.write_text(f'time_zone = "Europe/Berlin"\n{settings.read_text("utf-8")}', "utf-8")
        self.first = self.commit(RULE, ADA)
        assert self.run("deploy", self.first).returncode == 0

    def run(self, *arguments: str) -> CompletedProcess[str]:
        return called(*arguments, cwd=self.path)

    def said(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        return done.stdout

    def refused(self, *arguments: str) -> str:
        before = self.audit()
        done = self.run(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert self.audit() == before
        return done.stderr

    def commit(self, rule: bytes, author: str) -> CommitId:
        with closing(Site(self.path)) as site:
            return site.config.commit_files({"policies/deploy.yaml": rule}, "Change the rule", author)

    def audit(self) -> list[dict[str, Any]]:
        return list(json.loads(self.said("audit", "--json", "--limit", "100")))

    def until(self) -> str | None:
        """Return when the freeze ends, as programs read it."""
        end: str | None = json.loads(self.said("status", "--json"))["freeze"]["until"]
        return end


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("commits") / "site")


def test_a_freeze_holds_until_it_is_lifted_and_both_are_in_the_audit(place: Place) -> None:
    head = place.commit(RULE + b"# once more\n", ADA)
    assert place.said("freeze", "--reason", "an  audit\nis on") == "deployments are frozen until: gitupd unfreeze\n"
    assert place.until() is None
    why = place.refused("deploy", head)
    assert f"{ME} has frozen deployments: an audit is on" in why
    assert f"gitupd deploy {head[:12]} --force --reason WHY" in why
    assert place.said("unfreeze") == "the freeze is lifted\n"
    assert json.loads(place.said("status", "--json"))["freeze"] is None
    lifted, ordered = place.audit()[:2]
    assert (lifted["kind"], lifted["who"], lifted["subject"], lifted["detail"]) == ("unfreeze", ME, "", "")
    assert (ordered["kind"], ordered["who"], ordered["detail"]) == ("freeze", ME, "an audit is on")
    assert place.run("deploy", head).returncode == 0


@pytest.mark.parametrize(
    ("end", "meant"),
    [
        ("2199-01-18", "2199-01-18T23:00:00Z"),  # to the end of the day, by the clock of Berlin
        ("2199-01-18 16:00", "2199-01-18T15:00:00Z"),
        (" 2199-01-18T16:00:30 ", "2199-01-18T15:00:30Z"),
        ("2199-01-18 16:00+00:00", "2199-01-18T16:00:00Z"),
        ("2199-01-18T16:00Z", "2199-01-18T16:00:00Z"),
    ],
)
def test_a_freeze_ends_by_the_clock_of_the_site_unless_another_is_named(place: Place, end: str, meant: str) -> None:
    printed = place.said("freeze", "--reason", "a holiday", "--until", end)
    assert place.until() == meant
    local = datetime.fromisoformat(meant).astimezone(UTC).astimezone()
    assert printed == f"deployments are frozen until {local.isoformat(' ', 'seconds')}\n"
    entry = place.audit()[0]
    assert (entry["kind"], entry["detail"]) == ("freeze", "a holiday")
    assert re.fullmatch(r"until 2199-01-1[89] \d\d:\d\d", entry["subject"])
    place.said("unfreeze")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("freeze", "--reason", " \n"), "a freeze needs a reason, for those who wait"),
        (("freeze", "--reason", "x" * 501), "the reason is longer than 500 characters"),
        (("freeze", "--reason", "x", "--until", "2001-01-01"), "the freeze would be over already; choose a later end"),
        (("freeze", "--reason", "x", "--until", "tomorrow"), "'tomorrow' is no time; write a day as 2026-12-18, or a"),
        (("freeze", "--reason", "x", "--until", "2026-02-30"), "'2026-02-30' is no time"),
        (("freeze", "--reason", "x", "--until", "9999-12-31"), "'9999-12-31' is no time"),
        (("freeze", "--reason", "x", "--until", ""), "'' is no time"),
        (("unfreeze",), "nobody has frozen deployments"),
        (("approve", "nowhere"), "nowhere"),
        (("approve", "0" * 40), "0" * 12),
        (("approve", ""), "''"),
    ],
)
def test_what_is_refused_is_not_in_the_audit(place: Place, arguments: tuple[str, ...], fault: str) -> None:
    assert fault in place.refused(*arguments)


@pytest.mark.parametrize(
    "arguments", [("freeze",), ("freeze", "--until", "2199-01-01"), ("approve",), ("unfreeze", "x")]
)
def test_wrong_usage(place: Place, arguments: tuple[str, ...]) -> None:
    assert place.run(*arguments).returncode == 2


def test_whoever_has_made_a_commit_has_another_approve_it(place: Place) -> None:
    own = place.commit(RULE + b"# my own\n", f"{ME} <me@example.org>")
    said = f"{ME} has made or pushed commit {own[:12]}, or one that comes with it; somebody else has to approve it"
    assert said in place.refused("approve", own, "--reason", "good")
    assert "it waits for the approval of a second person" in place.refused("deploy", own, "--force", "--reason", "now")
    live = json.loads(place.said("deployments", "--json"))[0]["commit"]
    assert f"commit {live[:12]} is deployed already" in place.refused("approve", live)


def test_an_approval_is_for_one_commit_and_in_the_audit_by_whom(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    head = place.commit(RULE + b"# hers\n", ADA)
    assert "is longer than 500 characters" in place.refused("approve", head, "--reason", "x" * 501)
    assert place.said("approve", "main", "--reason", "looked\nat it") == f"approved {head[:12]}\n"
    entry = place.audit()[0]
    assert (entry["kind"], entry["who"], entry["subject"], entry["detail"]) == ("approve", ME, head, "looked at it")
    assert entry["address"] is None
    assert place.run("deploy", head).returncode == 0
    listed = json.loads(place.said("commits", "--json", "--state", "deployed"))
    assert [(each["commit"], each["who"]) for each in listed][:1] == [(head, ME)]
    shown = place.said("commits", "--limit", "1")
    assert re.fullmatch(
        rf"{head[:12]}  {STAMP}  deployed     Change the rule\n      by hand by {re.escape(ME)}\n", shown
    )
