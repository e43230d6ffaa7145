from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright
from support.serving import Server, serving

from browser.pages import Tour
from browser.scene import PEOPLE, answer_with_hostility, back_up, create_scene, emulate
from browser.visiting import PATIENCE, WIDE, Visitor, visitor
from gitupd.core.people.person import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from browser.scene import Scene

HERE = Path(__file__).parent
AXE = HERE / "node_modules/axe-core/axe.min.js"
FOLDER = HERE / "screenshots"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark everything here, so that it can be left out."""
    item.add_marker(pytest.mark.browser)


# All of this ends with this folder's last test: as long as Playwright runs, its event loop is this thread's, and other
# tests could not run one.


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A site with a past, whose devices are of every sort."""
    created = create_scene(tmp_path_factory.mktemp("browser") / "site")
    yield created
    created.site.close()


@pytest.fixture(scope="package")
def server(scene: Scene) -> Iterator[Server]:
    """The server of that site, after emulated devices went through all phases there."""
    with serving(scene.site.path, workers=2) as running:
        running.ready(scene.deployed)
        emulate(running)
        answer_with_hostility(running)
        back_up(running, scene)
        yield running


@pytest.fixture(scope="package")
def browser(server: Server) -> Iterator[Browser]:  # noqa: ARG001 - must have been forked before Playwright starts
    """Debian's Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("no program 'chromium'; install Debian's package of that name, or leave out: -m 'not browser'")
    options = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # whatever a browser may ask for by itself
    options += ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=options)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def tour(administrator: Visitor, anonymous: Visitor, scene: Scene) -> Tour:
    """The way to all pages."""
    return Tour(administrator, anonymous, scene)


@pytest.fixture(scope="package")
def axe() -> str:
    """The script of the accessibility checker."""
    if not AXE.exists():
        pytest.fail("no axe-core; run: cd tests/browser && npm ci, or leave out: -m 'not browser'")
    return AXE.read_text("utf-8")


@pytest.fixture(scope="package")
def screenshots(pytestconfig: pytest.Config) -> Path | None:
    """The folder for pictures of pages, None if nobody asked for any."""
    if not pytestconfig.getoption("--pictures"):
        return None
    FOLDER.mkdir(exist_ok=True)
    return FOLDER


@pytest.fixture(scope="package")
def administrator(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody who may do everything."""
    yield from logged_in(browser, server, Role.ADMINISTRATOR)


@pytest.fixture(scope="package")
def german(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody who may do everything, with a browser that asks for German."""
    yield from logged_in(browser, server, Role.ADMINISTRATOR, locale="de-DE")


@pytest.fixture(scope="package")
def viewer(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody who may only look."""
    yield from logged_in(browser, server, Role.VIEWER)


@pytest.fixture(scope="package")
def anonymous(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Nobody that the server knows."""
    opened = visitor(browser, server.base)
    yield opened
    opened.context.close()


@pytest.fixture(scope="package")
def plain(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody who may do everything, with a browser that runs no scripts."""
    yield from logged_in(browser, server, Role.ADMINISTRATOR, scripts=False)


@pytest.fixture(params=["with scripts", "without scripts"])
def either(request: pytest.FixtureRequest, administrator: Visitor, plain: Visitor) -> Visitor:
    """Somebody who may do everything, with a browser that runs scripts, and with one that does not."""
    chosen = administrator if request.param == "with scripts" else plain
    chosen.resize(WIDE)
    return chosen


def logged_in(
    browser: Browser, server: Server, role: Role, *, scripts: bool = True, locale: str = "en-GB"
) -> Iterator[Visitor]:
    opened = visitor(browser, server.base, scripts=scripts, locale=locale)
    opened.log_in(PEOPLE[role])
    yield opened
    opened.context.close()
