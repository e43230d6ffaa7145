"""What commands, render tests, the page Preview and the API show is what the server sends, to the byte."""

from __future__ import annotations

import html
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.serving import serving
from support.visitors import add_key, add_person, logged_in

from gitupd.cli.main import cli
from gitupd.core.imagined import ImaginedDevice
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.store.masters import MasterAnswer
from gitupd.web.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.serving import Server

    from gitupd.service.site import Site

MASTER = "http://127.0.0.1:9/CMD0/box_info.xml"
BUILDS = ("137213", "131286")
HOST = "upd.example"
CONFIGURATIONS, DEVICES = 12, 6

ENVIRONMENTS = ("default", "berlin", "intranet")
MODELS = ("IP222", "IP232", "IP6010", "IP999")
SERIALS = ("00-90-33-00-00-01", "00-90-33-30-00-af")
SPARE = {"gatekeeper": "10.1.0.1", "own": "none & nobody's"}
OWN = {SERIALS[1]: {"name": "The Boss", "variables": {"own": "ä ö"}}}
CHECK = re.compile(r"^mod cmd UP1 check ser (\w+)$", re.MULTILINE)

texts = st.text(st.characters(max_codepoint=0x24F, exclude_categories=["Cc"]), max_size=30)
lines = st.one_of(texts, st.just("config add PHONE/REG /gk-addr 10.0.0.1"), st.just("# <b>&amp;</b>"))


templates = st.lists(
    st.sampled_from(
        [
            "config add A /gk {{ gatekeeper | default('none') }} /sn {{ device.serial }}",
            "{% for name in device.environments %}\nconfig add B /{{ name }} {{ device.type }}\n{% endfor %}",
            "{% if own is defined %}config add C /own {{ own | urlencode }}{% endif %}",
            "config add D /own {{ own }}",
            "# {{ device.hwid }} {{ device.phase }} {{ device.classes | join('+') }} {{ device.name }}",
        ]
    ),
    max_size=3,
).map("\n".join)


@st.composite
def snippets(draw: st.DrawFn, phases: list[str]) -> dict[str, bytes]:
    parts = st.tuples(
        st.sampled_from(["all", *phases]),
        st.sampled_from(["all", "phone", "gw", "reception", "ip222"]),
        st.sampled_from(["all", *ENVIRONMENTS, SERIALS[1].replace("-", "_")]),
    )
    end = draw(st.sampled_from(["\n", "\r\n"]))
    filled = {
        f"snippets/{'-'.join(name)}.txt.j2": draw(templates).encode() for name in draw(st.sets(parts, max_size=2))
    }
    plain = {
        f"snippets/{'-'.join(name)}.txt": (end.join(content) + draw(st.sampled_from(["", end]))).encode()
        for name, content in draw(st.dictionaries(parts, st.lists(lines, max_size=4), max_size=8)).items()
    }
    return filled | {path: content for path, content in plain.items() if f"{path}.j2" not in filled}


def some(keys: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


window = some(
    {"hours": st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True), "initial_minutes": st.integers(1, 60)}
)
delivery = some(
    {
        "check": st.booleans(),
        "interval": st.integers(1, 60),
        "window": window.filter(bool),
        "staging_ignores_window": st.booleans(),
        "first_run_ignores_window": st.booleans(),
    }
)
builds = st.sampled_from(["none", "master", "134250"])
firmware = st.fixed_dictionaries({"master": st.just({"url": MASTER}), "firmware": builds, "bootcode": builds})
transports = {
    "optional": st.just({"https": "optional"}),
    "required": some({"https_port": st.sampled_from([443, 8443])}).map(lambda said: {"https": "required", **said}),
}


@st.composite
def configurations(draw: st.DrawFn, https: str) -> dict[str, bytes]:
    """Draw the files of a configuration."""
    phases = draw(st.sampled_from([["update"], ["staging", "update"], ["first", "staging", "update"]]))
    implied = draw(st.lists(st.sampled_from(ENVIRONMENTS[1:]), max_size=2, unique=True))
    documents = {
        "phases": {"phases": {name: {"order": 100 + number} for number, name in enumerate(phases)}},
        "environments": {
            "environments": {"default": {}, "berlin": {"implies": implied, "variables": SPARE}, "intranet": {}}
        },
        "classes": {"classes": {"reception": {"models": draw(st.lists(st.sampled_from(MODELS), unique=True))}}},
        "devices": {"devices": draw(st.sampled_from([{}, {SERIALS[1]: {"environments": ["intranet"]}}, OWN]))},
        "policies/delivery": draw(delivery),
        "policies/firmware": draw(firmware),
        "policies/transport": draw(transports[https]),
        "policies/backup": {"enabled": draw(st.booleans())},
        "policies/deploy": {"mode": "manual"},
    }
    files = {f"{name}.yaml": json.dumps(said).encode() for name, said in documents.items() if said}
    return {**files, **draw(snippets(phases))}


build = st.sampled_from([None, *BUILDS, "134250"])
devices = st.builds(
    ImaginedDevice,
    model=st.sampled_from(MODELS),
    serial=st.sampled_from(SERIALS),
    environments=st.one_of(st.none(), st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, unique=True).map(",".join)),
    phase=st.sampled_from([None, "first", "staging", "update", "_first_update"]),
    firmware=build,
    bootcode=build,
    check=st.sampled_from([None, "d41d8cd98f00b204e9800998ecf8427e"]),
)
OPTIONS = {
    "type": "model",
    "sn": "serial",
    "env": "environments",
    "phase": "phase",
    "firmware": "firmware",
    "bootcode": "bootcode",
    "check": "check",
}


def said(device: ImaginedDevice) -> dict[str, str]:
    """Return what is said of *device*, as options, as keys of a test, and as parameters of pages."""
    return {name: value for name, field in OPTIONS.items() if (value := getattr(device, field)) is not None}


