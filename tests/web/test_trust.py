"""Nothing that needs trust is sent, or accepted, without it: whatever a device, or a stranger, shows and says."""

from __future__ import annotations

import asyncio
import base64
import re
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.authorities import Authority, Issued, out_of_order, untrustworthy
from support.offices import Office, dump

from gitupd.core.caller import parse_serial
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role
from gitupd.resources import template_files
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.store.secrets import encrypt
from gitupd.web.asgi.counters import Counters
from gitupd.web.server import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

CANARY = b"Cnry7"
SERIAL, HARDWARE_ID = "00-90-33-30-00-af", "IP232-30-00-af"
OTHER = "IP232-99-99-99"
OTHER_SERIAL = "00-90-33-99-99-99"
PROXY, STRANGER = "10.9.9.9", "192.0.2.66"
ADA = Actor("ada", Role.ADMINISTRATOR, None)

FILES = {
    "policies/transport.yaml": "https: required\nhttps_port: 443\nclient_certificate: required\n",
    "policies/certificates.yaml": "authorities: [Plant]\n",
    "policies/backup.yaml": "enabled: true\n",
    "policies/firmware.yaml": "firmware: 137213\nstorage: https://u:Cnry7@files.example/{build}?token=Cnry7\n",
    "snippets/all-all-all.txt": "config add A /pw Cnry7\n",
    "snippets/update-all-all.txt.j2": "config add D /pw {{ word }} /x {{ word | urlencode }}\n",
    "queries.yaml": "queries:\n  admin:\n    title: Admin\n    command: mod cmd CMD0 xml-info\n    applies: [all]\n",
    "scripting.py": (
        "class Own:\n    def pre(self, device):\n        if device.sn.endswith('99'):\n"
        "            raise ValueError('Cnry7')\n        return ['config add B /pw Cnry7']\n"
    ),
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass
class Scene:
    """A worker of a site where trust is required, with a device that is to be restored, and all certificates."""

    site: Site
    worker: Worker
    shown: dict[str, Issued | None]
    token: str

    async def ask(self, request: Request, headers: dict[bytes, bytes], scheme: str, peer: str) -> Answer:
        """Make a request as the web server hands it on; the certificates are those of a handshake."""
        path, _, query = request.target(self.token).partition("?")
        status, body, parts = 0, b"", [request.body]
        handed = [] if b"client-cert" in headers and peer == PROXY else self._handshake(request, scheme)
        scope: dict[str, Any] = {
            "type": "http",
            "method": request.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"upd.example"), *headers.items()],
            "scheme": scheme,
            "client": (peer, 4711),
            "http_version": "1.1",
            "gitupd.certificates": tuple(handed),
        }

        async def receive() -> dict[str, Any]:
            if parts:
                return {"type": "http.request", "body": parts.pop(), "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")

        await self.worker.application(scope, receive, send)
        return Answer(status, body)

    def _handshake(self, request: Request, scheme: str) -> list[bytes]:
        shown = self.shown[request.certificate]
        return list(shown.presented) if shown and scheme == "https" else []

    def accepted(self) -> tuple[int, int]:
        """Return how much has been taken in."""
        answers = self.site.answers.of(parse_serial(SERIAL)), self.site.answers.of(parse_serial(OTHER_SERIAL))
        return self.site.backup_inbox.count() + self.site.backup_index.count(), sum(map(len, answers))


GOOD = {"good", "good, by serial number", "good, out of order", "good, early", "good, chain missing"}
"""Certificates of the device, by their names below."""


