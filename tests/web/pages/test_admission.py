"""Unknown devices on pages and in the API: shown apart, and let in by whoever may."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.fleets import device
from support.serving import serving
from support.visitors import Visitor, add_key, add_person, answer, logged_in

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Request, Serial
from gitupd.core.endpoint import Endpoint
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server

    from gitupd.service.site import Site

COUNT = 6
HERE = Endpoint("http", "upd.example", 80)
STRANGERS = [Serial(f"0090338800{number:02x}") for number in range(5)]
CODE = re.compile(r"code=([0-9a-z]{4}(?:-[0-9a-z]{4}){4})")


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a few devices, and strangers in quarantine."""
    site, _ = create_site(tmp_path_factory.mktemp("strangers") / "site", who="test", now=now())
    files = dict(site.config.files(site.config.resolve("main")))
    files |= {"policies/admission.yaml": b"unknown: quarantine\nmost: 5\n", "policies/deploy.yaml": b"mode: manual\n"}
    deploy(site, site.config.commit_files(files, "Quarantine", "Ada <ada@example.org>"), who="test", now=now())
    live = site.deployments.live()
    assert live is not None
    known = [replace(device(number, live.commit, now()), admission=Admittance.KNOWN) for number in range(COUNT)]
    site.inventory.save_sightings(known)
    model = known[1]
    fresh = replace(model, confirmed=None, confirmed_at=None, sent=None, sent_at=None, snippets=(), messages=())
    site.inventory.save_sightings(
        replace(
            fresh,
            serial=serial,
            admission=Admittance.QUARANTINED,
            model="IP222",
            given_name=f"Stranger {number}",
            request=Request({"type": "IP222", "sn": str(serial), "hwid": "x", "ip": "10.0.0.1"}, HERE),
        )
        for number, serial in enumerate(STRANGERS)
    )
    for name, role in (("vera", Role.VIEWER), ("otto", Role.OPERATOR)):
        add_person(site, name, role)
    yield site
    site.close()


@pytest.fixture
def server(place: Site) -> Iterator[Server]:
    with serving(place.path) as running:
        running.ready()
        yield running


def decided(site: Site) -> dict[Serial, Decision]:
    return {serial: each.decision for serial, each in site.admissions.standing().items()}


def test_strangers_stand_apart_until_they_are_accepted(place: Site, server: Server) -> None:
    with logged_in(server, "otto") as otto:
        page = otto.get("/devices").text
        said = answer(page)
        assert "5 unknown devices wait outside, and get nothing until they are accepted; more have called" in said
        assert "Stranger 0" not in page
        listed = otto.get("/devices?q=unknown").text
        assert "Stranger 0" in listed
        one = str(STRANGERS[0])
        question = otto.submit("/devices/accept", {"q": "unknown", "sn": one}, page="/devices?q=unknown")
        assert "Accept 1 device?" in question.text
        assert decided(place) == {}
        otto.submit("/devices/accept", {"q": "unknown", "sn": one, "confirmed": "1"}, page="/devices?q=unknown")
        assert decided(place) == {STRANGERS[0]: Decision.ACCEPTED}
        assert "Stranger 0" in otto.get("/devices").text
        rest = {"q": "unknown type:IP222", "all": "1", "confirmed": "4"}
        otto.submit("/devices/refuse", rest, page="/devices?q=unknown")
        assert decided(place) == dict.fromkeys(STRANGERS, Decision.REFUSED) | {STRANGERS[0]: Decision.ACCEPTED}
        page = otto.get(f"/devices/{STRANGERS[1]}").text
        assert "It is refused: it gets nothing" in page
        assert "(refused by otto" in re.sub(r"<[^>]*>", "", page)
        back = {"device": str(STRANGERS[1]), "sn": str(STRANGERS[1]), "confirmed": "1"}
        otto.submit("/devices/withdraw", back, page=f"/devices/{STRANGERS[1]}")
        assert STRANGERS[1] not in decided(place)
        assert "It is in quarantine" in otto.get(f"/devices/{STRANGERS[1]}").text
    kinds = [entry.kind for entry in place.audit.entries(9) if entry.kind.startswith("device-")]
    assert kinds == ["device-withdraw", "device-refuse", "device-accept"]


def test_a_viewer_decides_on_nobody(place: Site, server: Server) -> None:
    with logged_in(server, "vera") as vera:
        assert "Accept" not in vera.get("/devices?q=unknown").text
        for path in ("/devices/accept", "/devices/refuse", "/devices/withdraw", "/add/codes"):
            form = {"sn": str(STRANGERS[0]), "confirmed": "1", "title": "x"}
            assert vera.submit(path, form, page="/account").status_code == 403
        assert "By a code" not in vera.get("/add").text
    assert decided(place) == {}
    assert place.codes.listed() == []


def test_codes_are_made_shown_once_and_revoked(place: Site, server: Server) -> None:
    with logged_in(server, "otto") as otto:
        form = {"env": "homeoffice", "count": "3", "days": "2", "title": "new <office>"}
        page = otto.submit("/add/codes", form, page="/add").text
        shown = set(CODE.findall(page))
        assert len(shown) == 3
        assert "update.php?env=homeoffice&amp;type=#t&amp;sn=#m&amp;hwid=#h&amp;ip=#i&amp;code=" in page
        later = otto.get("/add").text
        assert not CODE.search(later)
        assert "new &lt;office&gt;" in later
        otto.submit("/add/codes/1/revoke", {}, page="/add")
        assert [code.state(now()) for code in place.codes.listed()] == ["open", "open", "revoked"]
        wrong = otto.submit("/add/codes", {"title": " ", "count": "0"}, page="/add")
        assert wrong.status_code == 400
        assert "No code was made" in wrong.text
        single = otto.submit("/add/codes", {"title": "desk"}, page="/add").text
        dhcp = single[single.index("dhcp-option") :]
        assert not CODE.search(dhcp[: dhcp.index("</pre>")])  # which is for all devices of a network


def test_programs_decide_on_devices_and_make_codes(place: Site, server: Server) -> None:
    key = add_key(place, "otto")
    with Visitor(server) as program:
        program.headers.update({"Authorization": f"Bearer {key}", "Accept": "application/json"})
        unheard = "00-90-33-99-00-01"
        put = program.put(f"/api/v1/devices/{unheard}/admission", json={"decision": "accepted"})
        assert put.status_code == 204
        some = {"q": "type:IP222", "decision": "accepted", "most": 2}
        assert program.post("/api/v1/admissions", json=some).status_code == 409
        assert list(decided(place)) == [Serial("009033990001")]
        done = program.post("/api/v1/admissions", json=some | {"most": 5}).json()
        assert done == {"decision": "accepted", "devices": [str(serial) for serial in STRANGERS]}
        taken = program.post("/api/v1/admissions", json={"q": "", "decision": "withdrawn", "most": 9}).json()
        assert taken["devices"] == [str(serial) for serial in STRANGERS]
        assert program.post("/api/v1/admissions", json=some | {"q": "colour:red"}).status_code == 400
        made = program.post("/api/v1/codes", json={"title": "office", "count": 2}).json()["codes"]
        assert [code["state"] for code in made] == ["open", "open"]
        assert program.delete(f"/api/v1/codes/{made[0]['id']}").status_code == 204
        assert program.delete(f"/api/v1/codes/{made[0]['id']}").status_code == 404
        listed = program.get("/api/v1/codes").json()["codes"]
        assert sorted(code["state"] for code in listed) == ["open", "revoked"]
        assert all("code" not in code for code in listed)
