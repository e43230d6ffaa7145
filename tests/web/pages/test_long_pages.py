"""Pages of what is long are no larger than others: nobody waits for a megabyte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.serving import serving
from support.visitors import Visitor, add_person, logged_in
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 300_000
SN = "00-90-33-30-00-af"
POLL = f"/update.php?type=IP222&sn={SN}&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0&env=default"
DEVICES, LINES = 5_000, 2_500


def configuration(last: str) -> dict[str, bytes]:
    serials = (f"{number:06x}" for number in range(DEVICES))
    devices = "".join(f"  00-90-33-{each[:2]}-{each[2:4]}-{each[4:]}: {{}}\n" for each in serials)
    lines = "".join(f"config add PHONE/DIR-UI /entry {number} /name Person%20{number}\n" for number in range(LINES))
    return {
        **template_files(),
        "devices.yaml": f"devices:\n{devices}".encode(),
        "snippets/all-all-all.txt": f"{lines}{last}\n".encode(),
        "policies/deploy.yaml": b"mode: manual\n",
    }


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    site, _ = create_site(tmp_path_factory.mktemp("long") / "site", who="test", now=now())
    for number, last in enumerate(("config add LAST /one 1", "config add LAST /two 2")):
        commit = site.config.commit_files(configuration(last), f"Number {number}", "Ada <ada@example.org>")
        deploy(site, commit, who="test", now=now(), force=True, reason="meant")
        with serving(site.path) as server:
            server.ready(commit)
            if not number:
                server.get(POLL)
                until(lambda: site.inventory.device(parse_serial(SN)), "the device is not known")
                continue
            add_person(site, "olga", Role.OPERATOR)
            with logged_in(server, "olga") as olga:
                yield olga
    site.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/configuration/file/devices.yaml", 'id="L1000"'),
        ("/configuration/file/devices.yaml?page=6", 'id="L5001"'),
        ("/configuration/file/snippets/all-all-all.txt?page=3", 'id="L2501"'),
        (f"/devices/{SN}?script=now", "more lines not shown"),
        (f"/devices/{SN}?script=last", "more lines not shown"),
        (f"/devices/{SN}?script=compare", "more lines not shown"),
        ("/preview?type=IP222&phase=update", "more lines not shown"),
        ("/commits/main", ""),
        ("/commits/main~1", "more lines are not shown"),
        ("/configuration", ""),
    ],
)
def test_it_is_no_larger_than_others(visitor: Visitor, address: str, said: str) -> None:
    page = visitor.get(address)
    assert page.status_code == 200
    assert len(page.content) <= MOST
    assert said in page.text


def test_compared_scripts_show_what_differs(visitor: Visitor) -> None:
    page = visitor.get(f"/devices/{SN}?script=compare").text
    assert "/entry 2499 " in page
    assert "config add LAST /one 1" in page
    assert "config add LAST /two 2" in page


def test_a_place_in_a_long_file_is_on_its_page(visitor: Visitor) -> None:
    page = visitor.get("/configuration/file/devices.yaml?page=6").text
    assert 'id="L5001"' in page
    assert 'id="L5000"' not in page
    assert visitor.get("/configuration/file/devices.yaml?page=7").status_code == 404
    origins = visitor.get(f"/devices/{SN}?script=now").text
    assert re.search(r'href="/configuration/file/snippets/all-all-all\.txt\?rev=[0-9a-f]+#L700"', origins)
    compared = visitor.get("/commits/main").text
    assert "config add LAST /two 2" in compared
