"""Restores by a real server, with an emulated device that uploads, is changed by hand, and goes back."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import threading
import time
from typing import TYPE_CHECKING

import pytest
from support.calling import called
from support.ports import free_port
from support.serving import Server, serving
from support.waiting import until

from gitupd.core.backups.restore import RestoreState
from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Actor, Role
from gitupd.core.policy import Backup
from gitupd.emulator.client import Network, Session
from gitupd.emulator.clock import Clock
from gitupd.emulator.exchange import Request
from gitupd.emulator.fleet import FleetPlan, build_fleet
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.backups.restore import Restore
    from gitupd.emulator.exchange import Answer
    from gitupd.emulator.phone import Phone
    from gitupd.service.site import Site

SN = "00-90-33-46-0a-f2"
SERIAL = parse_serial(SN)
ADA = Actor("ada", Role.OPERATOR, None)


class Device:
    """An emulated device whose time passes only while it rests."""

    def __init__(self, server: Server, sn: str = SN) -> None:
        self._seconds = 0.0
        plan = FleetPlan(f"{server.base}/mtls/update.php?env=default", first_serial=sn)
        self.phone: Phone = build_fleet(plan, Clock(lambda: self._seconds, 0.0, time.time())).phones[0]
        self._life = self.phone.life()
        self._step = next(self._life)

    def poll(self) -> list[str]:
        """Poll once more, and execute all of the script; return what it downloaded."""
        return asyncio.run(self._poll())

    async def _poll(self) -> list[str]:
        polls, fetched = self.phone.rounds, []
        session = Session(Network(time.monotonic))
        while self.phone.rounds == polls:
            answer: Answer = None
            if isinstance(self._step, Request):
                answer = await session.ask(self._step)
                fetched += [self._step.url] if "/restore/" in self._step.url else []
            else:
                self._seconds += self._step.seconds
            self._step = self._life.send(answer)
        await session.close()
        return fetched

    def fetch(self) -> str:
        """Poll until it has fetched something, which takes as long as the workers don't know of it; return the URL."""
        (url,) = until(self.poll, "it is told to fetch nothing")
        return url

    def settle(self) -> None:
        for _ in range(30):
            self.poll()
            if self.phone.settled:
                return
        raise AssertionError("it does not settle")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    created = create_site(tmp_path / "site", who="test", now=now())[0]
    files = dict(created.config.files(created.config.resolve("main")))
    files["policies/backup.yaml"] = b"enabled: true\n"
    created.config.commit_files(files, "Backups", "Ada <ada@example.org>")
    deploy(created, "main", who="test", now=now())
    yield created
    created.close()


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    with serving(site.path, workers=2, port=free_port()) as running:  # which one that follows can have, too
        running.ready()
        yield running


def uploaded(site: Site, device: Device) -> None:
    """Have the device upload what it has, and wait until that is in the history."""
    device.poll()
    until(lambda: site.backup_inbox.count() == 0 and bool(site.backup_index.of(SERIAL)), "not in the history")


def changed_by_hand(site: Site, server: Server) -> Device:
    """Return a device with two versions: as it should be, and changed by hand."""
    device = Device(server)
    device.settle()
    uploaded(site, device)
    device.phone.type_in("config change CMD0 /name Somebody")
    device.phone.type_in("config add PHONE/DIR /mode LDAP")
    device.phone.type_in("config add NTP0 /interval 1")
    uploaded(site, device)
    return device


