"""The site that the browser tests look at: a configuration with a past, devices of every sort, some of them hostile."""

from __future__ import annotations

import http.client
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from support.authorities import EXPIRED, FACTORY, Authority, Issued, signing_request
from support.waiting import until

from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import Request, Serial, parse_serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.core.device import Device, Message
from gitupd.core.endpoint import Endpoint
from gitupd.core.identity import Identity
from gitupd.core.people.audit import Event
from gitupd.core.people.audit import Kind as AuditKind
from gitupd.core.people.person import Actor, Role
from gitupd.core.searches.saved import LONGEST_NAME, ListView
from gitupd.resources import schema_files
from gitupd.service.admission.codes import Redeeming, make_codes, revoke_codes
from gitupd.service.comparison.kept import planned_now
from gitupd.service.creating import create_demo_site
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.listing.saved import save_search
from gitupd.service.people.access import Access
from gitupd.store.certificates.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.serving import Server

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

EMULATED = 10
EMULATED_FIRST = parse_serial("00-90-33-00-00-01")
"""The first of the devices that really polled; it is in Berlin, and called Reception."""
PRESENT = 60
MISSING = 4

FLAG = "hacked"
"""The property of a page's window that any hostile text sets if it is executed."""
MARKUP = f'<img src=x onerror="window.{FLAG}=1">'
QUOTED = f"\"'><script>window.{FLAG}=1</script><b x='"
TEMPLATE = "{{ 7 * 191 }}${7 * 191}"
UNBROKEN = "W" * 200

SECRET = "secret-of-berlin"
"""What the configuration hides from those who are not to see it."""

HOSTILE = parse_serial("00-90-33-66-66-01")
"""A device that says hostile things wherever it may say anything."""
TWIN = parse_serial("00-90-33-66-66-02")
"""A device whose identity is used at two places, with two hardware ids, in an environment that nobody knows."""
STRANGERS = tuple(parse_serial(f"00-90-33-89-00-{number:02x}") for number in range(4))
"""Devices that nobody has accepted; the last one is refused."""
LONELY = parse_serial("00-90-33-66-66-03")
"""A device of which nothing but the serial number is known."""
CALLERS = tuple(
    parse_serial(text)
    for text in (
        "00-90-33-00-00-00",
        "00-90-33-77-00-01",
        "00-90-33-77-00-02",
        "00-90-33-77-00-03",
        "00-90-33-77-00-04",
    )
)
"""Devices that call for the first time when a test wants them to; the first comes before all others."""
FORGETTABLE = tuple(parse_serial(f"00-90-33-88-00-{number:02x}") for number in range(1, 13))
"""Devices that tests may forget."""

_FACTORY = Authority.root(FACTORY)
_PLANT = _FACTORY.issuing("Plant of phones").issuing("Line 7")

_DOCUMENTS = {
    "policies/status.yaml": "refresh: 1\nmissing_after: 7d\n",
    "policies/deploy.yaml": "mode: manual\n",
    "policies/backup.yaml": "enabled: true\nhide: ['(/pw) (\\S+)']\n",
    "queries.yaml": f"""queries:
  admin:
    applies: [all]
    show: [{{title: Name, xpath: /info/@name}}, {{title: Product, xpath: /info/@product}}]
  hostile:
    title: '{MARKUP}'
    command: mod cmd HOSTILE0 xml-info
    applies: [{{class: ip811}}]
    show: [{{title: Said, xpath: /info/@said}}, {{title: Text, xpath: /info}}]
""",
    "environments.yaml": """environments:
  default: {}
  homeoffice: {implies: [intranet]}
  berlin: {implies: [intranet]}
  intranet: {}
""",
    "devices.yaml": f"""devices:
  00-90-33-00-00-01: {{name: Reception, environments: [berlin]}}
  00-90-33-00-00-02: {{name: 'Büro Süd, 2. Stock'}}
  {HOSTILE}: {{name: '{MARKUP}'}}
""",
    "tests/phones.yaml": """tests:
  - name: a phone at home uses the gateway for homes
    device: {type: IP222, sn: 00-90-33-99-00-01, env: homeoffice, phase: update}
    contains: [config add PHONE/REG /gk-addr 10.1.0.1]
""",
    "snippets/update-phone-berlin.txt": f"config add PHONE/REG /gk-addr 10.30.0.1 /pw {SECRET}\n",
}


@dataclass(frozen=True)
class Person:
    """Somebody who may log in."""

    name: str
    password: str
    role: Role


