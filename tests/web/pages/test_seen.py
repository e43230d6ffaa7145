"""The page of commits, approving one, and freezing deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from support.fleets import fill
from support.serving import Server, serving
from support.visitors import add_person, answer, logged_in, shown
from support.waiting import until

from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

_RULE = {"policies/deploy.yaml": b"mode: manual\napproval: second-person\n"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("seen") / "site", who="test", now=now())
    _commit(site, _RULE)
    deploy(site, "main", who="test", now=now())
    for name in ("ada", "kim"):
        add_person(site, name, Role.OPERATOR)
    add_person(site, "vera", Role.VIEWER)
    yield site
    site.close()


@pytest.fixture(scope="module")
def server(place: Site) -> Iterator[Server]:
    live = place.deployments.live()
    assert live is not None
    with serving(place.path) as running:
        running.ready(live.commit)
        yield running


def _commit(site: Site, changes: dict[str, bytes]) -> CommitId:
    return site.config.commit_files({**template_files(), **changes}, "Change", "Ada <ada@example.org>")


def test_one_page_from_arrival_to_approval_and_freeze(place: Site, server: Server) -> None:
    head = _commit(place, {**_RULE, "snippets/all-all-all.txt": b"config add X /y\n"})
    until(lambda: place.commits.of(head))
    until(lambda: "approval" in (record.reason if (record := place.commits.of(head)) else ""))
    with logged_in(server, "ada") as ada, logged_in(server, "kim") as kim, logged_in(server, "vera") as vera:
        said = f"{head[:8]} is ◐waiting: it waits for the approval of a second person."
        assert answer(vera.get("/commits").text) == said
        assert "Freeze deployments" not in shown(vera.get("/commits").text)
        for path in (f"/commits/{head}/approve", "/deployments/freeze", "/deployments/unfreeze"):
            assert vera.submit(path, {"reason": "x"}, page="/commits").status_code == 403
        own, others = ada.get(f"/commits/{head}").text, kim.get(f"/commits/{head}").text
        assert (">Approve<" in own, ">Approve<" in others, ">Approve<" in vera.get(f"/commits/{head}").text) == (
            False,
            True,
            False,
        )
        assert f"Somebody else approves it: gitupd approve {head[:12]}." in shown(own)
        assert ada.submit(f"/commits/{head}/approve", page="/commits").status_code == 303
        assert "somebody else has to approve it" in shown(ada.get("/commits").text)
        assert kim.submit(f"/commits/{head}/approve", page="/commits").status_code == 303
        assert "kim has approved it." in shown(kim.get(f"/commits/{head}").text)
        assert kim.submit("/commits/no-such/approve", page="/commits").status_code == 404
        assert kim.submit("/deployments/freeze", {"reason": " "}, page="/commits").status_code == 303
        assert "A freeze needs a reason" in shown(kim.get("/commits").text)
        kim.submit("/deployments/freeze", {"reason": "Friday", "until": "2099-12-31"}, page="/commits")
        for page in ("/devices", "/deployments", "/commits"):
            assert "Kim has frozen deployments until 2100-01-01 00:00: Friday. Commits" in shown(vera.get(page).text)
        assert "frozen deployments" not in httpx.get(f"{server.base}/login").text
        ada.submit("/deployments/unfreeze", page="/commits")
        ada.submit("/deployments/unfreeze", page="/commits")
        assert "Nobody has frozen deployments." in shown(ada.get("/commits").text)
        until(lambda: head[:8] in shown(vera.get("/commits?state=approved").text))
        assert head[:8] not in shown(vera.get("/commits?state=blocked").text)
        assert vera.get("/commits?state=nonsense&before=99999999999").status_code == 200
    assert [each.kind for each in place.audit.entries(20) if "freeze" in each.kind] == ["unfreeze", "freeze"]


def test_what_is_braked_is_approved_or_deployed_with_a_reason(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    rule = {"policies/deploy.yaml": b"grace: 0s\n"}
    _commit(site, rule)
    made, _ = deploy(site, "main", who="test", now=now())
    fill(site, 40, now())
    for name, role in (("ada", Role.OPERATOR), ("kim", Role.OPERATOR), ("vera", Role.VIEWER)):
        add_person(site, name, role)
    head = _commit(site, {**rule, "snippets/all-all-all.txt": b"config add X /y\n"})
    with serving(site.path) as server:
        server.ready(made.commit)
        until(lambda: (record := site.commits.of(head)) is not None and record.state == "braked")
        with logged_in(server, "ada") as ada, logged_in(server, "kim") as kim, logged_in(server, "vera") as vera:
            for page in ("/deployments", f"/commits/{head}"):
                offered = [
                    (">Approve<" in text, ">Deploy…<" in text)
                    for text in (visitor.get(page).text for visitor in (ada, kim, vera))
                ]
                assert offered == [(False, True), (True, True), (False, False)]
            assert f"Somebody else approves it: gitupd approve {head[:12]}" in shown(vera.get(f"/commits/{head}").text)
            told = until(lambda: "40 devices get" in (text := shown(vera.get("/deployments").text)) and text)
            assert "braked: it does more at once than it may without a word." in told
            assert kim.submit(f"/commits/{head}/approve", page="/commits").status_code == 303
            until(lambda: (live := site.deployments.live()) is not None and live.commit == head)
    site.close()
