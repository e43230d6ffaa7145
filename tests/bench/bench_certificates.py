"""How long the page of certificates takes with many roll-outs, and how many requests are judged in a second.

    python tests/bench/bench_certificates.py [--devices 10000] [--rounds 5] [--requests 2000]

Each page is asked for a few times, one request after the other, and the fastest counts. The ratio is to a simple page
of the same server in the same run, that of one's own account. Judging a request is reading it, checking its own
signature, looking for what it must not ask for, and going through rules until one covers it; its ratio is to the
library's reading and checking alone.
"""

from __future__ import annotations

import argparse
import ipaddress
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from bench_fleet import log_in, measure, site_with
from cryptography import x509
from support.authorities import signing_request
from support.rollouts import fill_rollouts, serial_of
from support.serving import serving

from gitupd.core.caller import Serial
from gitupd.core.certificates.approval import Application, ApprovalRule, approve
from gitupd.service.certificates.requests import objection, read_request
from gitupd.service.certificates.rolling import RequestNames
from gitupd.service.clock import now
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WANTED_MS, WANTED_REQUESTS = 200, 300
PAGES = (
    ("certificates", "/certificates"),
    ("certificates, 200 a page", "/certificates?size=200"),
    ("certificates, last page", "/certificates?stage=good&page={last}"),
    ("certificates, one stage", "/certificates?stage=signing"),
    ("certificates, one week", "/certificates?week=later"),
    ("certificates, devices searched", "/certificates?q=IP222+homeoffice"),
    ("requests that wait, as ZIP", "/certificates/requests.zip"),
    ("devices whose certificate ends", "/devices?q=certificate:expiring"),
    ("devices by certificate", "/devices?sort=certificate"),
    ("devices, all else the same", "/devices"),
    ("history", "/certificates/history"),
)
RULES = (
    ApprovalRule(identified=True),
    ApprovalRule(network=ipaddress.ip_network("192.168.0.0/16"), known=True),
    ApprovalRule(network=ipaddress.ip_network("10.0.0.0/8"), known=True, same_names=True),
)


def pages(count: int, folder: Path, rounds: int) -> Iterator[str]:
    place = site_with(count, folder)
    site = Site(place)
    fill_rollouts(site, count, now())
    site.close()
    with serving(place, workers=2) as server, httpx.Client(base_url=server.base, timeout=60) as client:
        server.ready()
        log_in(client)
        base, _ = measure(client, "/account", rounds)
        yield f"{count:,} roll-outs (a simple page of the same server takes {base * 1000:.1f} ms)"
        for title, path in PAGES:
            seconds, size = measure(client, path.format(last=count // 50 * 7 // 10), rounds)
            told = "" if seconds * 1000 < WANTED_MS else f"  more than the {WANTED_MS} ms that are wanted"
            yield f"  {title:<32} {seconds * 1000:8.1f} ms  {seconds / base:6.1f} pages  {size / 1000:9.1f} KB{told}"


def judged(count: int) -> Iterator[str]:
    made = [(Serial(serial_of(number)), signing_request(serial_of(number))) for number in range(count)]
    bare = _seconds_for(lambda: [x509.load_der_x509_csr(der).is_signature_valid for _, der in made])
    whole = _seconds_for(lambda: [_judge(serial, der.hex()) for serial, der in made])
    told = "" if count / whole > WANTED_REQUESTS else f"  fewer than the {WANTED_REQUESTS} that are wanted"
    yield f"requests judged: {count / whole:,.0f} a second, {whole / bare:.2f} times the bare library's time{told}"


def _judge(serial: Serial, digits: str) -> None:
    request = read_request(digits)
    if objection(x509.load_der_x509_csr(request), serial) is not None:
        raise AssertionError(serial)
    names = RequestNames.of(request)
    listed = frozenset({names.common_name, *names.alternative})
    approve(Application(listed, listed, address="10.1.2.3", known=True), RULES, [0] * len(RULES))


def _seconds_for(task: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        started = time.perf_counter()
        task()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2_000)
    options = parser.parse_args()
    for line in judged(options.requests):
        print(line, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for count in options.devices:
            for line in pages(count, Path(folder), options.rounds):
                print(line, flush=True)


if __name__ == "__main__":
    main()
