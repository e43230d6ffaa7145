"""Devices that nobody knows, at a real server: served, kept waiting, turned away, and accepted in the end."""

from __future__ import annotations

import http.client
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.serving import Server, serving
from support.waiting import until

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Serial, parse_serial
from gitupd.core.people.person import Actor, Role
from gitupd.core.policy import Policy
from gitupd.core.search import parse_search
from gitupd.core.standing import Yardstick
from gitupd.service.admission.codes import make_codes
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from gitupd.service.site import Site

CANARY = "correct-horse-battery-staple"
VERA = Actor("vera", Role.OPERATOR, None)
PHONE, OTHER, LISTED = "00-90-33-30-00-01", "00-90-33-30-00-02", "00-90-33-30-00-03"
FILES = {
    "policies/backup.yaml": b"enabled: true\n",
    "policies/firmware.yaml": b"firmware: '137213'\nbootcode: none\n",
    "policies/deploy.yaml": b"mode: manual\n",
    "snippets/all-all-all.txt": f"config add PHONE /pw {CANARY}\n".encode(),
    "devices.yaml": f"devices: {{{LISTED}: {{name: Listed}}}}\n".encode(),
}


def poll(server: Server, serial: str, model: str = "IP222", **more: str) -> str:
    said = {"type": model, "sn": serial, "hwid": f"{model}-{serial[-8:]}", "ip": "10.0.0.1", **more}
    status, body = server.get("/update.php?" + "&".join(f"{name}={value}" for name, value in said.items()))
    assert status == 200
    return body.decode()


