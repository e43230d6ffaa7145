"""Bodies that are held whole have a room, which strangers may fill, and which those who log in don't need."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.serving import serving
from support.visitors import Visitor, add_person, logged_in

from gitupd.web.asgi.body import Refusal, Room
from gitupd.web.asgi.complete import LARGEST_FORM

if TYPE_CHECKING:
    from gitupd.service.site import Site

MEBIBYTES_IN_ALL = 64


def test_a_room_is_bounded_and_free_again_and_the_beginning_of_each_body_counts_nothing() -> None:
    room = Room(100, free=10)
    with room.open() as first:
        first(4)
        first(6)
        first(100)
        with room.open() as second:
            second(10)
            second(0)
            with pytest.raises(Refusal, match="too many uploads at once"):
                second(1)
        with room.open() as third:
            third(10)
    with room.open() as later:
        later(110)


def test_whoever_fills_the_room_for_forms_keeps_nobody_from_logging_in(own_site: Site) -> None:
    add_person(own_site, "vera")
    head = f"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_FORM}\r\n\r\n".encode()
    with serving(own_site.path) as server, ExitStack() as stack:
        server.ready()
        for _ in range(MEBIBYTES_IN_ALL + 4):
            stranger = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            stranger.sendall(head + b"x" * (LARGEST_FORM - 1))
        with logged_in(server, "vera"):
            pass
        with Visitor(server) as visitor:
            assert visitor.post("/login", content=b"x" * 100_000).status_code == 503, "the room is full"
