"""One search over devices, commits, people, backups, pages and help, as each role has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.visitors import Visitor, add_person, logged_in, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.showcase import Scene


@pytest.fixture(scope="module")
def administrator(scene: Scene) -> Iterator[Visitor]:
    add_person(scene.site, "vanessa")
    with logged_in(scene.server, "vanessa") as visitor:
        yield visitor


def found(visitor: Visitor, text: str) -> dict[str, list[tuple[str, str]]]:
    """Return title and address of what a search finds, by kind."""
    answer: list[dict[str, Any]] = visitor.get("/search.json", params={"q": text}).json()
    return {kind["title"]: [(lead["title"], lead["url"]) for lead in kind["leads"]] for kind in answer}


def test_devices_are_found_a_few_of_them_and_a_way_to_all(viewer: Visitor) -> None:
    devices = found(viewer, "00-90-33")["Devices"]
    assert len(devices) == 6
    assert devices[5][1] == "/devices?q=00-90-33"
    total = int(devices[5][0].split()[1])
    assert devices[5][0] == f"All {total} devices"
    for _, url in devices:
        assert viewer.get(url).status_code == 200
    serial = devices[0][1].rpartition("/")[2]
    assert found(viewer, serial)["Devices"] == [devices[0]]


def test_a_commit_is_found_by_its_id_its_branch_and_its_words(scene: Scene, viewer: Visitor) -> None:
    head = (scene.head[:8], f"/commits/{scene.head}")
    for text in (scene.head, scene.head[:7], "main"):
        assert head in found(viewer, text)["Commits"], text
    assert viewer.get(head[1]).status_code == 200
    assert "Commits" not in found(viewer, "0123456789abcdef")


def test_pages_and_help_are_found_by_their_words(viewer: Visitor) -> None:
    assert ("Deployments", "/deployments") in found(viewer, "deploym")["Pages"]
    assert ("Drift", "/backups/drift") in found(viewer, "drift")["Pages"]
    titles = [title for title, _ in found(viewer, "glossary")["Help"]]
    assert titles[0] == "Glossary"
    for text in ("drift", "glossary", "brake"):
        for leads in found(viewer, text).values():
            for _, url in leads:
                assert viewer.get(url).status_code == 200, url


def test_people_are_found_by_administrators_only(viewer: Visitor, operator: Visitor, administrator: Visitor) -> None:
    assert found(administrator, "olg")["People"] == [("olga", "/audit?who=olga")]
    assert ("People", "/people") in found(administrator, "people")["Pages"]
    for visitor in (viewer, operator):
        assert "People" not in found(visitor, "olg")
        assert all(url != "/people" for _, url in found(visitor, "people").get("Pages", []))


def test_saved_searches_are_found_by_their_names(viewer: Visitor, administrator: Visitor) -> None:
    for visitor, name, columns in ((viewer, "Empty offices", ""), (administrator, "Offices of others", "")):
        visitor.submit("/devices/searches", {"name": name, "q": "missing", "columns": columns}, page="/devices")
    administrator.submit(
        "/devices/searches", {"name": "All offices", "columns": "usual", "shared": "1"}, page="/devices"
    )
    assert found(viewer, "OFFICES")["Saved searches"] == [
        ("Empty offices", "/devices?q=missing"),
        ("All offices", "/devices?columns=usual"),
    ]
    (detail,) = [
        lead["detail"]
        for kind in viewer.get("/search.json?q=all+off").json()
        if kind["title"] == "Saved searches"
        for lead in kind["leads"]
    ]
    assert detail == "all devices"
    assert ("Saved searches", "/devices/searches") in found(viewer, "saved")["Pages"]
    assert "Saved searches" not in found(viewer, "offices in brisbane")


def test_what_is_typed_is_looked_for_in_backups_too(viewer: Visitor) -> None:
    assert found(viewer, "10.1.0.2")["Backups"][-1] == ("Backups with “10.1.0.2” in them", "/backups/search?q=10.1.0.2")


def test_the_page_shows_the_same(viewer: Visitor) -> None:
    page = viewer.get("/search?q=Reception")
    assert page.status_code == 200
    for leads in found(viewer, "Reception").values():
        for title, _ in leads:
            assert title in shown(page.text)
    assert viewer.get("/search").status_code == 200


@pytest.mark.parametrize(
    "text", ["", " ", "nokey:x", '"', "<script>x</script>", "x" * 5000, "-", "%00", "\x00", "a,b", "*", "ü"]
)
def test_anything_may_be_typed(viewer: Visitor, text: str) -> None:
    for path in ("/search", "/search.json"):
        answer = viewer.get(path, params={"q": text})
        assert answer.status_code == 200
        assert "<script>x" not in answer.text or answer.headers["content-type"] == "application/json"
        assert len(answer.content) < 100_000
