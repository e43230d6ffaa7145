"""Saved searches through the API, each answer held against openapi.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.fleets import fill

from gitupd.core.searches.saved import MOST_SAVED, ListView, SavedSearch
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.programs import Program

    from gitupd.service.site import Site

LIST = "/searches"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("searches") / "site", who="test", now=now())
    fill(site, 10, now())
    yield site
    site.close()


@pytest.fixture(autouse=True)
def _nothing_saved(place: Site) -> None:
    for owner in (None, *(each.name for each in place.people.users())):
        for each in place.saved_searches.of(owner):
            place.saved_searches.remove(each.id, None)


def save(program: Program, name: str, status: int = 201, **said: Any) -> dict[str, Any]:
    answer = program.post(LIST, json={"name": name, **said})
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def names(program: Program) -> list[str]:
    return [each["name"] for each in program.get(LIST).json()["searches"]]


def test_a_search_is_saved_listed_and_removed(viewer: Program, place: Site) -> None:
    entries = len(place.audit.entries(1000))
    saved = save(viewer, " Desk  phones ", q="type:IP222  missing", columns="SN,name", sort="name", desc=True)
    shown = {key: saved[key] for key in ("name", "shared", "q", "columns", "sort", "desc")}
    assert shown == {
        "name": "Desk phones",
        "shared": False,
        "q": "type:IP222 missing",
        "columns": "sn,name",
        "sort": "name",
        "desc": True,
    }
    plain = save(viewer, "All")
    assert (plain["q"], plain["columns"], plain["sort"], plain["desc"]) == ("", "", "serial", False)
    assert viewer.get(LIST).json() == {"searches": [plain, saved]}
    assert viewer.delete(f"{LIST}/{saved['id']}").status_code == 204
    assert viewer.delete(f"{LIST}/{saved['id']}").status_code == 404
    assert names(viewer) == ["All"]
    assert len(place.audit.entries(1000)) == entries, "it concerns nobody else"


def test_shared_ones_are_for_everybody_and_changed_by_operators(
    viewer: Program, operator: Program, place: Site
) -> None:
    shared = save(operator, "For all", q="missing", shared=True)
    own = save(operator, "Own")
    assert names(viewer) == ["For all"]
    assert "needs the role operator" in save(viewer, "x", status=403, shared=True)["detail"]
    assert "needs the role operator" in viewer.delete(f"{LIST}/{shared['id']}").json()["detail"]
    assert viewer.delete(f"{LIST}/{own['id']}").status_code == 404, "somebody else's own is not there"
    assert operator.delete(f"{LIST}/{shared['id']}").status_code == 204
    assert (names(viewer), names(operator)) == ([], ["Own"])
    assert [each.kind for each in place.audit.entries(2)] == ["search-remove", "search-share"]


def test_one_is_renamed_and_shared(viewer: Program, operator: Program, place: Site) -> None:
    own, entries = save(operator, "Own", q="missing"), len(place.audit.entries(1000))
    path = f"{LIST}/{own['id']}"
    assert viewer.patch(path, json={"name": "x"}).status_code == 404, "somebody else's own is not there"
    renamed = operator.patch(path, json={"name": " Not  here "}).json()
    assert (renamed["name"], renamed["id"], renamed["q"], renamed["shared"]) == (
        "Not here",
        own["id"],
        "missing",
        False,
    )
    assert len(place.audit.entries(1000)) == entries, "it concerns nobody else"
    assert operator.patch(path, json={"shared": True}).json()["shared"] is True
    assert names(viewer) == ["Not here"]
    assert "needs the role operator" in viewer.patch(path, json={"name": "Mine"}).json()["detail"]
    assert operator.patch(path, json={"name": "For all"}).json()["name"] == "For all"
    assert [(each.kind, each.detail) for each in place.audit.entries(2)] == [
        ("search-share", "was Not here"),
        ("search-share", "missing"),
    ]
    hers = save(viewer, "Hers")
    assert viewer.patch(f"{LIST}/{hers['id']}", json={"name": "Hers, too"}).status_code == 200
    refused = viewer.patch(f"{LIST}/{hers['id']}", json={"shared": True})
    assert (refused.status_code, "needs the role operator" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize("said", [{"name": "Berlin"}, {"shared": True}])
def test_another_one_of_that_name_is_replaced_if_that_is_said(operator: Program, said: dict[str, Any]) -> None:
    save(operator, "berlin", q="present", shared="shared" in said)
    other = save(operator, "Berlin" if "shared" in said else "Other", q="missing")
    path = f"{LIST}/{other['id']}"
    assert "already" in operator.patch(path, json=said).json()["detail"]
    assert operator.patch(path, json={**said, "replace": True}).status_code == 200
    listed = operator.get(LIST).json()["searches"]
    assert [(each["name"], each["q"], each["id"]) for each in listed] == [("Berlin", "missing", other["id"])]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({}, "one thing at a time"),
        ({"replace": True}, "one thing at a time"),
        ({"name": "x", "shared": True}, "one thing at a time"),
        ({"shared": False}, "shared: what is shared stays so"),
        ({"name": " "}, "a saved search needs a name"),
        ({"q": "missing"}, "unknown key 'q'"),
    ],
)
def test_what_can_not_be_changed_is_told(operator: Program, said: dict[str, Any], fault: str) -> None:
    refused = operator.patch(f"{LIST}/{save(operator, 'Own')['id']}", json=said)
    assert (refused.status_code, fault in refused.json()["detail"]) == (400, True), refused.text
    assert names(operator) == ["Own"]


def test_one_of_that_name_is_replaced_if_that_is_said(viewer: Program) -> None:
    first = save(viewer, "Phones", q="missing")
    assert "already" in save(viewer, "phones", status=409, q="present")["detail"]
    assert save(viewer, "phones", q="present", replace=True)["id"] == first["id"]
    assert [(each["name"], each["q"]) for each in viewer.get(LIST).json()["searches"]] == [("phones", "present")]


def test_there_is_a_bound(viewer: Program, place: Site) -> None:
    owner = save(viewer, "first")["who"]
    for number in range(1, MOST_SAVED):
        place.saved_searches.save(SavedSearch(0, owner, f"{number}", ListView(), now(), owner), None, replace=False)
    assert "that is the most" in save(viewer, "another", status=409)["detail"]
    assert len(names(viewer)) == MOST_SAVED


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"name": "  "}, "a saved search needs a name"),
        ({"name": "x" * 61}, "1 to 60 characters"),
        ({"name": "x", "q": "nokey:x"}, "nokey"),
        ({"name": "x", "columns": "sn,colour"}, "'colour' is no column"),
        ({"name": "x", "sort": "colour"}, "sort: "),
        ({"name": "x", "desc": "true"}, "desc: "),
        ({"q": "missing"}, "name: missing"),
        ({"name": "x", "owner": "otto"}, "unknown key 'owner'"),
    ],
)
def test_what_can_not_be_saved_is_told(viewer: Program, said: dict[str, Any], fault: str) -> None:
    answer = viewer.post(LIST, json=said)
    assert (answer.status_code, fault in answer.json()["detail"]) == (400, True), answer.text
    assert names(viewer) == []
