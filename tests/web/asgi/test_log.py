"""The log of requests: each is one line, and a full disk ends nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import redirect_stderr, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from support.serving import Server, serving
from support.waiting import until

from gitupd.web.asgi.log import RequestLog, Seldom

if TYPE_CHECKING:
    import pytest

    from gitupd.service.site import Site


POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0"


def log_of(server: Server) -> list[dict]:
    return [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


def test_the_log_goes_on_after_the_disk_was_full(capsys: pytest.CaptureFixture[str]) -> None:
    scope = {"method": "GET", "raw_path": b"/", "query_string": b"", "client": ("127.0.0.1", 1)}
    request_log = RequestLog("json")
    with suppress(OSError), Path("/dev/full").open("w") as full, redirect_stderr(full):
        request_log.add(scope, 200, 1, 0.1, "lost")
        request_log._flush()
    request_log.add(scope, 200, 1, 0.1, "kept")
    request_log._flush()
    assert '"note": "kept"' in capsys.readouterr().err


def test_every_request_is_one_line(own_site: Site) -> None:
    with serving(own_site.path) as server:
        server.ready()
        for path in ("/healthz", "/fw/1/x.bin", "/nothing", POLL):
            server.get(path)
        until(lambda: POLL.partition("?")[0] in server.log.read_text(), server.log.read_text)
    said = [(line["path"], line["status"]) for line in log_of(server) if line["event"] == "request"]
    assert sorted(each for each in said if each[0] != "/readyz") == [
        ("/fw/1/x.bin", 404),
        ("/healthz", 200),
        ("/nothing", 303),
        ("/update.php", 200),
    ]


def test_a_full_disk_below_the_log_ends_nobody_who_tells_of_it() -> None:
    program = (
        "import structlog; from gitupd.web.asgi.log import configure_log; configure_log('json');"
        "structlog.get_logger().error('the disk is full'); print('goes on')"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, check=False, timeout=30
        )
    assert done.stdout == "goes on\n"


def test_what_strangers_cause_is_logged_seldom() -> None:
    seldom = Seldom(seconds=1000)
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            for why in ("", "one", "two"):
                seldom("it happened", why=why, peer="192.0.2.1")
    assert [line.get("why") for line in lines] == [None, "one", "two"]
    often = Seldom(seconds=0)
    with structlog.testing.capture_logs() as lines:
        often("it happened")
        often("it happened")
    assert len(lines) == 2
