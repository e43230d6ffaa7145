"""Deployments under load: every script is wholly of one commit, and of the right one."""

from __future__ import annotations

import http.client
import re
import threading
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.serving import Server, serving

from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from gitupd.service.site import Site

DEPLOYMENTS = 100
COMMITS = 20
CLIENTS = 8
PAUSE = 0.03
POLL = (
    "/update.php?type=IP222&sn=00-90-33-00-00-{:02x}&hwid=IP222-00-00-01&ip=10.0.0.1&phase=update&polling=0&env=default"
)
SNIPPETS = ("all-all-all", "update-phone-all", "update-phone-default", "update-ip222-default")


@dataclass
class Client:
    """One device that polls as fast as it can, and notes down what it got between which times."""

    server: Server
    number: int
    seen: list[tuple[float, float, list[str]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self, ended: threading.Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        while not ended.is_set():
            sent = time.monotonic()
            connection.request("GET", POLL.format(self.number))
            response = connection.getresponse()
            body = response.read().decode()
            if response.status != 200:
                self.failures.append(f"{response.status}: {body}")
            commit = body.partition("\r\n")[0].removeprefix("# gitupd ")
            numbers = re.findall(r"config add TORTURE /number (\d+) /snippet \d", body)
            self.seen.append((sent, time.monotonic(), [commit, *numbers]))
        connection.close()


@dataclass
class Stalls:
    """Notes down for how long this machine gave nobody a turn: that much is not the server's fault."""

    longest: float = 0.0

    def run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            started = time.monotonic()
            time.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - started - 0.01)


def commits_with_numbers(site: Site) -> list[str]:
    made = []
    for number in range(COMMITS):
        files = {
            f"snippets/{name}.txt": f"config add TORTURE /number {number} /snippet {at}\n".encode()
            for at, name in enumerate(SNIPPETS)
        }
        files["phases.yaml"] = b"phases:\n  staging: {order: 1}\n  update: {order: 2}\n"
        files["policies/deploy.yaml"] = b"mode: manual\n"
        made.append(site.config.commit_files(files, f"Number {number}", "Test <test@localhost>"))
    return made


def test_every_script_is_of_one_commit_and_at_most_a_second_old(own_site: Site) -> None:
    commits = commits_with_numbers(own_site)
    deploy(own_site, commits[0], who="test", now=now())
    with serving(own_site.path, workers=2) as server:
        server.ready(commits[0])
        clients = [Client(server, number) for number in range(CLIENTS)]
        ended = threading.Event()
        stalls = Stalls()
        threads = [threading.Thread(target=each.run, args=(ended,)) for each in (*clients, stalls)]
        deployed = [(time.monotonic(), 0)]
        for thread in threads:
            thread.start()
        for number in range(1, DEPLOYMENTS + 1):
            deploy(own_site, commits[number % COMMITS], who="test", now=now(), force=True, reason="meant")
            deployed.append((time.monotonic(), number % COMMITS))
            time.sleep(PAUSE)
        time.sleep(1.0)
        ended.set()
        for thread in threads:
            thread.join()
    assert not [failure for client in clients for failure in client.failures]
    seen = [each for client in clients for each in client.seen]
    assert len(seen) > DEPLOYMENTS
    times = [at for at, _ in deployed]
    for sent, received, (commit, *numbers) in seen:
        assert len(numbers) == len(SNIPPETS)
        assert len(set(numbers)) == 1, f"a mixture: {numbers}"
        assert commits[int(numbers[0])] == commit
        first = max(0, bisect_right(times, sent - 1.0 - stalls.longest) - 1)
        # a deployment holds from the moment it is appended, a little before it is noted down here
        allowed = {number for _, number in deployed[first : bisect_right(times, received) + 1]}
        assert int(numbers[0]) in allowed, f"{numbers[0]} is older than a second, or not deployed yet"
    assert len({numbers[0] for _, _, (_, *numbers) in seen}) > COMMITS / 2
