"""Requests of a watched device by real servers: all of them, in whichever worker, and no secret of them."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, text
from support.polling import Polling
from support.serving import Server, serving
from support.visitors import ROOT
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.stories.recorded import LARGEST_TEXT
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now
from gitupd.service.stories.recording import request_lines, start_recording, stop_recording

if TYPE_CHECKING:
    from gitupd.core.stories.recorded import RecordedRequest
    from gitupd.service.site import Site

SN, OTHER = "00-90-33-46-0a-f2", "00-90-33-46-0a-f3"
SERIAL = parse_serial(SN)
MARK = "Cnry"
SECRET = f"{MARK} old s&p%"
POLL = f"/phones/update.php?type=IP222&sn={SN}&hwid=IP222-46-0a-f2&ip=127.0.0.1&env=default"
BACKUP = f"/update.php?mode=backup&sn={SN}&hwid=IP222-46-0a-f2"


def configured(site: Site, files: dict[str, str]) -> None:
    kept = site.config.files(site.config.resolve("main"))
    written = {path: each.encode() for path, each in files.items()}
    deploy(site, site.config.commit_files({**kept, **written}, "x", "Test <test@localhost>"), who="test", now=now())


def put(server: Server, path: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("PUT", path, body=body, headers=headers or {})
    status = connection.getresponse().status
    connection.close()
    return status


def known(site: Site, server: Server, path: str = POLL, sn: str = SN) -> None:
    server.get(path)
    until(lambda: site.inventory.device(parse_serial(sn)) is not None)


def watch(site: Site, server: Server) -> None:
    """Have the device recorded, and wait until all workers know: a dozen requests one after the other are kept."""
    start_recording(site, SERIAL, ROOT, now())

    def all_are_kept() -> bool:
        before = settled(site)
        for _ in range(12):
            server.get(f"/update.php?sn={SN}&is=probe")
        return settled(site) - before == 12

    until(all_are_kept)


def settled(site: Site) -> int:
    """Return how many requests are recorded, once that has not changed for a while."""
    seen = [-1]

    def unchanged() -> bool:
        seen.append(len(site.recordings.requests(SERIAL, 1000)))
        return len(seen) > 60 and len(set(seen[-60:])) == 1  # 1.2 seconds: each worker has looked meanwhile

    until(unchanged)
    return seen[-1]


def found(site: Site, part: str, count: int = 1) -> list[RecordedRequest]:
    """Return the recorded requests whose address has *part*, the newest first, once there are so many."""

    def matching() -> list[RecordedRequest]:
        return [each for _, each in site.recordings.requests(SERIAL, 1000) if part in each.target]

    until(lambda: len(matching()) >= count, lambda: [each.target for each in matching()])
    return matching()


@pytest.mark.slow
def test_all_that_a_device_asks_is_recorded_by_each_worker_and_nothing_else(own_site: Site) -> None:
    site = own_site
    with serving(site.path, workers=2) as server:
        server.ready()
        server.get(f"{POLL}&is=early")
        known(site, server)
        watch(site, server)
        (site.path / "firmware/137213").mkdir(parents=True)
        (site.path / "firmware/137213/ip222.bin").write_bytes(b"x" * 1_000)
        server.get(f"{POLL.replace(SN, OTHER)}&is=other")
        server.get(f"{POLL}&is=poll", {"User-Agent": "innovaphone IP222/137213", "Authorization": "Basic Q25yeQ=="})
        server.get(f"{POLL}&is=lower".replace(SN, SN.replace("-", "").upper()))
        server.get(f"{POLL}&is=head", method="HEAD")
        server.get(f"/update.php?type=IP222&is=nameless&sn={SN}&env=%00")
        server.get("/fw/137213/ip222.bin?is=firmware")
        server.get(f"/update-IP222.htm?is=astray&sn={SN}")
        server.get(f"/preview?is=page&sn={SN}")
        assert put(server, f"{BACKUP}&is=upload", b"config change A /x y\r\n" * 100, {"User-Agent": "up"}) == 200
        poll, early = found(site, "is=poll")[0], [each.target for _, each in site.recordings.requests(SERIAL, 1000)]
        assert not [each for each in early if "is=early" in each or "is=other" in each]
        assert (poll.method, poll.target, poll.status) == ("GET", f"{POLL}&is=poll", 200)
        assert (poll.address, poll.by_address, poll.received) == ("127.0.0.1", False, 0)
        headers = dict(poll.headers)
        assert (headers["user-agent"], headers["authorization"]) == ("innovaphone IP222/137213", "***")
        assert dict(poll.answer_headers)["content-length"] == str(poll.answered)
        assert poll.body is not None
        assert len(poll.body.replace("\n", "\r\n")) == poll.answered
        assert 0 < poll.seconds < 30
        lower, head, refused = (found(site, f"is={each}")[0] for each in ("lower", "head", "nameless"))
        assert lower.status == 200
        assert (head.method, head.answered, head.body) == ("HEAD", 0, "")
        assert (refused.status, refused.body) == (400, "# refused: malformed request\n")
        firmware = found(site, "is=firmware")[0]
        assert (firmware.status, firmware.by_address, firmware.answered, firmware.body) == (200, True, 1_000, None)
        assert found(site, "is=astray")[0].status == 404
        upload = found(site, "is=upload")[0]
        assert (upload.method, upload.status, upload.received) == ("PUT", 200, 2_200)
        assert "backup of 2200 bytes" in (upload.body or "")
        assert "config change A" not in "\n".join(request_lines(upload))
        settled(site)
        assert not [each for _, each in site.recordings.requests(SERIAL, 1000) if "is=page" in each.target]
        assert stop_recording(site, SERIAL, ROOT, now())
        count = settled(site)
        for _ in range(12):
            server.get(f"{POLL}&is=late")
        assert settled(site) == count


def test_an_emulated_device_is_recorded_with_all_that_it_does(own_site: Site) -> None:
    site = own_site
    with serving(site.path) as server:
        server.ready()
        device = Polling(server, serial=SN)
        for _ in range(3):  # the first answers complete its update URL
            device.poll()
        until(lambda: site.inventory.device(SERIAL) is not None)
        watch(site, server)
        for _ in range(4):
            device.poll()
        polled = [each for each in found(site, "hwid=", 4) if each.method == "GET"]
        assert {each.status for each in polled} == {200}
        assert all((each.body or "").startswith("#") for each in polled)
        assert {dict(each.answer_headers)["content-type"] for each in polled} == {"text/plain; charset=utf-8"}


def test_no_secret_comes_into_the_table(own_site: Site) -> None:
    site = own_site
    script = "\n".join(
        (
            f"config add PHONE/SIG /gk-pwd /psk {MARK}snip",
            f"config add OTHER /text {quote(SECRET, safe='')}",
            f"config change URL /url http://u:{MARK}x@host/x",
            "config change MODULE /public 3",
        )
    )
    environments = (
        f'environments:\n  default: {{variables: {{sip_password: "{SECRET}"}}}}\n'
        "  homeoffice: {implies: [intranet]}\n  intranet: {}\n"
    )
    backup = {"environments.yaml": environments, "policies/backup.yaml": "enabled: true\n"}
    configured(site, {**backup, "snippets/update-phone-all.txt": script})
    with serving(site.path) as server:
        server.ready()
        known(site, server)
        watch(site, server)
        server.get(f"{POLL}&phase=update&is=script")
        server.get(
            f"{POLL}&phase=update&is=said&code={MARK}-CODE&CHECK={MARK}{'0' * 28}&password={MARK}&x={quote(SECRET)}"
            f"&y={quote(quote(SECRET))}&z=%2Fpw%20{MARK}",
            {"Cookie": f"gitupd_session={MARK}", "Authorization": f"Bearer {MARK}", "X-Api-Key": MARK, "X-Y": SECRET},
        )
        assert put(server, f"{BACKUP}&is=upload", f"config change A /pw {MARK}\r\n".encode()) == 200
        until(lambda: len(site.backup_index.of(SERIAL)) == 1)
        live = live_now(site)
        assert live is not None
        restore = SiteRestores(site).ask(site.backup_index.of(SERIAL)[0], ROOT, now(), live.snapshot.policy.backup)
        until(lambda: f"/restore/{restore.token}".encode() in server.get(f"{POLL}&phase=update&is=restore")[1])
        assert MARK.encode() in server.get(f"/phones/restore/{restore.token}")[1]
        script_told = found(site, "is=script")[0]
        assert "config change MODULE /public 3" in (script_told.body or "")
        assert "config add PHONE/SIG /gk-pwd ***" in (script_told.body or "")
        found(site, "is=said")
        fetched = found(site, "/restore/")[0]
        assert (fetched.target, fetched.status, fetched.body) == ("/phones/restore/***", 200, None)
        assert [each for each in found(site, "is=restore") if "/restore/*** iresetn" in (each.body or "")]
        settled(site)
        engine = create_engine(f"sqlite:///{site.path / 'gitupd.db'}")
        with engine.connect() as connection:
            kept = "\n".join(connection.scalars(text("SELECT said FROM recorded_requests")))
        engine.dispose()
        assert "is=said" in kept
        assert MARK.lower() not in kept.lower()
        assert restore.token not in kept


def test_a_long_answer_is_cut_off_at_a_line(own_site: Site) -> None:
    site = own_site
    line = "config change A /x " + "y" * 80
    configured(site, {"snippets/update-phone-all.txt": "\n".join([line] * 1_000)})
    with serving(site.path) as server:
        server.ready()
        known(site, server)
        watch(site, server)
        status, body = server.get(f"{POLL}&phase=update&is=long")
        assert (status, len(body) > LARGEST_TEXT) == (200, True)
        long = found(site, "is=long")[0]
        assert long.is_cut
        assert long.answered == len(body)
        assert (long.body or "").endswith("y" * 80)
        assert LARGEST_TEXT - 200 < len((long.body or "").replace("\n", "\r\n")) <= LARGEST_TEXT


def test_a_database_that_fails_costs_no_answer(own_site: Site) -> None:
    site = own_site
    with serving(site.path) as server:
        server.ready()
        known(site, server)
        watch(site, server)
        engine = create_engine(f"sqlite:///{site.path / 'gitupd.db'}")
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE recorded_requests RENAME TO elsewhere"))
        assert {server.get(f"{POLL}&is=lost")[0] for _ in range(5)} == {200}
        until(lambda: "requests of devices can't be recorded" in server.log.read_text())
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO recorded_requests"))
        engine.dispose()
        server.get(f"{POLL}&is=after")
        until(lambda: server.get(f"{POLL}&is=after") and found(site, "is=after"))
        assert not [each for _, each in site.recordings.requests(SERIAL, 1000) if "is=lost" in each.target]
