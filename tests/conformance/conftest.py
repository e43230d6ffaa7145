from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

RECORDINGS = Path(__file__).parent / "recordings"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--transcripts", type=Path, default=RECORDINGS, help="a folder of recordings to replay")


def _is_supported(recording: dict) -> bool:
    """Whether its devices only poll, answer queries and upload backups: the rest is not built yet."""
    steps = recording["steps"]
    return not (
        any(step.get("method") == "PUT" and _mode(step) == "vardump" for step in steps)
        or "certificates" in recording["tags"]
    )


def _mode(step: dict) -> str | None:
    return parse_qs(urlsplit(step["path"]).query).get("mode", [None])[-1]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    folder: Path = metafunc.config.getoption("transcripts")
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise pytest.UsageError(f"no recordings in {folder}")
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in paths}
    supported = {name: recording for name, recording in found.items() if _is_supported(recording)}
    metafunc.parametrize("recording", supported.values(), ids=supported.keys())
