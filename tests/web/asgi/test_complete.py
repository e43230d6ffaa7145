from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gitupd.web.asgi.complete import Collected, Complete

START = {"type": "http.response.start", "status": 200, "headers": []}


def answered_by(parts: list[bytes]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what a client is sent who takes the first part only once the application has ended, and the order."""
    order: list[str] = []
    sent: list[dict[str, Any]] = []

    async def application(_: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == b"question"
        await send(START)
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        order.append("made")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"question", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        order.append("sent")
        sent.append(message)

    asyncio.run(Complete(application, 5.0)({"headers": []}, receive, send))
    return sent, order


@pytest.mark.parametrize("parts", [[], [b"small"], [b"x" * 100_000] * 40])
def test_an_answer_is_sent_once_it_is_whole(parts: list[bytes]) -> None:
    sent, order = answered_by(parts)
    assert order[0] == "made"
    assert sent[0] == START
    assert b"".join(message["body"] for message in sent[1:]) == b"".join(parts)
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]


def test_an_answer_that_was_never_begun_is_not_sent() -> None:
    async def never(_: object) -> None:
        raise AssertionError

    async def nothing() -> None:
        with Collected() as answer:
            await answer.send_on(never)

    asyncio.run(nothing())