@dataclass(frozen=True)
class Request:
    """What a client asks, what it shows, and by which way it comes."""

    kind: str
    certificate: str
    sn: str = SERIAL
    hwid: str = HARDWARE_ID
    way: str = "https"
    forged: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        return "PUT" if self.kind in ("backup", "query", "vardump") else "GET"

    @property
    def body(self) -> bytes:
        if self.kind == "backup":
            return dump(*(f"config change MODULE{number} /x" for number in range(40)))
        return b"<info><sys name='x'/></info>" if self.kind == "query" else b""

    def target(self, token: str) -> str:
        sn, hwid = quote(self.sn), quote(self.hwid)
        return {
            "poll": f"/update.php?type=IP232&sn={sn}&hwid={hwid}&ip=10.0.0.1&phase=update&polling=0",
            "backup": f"/update.php?mode=backup&hwid={hwid}&sn={sn}",
            "query": f"/update.php?mode=query&id=admin&sn={sn}",
            "vardump": f"/update.php?mode=vardump&sn={sn}&var=X509/REQUEST&file=x",
            "restore": f"/restore/{token}",
        }[self.kind]

    def is_trusted(self) -> bool:
        """Whether the request proves what it claims, by TLS or by a proxy that ends it; by no rule of gitupd's own."""
        if self.way not in ("https", "proxy https"):
            return False
        if self.kind == "restore":
            return self.certificate in GOOD
        says_no_hardware_id = self.kind in ("query", "vardump")
        if self.certificate in ("another's", "wrong: another's first, own behind"):
            return self.sn == OTHER_SERIAL and (says_no_hardware_id or self.hwid == OTHER)
        return self.certificate in GOOD and self.sn == SERIAL and (says_no_hardware_id or self.hwid == HARDWARE_ID)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("trust") / "site"
    root = Authority.root("Root")
    plant = root.issuing("Plant")
    shown: dict[str, Issued | None] = {
        "none": None,
        "good": plant.device(HARDWARE_ID),
        "good, by serial number": plant.device("0090333000af"),
        "good, out of order": out_of_order(plant.device(HARDWARE_ID)),
        "good, early": plant.device("IP232s-30-00-af"),
        "another's": plant.device(OTHER),
        "of an authority that is not named": root.issuing("Elsewhere").device(HARDWARE_ID),
        **{f"wrong: {fault}": each for fault, each in untrustworthy(plant, HARDWARE_ID, OTHER).items()},
    }
    del shown["wrong: wrong common name"]  # that is another's
    shown["good, chain missing"] = shown.pop("wrong: chain missing")  # its issuer is in the folder
    site = _prepared(folder, (root.pem, plant.pem, plant.crl()))
    token = site.restores.pending()[parse_serial(SERIAL).digits].token
    worker = Worker(folder, now(), counters := Counters(), counters.take(0), uses_tls=False)
    with closing(site), worker.running():
        yield Scene(site, worker, shown, token)


def _prepared(folder: Path, trusted: tuple[bytes, ...]) -> Site:
    """Return a site with a device that has two versions of its configuration, and is to go back to the first."""
    site, _ = create_site(folder, who="test", now=now())
    (folder / "gitupd.toml").write_text(
        f'trusted_proxies = ["{PROXY}"]\nclient_certificate_header = "Client-Cert"\nscripting = true\n'
    )
    office = Office(site)
    lines = [f"config change MODULE{number} /option {number}" for number in range(50)]
    for version in ("Cnry7 1", "Cnry7 2"):
        assert office.upload(dump(*lines, f"config add C /pw {version}"), parse_serial(SERIAL)) == "kept"
        office.commit()
    target = office.history().version(parse_serial(SERIAL), "~1")
    SiteRestores(site).ask(target, ADA, now(), office.live.snapshot.policy.backup)
    office.intake.stop()
    for content in trusted:
        site.trust.add(content, Event(now(), "test", Kind.TRUST_ADD))
    recipient = site.secrets_key.create()
    sealed = {
        "snippets/update-all-default.txt.age": encrypt(b"config add E /pw Cnry7\n", [recipient]),
        "secrets.yaml.age": encrypt(b"variables: {word: Cnry7}\n", [recipient]),
    }
    files = {
        path: content for path, content in template_files().items() if not path.startswith(("tests/", "snippets/"))
    }
    site.config.commit_files(
        {**files, **sealed, **{path: text.encode() for path, text in FILES.items()}}, "Demand", "Ada <a@b>"
    )
    deploy(site, "main", who="test", now=now(), force=True, reason="test")
    return site


FORGERIES = {
    "certificate": b"client-cert",
    "chain": b"client-cert-chain",
    "scheme": b"x-forwarded-proto",
    "forwarded": b"forwarded",
    "address": b"x-forwarded-for",
    "nginx": b"x-ssl-cert",
    "underscores": b"client_cert",
}


def delivered(scene: Scene, request: Request) -> tuple[dict[bytes, bytes], str, str]:
    """Return headers, scheme and peer of a request that comes by its way, with what its client has forged."""
    good = base64.b64encode(scene.shown["good"].der)
    values = {
        b"client-cert": b":" + good + b":",
        b"client-cert-chain": b"",
        b"x-forwarded-proto": b"https",
        b"forwarded": b"for=10.0.0.1;proto=https",
        b"x-forwarded-for": PROXY.encode(),
        b"x-ssl-cert": good,
        b"client_cert": b":" + good + b":",
    }
    headers = {FORGERIES[name]: values[FORGERIES[name]] for name in request.forged}
    if not request.way.startswith("proxy"):
        return headers, request.way, STRANGER
    headers.pop(b"forwarded", None)  # a proxy overwrites what it sets itself, as our how-to says
    shown = scene.shown[request.certificate] if request.way == "proxy https" else None
    headers[b"client-cert"] = b":" + base64.b64encode(shown.der) + b":" if shown else b""
    above = [b":" + base64.b64encode(der) + b":" for der in shown.presented[1:]] if shown else []
    headers[b"client-cert-chain"] = b", ".join(above)
    headers[b"x-forwarded-proto"] = request.way.removeprefix("proxy ").encode()
    headers[b"x-forwarded-for"] = STRANGER.encode()
    return headers, "http", PROXY


