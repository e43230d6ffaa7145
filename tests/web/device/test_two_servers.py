"""One site in place of a staging server without client certificates and one with: devices walk from HTTP over HTTPS."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.serving import Server, serving

from gitupd.emulator.clock import running_clock
from gitupd.emulator.drive import drive_fleet
from gitupd.emulator.factory import Factory, read_authority
from gitupd.emulator.fleet import Fleet, FleetPlan, build_fleet
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.state import Habits
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from gitupd.emulator.phone import Phone
    from gitupd.service.site import Site

CANARY = "correct-horse-battery-staple"
LISTENERS = """
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "{certificates}"
serves = ["devices"]
"""
HTTPS = """
https: required
https_port: {port}
client_certificate: required
"""
MTLS = (
    HTTPS
    + """
https_rewrite: {{pattern: "^(https://[^/]+)/update/", replacement: "\\\\1/mtls/update/"}}
"""
)
STAGING, OLD_MTLS = "/update/update.php", "/mtls/update/update.php"
ROUNDS_BEFORE, ROUNDS = 5, 12
STRANGERS = (
    Misbehaviour.NO_CERTIFICATE,
    Misbehaviour.SELF_MADE_CERTIFICATE,
    Misbehaviour.FOREIGN_CERTIFICATE,
    Misbehaviour.BORROWED_CERTIFICATE,
    Misbehaviour.EXPIRED_CERTIFICATE,
)


@dataclass
class Diary:
    """What one device was told, and where it asked."""

    polled: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)
    """Servers that have told it the secret."""
    order: list[str] = field(default_factory=list)
    """Servers in the order in which it came to them."""

    def write(self, phone: Phone) -> None:
        polled = phone.device.tally.polled
        (server,) = polled - self.polled
        self.polled = polled.copy()
        self.order += [server] if server not in self.order else []
        if any(CANARY in line for line in phone.last_lines):
            self.told.add(server)


def fleet_of(server: Server, factory: Factory, kinds: dict[Misbehaviour | None, int]) -> Fleet:
    """Make devices of several kinds; every second one has the path of the old MTLS server."""
    fleet, clock = None, running_clock(None, 600)
    number = 1
    for kind, count in kinds.items():
        plan = FleetPlan(
            f"{server.base}{STAGING}",
            types=("IP222", "IP232", "IP240"),
            count=count,
            first_serial=f"00-90-33-00-{number >> 8:02x}-{number & 255:02x}",
            spread=0.5,
            speed=600,
            factory=factory,
            habits=Habits(frozenset({kind} if kind else ()), polls=ROUNDS_BEFORE, interval=60),
        )
        made = build_fleet(plan, clock)
        fleet = fleet or Fleet(plan, clock, [])
        fleet.phones += made.phones
        number += count
    assert fleet is not None
    for phone in fleet.phones[1::2]:
        phone.type_in(f"config add UP1 /url {quote(server.base + OLD_MTLS, safe='')}")
    return fleet


def commit(site: Site, transport: str) -> str:
    files = {
        "policies/transport.yaml": transport.encode(),
        "policies/backup.yaml": b"enabled: true\n",
        "policies/delivery.yaml": b"check: true\n",
        "policies/firmware.yaml": b"firmware: none\nbootcode: none\n",
        "policies/deploy.yaml": b"mode: manual\n",
        "snippets/all-all-all.txt": f"config add PHONE /pw {CANARY}\n".encode(),
    }
    made = site.config.commit_files(files, "Transport", "Test <test@localhost>")
    deploy(site, made, who="test", now=now(), force=True, reason="meant")
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("certificates", "good", "strangers"), [("asked", 80, 4), ("demanded", 8, 2)], ids=["asked", "demanded"]
)
def test_devices_walk_from_http_over_https_to_mtls(
    own_site: Site, certificates: str, good: int, strangers: int
) -> None:
    trust = own_site.path / "trust"
    trust.mkdir(exist_ok=True)
    factory = Factory(read_authority(trust / "factory.pem", own_site.path / "factory.key"))
    with (own_site.path / "gitupd.toml").open("a") as file:
        file.write(LISTENERS.format(certificates=certificates))
    with serving(own_site.path, options=[], workers=2) as server:
        http = f"http://127.0.0.1:{server.ports[0]}"
        https, mtls = (f"https://127.0.0.1:{port}" for port in server.ports[1:])
        fleet = fleet_of(server, factory, {None: good, **dict.fromkeys(STRANGERS, strangers)})
        diaries = [Diary() for _ in fleet.phones]
        for phone, diary in zip(fleet.phones, diaries, strict=True):
            phone.after_poll = diary.write

        server.ready(commit(own_site, HTTPS.format(port=server.ports[1])))
        drive_fleet(fleet)
        assert [diary.polled for diary in diaries] == [{http: 2, https: ROUNDS_BEFORE - 2}] * len(diaries)
        assert not any(diary.told for diary in diaries)
        assert not any(phone.uploads for phone in fleet.phones)

        server.ready(commit(own_site, MTLS.format(port=server.ports[2])))
        for phone in fleet.phones:
            phone.device.habits = replace(phone.device.habits, polls=ROUNDS)
        drive_fleet(fleet)
    # One of two workers has said that it knows the deployment; the other one may take half a second longer.
    late = [diary.polled[https] - (ROUNDS_BEFORE - 1) for diary in diaries]
    assert set(late) <= {0, 1}
    assert [diary.polled for diary in diaries] == [
        {http: 2, https: ROUNDS_BEFORE - 1 + more, mtls: ROUNDS - ROUNDS_BEFORE - 1 - more} for more in late
    ]
    assert {tuple(diary.order) for diary in diaries} == {(http, https, mtls)}
    assert all(diary.told == {mtls} for diary in diaries[:good])
    assert not any(diary.told for diary in diaries[good:])
    assert all(phone.settled and set(phone.device.tally.uploaded) == {mtls} for phone in fleet.phones[:good])
    assert not any(phone.settled or phone.uploads for phone in fleet.phones[good:])
    assert {phone.device.configuration.value("UP1", "url").partition("?")[0] for phone in fleet.phones} == {
        f"{mtls}{OLD_MTLS}"
    }
    kept = {str(serial) for serial, _ in own_site.backup_timeline.latest()}
    assert kept == {phone.serial for phone in fleet.phones[:good]}
