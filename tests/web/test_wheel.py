"""What CI gets at /dist/: the program that serves, by the very pip that installs it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml
from support.installing import build_wheel, install
from support.waiting import until

from gitupd import __version__
from gitupd.errors import GitupdError
from gitupd.resources import template_files
from gitupd.store.wheel import Wheel
from gitupd.web.wheel import WheelEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server

NAME = f"gitupd-{__version__}-py3-none-any.whl"
WHEEL = Wheel(NAME, b"a wheel", hashlib.sha256(b"a wheel").hexdigest(), ">=3.11")


def answers(endpoint: WheelEndpoint, *requests: httpx.Request) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(endpoint)) as client:
            return await asyncio.gather(*(client.send(request) for request in requests))

    return asyncio.run(ask())


def get(path: str, method: str = "GET", **headers: str) -> httpx.Request:
    return httpx.Request(method, f"http://a{path}", headers=headers)


def test_pages_lead_to_the_file_by_its_digest() -> None:
    index, project, file = answers(
        WheelEndpoint(lambda: WHEEL, {"X-More": "1"}), get("/dist/"), get("/dist/gitupd/"), get(f"/dist/{NAME}")
    )
    assert f'href="{NAME}#sha256={WHEEL.sha256}" data-requires-python="&gt;=3.11"' in index.text
    assert f'href="../{NAME}#sha256={WHEEL.sha256}"' in project.text
    assert (file.content, file.headers["x-more"]) == (WHEEL.content, "1")
    assert file.headers["cache-control"] == index.headers["cache-control"] == "public, max-age=300"


def test_it_is_made_once_and_not_sent_again() -> None:
    made = []
    endpoint = WheelEndpoint(lambda: made.append(1) or WHEEL, {})  # type: ignore[func-returns-value] # None, to go on
    tag = f'"{WHEEL.sha256}"'
    first, second = answers(endpoint, get(f"/dist/{NAME}"), get(f"/dist/{NAME}", **{"If-None-Match": tag}))
    assert (first.headers["etag"], second.status_code, second.content) == (tag, 304, b"")
    assert made == [1]


def test_what_else_is_asked_for_is_not_there() -> None:
    bad = [get("/dist/gitupd-0.0.9-py3-none-any.whl"), get("/dist/click/"), get("/dist/../gitupd.db"), get("/dist/x")]
    assert {answer.status_code for answer in answers(WheelEndpoint(lambda: WHEEL, {}), *bad)} == {404}
    assert answers(WheelEndpoint(lambda: WHEEL, {}), get("/dist/", "POST"))[0].status_code == 405


def test_without_one_the_reason_is_told(server: Server) -> None:
    """As by the server of these tests, which runs from a checkout."""
    for path in ("/dist/", f"/dist/{NAME}"):
        status, body = server.get(path)
        assert (status, b"runs from a checkout" in body) == (404, True)

    def fail() -> Wheel:
        raise GitupdError("no wheel today")

    assert answers(WheelEndpoint(fail, {}), get("/dist/"))[0].text == "404 Not Found: no wheel today\n"


@contextmanager
def installed_server(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve a new site by gitupd as it is installed; give the block its address, and the environment that does that."""
    installed = install(build_wheel(folder), folder / "installed")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(installed)}
    program = [sys.executable, "-m", "gitupd"]
    subprocess.run([*program, "init", "site"], cwd=folder, env=environment, check=True, capture_output=True)
    log = folder / "log"
    with log.open("wb") as output:
        command = [*program, "serve", "--site", "site", "--http", "127.0.0.1:0", "--workers", "1"]
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        until(lambda: re.search(rb"at (http://127\.0\.0\.1:\d+) ", log.read_bytes()), log.read_text)
        found = re.search(r"at (http://127\.0\.0\.1:\d+) ", log.read_text())
        assert found is not None
        yield found[1], environment
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.slow  # a wheel is built and installed twice, and a server started
@pytest.mark.parametrize("path", [".github/workflows/gitupd.yaml", ".gitlab-ci.yml"])
def test_ci_installs_what_the_site_runs(tmp_path: Path, path: str) -> None:
    with installed_server(tmp_path) as (url, environment):
        page = httpx.get(f"{url}/dist/").text
        folder = tmp_path / "of ci"
        ci = {
            **environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": "",
            "GITUPD_URL": url,
            "GITUPD": "gitupd==0.0.0",
            "TMPDIR": str(tmp_path),
            "PIP_TARGET": str(folder),
            "PIP_NO_DEPS": "1",  # they come from the package index, which tests leave alone
        }
        script = "\n".join(of_github() if path.endswith("gitupd.yaml") else of_gitlab())
        shell = ["bash", "-eo", "pipefail", "-c", script]
        run = subprocess.run(shell, env=ci, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    asked = {**environment, "PYTHONPATH": str(folder)}
    where = "import gitupd; print(gitupd.__file__)"
    printed = subprocess.run([sys.executable, "-P", "-c", where], env=asked, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == str(folder / "gitupd/__init__.py")
    assert NAME in page


def of_github() -> list[str]:
    """Return the step that installs gitupd."""
    steps = yaml.safe_load(template_files()[".github/workflows/gitupd.yaml"])["jobs"]["check"]["steps"]
    return [step["run"] for step in steps if step.get("name") == "Install"]


def of_gitlab() -> list[str]:
    script = yaml.safe_load(template_files()[".gitlab-ci.yml"])["check"]["script"]
    return [command for command in script if "pip" in command]