requests = st.builds(
    Request,
    kind=st.sampled_from(["poll", "poll", "backup", "query", "vardump", "restore"]),
    certificate=st.deferred(lambda: st.sampled_from(NAMES)),
    sn=st.sampled_from([SERIAL, SERIAL, "00-90-33-30-00-AF", OTHER_SERIAL, "0090333000af"]),
    hwid=st.sampled_from([HARDWARE_ID, HARDWARE_ID, OTHER, "", "IP232-30-00-AF", "0090333000af", "x-30-00-af"]),
    way=st.sampled_from(["http", "https", "proxy http", "proxy https"]),
    forged=st.lists(st.sampled_from(sorted(FORGERIES)), unique=True).map(tuple),
)
NAMES = [
    *("none", "another's", "of an authority that is not named"),
    *sorted(GOOD),
    *(
        f"wrong: {fault}"
        for fault in untrustworthy(Authority.root("Root").issuing("Plant"), HARDWARE_ID)
        if fault not in ("wrong common name", "chain missing")
    ),
]


def test_what_needs_trust_is_there_for_who_has_it(scene: Scene) -> None:
    """Else it would be no wonder that nobody else gets it."""
    for certificate in sorted(GOOD):
        for way in ("https", "proxy https"):
            for kind, status in (("poll", 200), ("query", 200), ("backup", 200)):
                request = Request(kind, certificate, way=way)
                assert request.is_trusted()
                answer = asyncio.run(scene.ask(request, *delivered(scene, request)))
                assert answer.status == status
                if kind == "poll":
                    assert b"/restore/" in answer.body
                    assert CANARY in answer.body
                    assert b"\r\n# good certificate (CN=" in answer.body
    assert scene.accepted() >= (3, 1)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests=st.lists(requests, min_size=1, max_size=4))
@example(
    requests=[Request("poll", "good"), Request("poll", "good", way="http"), Request("restore", "none", way="http")]
)
@example(
    requests=[Request("poll", "another's", sn=OTHER_SERIAL, hwid=OTHER, way="proxy http", forged=("certificate",))]
)
def test_nothing_that_needs_trust_is_sent_or_accepted_without_it(scene: Scene, requests: list[Request]) -> None:
    async def one_after_the_other() -> None:
        for request in requests:
            await check(scene, request)

    asyncio.run(one_after_the_other())


async def check(scene: Scene, request: Request) -> None:
    if request.is_trusted() and request.kind == "restore":
        return  # it can be fetched once, which is for the last test
    before = scene.accepted()
    answer = await scene.ask(request, *delivered(scene, request))
    if request.is_trusted() or _may_be_trusted(request):
        return
    assert CANARY not in answer.body, request
    assert scene.token.encode() not in answer.body, request
    assert not re.search(rb"^(mod cmd UP1 check|mod cmd UP0 (cfg|prot))", answer.body, re.MULTILINE), request
    assert scene.accepted() == before, request
    assert answer.status in ((200, 400) if request.kind == "poll" else (400, 403)), request


def _may_be_trusted(request: Request) -> bool:
    """Whether it only matters how the device, with a good certificate, writes its serial number or hardware id."""
    is_secure = request.way in ("https", "proxy https")
    return is_secure and request.certificate in GOOD and request.sn in (SERIAL, "00-90-33-30-00-AF", "0090333000af")


def test_the_restore_is_for_the_device_alone(scene: Scene) -> None:
    for certificate in ("none", "another's", "wrong: expired", "wrong: self-signed"):
        request = Request("restore", certificate)
        answer = asyncio.run(scene.ask(request, *delivered(scene, request)))
        assert (answer.status, CANARY in answer.body) == (403, False)
    plain = Request("restore", "good", way="http")
    assert asyncio.run(scene.ask(plain, *delivered(scene, plain))).status == 403
    good = Request("restore", "good")
    answer = asyncio.run(scene.ask(good, *delivered(scene, good)))
    assert (answer.status, b"Cnry7 1" in answer.body) == (200, True)
