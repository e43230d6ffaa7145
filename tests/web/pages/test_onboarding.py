"""The page on adding a device."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from support.showcase import Scene
    from support.visitors import Visitor


def test_adding_a_device_shows_every_way_to_do_it(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/add?env=homeoffice&name=Desk+12+%26+%3C13%3E").text
    text = html.unescape(page)
    base = scene.server.base
    assert f'data-copy="{base}/update.php?env=homeoffice"' in text
    encoded = quote(f"{base}/update.php?env=homeoffice", safe="")
    assert (
        f"config add UP1 /url {encoded} /poll 1\nconfig add CMD0 /name Desk%2012%20%26%20%3C13%3E\nconfig write" in text
    )
    assert "https://com.innovaphone.commands/config%20add%20UP1%20%2Furl%20http%253A" in text
    assert "com.innovaphone.commands://ser%0D%0Aconfig%20add" in text
    assert f'dhcp-option=vendor:1.3.6.1.4.1.6666,215,"{base}/update.php?env=homeoffice"' in text
    assert "Devices can't reach 127.0.0.1" in text
    assert 'data-copy="' + f"{base}/update.php?env=intranet" in text


def test_the_update_url_is_made_of_where_the_request_came(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/add", headers={"Host": "upd.example:8443"}).text
    assert "http://upd.example:8443/update.php?env=default" in page
    assert "can't reach" not in html.unescape(page)
    assert scene.server.base not in page


@pytest.mark.parametrize("host", ["gitupd_1.example:8080", "[::1]:8080", "GITUPD"])
def test_every_host_that_devices_may_use_is_shown(viewer: Visitor, host: str) -> None:
    for path in ("/add", "/preview?type=IP222", "/api/v1/preview?type=IP222"):
        page = viewer.get(path, headers={"Host": host})
        assert page.status_code == 200
        url = f"http://{host}/update.php"
        assert url in page.text or quote(url, safe="") in page.text


def test_an_environment_that_does_not_exist_is_told(viewer: Visitor) -> None:
    response = viewer.get("/add?env=mars&name=x")
    assert response.status_code == 400
    assert "there is no environment 'mars'" in html.unescape(response.text)
    assert 'value="x"' in response.text