def gitupd(site: Site, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    words = ("backups", *arguments, "--site", site.path)
    return called(*words, cwd=site.path, stdin=typed, environment={"NO_COLOR": "1"})


def newest(site: Site) -> Restore:
    return site.restores.of(SERIAL)[0]


def asked(site: Site) -> Restore:
    return SiteRestores(site).ask(site.backup_index.of(SERIAL)[1], ADA, now(), Backup())


def test_a_device_goes_back_to_what_it_was(site: Site, server: Server) -> None:
    device = changed_by_hand(site, server)
    said = gitupd(site, "restore", SN, "~1", typed="y\n")
    assert said.returncode == 0, said.stderr
    assert "-config change CMD0 /name Somebody\n+config change CMD0 /name Desk%201\n" in said.stdout
    assert (
        "It can't undo 1 line, of which that version says nothing:\n  config change PHONE/DIR /mode LDAP" in said.stdout
    )
    url = device.phone.device.configuration.value("UP1", "url")
    fetched = device.fetch()
    assert device.phone.last_lines[-1].startswith(f"mod cmd UP0 cfg {server.base}/mtls/restore/"), "and nothing behind"
    assert device.phone.device.configuration.value("CMD0", "name") == "Desk 1"
    assert device.phone.device.configuration.value("UP1", "url") == url, "its update URL stays the present one"
    assert device.phone.device.serial("CFG") == device.phone.last_lines[-1].split()[-1]
    assert server.get(fetched.removeprefix(server.base))[0] == 404
    assert newest(site).fetched is not None
    assert device.poll() == []
    until(lambda: newest(site).done is not None, "nobody looks")
    assert (newest(site).state, newest(site).detail) == (
        RestoreState.RESTORED,
        "1 line left as expected, which it can't undo",
    )
    until(lambda: newest(site).sent is not None, "not written down behind")
    assert device.poll() == []
    assert device.phone.errors == 0
    (told,) = json.loads(gitupd(site, "restores", "--json").stdout)
    assert (told["serial"], told["state"]) == (SN, "restored")
    assert f"{SN}  {told['commit'][:12]}" in gitupd(site, "restores").stdout


def test_a_restore_that_nobody_confirms_is_not_asked_for(site: Site, server: Server) -> None:
    changed_by_hand(site, server)
    assert gitupd(site, "restore", SN, "~1", typed="n\n").returncode == 1
    assert site.restores.of(SERIAL) == []
    assert gitupd(site, "restore", SN, "~1", "--yes").stdout.startswith(f"restore 1: {SN} gets it when it polls next")
    assert gitupd(site, "cancel", SN).stdout == f"{SN} stays as it is\n"
    again = gitupd(site, "cancel", SN)
    assert (again.returncode, again.stderr) == (
        1,
        f"gitupd: no restore of device {SN} is open; see: gitupd backups restores --site {site.path}\n",
    )


def test_the_address_answers_once_and_to_a_get(site: Site, server: Server) -> None:
    changed_by_hand(site, server)
    restore = asked(site)
    path = f"/any/where/restore/{restore.token}"
    for method in ("HEAD", "PUT", "POST", "DELETE", "OPTIONS"):
        assert server.get(path, method=method)[0] == 404
    for wrong in (restore.token[:-1], f"{restore.token}x", restore.token.lower() + "_", "", "%00", "..", "a" * 5000):
        assert server.get(f"/restore/{wrong}")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert (response.status, response.headers["cache-control"]) == (200, "no-store")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert body.endswith(b"\r\nconfig write\r\nconfig activate\r\n")
    assert b"UP1" not in body
    assert b"UPDATE/" not in body
    assert server.get(path) == (404, b"# 404 Not Found\r\n")
    until(lambda: server.log.read_text().count("/any/where/restore/***") == 7, "not logged")
    assert restore.token not in server.log.read_text(), "an address that opens something is not for the log"


def test_of_many_who_fetch_at_once_one_gets_it(site: Site, server: Server) -> None:
    changed_by_hand(site, server)
    path = f"/restore/{asked(site).token}"
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(server.get(path)[0])) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, *[404] * 15]


def test_killed_between_sent_and_fetched(site: Site, server: Server) -> None:
    device = changed_by_hand(site, server)
    asked(site)
    poll = f"/mtls/update.php?type=IP222&sn={SN}&hwid=x&ip=y&polling=0&phase=update"
    told: list[bytes] = []
    until(lambda: bool(told.extend(re.findall(rb"UP0 cfg (\S+)", server.get(poll)[1])) or told), "not sent")
    server.kill()
    with serving(site.path, port=server.port) as again:
        again.ready()
        assert device.fetch() == told[0].decode()
        assert newest(site).state is RestoreState.FETCHED
        again.kill()
    with serving(site.path, port=server.port) as again:
        again.ready()
        assert device.poll() == [], "that it was fetched is not forgotten"
        until(lambda: newest(site).done is not None, "nobody looks")
    assert newest(site).state is RestoreState.RESTORED


def test_while_the_history_can_not_be_read_it_stays_open(site: Site, server: Server) -> None:
    device = changed_by_hand(site, server)
    restore = asked(site)
    elsewhere = site.path / "elsewhere"
    site.backups.path.rename(elsewhere)
    assert server.get(f"/restore/{restore.token}") == (503, b"# 503 the version can't be read at the moment\r\n")
    assert newest(site).fetched is None
    elsewhere.rename(site.backups.path)
    assert device.fetch().endswith(restore.token)
    assert device.phone.device.configuration.value("CMD0", "name") == "Desk 1"


def test_another_device_gets_nothing_of_it(site: Site, server: Server) -> None:
    device, other = changed_by_hand(site, server), Device(server, "00-90-33-46-0a-f3")
    other.settle()
    asked(site)
    poll = f"/mtls/update.php?type=IP222&sn={SN}&hwid=x&ip=y&polling=0&phase=update"
    until(lambda: all(b"UP0 cfg" in server.get(poll)[1] for _ in range(20)), "both workers know")
    for _ in range(4):
        assert other.poll() == []
        assert not any("UP0 cfg" in line for line in other.phone.last_lines)
    device.fetch()
