"""Certificates of devices through the API; each answer is held against openapi.yaml, see ``programs``."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority
from support.fleets import fill
from support.rollouts import fill_rollouts
from support.signing_sites import OTHER, SERIAL, asks, signing_site

from gitupd.cli.main import cli
from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.service.clock import now
from gitupd.web.api.description import document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.programs import Program

    from gitupd.service.site import Site

FLEET = 60


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with an authority, and a fleet with a roll-out each."""
    with signing_site(tmp_path_factory.mktemp("certificates") / "site") as site:
        fill(site, FLEET, now())
        fill_rollouts(site, FLEET, now())
        yield site


def gitupd(site: Site, *arguments: str) -> Any:
    done = CliRunner().invoke(cli, ["certificates", *arguments, "--json", "--site", str(site.path)])
    return json.loads(done.stdout)


def everything(program: Program, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while path:
        said = program.get(path.removeprefix("/api/v1")).json()
        found += said["rollouts"]
        path = said["next"]
    assert len(found) == said["total"]
    return found


def test_stages_are_those_that_there_are() -> None:
    assert set(document()["components"]["schemas"]["Stage"]["enum"]) == {stage.value for stage in Stage}


def test_programs_are_told_the_same_on_the_command_line_and_by_http(place: Site, viewer: Program) -> None:
    listed = everything(viewer, "/api/v1/certificates?limit=17")
    assert len(listed) >= FLEET
    assert listed == gitupd(place, "list", "--all")
    signing = everything(viewer, "/api/v1/certificates?stage=signing")
    assert signing == gitupd(place, "list", "--stage", "signing")
    assert viewer.get(f"/certificates/{signing[0]['serial']}").json() == gitupd(place, "show", signing[0]["serial"])
    assert viewer.get("/authority").json() == gitupd(place, "authority")


def test_roll_outs_are_chosen_by_device_and_by_week(viewer: Program) -> None:
    summary = viewer.get("/certificates/summary").json()
    assert sum(summary["stages"].values()) >= FLEET
    for week in summary["weeks"]:
        assert len(everything(viewer, f"/api/v1/certificates?week={week['week']}")) == week["count"]
    assert len(everything(viewer, "/api/v1/certificates?q=type:IP222")) == FLEET // 6
    for faulty in ("q=colour:red", "week=2026-W99", "week=soon", "stage=bad"):
        assert viewer.get(f"/certificates?{faulty}").status_code == 400


def test_a_request_is_fetched_and_its_certificate_handed_in(place: Site, operator: Program, viewer: Program) -> None:
    asks(place, OTHER)
    assert viewer.get(f"/certificates/{OTHER}/request").status_code == 403
    pem = operator.get(f"/certificates/{OTHER}/request").json()["pem"]
    request = x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)
    foreign = Authority.root("Foreign").answer(request).public_bytes(Encoding.PEM).decode()
    refused = operator.post(f"/certificates/{OTHER}/signed", json={"pem": foreign})
    assert refused.status_code == 422
    assert "It is issued by 'Foreign'" in refused.json()["detail"]
    assert operator.post(f"/certificates/{OTHER}/signed", json={"pem": "junk"}).status_code == 422
    nobody = Serial("0090333fffff")
    assert operator.get(f"/certificates/{nobody}").status_code == 404
    assert operator.get(f"/certificates/{nobody}/request").status_code == 404
    assert operator.post(f"/certificates/{nobody}/signed", json={"pem": foreign}).status_code == 404


def test_decisions_tell_what_became_of_each(place: Site, operator: Program) -> None:
    asks(place, SERIAL)
    good = Serial("009033000000")

    def decided(decision: str, *devices: Serial, **more: str) -> list[tuple[str, bool]]:
        said = {"decision": decision, "devices": [str(each) for each in devices], **more}
        outcomes = operator.post("/certificates/decisions", json=said).json()["outcomes"]
        return [(each["serial"], each["done"]) for each in outcomes]

    assert decided("approve", SERIAL, good) == [(str(SERIAL), True), (str(good), False)]
    assert decided("revoke", SERIAL, reason="lost") == [(str(SERIAL), True)]
    place.rollouts.note(SERIAL, Need(Stage.UNKNOWN, "?"), now() + timedelta(hours=1), None, place.rollouts.of(SERIAL))
    assert decided("restart", SERIAL, Serial("0090333fffff")) == [(str(SERIAL), True), ("00-90-33-3f-ff-ff", False)]
    asks(place, OTHER)
    assert decided("reject", OTHER, reason="not ours") == [(str(OTHER), True)]
    without = operator.post("/certificates/decisions", json={"decision": "reject", "devices": [str(OTHER)]})
    assert (without.status_code, without.json()["detail"]) == (422, "Say why.")
    for devices in ([], ["x"], [1], "00-90-33-30-00-af", [str(SERIAL)] * 1001):
        faulty = operator.post("/certificates/decisions", json={"decision": "restart", "devices": devices})
        assert faulty.status_code == 400
