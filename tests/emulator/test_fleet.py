import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from click.testing import CliRunner

from gitupd.cli.emulate import emulate
from gitupd.emulator.drive import Until, drive_fleet, new_fleet, run_fleet
from gitupd.emulator.fleet import FleetPlan, parse_mac, with_environment
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.state import Habits

COMMIT = "7f3c21a0" * 5
BUILD = "137213"


class UpdateServer(ThreadingHTTPServer):
    """Takes devices through a phase with new firmware to a last one, and wants a backup of those that are done."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Update)
        self.backups: dict[str, bytes] = {}
        self.first_contacts: list[dict[str, str]] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def script(self, arguments: dict[str, str]) -> list[str]:
        if "sn" not in arguments:
            self.first_contacts.append(arguments)
            return ["mod cmd UP1 provision 5", self.url("staging", 5), "config write", "config activate"]
        if arguments["phase"] == "staging":
            if arguments["PROT"] != BUILD:
                return [f"mod cmd UP0 prot {self.base}/fw/ ser {BUILD}", "iresetn"]
            return [self.url("update", 5), "config write", "config activate"]
        if arguments["polling"] == "0" and arguments.get("CHECK") == "abc":
            return [f"mod cmd UP0 scfg {self.base}/backup?sn=#m"]
        off = ["mod cmd UP1 provision 0", "config rem UP1 /provision", self.url("update", 0)]
        return [*off, "config write", "config activate", "mod cmd UP1 check ser abc", "iresetn"]

    def url(self, phase: str, polling: int) -> str:
        url = f"{self.base}/update.php?polling={polling}&phase={phase}&type=#t&sn=#m"
        return f"config add UP1 /url {quote(url, safe='')}"


class Update(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: UpdateServer

    def do_GET(self) -> None:
        if self.path.startswith("/fw/"):
            self.answer(b"firmware" if self.path == "/fw/ip222.bin" else b"")
            return
        script = self.server.script(dict(parse_qsl(urlsplit(self.path).query)))
        self.answer("\r\n".join([f"# gitupd {COMMIT} deployed", *script]).encode())

    def do_PUT(self) -> None:
        body = b""
        while size := int(self.rfile.readline() or b"0", 16):
            body += self.rfile.read(size + 2)[:size]
        self.rfile.readline()
        self.server.backups[self.path] = body
        self.answer(b"")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[UpdateServer]:
    with UpdateServer() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def url(server: UpdateServer) -> str:
    return f"{server.base}/update.php"


def test_a_fleet_settles(server: UpdateServer) -> None:
    plan = FleetPlan(url(server), count=20, environments=("a", "b,c"), speed=3000, spread=0.05)
    fleet = new_fleet(plan)
    summary = drive_fleet(fleet, Until(settled=True, seconds=120), concurrency=8)
    assert summary.ended_by == "settled"
    assert (summary.devices, summary.settled, summary.downloads, summary.uploads) == (20, 20, 20, 20)
    assert (summary.restarts, summary.errors, summary.by_phase) == (20, {}, {"update": 20})
    assert summary.by_commit == {COMMIT: 20}
    assert summary.latency is not None
    assert summary.latency.minimum <= summary.latency.median <= summary.latency.percentile_95 <= summary.latency.maximum
    assert {phone.firmware for phone in fleet.phones} == {BUILD}
    assert max(server.backups) == "/backup?sn=00-90-33-00-00-14"
    assert sorted(first["env"] for first in server.first_contacts) == ["a"] * 10 + ["b,c"] * 10


def test_each_device_makes_its_polls(server: UpdateServer) -> None:
    plan = FleetPlan(url(server), count=3, speed=600, habits=Habits(polls=2))
    summary = run_fleet(plan, Until(seconds=120))
    assert (summary.ended_by, summary.polls) == ("polls", 6)


def test_time_is_up(server: UpdateServer) -> None:
    summary = run_fleet(FleetPlan(url(server), habits=Habits(interval=0.05)), Until(seconds=0.3))
    assert summary.ended_by == "timeout"
    assert 0.3 <= summary.seconds < 30
    assert 1 <= summary.polls <= summary.seconds / 0.05 + 2


def test_devices_take_turns(server: UpdateServer) -> None:
    habits = Habits(misbehaviours=frozenset({Misbehaviour.NAT}))
    fleet = new_fleet(FleetPlan(url(server), types=("IP222", "IP811"), count=5, misbehaving_share=2, habits=habits))
    identities = [phone.device.identity for phone in fleet.phones]
    assert [one.type for one in identities] == ["IP222", "IP811", "IP222", "IP811", "IP222"]
    assert [one.address for one in identities] == [
        "192.168.0.1", "127.0.0.1", "192.168.0.3", "127.0.0.1", "192.168.0.5",
    ]  # fmt: skip
    assert len({one.serial for one in identities}) == 5


@pytest.mark.parametrize("plan", [FleetPlan("u", count=0), FleetPlan("u", types=()), FleetPlan("u", first_serial="x"),
                                  FleetPlan("u", first_serial="ff-ff-ff-ff-ff-ff", count=2)])  # fmt: skip
def test_a_plan_must_make_sense(plan: FleetPlan) -> None:
    with pytest.raises(ValueError, match=r"serial number|at least one"):
        new_fleet(plan)


def test_serials_and_environments() -> None:
    assert parse_mac("00:90-33 00-00-01".replace(" ", "")) == parse_mac("009033000001") == 0x009033000001
    assert with_environment("http://h/u?x=1", "büro,b c") == "http://h/u?x=1&env=b%C3%BCro,b%20c"


def test_the_command_reports_as_text(server: UpdateServer) -> None:
    result = CliRunner().invoke(emulate, [url(server), "--speed", "3000", "--until-settled", "--timeout", "120"])
    assert result.exit_code == 0, result.output
    assert "status 200, 5 lines, complete; commit 7f3c21a, phase staging, polls every 5s\n" in result.output
    assert "devices  1, 1 settled\n" in result.output
    assert "errors   none\n" in result.output


def test_the_command_reports_as_json(server: UpdateServer) -> None:
    choices = "--type ip222,IP811 --count 4 --speed 3000 --interval 60 --json --polls 20 --spread 0"
    result = CliRunner().invoke(emulate, [url(server), *choices.split()])
    summary = json.loads(result.stdout)
    assert result.exit_code == 1, "gateways found no firmware"
    assert (summary["ended_by"], summary["devices"], summary["settled"]) == ("polls", 4, 2)
    assert list(summary["errors"]) == ["firmware empty"]
    assert "settled 2/4" in result.stderr


def test_the_command_plays_old_devices(server: UpdateServer) -> None:
    choices = "--firmware 120010 --polls 1 --key-seconds 1 --request-keys ecdsa --expire-in 30"
    result = CliRunner().invoke(emulate, [url(server), "--release", "12r1 sr5", *choices.split()])
    assert result.exit_code == 0, result.output
    assert server.first_contacts[-1]["ver"].startswith("12r1 sr5 IP222[12.0010], Bootcode[")


def test_not_settled_in_time_is_an_error(server: UpdateServer) -> None:
    result = CliRunner().invoke(emulate, [url(server), "--until-settled", "--timeout", "0.2"])
    assert result.exit_code == 1
    assert "errors   none\n" in result.output


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "ftp://h/",
        "http://h/ --type ,",
        "http://h/ --first-serial x",
        "http://h/ --clock 25:00",
        "http://h/ --misbehave well",
        "http://127.0.0.1/ --first-serial ffffffffffff --count 2",
    ],
)
def test_wrong_usage(wrong: str) -> None:
    assert CliRunner().invoke(emulate, wrong.split()).exit_code == 2


def test_the_command_stops_in_good_order(server: UpdateServer) -> None:
    program = "from gitupd.cli.emulate import emulate; emulate()"
    command = [sys.executable, "-c", program, url(server), "--plain", "--count", "3"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert "polls 0" in process.stdout.readline()
        assert "status 200" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "ended    stopped after" in rest


def test_the_table_is_drawn_in_a_terminal(server: UpdateServer) -> None:
    program = "from gitupd.cli.emulate import emulate; emulate()"
    command = [sys.executable, "-c", program, url(server), "--count", "99", "--polls", "1", "--timeout", "120"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COLUMNS": "150",
        "LINES": "30",
        "TERM": "xterm",
    }
    near, far = os.openpty()
    drawn = b""
    with subprocess.Popen(command, stdout=far, env=environment) as process:
        os.close(far)
        try:
            while piece := os.read(near, 65536):
                drawn += piece
        except OSError:  # how Linux says that the other end of a terminal is closed
            os.close(near)
    text = drawn.decode()
    assert process.returncode == 0, text
    assert "00-90-33-00-00-01" in text
    assert "… and 80 more" in text
    assert "devices  99, 0 settled" in text
