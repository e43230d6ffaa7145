"""The demonstration, as somebody sees it who has typed ``make demo`` and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEMO = [sys.executable, "-m", "gitupd", "demo", "demo-site", "--http", "127.0.0.1:0"]
HASTE = ["--count", "10", "--speed", "900", "--until-settled"]


def test_the_demonstration_reaches_the_last_phase(tmp_path: Path) -> None:
    done = subprocess.run([*DEMO, *HASTE], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^devices +10, 10 settled$", done.stdout, re.MULTILINE)
    assert re.search(r"^phases +update 10$", done.stdout, re.MULTILINE)
    assert re.search(r"^errors +none$", done.stdout, re.MULTILINE)


def test_what_the_demonstration_says_is_all_one_needs_to_see_its_devices(tmp_path: Path) -> None:
    with demonstration(tmp_path) as said:
        browser = logged_in(said)
        address = re.search(r"^gitupd is at (http://127\.0\.0\.1:\d+)/$", said, re.MULTILINE)
        assert address is not None
        page = until(browser, f"{address[1]}/devices", ">00-90-33-00-00-")
        assert re.search("Old reception", page), "a device that is missing"
        assert re.search(r'data-refresh="2"', page)
        assert "German for all phones" in read(browser, f"{address[1]}/deployments")


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


@contextmanager
def demonstration(place: Path) -> Iterator[str]:
    """Run the demonstration while the block does, and yield what it says until devices poll; it ends as by Ctrl-C."""
    log = place / "said"
    with log.open("w") as output:
        running = subprocess.Popen(DEMO, cwd=place, stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while "polls" not in log.read_text() and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.05)
        yield log.read_text()
    finally:
        os.killpg(running.pid, signal.SIGINT)
        code = running.wait(30)
    assert code == 0, log.read_text()


def logged_in(said: str) -> OpenerDirector:
    """Log in with what the demonstration says."""
    found = re.search(r"at (?P<base>http://\S+)/\n.*Log in as (?P<name>\w+), with the password (?P<password>\w+)", said)
    assert found is not None, said
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    token = re.search(r'name="csrf_token" value="([^"]+)"', read(browser, f"{found['base']}/login"))
    assert token is not None
    form = {"csrf_token": token[1], "name": found["name"], "password": found["password"]}
    with browser.open(f"{found['base']}/login", urlencode(form).encode(), timeout=20) as answer:
        assert answer.url.endswith("/devices"), answer.read()
    return browser


def read(browser: OpenerDirector, address: str) -> str:
    with browser.open(address, timeout=20) as answer:
        return answer.read().decode()


def until(browser: OpenerDirector, address: str, words: str) -> str:
    """Read a page until it says *words*, and return it."""
    deadline = time.monotonic() + 60
    while words not in (page := read(browser, address)):
        assert time.monotonic() < deadline, page
        time.sleep(0.5)
    return page
