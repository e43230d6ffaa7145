from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from docs.generate import MARKED, PAGES, regenerated
from docs.pages import ROOT
from gitupd import settings
from gitupd.config.documents import PATHS, TESTS, read_document
from gitupd.config.loader import load
from gitupd.core.caller import parse_caller
from gitupd.core.endpoint import Endpoint
from gitupd.core.situation import Computed, Situation
from gitupd.resources import schema_names
from gitupd.service.creating import create_site
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.health import Health
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Sightings
from gitupd.web.app import create_app
from gitupd.web.asgi.conclusion import UploadMode
from gitupd.web.asgi.log import RequestLog
from gitupd.web.context import Served
from gitupd.web.router import ROUTES

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = ROOT / "docs/reference"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def read(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text("utf-8")
    assert regenerated(text) == text, f"{page.name} is out of date; run: python tests/docs/generate.py"


def test_every_document_has_its_table() -> None:
    present = {found["name"] for found in MARKED.finditer(read("configuration.md"))}
    assert {f"schema-{name}" for name in schema_names()} <= present


def test_every_setting_is_described_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^|]*)` \|", read("settings.md").partition("\n## ")[0], re.MULTILINE)
    known = {
        each.name: each.default
        for each in fields(settings.Settings)
        if each.name not in {"listen", "signing", "tls", "upstream", "notify", "site"}
    }
    (default,) = settings.Settings().listen
    short = {"http": str(default.address), "https": [], "mtls": []}
    assert dict(rows) == {name: json.dumps(default) for name, default in (short | known).items()}


def test_the_described_defaults_can_be_set(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^|]*)` \|", read("settings.md").partition("\n## ")[0], re.MULTILINE)
    (tmp_path / settings.FILE_NAME).write_text("".join(f"{name} = {default}\n" for name, default in rows))
    assert settings.read_settings(tmp_path, {}) == settings.Settings()


def test_every_route_is_described(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=NOW)
    follower = Follower(site)
    app = create_app(
        Served(
            site,
            follower,
            Health(site, follower, Sightings(site.inventory), NOW),
            Snapshots(site),
            Computing(site.settings),
        )
    )
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", lambda found: found[1].upper(), rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith("/api/v1/")  # those are held to their description, which fills the page API
    }
    site.close()
    described = set(re.findall(r"`(?:GET|PUT|POST|DELETE) (/[^`?]*)", read("http.md")))
    assert described == routes | set(ROUTES)
    for mode in set(UploadMode) - {UploadMode.OTHER}:
        assert f"mode={mode}" in read("http.md")


def test_every_field_of_a_request_in_the_log_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    log = RequestLog("json")
    scope = {"query_string": b"sn=1", "client": ("127.0.0.1", 1), "raw_path": b"/update.php", "method": "GET"}
    log.add(scope, 400, 3, 0.1, "a note")
    log._flush()
    fields = json.loads(capsys.readouterr().err)
    assert {"sn", "status", "note"} <= fields.keys()
    for name in fields:
        assert f"| `{name}` |" in read("log.md")


# What pages say by way of example


def files_in(page: str) -> dict[str, bytes]:
    """Return the files that *page* shows: blocks whose first line is a comment with a path."""
    blocks = re.findall(
        r"^```(?:yaml|python)\n# ((?:[\w-]+/)?[\w-]+\.(?:yaml|py))\n(.*?)^```$", page, re.DOTALL | re.MULTILINE
    )
    return {path: content.encode() for path, content in blocks}


@pytest.mark.parametrize("page", sorted((ROOT / "docs/how-to").glob("*.md")), ids=lambda page: page.name)
def test_documents_that_a_guide_shows_can_be_read(page: Path) -> None:
    names = {path: name for name, path in PATHS.items()}
    for path, content in files_in(page.read_text("utf-8")).items():
        if path.endswith(".yaml"):
            name = "tests" if path.startswith(TESTS) else names[path]
            assert read_document(path, name, content)[1] == [], path


def test_the_example_of_computed_lines_does_what_it_says() -> None:
    snapshot = load(files_in((ROOT / "docs/how-to/computed-lines.md").read_text("utf-8")))
    arguments = {
        "type": "IP222",
        "sn": "00-90-33-30-00-af",
        "hwid": "IP222-30-00-af",
        "ip": "10.0.0.9",
        "env": "berlin",
    }
    caller = parse_caller(arguments, Endpoint("http", "localhost", 80))
    computing = Computing(settings.Settings(scripting=True))
    try:
        computed = computing.completed(Situation(snapshot, caller, NOW)).computed
    finally:
        computing.stop()
    assert computed == Computed(
        after=("config add CMD0 /name Front+desk", "config add PHONE/REG /gk-addr 10.1.0.2"),
    )


def test_the_example_of_the_order_of_snippets() -> None:
    listed = re.findall(r"^\d+\. `([^`]+)`$", read("snippet-order.md"), re.MULTILINE)
    files = {f"snippets/{name}": b"" for name in reversed(listed)}
    files["environments.yaml"] = b"environments: {default: {}, homeoffice: {implies: [intranet]}, intranet: {}}"
    files["classes.yaml"] = b"classes: {reception: {models: [ip222]}}"
    arguments = {"type": "IP222", "sn": "00-90-33-30-00-af", "env": "homeoffice", "phase": "update"}
    caller = parse_caller(arguments, Endpoint("http", "localhost", 80))
    delivered = Situation(load(files), caller, NOW).snippets
    assert [each.path.removeprefix("snippets/") for each in delivered] == listed
