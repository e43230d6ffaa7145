"""The page of the audit in German: what the program said is told again; what is kept, tables and the API are not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.serving import serving
from support.visitors import add_person, logged_in, shown

from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Actor, Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.people.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.visitors import Visitor

    from gitupd.service.site import Site

ROOT = Actor("root@host", Role.ADMINISTRATOR, None)
TYPED = "<b>good</b>; although 3 devices"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site, _ = create_site(tmp_path_factory.mktemp("german") / "site", who="init", now=now() - timedelta(days=1))
    add_person(site, "otto", Role.ADMINISTRATOR)
    Access(site).set_role(ROOT, "otto", Role.ADMINISTRATOR, now())
    Access(site).add_token(ROOT, "otto", TYPED, now(), role=Role.VIEWER)
    files = site.config.files(site.config.resolve("main"))
    commit = site.config.commit_files({**files, "README.md": b"x"}, "Readme", "Ada <ada@example.org>")
    deploy(site, commit, who="ada", now=now(), reason=TYPED)
    site.audit.add(now(), "vera", Kind.APPROVE, commit, "deployed")
    return site


@pytest.fixture(scope="module")
def visitor(place: Site) -> Iterator[Visitor]:
    with serving(place.path) as running:
        running.ready()
        with logged_in(running, "otto") as visitor:
            visitor.submit("/account/language", {"language": "de"}, page="/account")
            yield visitor


def test_details_are_german_and_what_people_typed_is_theirs(visitor: Visitor, place: Site) -> None:
    page = visitor.get("/audit")
    text = shown(page.text)
    first = place.deployments.latest(2)[1].commit[:12]
    assert f"statt {first}: <b>good</b>; ungeachtet dessen: 3 devices" in text
    assert "<b>good</b>" not in page.text
    assert f"'{TYPED}' als Betrachter" in text
    assert "as viewer" not in text
    row = text[text.index("vera") :]
    assert "deployed" in row[:400], "it is what vera typed"


def test_what_is_kept_tables_and_the_api_are_english(visitor: Visitor, place: Site) -> None:
    kept = [each.detail for each in place.audit.entries(50)]
    english = [f"{TYPED!r} as viewer", f"instead of {place.deployments.latest(2)[1].commit[:12]}: {TYPED}"]
    assert set(english) <= set(kept)
    table, answer = visitor.get("/audit.csv"), visitor.get("/api/v1/audit")
    assert "as viewer" in table.text
    assert "instead of" in table.text
    assert set(english) <= {each["detail"] for each in answer.json()["entries"]}