@dataclass
class Edges:
    """All ways to learn what a device gets, of one server whose configuration changes."""

    site: Site
    server: Server
    key: str
    cookie: str
    folder: Path
    files: dict[str, bytes]
    commit: str = ""

    def deploy(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.commit = self.site.config.commit_files(files, "Drawn", "Ada <ada@example.org>")
        deploy(self.site, self.commit, who="test", now=now(), force=True, reason="meant")
        self.server.ready(self.commit)

    @property
    def transport(self) -> dict[str, Any]:
        return json.loads(self.files["policies/transport.yaml"])

    @property
    def is_secure(self) -> bool:
        return self.transport["https"] == "required"

    @property
    def headers(self) -> dict[str, str]:
        """What a proxy in front says of a request by whoever calls at the place where devices are to call."""
        port = self.transport.get("https_port", 443) if self.is_secure else 8080
        return {"Host": f"{HOST}:{port}", "X-Forwarded-Proto": "https" if self.is_secure else "http"}

    @property
    def place(self) -> str:
        return HOST if self.is_secure else f"{HOST}:8080"

    def served(self, device: ImaginedDevice) -> bytes:
        """Return what the server sends."""
        arguments = urlencode(device.arguments, quote_via=quote)
        status, body = self.server.get(f"/update.php?{arguments}", self.headers)
        assert status == 200, body
        return body

    def rendered(self, device: ImaginedDevice) -> bytes | None:
        """Return what render prints, None if it refuses a phase that does not exist: to a server, that is no slip."""
        options = [part for name, value in said(device).items() for part in (f"--{name}", value)]
        place = str(self.site.path)
        result = CliRunner().invoke(
            cli, ["render", place, "--rev", self.commit, *options, "--host", self.place, "--master", ",".join(BUILDS)]
        )
        if str(result.exception).startswith("unknown phase"):
            return None
        assert result.exit_code == 0, result.output
        return result.stdout_bytes

    def told(self, device: ImaginedDevice) -> bytes:
        """Return what the API tells."""
        response = httpx.get(
            f"{self.server.base}/api/v1/preview",
            params=said(device),
            headers={**self.headers, "Authorization": f"Bearer {self.key}"},
            timeout=60,
        )
        return b"".join(f"{line['text']}\r\n".encode() for line in response.json()["lines"])

    def shown(self, device: ImaginedDevice) -> bytes:
        """Return what the page shows."""
        # By itself a browser sends no cookie back that came by HTTPS, as the proxy of this test says.
        headers = {**self.headers, "Cookie": self.cookie}
        page = httpx.get(
            f"{self.server.base}/preview", params={**said(device), "secrets": "show"}, headers=headers, timeout=60
        ).text
        texts = re.findall(r'<td class="text[^"]*">(.*?)</td>', page, re.DOTALL)
        return b"".join(f"{html.unescape(text)}\r\n".encode() for text in texts)

    def failures(self, scripts: list[tuple[ImaginedDevice, bytes]]) -> list[str]:
        """Return which render tests fail that expect these *scripts*."""
        tests = [
            {
                "name": str(number),
                "device": {**said(device), "host": self.place},
                "master": dict(zip(("firmware", "bootcode"), BUILDS, strict=True)),
                "script": commands(body),
            }
            for number, (device, body) in enumerate(scripts)
        ]
        for path, content in {**self.files, "tests/drawn.yaml": json.dumps({"tests": tests}).encode()}.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
        result = CliRunner().invoke(cli, ["test", str(self.folder), "--json"])
        for path in self.files:
            (self.folder / path).unlink()
        assert result.stdout, result.exception
        return [failure for each in json.loads(result.stdout) for failure in each["failures"]]


def marked(body: bytes) -> bytes:
    """Return a script as pages show it: letters that nobody sees are marked there."""
    return str(visible(body.decode())).encode()


def commands(body: bytes) -> list[str]:
    stripped = [line.strip() for line in body.decode().split("\r\n")]
    return [line for line in stripped if line and not line.startswith("#")]


@contextmanager
def edges(folder: Path) -> Iterator[Edges]:
    site, _ = create_site(folder / "site", who="test", now=now())
    site.masters.save(MasterAnswer(MASTER, *BUILDS, now(), now()))
    add_person(site, "ada")
    with serving(site.path, trusted_proxies="127.0.0.1") as server:
        server.ready()
        with logged_in(server, "ada") as visitor:
            (folder / "laid out").mkdir()
            cookie = "; ".join(f"{each.name}={each.value}" for each in visitor.cookies.jar)
            yield Edges(site, server, add_key(site, "ada"), cookie, folder / "laid out", {})
    site.close()


@pytest.fixture(scope="module")
def all_edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edges]:
    with edges(tmp_path_factory.mktemp("edges")) as found:
        yield found


@pytest.mark.parametrize("https", ["optional", "required"])
def test_whoever_shows_a_script_shows_what_the_server_sends(all_edges: Edges, https: str) -> None:
    # Not made smaller: each attempt is a deployment.
    @settings(max_examples=CONFIGURATIONS, phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(configurations(https), st.lists(devices, min_size=DEVICES, max_size=DEVICES))
    def all_are_equal(files: dict[str, bytes], polling: list[ImaginedDevice]) -> None:
        all_edges.deploy(files)
        scripts = []
        for device in polling:
            body = all_edges.served(device)
            assert all_edges.rendered(device) in (body, None if device.phase not in (None, "update") else body)
            assert all_edges.told(device) == body
            assert all_edges.shown(device) == marked(body)
            scripts.append((device, body))
        assert all_edges.failures(scripts) == []

    all_are_equal()
