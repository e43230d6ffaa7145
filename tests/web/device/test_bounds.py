"""What strangers upload is bounded, too: answers of devices that nobody knows, versions within a time."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from support.serving import Server, serving
from support.waiting import until

from gitupd.core.caller import Serial, parse_serial
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from gitupd.service.site import Site

PHONE, LISTED = "00-90-33-30-00-01", "00-90-33-30-00-02"


def put(server: Server, arguments: str, content: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("PUT", f"/update.php?{arguments}", body=content)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def commit(site: Site, **policies: str) -> str:
    files = {f"policies/{name}.yaml": text.encode() for name, text in policies.items()}
    files |= {
        "policies/deploy.yaml": b"mode: manual\n",
        "queries.yaml": b"queries: {admin: {applies: [all]}}\n",
        "devices.yaml": f"devices: {{{LISTED}: {{name: Listed}}}}\n".encode(),
    }
    made = site.config.commit_files(files, "Bounds", "Test <test@localhost>")
    deploy(site, made, who="test", now=now())
    return made


def test_answers_of_invented_devices_are_bounded(own_site: Site) -> None:
    made = commit(own_site, admission="most: 10\n")
    with serving(own_site.path, workers=2) as server:
        server.ready(made)
        for number in range(60):
            assert put(server, f"mode=query&id=admin&sn={Serial(f'02{number:010x}')}", b"<info/>") == 200
        assert put(server, f"mode=query&id=admin&sn={LISTED}", b'<info name="Desk"/>') == 200
        assert own_site.fleet.strangers(now()).unproved == 10
        assert len(own_site.inventory.devices()) == 11
        assert len(own_site.answers.of(parse_serial(LISTED))) == 1
        assert sum(bool(own_site.answers.of(Serial(f"02{number:010x}"))) for number in range(60)) == 10


def test_versions_beyond_the_rate_are_refused_and_the_last_one_is_kept_in_the_end(own_site: Site) -> None:
    made = commit(own_site, backup="enabled: true\nper_device: 3/m\nper_address: 5/m\n")
    upload = f"mode=backup&hwid=IP222-30-00-01&sn={PHONE}"
    contents = [f"config change CMD0 /name Desk{number}\r\n".encode() * 9 for number in range(9)]
    with serving(own_site.path) as server:
        server.ready(made)
        assert [put(server, upload, content) for content in contents] == [200] * 3 + [429] * 6
        assert put(server, upload, contents[2]) == 200  # nothing has changed
        others = [put(server, upload.replace("00-01", f"01-{number:02x}"), contents[0]) for number in range(5)]
        assert others == [200] * 2 + [429] * 3
        device = parse_serial(PHONE)
        until(lambda: own_site.backup_timeline.extent(device).count == 3)
        relaxed = commit(own_site, backup="enabled: true\nper_device: 60/s\nper_address: null\n")
        server.ready(relaxed)
        until(lambda: put(server, upload, contents[-1]) == 200)
        until(lambda: own_site.backup_timeline.extent(device).count == 4)
