"""``gitupd searches``, and ``gitupd devices --saved``, on a real site."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support import fleets
from support.visitors import add_person

from gitupd.cli.acting import who
from gitupd.cli.main import cli
from gitupd.core.people.person import Role
from gitupd.core.searches.saved import ListView, SavedSearch
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made, _ = create_site(tmp_path_factory.mktemp("searches") / "site", who="test", now=now())
    fleets.fill(made, 30, now())
    yield made
    made.close()


def gitupd(site: Site, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments[:2], "--site", str(site.path), *arguments[2:]])


def refused(site: Site, *arguments: str) -> str:
    result = gitupd(site, *arguments)
    assert isinstance(result.exception, GitupdError), result.output
    return str(result.exception)


def keep(site: Site, owner: str | None, view: ListView, name: str = "Phones") -> None:
    site.saved_searches.save(SavedSearch(0, owner, name, view, now(), "otto"), None, replace=False)


def columns(result: Result) -> str:
    return " ".join(result.stdout.splitlines()[0].split())


def serials(result: Result) -> list[str]:
    return [line.split()[0] for line in result.stdout.splitlines()[1:]]


def test_searches_for_everybody_are_saved_listed_and_removed(site: Site) -> None:
    assert gitupd(site, "searches", "list").stderr == "0 shared searches\n"
    options = ("--columns", "SN, name", "--sort", "name", "--descending")
    saved = gitupd(site, "searches", "save", *options, "--", "Desk  phones", "type:IP222", "-missing")
    assert saved.output == (
        "saved for everybody as Desk phones: type:IP222 -missing, sorted by name (descending), columns sn,name\n"
    )
    assert site.saved_searches.named(None, "desk phones").view == ListView(
        "type:IP222 -missing", "sn,name", "name", descending=True
    )
    table = gitupd(site, "searches", "list")
    assert table.stdout.splitlines()[1].startswith("Desk phones  type:IP222 -missing  sn,name  name, descending  ")
    assert table.stdout.splitlines()[1].endswith(who())
    (told,) = json.loads(gitupd(site, "searches", "list", "--json").stdout)
    assert (told["name"], told["shared"], told["desc"], told["who"]) == ("Desk phones", True, True, who())
    assert gitupd(site, "searches", "remove", "DESK phones").output == "removed Desk phones\n"
    assert site.saved_searches.of(None) == []
    assert [(each.kind, each.subject, each.who) for each in site.audit.entries(2)] == [
        ("search-remove", "Desk phones", who()),
        ("search-share", "Desk phones", who()),
    ]


def test_one_of_that_name_is_replaced_if_that_is_said(site: Site) -> None:
    gitupd(site, "searches", "save", "Phones", "type:IP222")
    assert "say that it is to be replaced" in refused(site, "searches", "save", "phones", "missing")
    assert gitupd(site, "searches", "save", "--replace", "phones", "missing").exit_code == 0
    assert [(each.name, each.view.text) for each in site.saved_searches.of(None)] == [("phones", "missing")]


def test_one_is_renamed(site: Site) -> None:
    for name, words in (("Phones", "type:IP222"), ("Away", "missing")):
        gitupd(site, "searches", "save", name, words)
    assert gitupd(site, "searches", "rename", "phones", "Desk  phones").output == "Phones is called Desk phones now\n"
    assert [(each.subject, each.detail) for each in site.audit.entries(1)] == [("Desk phones", "was Phones")]
    assert "say that it is to be replaced" in refused(site, "searches", "rename", "away", "desk phones")
    assert gitupd(site, "searches", "rename", "--replace", "away", "desk phones").exit_code == 0
    assert [(each.name, each.view.text) for each in site.saved_searches.of(None)] == [("desk phones", "missing")]
    assert "no search for everybody is called 'away'" in refused(site, "searches", "rename", "away", "x")
    assert "1 to 60 characters" in refused(site, "searches", "rename", "desk phones", "x" * 61)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("x", "nokey:x"), "nokey"),
        (("--columns", "sn,colour", "x"), "'colour' is no column"),
        (("x" * 61,), "1 to 60 characters"),
    ],
)
def test_what_can_not_be_saved_is_told(site: Site, arguments: tuple[str, ...], fault: str) -> None:
    assert fault in refused(site, "searches", "save", *arguments)
    assert site.saved_searches.of(None) == []


def test_those_of_a_person_are_not_there(site: Site) -> None:
    add_person(site, "otto", Role.OPERATOR)
    keep(site, "otto", ListView("missing"))
    assert gitupd(site, "searches", "list").stderr == "0 shared searches\n"
    said = "no search for everybody is called 'phones'; see: gitupd searches list"
    assert refused(site, "searches", "remove", "phones") == said
    assert refused(site, "devices", "--saved=phones") == said
    assert len(site.saved_searches.of("otto")) == 1


def test_devices_of_a_saved_search_are_listed_as_it_says(site: Site) -> None:
    keep(site, None, ListView("type:IP222", "sn,name", "serial", descending=True))
    listed = gitupd(site, "devices", "--saved=phones")
    assert columns(listed) == "serial number name"
    assert len(serials(listed)) > 3
    assert serials(listed) == sorted(serials(listed), reverse=True)
    assert serials(listed)[::-1] == json_serials(gitupd(site, "devices", "type:IP222", "--json"))
    (one,) = serials(gitupd(site, "devices", "--saved=Phones", serials(listed)[2]))
    assert one == serials(listed)[2], "further words find some of it"
    other = gitupd(site, "devices", "--saved=Phones", "--columns", "sn,type", "--sort", "serial")
    assert (columns(other), serials(other)) == ("serial number type", serials(listed)[::-1])
    told = json.loads(gitupd(site, "devices", "--saved=Phones", "--json").stdout)
    assert sorted(told[0]["columns"]) == ["name", "sn"]


def json_serials(result: Result) -> list[str]:
    return [each["serial"] for each in json.loads(result.stdout)]


@pytest.mark.parametrize("named", ["", "usual", "gone.answer"])
def test_without_columns_that_are_there_the_usual_ones_are_printed(site: Site, named: str) -> None:
    keep(site, None, ListView("", named))
    listed = gitupd(site, "devices", "--saved=Phones")
    assert columns(listed) == columns(gitupd(site, "devices", "--limit=1"))
    assert "columns" not in json.loads(gitupd(site, "devices", "--saved=Phones", "--json").stdout)[0]