PEOPLE = {
    role: Person(name, f"the {role}'s own long password", role)
    for name, role in zip(("vera", "audrey", "otto", "adam"), Role, strict=True)
}


@dataclass(frozen=True)
class Scene:
    """The site under test, and the commits in it that pages are about."""

    site: Site
    first: CommitId
    """The oldest, no longer deployed."""
    second: CommitId
    """It brought the secret, and is no longer deployed."""
    deployed: CommitId
    blocked: CommitId
    ahead: CommitId
    """Pushed, not deployed."""

    def backups(self, serial: Serial) -> list[CommitId]:
        """Return the versions that are kept of a device's configuration, the newest first."""
        found = self.site.backup_timeline.versions(1000)
        return [each.version.commit for each in found if each.version.serial == serial]


def create_scene(path: Path) -> Scene:
    """Create the site at *path*: on top of the demonstration, a deployed commit and one taken back."""
    now = datetime.now(UTC)
    site = create_demo_site(path, who="ada", now=now - timedelta(days=30))
    first = site.deployments.latest()[-1].commit
    files = {
        **schema_files(),
        **site.config.files(site.config.resolve("main")),
        **{name: text.encode() for name, text in _DOCUMENTS.items()},
    }
    second = site.config.commit_files(files, "An office in Berlin", "Ada <ada@example.org>")
    deploy(site, second, who="ada", now=now - timedelta(days=3))
    files["snippets/update-gw-all.txt"] += b"config add LOG0 /level 3\n"
    deployed = site.config.commit_files(files, f"More to log {MARKUP}", "Grace <grace@example.org>")
    deploy(site, deployed, who="grace", now=now - timedelta(hours=2))
    files["snippets/update-phone-all.txt"] = b"config add PHONE/USER-UI /language ger\n"
    blocked = site.config.commit_files(files, "German for all phones", "Ada <ada@example.org>")
    deploy(site, blocked, who="ada", now=now - timedelta(minutes=50))
    site.inventory.save_sightings(_desks(now - timedelta(minutes=41)))
    rollback(site, deployed, who="grace", now=now - timedelta(minutes=40), reason=f"French after all {QUOTED}")
    files["snippets/update-phone-all.txt"] = b"config add PHONE/USER-UI /language fra\n"
    ahead = site.config.commit_files(files, "French for all phones", "Ada <ada@example.org>")
    scene = Scene(site, first, second, deployed, blocked, ahead)
    site.inventory.save_sightings(_devices(scene, now))
    for authority in (_FACTORY, _PLANT, Authority.root("An old root", valid=EXPIRED), Authority.root(MARKUP)):
        site.trust.add(authority.pem, Event(now, "ada", AuditKind.TRUST_ADD))
    _FACTORY.revoke(_FACTORY.device("IP222-00-00-07"))
    site.trust.add(_FACTORY.crl(next_update=now), Event(now, "ada", AuditKind.TRUST_ADD))
    _roll_out(site, now)
    for person in PEOPLE.values():
        Access(site).add(Actor("setup", Role.ADMINISTRATOR, None), person.name, person.role, person.password, now)
    made = make_codes(site, Actor("grace", Role.OPERATOR, None), now, count=3, title=f"new office {QUOTED}")
    Redeeming(site).redeem(made[0][1], LONELY, "10.0.0.1", now)
    revoke_codes(site, [made[1][0].id], Actor("grace", Role.OPERATOR, None), now)
    planned_now(site, deployed, ahead, lambda: now)
    adam, view = (
        Actor("adam", Role.ADMINISTRATOR, None),
        ListView("missing", "sn,name,seen", "last_seen", descending=True),
    )
    for name in ("Berlin, missing", "x" * LONGEST_NAME, MARKUP):
        save_search(site, adam, name, view, now, shared=name != MARKUP)
    return scene


def _desks(now: datetime) -> Iterator[Device]:
    models = ("IP222", "IP112", "IP232", "IP811")
    for number in range(PRESENT):
        yield _device(
            _serial(0x11, number),
            now - timedelta(minutes=number % 14),
            name=f"Desk {number}",
            model=models[number % 4],
            environments=("berlin", "intranet") if number % 3 else ("homeoffice", "intranet"),
        )


