"""One after the other, as somebody works. It changes what is deployed, and so it comes last in this folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from browser.scene import CALLERS, poll
from browser.visiting import WIDE

if TYPE_CHECKING:
    from support.serving import Server

    from browser.scene import Scene
    from browser.visiting import Visitor


def test_a_commit_is_deployed_and_taken_back(administrator: Visitor, server: Server, scene: Scene) -> None:
    administrator.resize(WIDE)
    page = administrator.open("/deployments")
    page.get_by_role("link", name="Deploy…").click()
    expect(page.locator("main")).to_contain_text("French for all phones")
    # It changes what more devices get than the brake lets through.
    page.get_by_label("Deploy it all the same.").check()
    page.get_by_label("Why?").fill("French was wanted after all")
    page.get_by_role("button", name=re.compile("^Deploy")).click()
    page.wait_for_url("**/deployments")
    expect(page.locator("#answer")).to_contain_text(scene.ahead[:8])
    server.ready(scene.ahead)
    page = administrator.open(f"/devices?q={CALLERS[0]}")
    poll(server, CALLERS[0])
    page.get_by_role("link", name=str(CALLERS[0]), exact=True).click()
    expect(page.locator("main")).to_contain_text("config add PHONE/USER-UI /language fra")
    page = administrator.open("/deployments")
    page.locator("tr", has_text=scene.deployed[:8]).first.get_by_role("link", name="Roll back to this…").click()
    page.get_by_role("button", name=re.compile("^Roll back")).click()
    page.wait_for_url("**/deployments")
    expect(page.locator("#answer")).to_contain_text(scene.deployed[:8])
    expect(page.locator("#waiting")).to_contain_text("blocked")
    assert administrator.watch.settle() == []
