"""What monitoring is told, by whichever worker it happens to ask."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.fleets import device as device_of_fleet
from support.fleets import fill
from support.scraping import Scrape, scrape, scrape_all
from support.serving import Server, serving
from support.uploading import put
from support.visitors import add_key, add_person, logged_in
from support.waiting import until

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.site import Site
from gitupd.web.asgi.log import RequestLog
from gitupd.web.metrics import MOST_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable


POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&polling=0&phase="


@pytest.fixture
def key(own_site: Site) -> str:
    add_person(own_site, "prometheus", Role.VIEWER)
    return add_key(own_site, "prometheus")


def configure(site: Site, changes: dict[str, bytes]) -> None:
    files = {**template_files(), "policies/deploy.yaml": b"mode: manual\n", **changes}
    site.config.commit_files(files, "Change", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now(), reason="to see it counted", force=True)


def workers_of(server: Server) -> list[int]:
    """Return the processes below the server's parent: workers and keeper."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def scraped(server: Server, key: str, met: Callable[[Scrape], bool]) -> Scrape:
    """Return the first scrape that tells all: what was answered is counted a little later.

    A request is counted as answered after all else that is counted of it, and a scrape reads that number before all
    others; so whoever compares several numbers waits for the requests.
    """

    def told() -> Scrape | None:
        answer = scrape(server, key)
        return answer if met(answer) else None

    return until(told, "not counted, or too often")


def answered(kind: str, number: int) -> Callable[[Scrape], bool]:
    return lambda told: told("gitupd_http_requests_total", kind=kind) == number


def polls(told: Scrape) -> float | None:
    return told("gitupd_polls_total")


def test_every_worker_tells_what_all_of_them_have_counted(own_site: Site, key: str) -> None:
    with serving(own_site.path, workers=3) as server:
        server.ready()
        for _ in range(60):
            server.get(POLL + "update")
        scraped(server, key, answered("poll", 60))
        scrape_all(server, key)
        told = [scrape(server, key) for _ in range(12)]
    assert {polls(each) for each in told} == {60}
    assert {each("gitupd_http_request_duration_seconds_count", kind="poll") for each in told} == {60}
    assert {each("gitupd_http_requests_total", kind="poll", status="2xx") for each in told} == {60}
    assert told[-1]("gitupd_workers") == 3
    assert told[-1].labels("gitupd_process_start_time_seconds", "process") == {
        "keeper",
        "worker-0",
        "worker-1",
        "worker-2",
    }


def test_what_a_killed_worker_has_counted_stays_counted(own_site: Site, key: str) -> None:
    with serving(own_site.path, workers=2) as server:
        server.ready()
        total = 0
        for _ in range(2):
            for _ in range(30):
                server.get(POLL + "update")
            total += 30
            before = scraped(server, key, answered("poll", total)).counters()
            killed = workers_of(server)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            until(lambda gone=killed: not set(gone) & set(workers_of(server)), "they were not replaced")
            server.ready()
            after = scrape(server, key)
            assert polls(after) == total
            assert {name for name, value in before.items() if after.counters()[name] < value} == set()


def test_a_reload_takes_nothing_back(own_site: Site, key: str) -> None:
    with serving(own_site.path, workers=1) as server:
        server.ready()
        for round_ in range(1, 4):
            server.get(POLL + "update")
            scraped(server, key, answered("poll", round_))
            old = set(workers_of(server))
            os.kill(server.process.pid, signal.SIGHUP)
            until(lambda gone=old: not gone & set(workers_of(server)), "they were not replaced")
            server.ready()
            told = scrape(server, key)
            assert polls(told) == round_
            assert told("gitupd_workers") == 1