def _devices(scene: Scene, now: datetime) -> Iterator[Device]:
    for number, desk in enumerate(_desks(now)):
        yield _running(desk, scene.first if number % 10 == 0 else scene.deployed)
    for number in range(MISSING):
        yield _device(_serial(0x22, number), now - timedelta(days=9 + number), name=f"Storage room {number}")
    for serial in FORGETTABLE:
        yield _device(serial, now - timedelta(minutes=3), name="Forget me")
    yield _hostile(scene, now)
    yield _twin(now)
    yield Device(LONELY, first_seen=now, last_seen=now)
    for number, serial in enumerate(STRANGERS):
        stranger = _device(serial, now - timedelta(minutes=number), name=f"Stranger {number}")
        verdict = Admittance.REFUSED if serial == STRANGERS[-1] else Admittance.QUARANTINED
        yield replace(stranger, admission=verdict, sent=None, phase=None, first_seen=stranger.last_seen)


def _device(
    serial: Serial,
    seen: datetime,
    *,
    name: str,
    model: str = "IP222",
    environments: tuple[str, ...] = ("default",),
) -> Device:
    arguments = {"type": model, "sn": str(serial), "hwid": f"{model}-{serial.digits[-6:]}", "ip": "10.30.1.7"}
    arguments |= {"env": environments[0], "phase": "update", "PROT": "137213"}
    return Device(
        serial,
        hardware_id=arguments["hwid"],
        model=model,
        own_name=name,
        address=f"10.30.{serial.digits[-4] == '2':d}.{int(serial.digits[-2:], 16) + 1}",
        own_address="10.30.1.7",
        environments=environments,
        classes=("phone", model.lower()),
        phase="update",
        phase_before="staging",
        firmware="137213",
        bootcode="134250",
        first_seen=seen - timedelta(days=100),
        last_seen=seen,
        request=Request(arguments, Endpoint("http", "127.0.0.1", 8080)),
    )


def _running(device: Device, commit: CommitId) -> Device:
    """Return *device* after it has executed what *commit* gives it."""
    return replace(
        device,
        settled=True,
        sent=commit,
        sent_at=device.last_seen,
        snippets=("snippets/all-all-all.txt",),
        confirmed=commit,
        confirmed_at=device.last_seen,
    )


def _hostile(scene: Scene, now: datetime) -> Device:
    # What a request may hold: other types, hardware ids and addresses are refused.
    arguments = {"type": "{{7*191}}", "sn": str(HOSTILE), "hwid": "$(id);`id`", "ip": "javascript:alert(1)"}
    arguments |= {"env": MARKUP, "phase": QUOTED, MARKUP: TEMPLATE, "PROT": UNBROKEN}
    return Device(
        HOSTILE,
        hardware_id=QUOTED,
        previous_hardware_id=MARKUP,
        hardware_changed=now,
        model=MARKUP,
        given_name=MARKUP,
        own_name=QUOTED,
        address=f"javascript:window.{FLAG}=1//",
        previous_address=MARKUP,
        address_changed=now,
        address_returned=now,
        own_address=f"javascript:window.{FLAG}=1//",
        proxy=MARKUP,
        environments=(MARKUP, TEMPLATE),
        unknown_environments=(QUOTED, UNBROKEN),
        classes=(MARKUP,),
        phase=MARKUP,
        phase_before=QUOTED,
        firmware=MARKUP,
        bootcode=QUOTED,
        firmware_wanted=MARKUP,
        firmware_requested=now,
        check=MARKUP,
        first_seen=now,
        last_seen=now,
        sent=scene.deployed,
        sent_at=now,
        snippets=(MARKUP, QUOTED),
        request=Request(arguments, Endpoint("http", "127.0.0.1", 8080, "/%22%3E%3Cscript%3E")),
        sent_request=Request(arguments, Endpoint("https", "[::1]", 8080, "/javascript:alert(1)")),
        messages=(Message(now, MARKUP), Message(now, QUOTED), Message(now, TEMPLATE), Message(now, UNBROKEN)),
    )


def _twin(now: datetime) -> Device:
    return Device(
        TWIN,
        hardware_id="IP222-66-66-02",
        previous_hardware_id="IP222-66-66-0f",
        hardware_changed=now - timedelta(hours=1),
        model="IP222",
        address="10.30.1.2",
        previous_address="10.40.1.2",
        address_changed=now - timedelta(minutes=2),
        address_returned=now - timedelta(minutes=2),
        environments=("default",),
        unknown_environments=("atlantis",),
        phase="staging",
        key="9f" * 32,
        previous_key="1c" * 32,
        key_changed=now - timedelta(minutes=2),
        request=Request({"type": "IP222", "sn": str(TWIN)}, Endpoint("https", "127.0.0.1", 8443)),
        identity=_identity(_PLANT.device("IP222-66-66-02"), "good certificate (CN=IP222-66-66-02)", is_trusted=True),
        first_seen=now - timedelta(days=1),
        last_seen=now - timedelta(minutes=2),
    )


