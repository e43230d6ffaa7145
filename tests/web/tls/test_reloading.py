"""A server that is reloaded, or stops, loses no upload that it has answered by TLS."""

from __future__ import annotations

import http.client
import os
import signal
from typing import TYPE_CHECKING

import pytest
from support.backup_load import Load, drained, faults, site_with_backups
from support.serving import PATIENCE, Server, serving
from support.shaking import client
from support.waiting import until

from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]
CLIENT = client()


def encrypted(server: Server) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("127.0.0.1", server.ports[1], context=CLIENT, timeout=PATIENCE)


@pytest.mark.slow
def test_what_was_answered_is_kept_over_reloads_and_a_stop(tmp_path: Path) -> None:
    site_with_backups(tmp_path / "site")
    load = Load(6, encrypted)
    with serving(tmp_path / "site", workers=2, options=OPTIONS) as server:
        server.ready()
        load.server = server
        with load.running():
            until(lambda: load.promised > 20)
            before = set(server.children())
            os.kill(server.process.pid, signal.SIGHUP)
            until(lambda: not {*server.children()} & before, "old workers are still there")
            answered = load.promised
            until(lambda: load.promised > answered + 20)
            assert [device.unanswered for device in load.devices] == [0] * 6
            server.stop()
            load.server = None
        assert all(answer.startswith("200 ") for device in load.devices for answer in device.others)
    with serving(tmp_path / "site", options=OPTIONS) as server:
        server.ready()
        site = Site(tmp_path / "site")
        drained(site)
        assert faults(site, load) == []
        site.close()