def test_polls_are_counted_by_what_became_of_them(own_site: Site, key: str) -> None:
    configure(own_site, {"snippets/update-all-all.txt": b"config add X /y 1\n"})
    with serving(own_site.path, scripting="true") as server:
        server.ready()
        body = server.get(POLL + "update")[1].decode()
        check = body.partition("check ser ")[2].split()[0]
        server.get(POLL + "update&CHECK=" + check)
        server.get("/update.php?env=default")
        server.get(POLL + "update", method="HEAD")
        server.get("/update.php?sn=x")
        server.get(POLL + "update", method="DELETE")
        configure(own_site, {"policies/transport.yaml": b"https: required\n"})
        server.ready(own_site.deployments.live().commit)
        server.get(POLL + "update")
        configure(own_site, {"scripting.py": b"class A:\n    def pre(self, device):\n        raise ValueError\n"})
        server.ready(own_site.deployments.live().commit)
        server.get(POLL + "update")
        configure(own_site, {"policies/admission.yaml": b"unknown: quarantine\n"})
        server.ready(own_site.deployments.live().commit)
        server.get(POLL + "update")
        told = scraped(server, key, answered("poll", 9))
    counted = {outcome: told("gitupd_polls_total", outcome=outcome) for outcome in OUTCOMES}
    assert counted == {
        "delivered": 1,
        "confirmed": 1,
        "completed": 1,
        "viewed": 1,
        "refused": 2,
        "held": 1,
        "failed": 1,
        "outside": 1,
        "enrolled": 0,
        "waiting": 0,
    }
    assert told("gitupd_http_requests_total", kind="poll", status="4xx") == 2
    assert told.labels("gitupd_polls_total", "outcome") == OUTCOMES


OUTCOMES = {
    "delivered",
    "confirmed",
    "completed",
    "viewed",
    "refused",
    "held",
    "failed",
    "outside",
    "enrolled",
    "waiting",
}


def test_polls_of_a_site_without_a_deployment_wait(tmp_path: Path) -> None:
    site = Site.create(tmp_path / "site")
    add_person(site, "prometheus")
    key = add_key(site, "prometheus")
    with serving(site.path) as server:
        until(lambda: server.get("/healthz")[0] == 200, "no answer")
        server.get(POLL + "update")
        told = scraped(server, key, answered("poll", 1))
    site.close()
    assert told("gitupd_polls_total", outcome="waiting") == 1
    assert told("gitupd_ready") == 0
    for name in ("gitupd_deployed_commit_info", "gitupd_deployed_commit_readable", "gitupd_convergence_ratio"):
        assert told(name) is None


def test_uploads_are_counted_by_mode_and_outcome(own_site: Site, key: str) -> None:
    device = "sn=00-90-33-30-00-af"
    with serving(own_site.path, largest_upload="1") as server:
        server.ready()
        for mode in ("vardump", "query", "query", "nonsense"):
            server.get(f"/update.php?mode={mode}&{device}&id=admin", method="PUT")
        told = scraped(server, key, answered("upload", 4))
    assert told("gitupd_uploads_total") == told("gitupd_http_requests_total", kind="upload") == 4
    assert told("gitupd_uploads_total", mode="vardump", outcome="refused") == 1
    assert told("gitupd_uploads_total", mode="query", outcome="refused") == 2  # empty, so not kept
    assert told("gitupd_uploads_total", mode="other", outcome="refused") == 1


def test_requests_are_counted_by_kind_and_status(own_site: Site, key: str, tmp_path: Path) -> None:
    (tmp_path / "ip222.bin").write_bytes(b"x" * 12_345)
    own_site.firmware.add("137213", tmp_path / "ip222.bin", Event(now(), "test", Kind.FIRMWARE_ADD))
    bearer = {"Authorization": f"Bearer {key}"}
    with serving(own_site.path) as server:
        server.ready()
        for path in ("/fw/137213/ip222.bin", "/fw/137213/nothing", "/api/v1/fleet", "/api/v1/nothing", "/login", "/"):
            server.get(path, bearer)
        server.get("/fw/137213/ip222.bin", {"Range": "bytes=0-99"})
        wanted = {"firmware": 3, "api": 2, "page": 2, "monitoring": 1}
        told = scraped(server, key, lambda told: all(counted(told, kind=kind) >= wanted[kind] for kind in wanted))
    assert (counted(told, kind="firmware", status="2xx"), counted(told, kind="firmware", status="4xx")) == (2, 1)
    assert told("gitupd_firmware_sent_bytes_total") == 12_345 + 100 + len("404 Not Found\n")
    assert (counted(told, kind="api", status="2xx"), counted(told, kind="api", status="4xx")) == (1, 1)
    assert (counted(told, kind="page", status="2xx"), counted(told, kind="page", status="3xx")) == (1, 1)
    assert counted(told, kind="monitoring", status="2xx") >= 1


def counted(told: Scrape, **labels: str) -> float:
    return told("gitupd_http_requests_total", **labels) or 0


