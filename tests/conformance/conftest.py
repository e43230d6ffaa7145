from __future__ import annotations

import json
from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parent / "recordings"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--transcripts", type=Path, default=RECORDINGS, help="a folder of recordings to replay")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    folder: Path = metafunc.config.getoption("transcripts")
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise pytest.UsageError(f"no recordings in {folder}")
    recordings = {path.stem: json.loads(path.read_text("utf-8")) for path in paths}
    metafunc.parametrize("recording", recordings.values(), ids=recordings.keys())
