"""The demonstration, as somebody sees it who has typed ``make demo`` and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from support.waiting import until

from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = [sys.executable, "-m", "gitupd", "demo", "demo-site", "--http", "127.0.0.1:0"]
PATIENCE = 60.0
HASTE = ["--count", "10", "--speed", "900", "--until-settled"]


def test_the_demonstration_reaches_the_last_phase(tmp_path: Path) -> None:
    done = subprocess.run([*DEMO, *HASTE], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^devices +10, 10 settled$", done.stdout, re.MULTILINE)
    assert re.search(r"^phases +update 10$", done.stdout, re.MULTILINE)
    assert re.search(r"^errors +none$", done.stdout, re.MULTILINE)


def test_devices_of_the_demonstration_poll_by_https_if_it_is_there(tmp_path: Path) -> None:
    command = [*DEMO, "--https", "127.0.0.1:0", *HASTE]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    address = re.search(r"^and at (https://127\.0\.0\.1:\d+)/, with", done.stdout, re.MULTILINE)
    assert address is not None
    assert re.search(rf"^polled +{re.escape(address[1])} \d+$", done.stdout, re.MULTILINE)
    assert re.search(r"^errors +none$", done.stdout, re.MULTILINE)


def test_what_the_demonstration_says_is_all_one_needs_to_see_its_devices(tmp_path: Path) -> None:
    with demonstration(tmp_path) as said:
        browser = logged_in(said)
        address = re.search(r"^gitupd is at (http://127\.0\.0\.1:\d+)/$", said, re.MULTILINE)
        assert address is not None
        page = page_with(browser, f"{address[1]}/devices", ">00-90-33-00-00-")
        assert re.search("Old reception", page), "a device that is missing"
        assert re.search(r'data-refresh="2"', page)
        assert "German for all phones" in read(browser, f"{address[1]}/deployments")
        page_with(browser, f"{address[1]}/devices", ">00-90-33-00-00-14")  # so many that the brake would ask
        commands = "\n".join(re.findall(r"^    (.+)$", said, re.MULTILINE))
        assert commands.endswith("gitupd deploy main --site " + str(tmp_path / "demo-site"))
        typed = ["bash", "-e", "-c", commands]
        done = subprocess.run(typed, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "deployed" in done.stdout


def test_another_site_at_the_same_address_is_left_alone(tmp_path: Path) -> None:
    with demonstration(tmp_path) as said:
        address = re.search(r"^gitupd is at http://(127\.0\.0\.1:\d+)/$", said, re.MULTILINE)
        assert address is not None
        (tmp_path / "second").mkdir()
        again = [*DEMO[:-1], address[1]]
        for _ in range(2):
            log = tmp_path / "second/demo-site/server.log"
            if log.exists():  # as if it had been served there before, when the address was free
                with log.open("a") as former:
                    former.write(f"gitupd serves {log.parent} at http://{address[1]} with 2 workers\n")
            done = subprocess.run(
                [*again, *HASTE], cwd=tmp_path / "second", capture_output=True, text=True, check=False, timeout=120
            )
            assert done.returncode == 1
            assert f"the server at {address[1]} did not start:" in done.stderr
            assert "gitupd is at" not in done.stdout


def test_the_demonstration_goes_on_where_it_ended(tmp_path: Path) -> None:
    with demonstration(tmp_path):
        pass
    site = Site(tmp_path / "demo-site")
    before = site.deployments.latest()
    site.close()
    with demonstration(tmp_path) as said:
        logged_in(said)
    site = Site(tmp_path / "demo-site")
    after = site.deployments.latest()
    site.close()
    assert after == before


def test_the_devices_end_before_their_server_does(tmp_path: Path) -> None:
    with demonstration(tmp_path, "--count", "300", "--speed", "1000"):
        time.sleep(2)  # in the middle of their polls
    assert re.search(r"^errors +none$", (tmp_path / "said").read_text(), re.MULTILINE)


def test_whoever_presses_ctrl_c_again_and_again_sees_the_same(tmp_path: Path) -> None:
    with demonstration(tmp_path) as said:
        running = processes_in(tmp_path)
        assert running, said
        foreground = os.getsid(running[0])

        def have_ended() -> bool:
            if running := processes_in(tmp_path):
                os.killpg(foreground, signal.SIGINT)
            return not running

        until(have_ended, lambda: processes_in(tmp_path))
    assert re.search(r"^errors +none$", (tmp_path / "said").read_text(), re.MULTILINE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_nothing_goes_on_when_the_demonstration_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    with demonstration(tmp_path) as said:
        running = processes_in(tmp_path)
        assert len(running) >= len(["demonstration", "server", "devices"]), said
        os.kill(os.getsid(running[0]), number)
        until(lambda: not processes_in(tmp_path), lambda: processes_in(tmp_path))


def processes_in(place: Path) -> list[int]:
    """Return the processes that work in *place*; a zombie works nowhere."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if each.readlink() == place:
                found.append(int(each.parent.name))
    return found


@contextmanager
def demonstration(place: Path, *options: str) -> Iterator[str]:
    """Run the demonstration while the block does, and yield what it says until devices poll; it ends as by Ctrl-C."""
    log = place / "said"
    with log.open("w") as output:
        running = subprocess.Popen([*DEMO, *options], cwd=place, stdout=output, stderr=output, start_new_session=True)
    try:
        until(lambda: "polls" in log.read_text() or running.poll() is not None, log.read_text)
        yield log.read_text()
    finally:
        with suppress(ProcessLookupError):  # ended by the block
            os.killpg(running.pid, signal.SIGINT)
        code = running.wait(PATIENCE)
    assert code == 0, log.read_text()


def logged_in(said: str) -> OpenerDirector:
    """Log in with what the demonstration says."""
    found = re.search(r"at (?P<base>http://\S+)/\n.*Log in as (?P<name>\w+), with the password (?P<password>\w+)", said)
    assert found is not None, said
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    token = re.search(r'name="csrf_token" value="([^"]+)"', read(browser, f"{found['base']}/login"))
    assert token is not None
    form = {"csrf_token": token[1], "name": found["name"], "password": found["password"]}
    with browser.open(f"{found['base']}/login", urlencode(form).encode(), timeout=PATIENCE) as answer:
        assert answer.url.endswith("/devices"), answer.read()
    return browser


def read(browser: OpenerDirector, address: str) -> str:
    with browser.open(address, timeout=PATIENCE) as answer:
        return answer.read().decode()


def page_with(browser: OpenerDirector, address: str, words: str) -> str:
    """Read a page until it says *words*, and return it."""

    def page() -> str:
        content = read(browser, address)
        return content if words in content else ""

    return until(page, lambda: read(browser, address))
