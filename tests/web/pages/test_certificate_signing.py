"""Requests approved and rejected, certificates revoked, and the authority itself, on the pages of certificates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.fleets import fill
from support.rollouts import fill_rollouts
from support.serving import Server, serving
from support.signing_sites import OTHER, SERIAL, asks, request_of, signing_site
from support.visitors import Visitor, add_person, answer, logged_in, shown

from gitupd.core.certificates.rollout import Need, Stage
from gitupd.core.people.person import Role
from gitupd.service.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A site whose authority signs what is approved, and two requests that wait."""
    with signing_site(tmp_path / "site") as site:
        asks(site, SERIAL)
        asks(site, OTHER)
        for name, role in (("vera", Role.VIEWER), ("otto", Role.OPERATOR)):
            add_person(site, name, role)
        yield site


@pytest.fixture
def server(place: Site) -> Iterator[Server]:
    with serving(place.path) as running:
        running.ready()
        yield running


def agreed(question: str) -> dict[str, str]:
    """Return what a question has its form send, if one agrees."""
    fields = dict(re.findall(r'type="hidden" name="(confirmed|seal|all|device)" value="([^"]*)"', question))
    return fields | {"sn": re.findall(r'name="sn" value="([^"]*)"', question)}  # type: ignore[dict-item] # a list is sent as several


def asked(visitor: Visitor, deed: str, **fields: str) -> str:
    response = visitor.submit(f"/certificates/{deed}", fields, page="/certificates")
    assert response.status_code == 200
    return response.text


def told(visitor: Visitor) -> str:
    return shown(visitor.get("/certificates").text)


def test_one_is_approved_and_says_what_was_asked_for(place: Site, server: Server) -> None:
    with logged_in(server, "otto") as otto:
        page = otto.get("/certificates").text
        assert "The site's own authority signs what somebody approves." in shown(page)
        assert 'formaction="/certificates/approve"' in page
        assert 'formaction="/certificates/approve"' not in otto.get("/certificates?stage=install").text
        question = asked(otto, "approve", sn=str(SERIAL))
        assert answer(question) == "Approve 1 request?"
        assert f"for {SERIAL.digits}; uploaded from 10.0.0.1, by whom is not proved" in shown(question)
        assert place.rollouts.of(SERIAL).stage is Stage.SIGNING, "nothing happens before somebody agrees"
        done = otto.submit("/certificates/approve", agreed(question), page="/certificates")
        assert done.status_code == 303
        assert "The requests of 1 device are approved. Certificates are installed with the next poll." in told(otto)
        authority = otto.get("/certificates/authority").text
        assert "has signed 1 certificate for devices; 1 is good, and 0 were revoked." in answer(authority)
        assert str(SERIAL) in authority
    assert place.rollouts.of(SERIAL).stage is Stage.INSTALL
    assert place.rollouts.of(OTHER).stage is Stage.SIGNING
    assert place.issued.latest(1)[0].who == "otto"


def test_another_request_than_the_one_that_was_shown_is_not_signed(place: Site, server: Server) -> None:
    with logged_in(server, "otto") as otto:
        question = asked(otto, "approve", sn=str(SERIAL))
        asks(place, SERIAL, request_of(SERIAL))
        again = otto.submit("/certificates/approve", agreed(question), page="/certificates")
        assert "Meanwhile other devices fit, or another request has come in" in shown(again.text)
    assert place.issued.count() == 0


def test_all_that_wait_are_rejected_with_a_reason(place: Site, server: Server) -> None:
    place.rollouts.note(OTHER, Need(Stage.GOOD, "It is good."), now(), None, place.rollouts.of(OTHER))
    fill(place, 100, now())
    fill_rollouts(place, 100, now())
    with logged_in(server, "otto") as otto:
        question = asked(otto, "reject", all="1", q="seen:1h")
        assert answer(question) == "Reject 8 requests?"
        without = otto.submit("/certificates/reject", {**agreed(question), "q": "seen:1h"}, page="/certificates")
        assert without.status_code == 303
        assert "Nothing was done: say why." in told(otto)
        fields = {**agreed(question), "q": "seen:1h", "reason": "not <ours>"}
        otto.submit("/certificates/reject", fields, page="/certificates")
        page = told(otto)
        assert "The requests of 8 devices are rejected." in page
        assert "9 were rejected" in page
    assert place.rollouts.of(SERIAL).stage is Stage.SIGNING
    assert place.rollouts.counts()[Stage.REJECTED] == 8 + 1


def test_a_certificate_is_revoked_from_the_page_of_its_device(server: Server) -> None:
    with logged_in(server, "otto") as otto:
        otto.submit("/certificates/approve", agreed(asked(otto, "approve", sn=str(SERIAL))), page="/certificates")
        question = asked(otto, "revoke", sn=str(SERIAL), device=str(SERIAL))
        assert "its certificate proves nothing any more" in shown(question)
        fields = {**agreed(question), "reason": "stolen"}
        done = otto.submit("/certificates/revoke", fields, page="/certificates")
        assert done.headers["location"] == f"/devices/{SERIAL}#rollout"
        authority = shown(otto.get("/certificates/authority").text)
        assert "0 are good, and 1 was revoked." in authority
        assert "revoked" in authority
        assert "stolen" in authority


def test_viewers_see_and_do_nothing(place: Site, server: Server) -> None:
    with logged_in(server, "vera") as vera:
        assert "0 are good" in answer(vera.get("/certificates/authority").text)
        for deed in ("approve", "reject", "revoke", "restart"):
            refused = vera.submit(f"/certificates/{deed}", {"sn": str(SERIAL), "reason": "x"}, page="/account")
            assert refused.status_code == 403
    assert place.rollouts.of(SERIAL).stage is Stage.SIGNING


def test_whoever_reloads_a_question_is_led_back(server: Server) -> None:
    with logged_in(server, "otto") as otto:
        for deed in ("approve", "reject", "revoke", "restart"):
            assert otto.get(f"/certificates/{deed}").headers["location"] == "/certificates"