def _roll_out(site: Site, now: datetime) -> None:
    """Have certificates rolled out to some devices, each at another stage."""
    for number, stage in enumerate(Stage):
        serial, since = rolled_out(stage), now - timedelta(hours=number)
        if stage in (Stage.SIGNING, Stage.INSTALL):
            request = signing_request(serial.digits)
            site.rollouts.change(serial, since, lambda rollout, request=request: rollout.uploaded(request, now))  # type: ignore[misc] # bound now
        if stage is Stage.FAILED:
            site.rollouts.fail(serial, MARKUP, since)
        reason = f"Certificate {MARKUP!r} is by {QUOTED!r}, none of ours."
        site.rollouts.note(
            serial, Need(stage, reason), since, now + timedelta(days=10 * number), site.rollouts.of(serial)
        )


def rolled_out(stage: Stage) -> Serial:
    """Return the device whose roll-out is at *stage*."""
    return Serial(f"00903300{list(Stage).index(stage):04x}")


def _identity(issued: Issued, reason: str, *, is_trusted: bool) -> Identity:
    """Return what a device has proved with its certificate, and those above it."""
    certificate, *path = (read(der).certificate for der in issued.presented)
    return Identity(is_trusted=is_trusted, reason=reason, certificate=certificate, path=tuple(path))


def _serial(group: int, number: int) -> Serial:
    return Serial(f"009033{group:02x}{number:04x}")


def emulate(server: Server) -> None:
    """Let devices go through all phases at *server*, until nothing is left for them to do."""
    program = [sys.executable, "-m", "gitupd", "emulate", f"{server.base}/update.php"]
    options = ["--type=IP222,IP811,IP6010", f"--count={EMULATED}", "--env=homeoffice", "--env=berlin"]
    haste = ["--speed=2000", "--until-settled", "--timeout=300", "--firmware=134250", "--bootcode=134250", "--plain"]
    done = subprocess.run([*program, *options, *haste], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def answer_with_hostility(server: Server) -> None:
    """Upload answers to queries, and some that are none."""
    quoted = quoteattr(MARKUP)
    upload_answer(server, HOSTILE, "admin", f"<info name={quoted} product={quoteattr(QUOTED)}/>".encode())
    upload_answer(server, HOSTILE, "hostile", f"<info said={quoted}><p>{MARKUP[:-1]}/></p></info>".encode())
    upload_answer(server, TWIN, "admin", f"<info {MARKUP}".encode())


def poll(server: Server, serial: Serial, **more: str) -> None:
    """Call as a device would that is in its last phase."""
    arguments = {"polling": "15", "phase": "update", "type": "IP222", "sn": str(serial), "ip": "10.30.9.9"}
    arguments |= {"hwid": f"IP222-{serial.digits[-6:]}", **more}
    status, body = server.get("/update.php?" + "&".join(f"{name}={value}" for name, value in arguments.items()))
    assert (status, b"# gitupd" in body) == (200, True), body


def back_up(server: Server, scene: Scene) -> None:
    """Upload changed configurations, hostile ones among them, and wait until they are kept."""
    for serial, name in ((EMULATED_FIRST, "Reception"), (HOSTILE, MARKUP)):
        for change in ("", f"config change PHONE/REG /name {QUOTED} /pw {SECRET}\r\n", f"# {MARKUP}\r\n{UNBROKEN}\r\n"):
            before = len(scene.backups(serial))
            lines = "".join(f"config change MODULE{number} /value {number}\r\n" for number in range(40))
            content = f"config change CMD0 /name {quote(name)}\r\n{lines}{change}"
            upload(server, f"mode=backup&hwid=IP222-00-00-01&sn={serial}", content.encode())
            until(lambda serial=serial, before=before: len(scene.backups(serial)) > before, "a backup was not kept")


def upload_answer(server: Server, serial: Serial, query: str, xml: bytes) -> None:
    """Upload an answer to a query as a device does."""
    upload(server, f"mode=query&sn={serial}&id={query}", xml)


def upload(server: Server, arguments: str, content: bytes) -> None:
    """Upload something as a device does."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("PUT", f"/update.php?{arguments}", content)
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status in (200, 201, 204), response.status
