"""What happens to a server within a year: slow downloads, full disks, mistyped settings, lost objects."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from support.serving import Server, serving
from support.waiting import until

from gitupd.core.caller import Origin, parse_caller, parse_serial
from gitupd.core.device import Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.core.people.audit import Event, Kind
from gitupd.service.clock import now
from gitupd.service.sightings import Answer, Sightings

if TYPE_CHECKING:
    from gitupd.core.caller import Caller
    from gitupd.service.site import Site


POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0"


def log_of(server: Server) -> list[dict]:
    return [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


def test_slow_downloads_hold_up_nobody(own_site: Site, tmp_path: Path) -> None:
    file = tmp_path / "ip222.bin"
    file.write_bytes(b"x" * 8_000_000)
    own_site.firmware.add("137213", file, Event(now(), "test", Kind.FIRMWARE_ADD))
    with serving(own_site.path) as server, ExitStack() as stack:
        server.ready()
        for _ in range(60):
            slow = stack.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", server.port))
            slow.sendall(b"GET /fw/137213/ip222.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        for path in ("/healthz", "/readyz", "/login", POLL, "/fw/137213/ip222.bin"):
            assert server.get(path)[0] == 200, "none of the slow ones has got all of it by now, as none listens"


def test_sightings_are_collected_and_written_at_once(own_site: Site) -> None:
    sightings = Sightings(own_site.inventory)
    answer = Answer(b"", (), own_site.deployments.live().commit, Recognised())

    def caller(number: int) -> Caller:
        return parse_caller({"sn": f"{number:012x}"}, Endpoint("http", "x", 80))

    def add(first: int) -> None:
        for number in range(first, first + 2000):
            sightings.add(caller(number), Origin("127.0.0.1"), answer, now())

    threads = [threading.Thread(target=add, args=(first,)) for first in (0, 2000, 4000)]
    sightings.start()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sightings.write()
    sightings.stop()
    assert sightings.trouble is None
    assert len(own_site.inventory.devices()) == 6000


def test_a_mistyped_setting_does_not_end_a_running_server(own_site: Site) -> None:
    with serving(own_site.path) as server:
        server.ready()
        (own_site.path / "gitupd.toml").write_text('workers = "many')
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: any(line["event"] == "not reloaded" for line in log_of(server)), lambda: log_of(server))
        assert server.get(POLL)[0] == 200


def test_what_devices_say_is_kept_short(own_site: Site) -> None:
    with serving(own_site.path) as server:
        server.ready()
        for number in range(40):
            assert server.get(f"{POLL}&env={'e' * 3000}{number},%ff%00"[:-3])[0] == 200
        serial = parse_serial("00-90-33-30-00-af")
        until(lambda: own_site.inventory.device(serial), "the device is not remembered")
    device = own_site.inventory.device(serial)
    assert 0 < len(device.messages) <= 20
    assert all(len(message.text) < 200 for message in device.messages)


def test_a_lost_object_is_told_while_the_kept_copy_is_served(own_site: Site) -> None:
    commit = own_site.deployments.live().commit
    for lost in (own_site.path / "config.git/objects/pack").glob("*"):
        lost.unlink()
    with serving(own_site.path) as server:
        until(lambda: commit.encode() in server.get(POLL)[1], lambda: server.get(POLL))
        for _ in range(3):
            status, report = server.get("/readyz")
            assert status == 503, report
            time.sleep(0.3)


def test_of_two_servers_only_one_keeps_the_site(own_site: Site) -> None:
    with serving(own_site.path) as first, serving(own_site.path) as second:
        first.ready()
        second.ready()
        assert second.get(POLL)[0] == 200
        claim = (own_site.path / "keeper.claim").stat()
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "FLOCK" in line]
        assert sum(line[5].endswith(f":{claim.st_ino}") and line[1] != "->" for line in locks) == 1
