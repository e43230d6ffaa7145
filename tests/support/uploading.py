"""Uploads answers to queries as devices do: one, or many at the same time."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitupd.core.caller import parse_serial
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from gitupd.core.device import Device
    from gitupd.service.site import Site
    from support.serving import Server

SN = "00-90-33-30-00-af"
SERIAL = parse_serial(SN)
KEPT = b"# answer to query admin kept\r\n"
QUERIES = ("admin", "admin", "certificates", "one", "two")
_QUERIES_YAML = b"queries:\n  one: {command: mod cmd A xml-info}\n  two: {command: mod cmd B xml-info}\n"


def path(query: str = "admin", sn: str = SN) -> str:
    return f"/mtls/update/update.php?mode=query&sn={sn}&id={query}"


def put(server: Server, target: str, *chunks: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Upload in chunks, as devices do."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        said = {"Transfer-Encoding": "chunked", **(headers or {})}
        connection.request("PUT", target, body=iter(chunks), headers=said, encode_chunked=True)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def known(site: Site, sn: str = SN) -> Device:
    device = site.inventory.device(parse_serial(sn))
    assert device is not None
    return device


@dataclass
class Sent:
    """An answer that was kept: when it was begun, and when it was answered."""

    value: str
    began: float
    ended: float


@dataclass
class Client:
    """Uploads answers as fast as it can, and notes down which were kept."""

    server: Server
    number: int
    turns: int
    kept: list[tuple[str, Sent]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        chance = random.Random(self.number)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        for turn in range(self.turns):
            query = chance.choice(QUERIES)
            value = f"{self.number}-{turn}"
            began = time.monotonic()
            connection.request("PUT", path(query), body=f'<info name="{value}"/>'.encode())
            response = connection.getresponse()
            body = response.read()
            if (response.status, body) != (200, f"# answer to query {query} kept\r\n".encode()):
                self.failures.append(f"{response.status} {body!r}")
            self.kept.append((query, Sent(value, began, time.monotonic())))
        connection.close()


def deploy_queries(site: Site) -> str:
    """Deploy a configuration with QUERIES; return its commit."""
    files = {**site.config.files(site.config.resolve("main")), "queries.yaml": _QUERIES_YAML}
    commit = site.config.commit_files(files, "More queries", "Test <test@localhost>")
    deploy(site, commit, who="test", now=now())
    return commit


def hammer(server: Server, site: Site, *, clients: int, turns: int) -> None:
    """Upload from many clients at once; of each query one of the last answers must be left."""
    running = [Client(server, number, turns) for number in range(clients)]
    threads = [threading.Thread(target=client.run) for client in running]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [failure for client in running for failure in client.failures]
    sent: dict[str, dict[str, Sent]] = defaultdict(dict)
    for query, each in (entry for client in running for entry in client.kept):
        sent[query][each.value] = each
    assert sum(map(len, sent.values())) == clients * turns
    left = {answer.query: answer for answer in site.answers.of(SERIAL)}
    assert set(left) == set(QUERIES)
    for query, answer in left.items():
        value = answer.xml.removeprefix('<info name="').removesuffix('"/>')
        newest = max(each.began for each in sent[query].values())
        assert sent[query][value].ended >= newest, f"{query}: an answer older than another that was answered"
    device = known(site)
    assert f'<info name="{device.own_name}"/>' == left["admin"].xml
    assert device.last_seen is not None
    assert device.last_seen >= max(answer.received for answer in left.values())