def upload(server: Server, serial: str, mode: str = "backup", more: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    hardware = f"&hwid=IP222-{serial[-8:]}" if mode == "backup" else ""
    try:
        body = b"config change CMD0 /name Desk\r\n"
        connection.request("PUT", f"/update.php?mode={mode}&sn={serial}{hardware}{more}", body=body)
        return connection.getresponse().status
    finally:
        connection.close()


def commit(site: Site, admission: str) -> str:
    made = site.config.commit_files(
        FILES | {"policies/admission.yaml": admission.encode()}, "Admission", "Test <test@localhost>"
    )
    deploy(site, made, who="test", now=now())
    return made


def verdict(site: Site, serial: str) -> Admittance | None:
    device = site.inventory.device(parse_serial(serial))
    return device and device.admission


def commands(script: str) -> list[str]:
    return [line for line in script.splitlines() if not line.startswith("#")]


def test_a_quarantined_device_gets_nothing_until_somebody_accepts_it(own_site: Site) -> None:
    made = commit(own_site, "unknown: quarantine")
    with serving(own_site.path, workers=2) as server:
        server.ready(made)
        first = server.get("/update.php?env=default")[1].decode()
        assert [line[:18] for line in commands(first)][:1] == ["config add UP1 /ur"]
        assert CANARY not in first
        assert commands(poll(server, PHONE)) == []
        assert CANARY in poll(server, LISTED)
        for mode, more in (("backup", ""), ("query", "&id=admin"), ("vardump", "&var=X509/REQUEST")):
            assert upload(server, PHONE, mode, more) == 403
        assert upload(server, LISTED) == 200
        until(lambda: verdict(own_site, PHONE) is Admittance.QUARANTINED)
        until(lambda: verdict(own_site, LISTED) is Admittance.KNOWN)

        fleet = Fleet(own_site, live_now(own_site), now())
        assert fleet.decide([parse_serial(PHONE)], Decision.ACCEPTED, VERA) == 1
        until(lambda: CANARY in poll(server, PHONE))
        until(lambda: upload(server, PHONE) == 200)  # by whichever worker
        fleet.decide([parse_serial(PHONE)], Decision.WITHDRAWN, VERA)
        until(lambda: CANARY not in poll(server, PHONE))


def test_rules_hold_for_uploads_that_say_less_than_a_poll(own_site: Site) -> None:
    made = commit(own_site, "unknown: refuse\naccept: [{type: IP232}, {hardware_id: '^IP6000-', network: 127.0.0.0/8}]")
    with serving(own_site.path, workers=2) as server:
        server.ready(made)
        assert commands(poll(server, PHONE)) == []
        assert upload(server, PHONE, "query", "&id=admin") == 403
        assert CANARY in poll(server, OTHER, "IP232")
        assert upload(server, OTHER, "query", "&id=admin") == 200  # at once, before the poll is written down
        assert CANARY in poll(server, LISTED.replace("03", "04"), "IP6000")


def test_without_a_policy_everybody_is_served_as_before(own_site: Site) -> None:
    made = commit(own_site, "{}")
    with serving(own_site.path) as server:
        server.ready(made)
        assert CANARY in poll(server, PHONE)
        assert upload(server, PHONE) == 200
        until(lambda: verdict(own_site, PHONE) is Admittance.SERVED)


@pytest.mark.parametrize("policy", ["unknown: quarantine", "unknown: refuse"])
def test_a_code_accepts_one_device_and_gets_nowhere(own_site: Site, policy: str) -> None:
    made = commit(own_site, policy)
    ((_, code),) = make_codes(own_site, VERA, now())
    with serving(own_site.path, workers=2) as server:
        server.ready(made)
        assert CANARY not in poll(server, OTHER, code="2222-3333-4444-5555-6666")
        script = poll(server, PHONE, code=code)
        assert CANARY in script
        assert "# the code is good" in script
        assert CANARY in poll(server, PHONE, code=code)  # the answer was lost
        until(lambda: CANARY in poll(server, PHONE))
        stranger = poll(server, OTHER, code=code)
        assert CANARY not in stranger
        nameless = server.get(f"/update.php?env=default&code={code}")[1].decode()
        for said in (script, stranger, nameless):
            addresses = [line for line in commands(said) if line.startswith("config add UP1 /url")]
            assert len(addresses) == (said is not stranger or "quarantine" in policy)
            assert "code" not in "".join(addresses)
            assert code not in said
        server.get(f"/update.php?sn={PHONE}&type=IP222&hwid=a&ip=b&code={code}", method="HEAD")
        server.get(f"/update.php?sn=nonsense&code={code}")
        until(lambda: verdict(own_site, PHONE) is Admittance.ACCEPTED)
        until(lambda: verdict(own_site, OTHER) is not None)
    own_site.database.close()
    kept = b"".join(path.read_bytes() for path in own_site.path.glob("gitupd.db*"))
    assert code.encode() not in kept
    assert code not in server.log.read_text()


def test_a_viewed_address_uses_no_code(own_site: Site) -> None:
    made = commit(own_site, "unknown: quarantine")
    ((_, code),) = make_codes(own_site, VERA, now())
    with serving(own_site.path) as server:
        server.ready(made)
        server.get(f"/update.php?sn={OTHER}&type=IP222&hwid=a&ip=b&code={code}", method="HEAD")
        assert CANARY in poll(server, PHONE, code=code)


@pytest.mark.parametrize("unknown", ["serve", "quarantine", "refuse"])
def test_invented_devices_are_bounded_and_a_real_one_is_remembered(own_site: Site, unknown: str) -> None:
    made = commit(own_site, f"unknown: {unknown}\nmost: 20")
    table = own_site.fleet
    yardstick = Yardstick.of(Policy(), None, now())
    with serving(own_site.path, workers=2) as server:
        server.ready(made)
        assert CANARY in poll(server, LISTED)
        for number in range(300):
            poll(server, str(Serial(f"02{number:010x}")))
        until(lambda: verdict(own_site, LISTED) is not None)
        until(lambda: table.strangers(now()).unproved == 20)

        def called_again() -> bool:
            poll(server, PHONE)
            for number in range(20):
                poll(server, str(Serial(f"04{number:010x}")))
            return verdict(own_site, PHONE) is not None

        until(called_again)
        assert table.strangers(now()).unproved <= 20
        assert len(table.serials(parse_search(""), yardstick)) == (21 if unknown == "serve" else 1)
    with sqlite3.connect(own_site.path / "gitupd.db") as database:
        for name in ("devices", "requests", "messages"):
            assert database.execute(f"select count(distinct serial) from {name}").fetchone()[0] <= 21  # noqa: S608 - our names
    database.close()
