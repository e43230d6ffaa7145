"""Where a server listens: at an address of its own, as soon as that is free."""

from __future__ import annotations

import socket
import threading

import pytest

from gitupd.errors import SiteError
from gitupd.listeners import Address
from gitupd.web.listening import listen


@pytest.fixture
def somebody() -> socket.socket:
    """A socket that listens already."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def test_all_sockets_share_one_port() -> None:
    found = listen(Address("127.0.0.1", 0), 3)
    assert len({each.getsockname() for each in found}) == 1
    for each in found:
        each.close()


def test_an_address_is_waited_for_that_is_about_to_be_free(somebody: socket.socket) -> None:
    port = somebody.getsockname()[1]
    leaving = threading.Timer(0.3, somebody.close)
    leaving.start()
    (found,) = listen(Address("127.0.0.1", port), 1)
    assert found.getsockname() == ("127.0.0.1", port)
    found.close()
    leaving.join()


def test_an_address_that_stays_taken_is_not_shared(somebody: socket.socket) -> None:
    port = somebody.getsockname()[1]
    with pytest.raises(SiteError, match=f"^can't listen at 127.0.0.1:{port}: Address already in use$"):
        listen(Address("127.0.0.1", port), 2)
