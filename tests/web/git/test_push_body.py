"""A push is measured before Git sees it."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

import pytest

from gitupd.web.asgi.body import Refusal
from gitupd.web.git import push_body
from gitupd.web.git.push_body import MOST_OBJECTS, MOST_REFS, fill, push_file

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Message

COMMAND = b"1" * 40 + b" " + b"2" * 40 + b" refs/heads/main"


def line(content: bytes) -> bytes:
    return f"{len(content) + 4:04x}".encode() + content


def pack(objects: int) -> bytes:
    return struct.pack(">4sLL", b"PACK", 2, objects) + b"and so on"


def taken(folder: Path, *parts: bytes) -> bytes:
    """Return what Git would read of a body that comes in these parts."""
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b""})

    async def receive() -> Message:
        return messages.pop(0)

    async def take() -> bytes:
        with push_file(folder) as file:
            await fill(file, receive, 5)
            return file.read()

    try:
        return asyncio.run(take())
    finally:
        assert not list(folder.iterdir()), "nothing of it is left"


@pytest.mark.parametrize(
    "body",
    [
        line(COMMAND + b"\0 report-status") + b"0000" + pack(MOST_OBJECTS),
        line(COMMAND + b"\0report-status push-options x=y") + line(COMMAND) + b"0000" + line(b"z") + b"0000" + pack(1),
        line(COMMAND + b"\0 report-status push-options") + b"0000" + b"0000",
        line(COMMAND) + b"0000",
        b"0000",
    ],
)  # fmt: skip
def test_a_push_reaches_git_as_it_came(tmp_path: Path, body: bytes) -> None:
    assert taken(tmp_path, body) == body
    assert taken(tmp_path, *(body[at : at + 1] for at in range(len(body)))) == body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"00", 400),
        (b"zzzz", 400),
        (b"0001", 400),
        (b"0004", 400),
        (b"-00f", 400),
        (b"ffff" + b"x" * 100, 400),
        (line(COMMAND), 400),
        (line(COMMAND) + b"0000PAC", 400),
        (line(COMMAND) + b"0000" + b"x" * 100, 400),
        (line(COMMAND) + b"0000" + pack(MOST_OBJECTS + 1), 413),
        (line(COMMAND) + b"0000" + pack(2**32 - 1), 413),
        (line(COMMAND) * (MOST_REFS + 1) + b"0000", 413),
        (line(COMMAND + b"\0push-options") + b"0000" + line(b"x") * (MOST_REFS + 1) + b"0000", 413),
    ],
)
def test_what_is_none_or_too_much_is_refused(tmp_path: Path, body: bytes, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        taken(tmp_path, body)
    assert refused.value.status == status


def test_a_push_of_too_many_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_body, "LARGEST_PUSH", 1000)
    with pytest.raises(Refusal, match="too large"):
        taken(tmp_path, b"x" * 600, b"x" * 600)
