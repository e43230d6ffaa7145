"""With little room on the disk, devices are answered, and people can act; what strangers send is not taken in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from support.serving import PATIENCE, serving
from support.visitors import PASSWORD, Visitor, add_person

from gitupd.core.caller import parse_serial

if TYPE_CHECKING:
    from gitupd.service.site import Site

KNOWN, NEW = "00-90-33-30-00-01", "00-90-33-30-00-02"
POLL = "/update.php?type=IP222&sn={}&hwid=x&ip=10.0.0.1&env=default&phase={}&polling=0"
MORE_THAN_THERE_IS = str(2**30)


def phase(site: Site, serial: str) -> str | None:
    device = site.inventory.device(parse_serial(serial))
    return device and device.phase


def test_below_the_reserve_only_strangers_are_refused(own_site: Site) -> None:
    add_person(own_site, "ada")
    with serving(own_site.path) as server:
        server.ready()
        server.get(POLL.format(KNOWN, "staging"))
        wait_for(own_site, KNOWN, "staging")
    with serving(own_site.path, disk_reserve=MORE_THAN_THERE_IS) as server:
        upload = f"/update.php?mode=backup&sn={KNOWN}&hwid=x"
        with Visitor(server) as visitor:
            assert visitor.put(upload, content=b"config add A /b c\n" * 99).status_code == 503
            assert visitor.put(upload.replace("backup", "query&id=admin"), content=b"<x/>").status_code == 503
            for serial in (NEW, KNOWN):
                assert server.get(POLL.format(serial, "update"))[0] == 200
            wait_for(own_site, KNOWN, "update")
            assert phase(own_site, NEW) is None
            assert visitor.log_in("ada", PASSWORD).status_code == 303
            assert "devices are refused" in visitor.get("/readyz").text
            assert visitor.submit("/devices/forget", {"sn": KNOWN}, page="/account").status_code < 500
    assert own_site.backup_inbox.count() == 0


def wait_for(site: Site, serial: str, wanted: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while phase(site, serial) != wanted:
        assert time.monotonic() < deadline, phase(site, serial)
        time.sleep(0.05)