def test_the_fleet_is_told(own_site: Site, key: str) -> None:
    fill(own_site, 100, now())
    live = own_site.deployments.live()
    with serving(own_site.path) as server:
        server.ready()
        told = scrape_all(server, key)
    found = {state: told("gitupd_devices", state=state) for state in ("current", "waiting", "missing")}
    assert found == {"current": 88, "waiting": 10, "missing": 2}
    assert told("gitupd_convergence_ratio") == pytest.approx(88 / 98)
    assert told("gitupd_devices_by_phase", phase="staging") == 10
    assert told("gitupd_devices_by_firmware") == 100
    assert told("gitupd_devices_warned") == 1
    assert told("gitupd_devices_without_backup") == 98, "those that are present"
    assert told("gitupd_backup_history_bytes") >= 0
    assert told("gitupd_deployed_commit_info", commit=live.commit, branch="main") == 1
    assert told("gitupd_deployed_timestamp_seconds") == pytest.approx(live.at.timestamp())
    assert told("gitupd_deployed_commit_readable") == told("gitupd_ready") == told("gitupd_database_up") == 1
    assert abs(told("gitupd_keeper_last_tick_timestamp_seconds") - time.time()) < 60
    assert told("gitupd_process_resident_memory_bytes", process="worker-0") > 10 * 2**20
    assert told("gitupd_process_cpu_seconds_total", process="worker-0") > 0
    assert told("gitupd_sightings_waiting") == 0
    assert told("gitupd_log_lines_dropped_total") == 0


def test_backups_that_are_on_their_way_are_told(own_site: Site, key: str, tmp_path: Path) -> None:
    configure(own_site, {"policies/backup.yaml": b"enabled: true\n"})
    device = "sn=00-90-33-30-00-af&hwid=IP222-30-00-af"
    with serving(own_site.path, backup_mirror=str(tmp_path / "nowhere")) as server:
        server.ready()
        put(server, f"/update.php?mode=backup&{device}", b"config change A /b c\r\n")
        until(lambda: own_site.backup_index.count() == 1, "not committed")
        told = scrape(server, key)
        (own_site.path / "backups.git").rename(tmp_path / "gone")
        put(server, f"/update.php?mode=backup&{device}", b"config change A /b d\r\n")
        later = scrape(server, key)
    assert (told("gitupd_backups_waiting"), told("gitupd_backup_mirror_behind_versions")) == (0, 1)
    assert later("gitupd_backups_waiting") == 1


def test_what_devices_say_makes_no_endless_series(own_site: Site, key: str) -> None:
    commit = own_site.deployments.live().commit
    fleet = [device_of_fleet(number, commit, now()) for number in range(60)]
    builds = ["other", "unknown", None, 'a"b\\c\nd', *map(str, range(56))]
    own_site.inventory.save_sightings(
        replace(device, firmware=build, request=None) for device, build in zip(fleet, builds, strict=True)
    )
    with serving(own_site.path) as server:
        server.ready()
        told = scrape(server, key)
    assert told("gitupd_devices_by_firmware") == 60
    assert len(told.labels("gitupd_devices_by_firmware", "firmware")) <= MOST_VALUES + 1
    samples = [(sample.name, frozenset(sample.labels.items())) for family in told.families for sample in family.samples]
    assert len(samples) == len(set(samples))


def test_a_fleet_that_can_not_be_counted_is_told(own_site: Site, key: str) -> None:
    with own_site.database.connection() as connection:
        connection.exec_driver_sql("DROP TABLE devices")
    with serving(own_site.path) as server:
        server.ready()
        server.get("/update.php?env=default")
        told = scraped(server, key, answered("poll", 1))
    assert told("gitupd_database_up") == 0
    assert told("gitupd_polls_total", outcome="completed") == 1
    assert told("gitupd_devices") is None


def test_metrics_are_for_those_who_may_log_in(own_site: Site, key: str) -> None:
    with serving(own_site.path) as server:
        server.ready()
        assert server.get("/metrics")[0] == 401
        assert server.get("/metrics", {"Authorization": "Bearer gitupd_wrong"})[0] == 401
        assert server.get("/metrics", {"Authorization": f"Bearer {key}", "Accept": "x;version=y"})[0] == 200
        add_person(own_site, "ada", Role.VIEWER)
        with logged_in(server, "ada") as visitor:
            assert visitor.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


def test_lines_of_the_log_that_nobody_takes_are_counted() -> None:
    dropped: list[int] = []
    log = RequestLog("json", lambda: dropped.append(1))
    for _ in range(20_003):
        log.add({}, 200, 0, 0.0, "")
    assert len(dropped) == 3
