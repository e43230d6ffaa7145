"""How long the questions of administrators and auditors take, beside an empty page from the same server.

    python tests/bench/bench_questions.py [--devices 5000] [--versions 20000] [--size 6] [--rounds 5] [--site FOLDER]

The site has 25 offices, three deployments, and a history of backups, of so many KB each. Each page is asked for a few
times, one request after the other, and the fastest counts. The ratio is to the page of an account, which has next to
nothing on it. A page may take 300 ms, with more than 10,000 devices 500 ms, and no more than 300 KB. With --site, the
site is kept in FOLDER, and used again if it is there already; with --devices 50000 it takes some minutes to make.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench_backups import measure
from support.fleets import device
from support.histories import keep, uploads
from support.serving import serving
from support.visitors import add_person, logged_in

from gitupd.core.backups.change import Volatile
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower, live_now
from gitupd.service.deployments.measuring import Measuring
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.core.device import Device
    from gitupd.core.snapshot import CommitId

OFFICES = ("berlin", *(f"office_{number:02}" for number in range(1, 25)))
SERIAL = "00-90-33-00-00-19"
EMPTY = "/account"
_FOUND = r"[1-9][\d,]* devices? found"
QUESTIONS = (
    ("the missing phones of one office", "/devices?q=missing+env:office_01", _FOUND),
    ("who did not get the commit that is live?", "/devices?q=never:{live}", _FOUND),
    ("who did not get an older one?", "/devices?q=never:{older}", _FOUND),
    ("who still has gatekeeper 10.2.0.2? in Devices", '/devices?q=text:"/gatekeeper+10.2.0.2"', _FOUND),
    ("the same, in Backups", "/backups/search?q=/gatekeeper+10.2.0.2", r"[1-9][\d,]* devices have"),
    ("the same, all of them as a table", '/devices.csv?q=text:"/gatekeeper+10.2.0.2"', r"\n[^\n]+\n"),
    (
        "what changed on one phone in a quarter?",
        f"/backups/{SERIAL}?from={{earlier}}&to={{day}}",
        r"changed (once|\d+ times)",
    ),
    ("who deployed what, on how many?", "/deployments", r"of <a[^>]*>[\d,]+</a> devices run it"),
    ("what was different with the last one?", "/deployments/3", r"have confirmed it"),
    ("how is Berlin?", "/devices?q=env:berlin", _FOUND),
    ("two phones beside each other, by name", f"/devices/{SERIAL}/compare?with=Desk+75", r"differ in"),
    ("what their configurations differ in", f"/backups/{SERIAL}/against?with=Desk+75", r"lines differ"),
)
_MANY = 10_000
_MILLISECONDS, _OF_MANY = 300, 500
_LARGEST = 300_000
_CHUNK = 5_000


def configuration(number: int) -> dict[str, bytes]:
    """Return the configuration of all offices, in its version *number*."""
    environments = "environments:\n" + "".join(
        f"  {name}: {{}}\n" for name in ("default", "intranet", "homeoffice", *OFFICES)
    )
    snippets = {
        f"snippets/update-phone-{name}.txt": f"config add PHONE/REG /gk-addr 10.{at}.0.{number}\n".encode()
        for at, name in enumerate(OFFICES)
    }
    return {**template_files(), "environments.yaml": environments.encode(), **snippets}


def site_with(devices: int, versions: int, size: int, folder: Path) -> None:
    """Create a site in *folder* with so many devices and versions of *size* KB."""
    moment = now()
    site = create_site(folder, who="bench", now=moment - timedelta(days=2))[0]
    _call(site, devices, moment - timedelta(hours=14))
    for number, hours, behind in ((1, 13, 17), (2, 2, 9)):
        commit = site.config.commit_files(configuration(number), f"Gatekeepers {number}", "Ada <ada@example.org>")
        at = moment - timedelta(hours=hours)
        deploy(site, commit, who="ada", now=at, reason="bench", force=True)
        _measure(site, at)
        _call(site, devices, at + timedelta(hours=1), behind)
        _measure(site, at + timedelta(hours=1))
    _call(site, devices, moment, behind)
    live = site.deployments.live().commit
    policy = live_now(site)
    assert policy is not None
    found = uploads(devices, max(1, versions // devices), moment, size=size * 1000)
    started = time.perf_counter()
    made = keep(site, found, Volatile(policy.snapshot.policy.backup.ignore), live)
    site.backups.keep_up()
    print(f"{made:,} versions written in {time.perf_counter() - started:.0f} s", flush=True)
    add_person(site, "olga", Role.OPERATOR)
    site.close()


def _call(site: Site, devices: int, moment: datetime, behind: int = 0) -> None:
    """Have so many devices call by *moment*; each *behind*-th confirms what was live before."""
    commits = [each.commit for each in site.deployments.latest(2)]
    for first in range(0, devices, _CHUNK):
        some = range(first, min(first + _CHUNK, devices))
        site.inventory.save_sightings(
            _device(number, commits[-1] if behind and number % behind == 0 else commits[0], moment) for number in some
        )


def _measure(site: Site, moment: datetime) -> None:
    """Measure what is live, as a keeper does at *moment*."""
    follower = Follower(site)
    follower.follow()
    Measuring(site, lambda: moment, follower).step()


def _device(number: int, confirmed: CommitId, moment: datetime) -> Device:
    """Return a device of one of the offices."""
    made, office = device(number, confirmed, moment), OFFICES[number % len(OFFICES)]
    assert made.request is not None
    request = replace(made.request, arguments={**made.request.arguments, "env": office})
    return replace(
        made,
        given_name=f"Desk {number}",
        environments=(office,),
        request=request,
        sent_request=request,
    )


def figures(folder: Path, rounds: int) -> Iterator[str]:
    """Yield what each question takes."""
    site = Site(folder)
    older, live = (each.commit for each in reversed(site.deployments.latest(2)))
    count = sum(kind.count for kind in site.fleet.kinds())
    today = now()
    names = {"live": live[:12], "older": older[:12], "day": f"{today:%Y-%m-%d}"}
    names["earlier"] = f"{today - timedelta(days=90):%Y-%m-%d}"
    yield f"{count:,} devices, {site.backup_index.count():,} versions"
    site.close()
    most = _OF_MANY if count > _MANY else _MILLISECONDS
    with serving(folder, workers=2) as server:
        server.ready()
        with logged_in(server, "olga") as visitor:
            empty, _ = measure(visitor, EMPTY, rounds)
            yield f"an empty page takes {empty * 1000:.1f} ms"
            for title, path, says in QUESTIONS:
                told = visitor.get(path.format(**names)).text
                if re.search(says, told) is None:
                    raise SystemExit(f"{title} has no answer that says {says}")
                seconds, size = measure(visitor, path.format(**names), rounds)
                is_page = ".csv" not in path
                faults = "  TOO SLOW" * (seconds * 1000 > most) + "  TOO LARGE" * (is_page and size > _LARGEST)
                figure = f"{seconds * 1000:8.1f} ms  {seconds / empty:6.1f} pages  {size / 1000:8.1f} KB"
                yield f"  {title:<48}{figure}  of {most} ms{faults}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=5_000)
    parser.add_argument("--versions", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=6, help="KB of each version")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--site", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.site or Path(temporary) / "site"
        if not folder.exists():
            site_with(options.devices, options.versions, options.size, folder)
        for line in figures(folder, options.rounds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
