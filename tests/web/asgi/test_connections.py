from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.web.asgi.connections import Connections, Shed
from gitupd.web.asgi.offenders import MOST_OFFENCES

if TYPE_CHECKING:
    import pytest

PROXY = ipaddress.ip_network("10.0.0.1/32")


@dataclass(eq=False)
class Client:
    dropped: bool = False

    def drop(self) -> None:
        self.dropped = True


def admitted(connections: Connections, address: str | None, count: int = 1) -> list[Client]:
    clients = [Client() for _ in range(count)]
    return [client for client in clients if connections.admit(client, address)]


def test_no_more_than_so_many_are_busy_in_all() -> None:
    connections = Connections(3, per_address=3)
    assert len(admitted(connections, "192.0.2.1", 2) + admitted(connections, "192.0.2.2", 2)) == 3
    assert len(connections) == 3


def test_no_more_than_so_many_of_an_address_are_busy() -> None:
    connections = Connections(10, per_address=2)
    assert len(admitted(connections, "192.0.2.1", 5)) == 2
    assert len(admitted(connections, "192.0.2.2", 5)) == 2


def test_who_has_waited_longest_for_its_client_makes_room() -> None:
    connections = Connections(3, per_address=3)
    first, second, busy = admitted(connections, "192.0.2.1", 3)
    connections.spare(second)
    connections.spare(first)
    assert admitted(connections, "192.0.2.2")
    assert (first.dropped, second.dropped, busy.dropped) == (False, True, False)


def test_an_address_that_has_too_many_makes_room_by_its_own() -> None:
    connections = Connections(10, per_address=2)
    (other,) = admitted(connections, "192.0.2.2")
    clients = admitted(connections, "192.0.2.1", 2)
    for client in (other, *clients):
        connections.spare(client)
    assert admitted(connections, "192.0.2.1")
    assert [client.dropped for client in (other, *clients)] == [False, True, False]


def test_who_is_busy_again_or_gone_makes_no_room() -> None:
    connections = Connections(2, per_address=2)
    one, two = admitted(connections, "192.0.2.1", 2)
    connections.spare(one)
    connections.keep(one)
    assert not admitted(connections, "192.0.2.2")
    connections.leave(two)
    connections.leave(two)
    assert admitted(connections, "192.0.2.2")
    assert not one.dropped


def test_the_last_one_of_an_address_may_make_room_for_another_one_of_it() -> None:
    connections = Connections(1, per_address=1)
    (client,) = admitted(connections, "192.0.2.1")
    connections.spare(client)
    (another,) = admitted(connections, "192.0.2.1")
    connections.leave(another)
    assert client.dropped
    assert not len(connections)


def test_a_proxy_has_as_many_as_there_are_in_all() -> None:
    connections = Connections(5, per_address=1, proxies=(PROXY,))
    assert len(admitted(connections, "::ffff:10.0.0.1", 9)) == 5


def test_all_addresses_of_a_network_of_ipv6_are_one() -> None:
    connections = Connections(9, per_address=1)
    assert admitted(connections, "2001:db8:1:2::1")
    assert not admitted(connections, "2001:db8:1:2:ffff::7")
    assert admitted(connections, "2001:db8:1:3::1")
    assert admitted(connections, None)


def test_who_waits_for_its_client_makes_room_where_files_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    shed: list[str] = []
    connections = Connections(10, per_address=10, count=shed.append)
    waiting, busy = admitted(connections, "192.0.2.1", 2)
    connections.spare(waiting)
    connections.free_files()
    assert not waiting.dropped
    used = os.dup(0)
    os.close(used)
    monkeypatch.setattr("resource.getrlimit", lambda _: (used + 8, used + 8))
    connections.free_files()
    assert (waiting.dropped, busy.dropped, shed) == (True, False, ["files"])
    assert not connections.admit(Client(), "192.0.2.1", used)
    assert shed == ["files"] * 2


def test_an_address_that_offends_again_and_again_is_left_alone() -> None:
    shed: list[Shed] = []
    connections = Connections(1000, per_address=1000, proxies=(PROXY,), count=shed.append)
    for address in ("192.0.2.1", "10.0.0.1"):
        for client in admitted(connections, address, MOST_OFFENCES):
            connections.offend(client)
            connections.leave(client)
    assert not admitted(connections, "192.0.2.1")
    assert not admitted(connections, "::ffff:192.0.2.1")
    assert admitted(connections, "192.0.2.2")
    assert admitted(connections, "10.0.0.1"), "it is a proxy, behind which there are others"
    assert shed == [Shed.PATIENCE] * 2
