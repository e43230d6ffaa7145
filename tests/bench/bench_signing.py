"""What it costs to sign: certificates a second through the whole service, as a ratio to bare ``cryptography``.

    python tests/bench/bench_signing.py [--devices 1000] [--rounds 3] [--key ecdsa-p256] [--device-key rsa|ec]

Bare is what nobody can leave out: a request is read, its signature checked, a certificate with the same extensions is
built and signed. The service looks at each request, holds its names against the policy, signs, checks what it has
signed, and writes it down with roll-out and audit, 50 in a transaction that is synced. Both in one thread, in turns,
in processor and in wall time. Then some are revoked, which makes the list anew each time. Wanted: 200 a second (ECDSA).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from cryptography import x509
from support.authorities import new_key, rsa_key
from support.signing_sites import FOUNDING, VERA, asks, request_of, signing_site

from gitupd.core.caller import Serial
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now
from gitupd.store.certificates.making import DeviceNames, make_device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitupd.service.site import Site
    from gitupd.store.certificates.making import Issuer

REVOCATIONS = 20


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Do the work; return how many seconds it took, of the clock and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def sign_bare(requests: Sequence[bytes], issuer: Issuer) -> None:
    """Sign requests without regard to anything."""
    span = now(), now() + timedelta(days=730)
    for content in requests:
        request = x509.load_der_x509_csr(content)
        assert request.is_signature_valid
        make_device(request, DeviceNames(request.subject), issuer, span)


def sign(site: Site, serials: Sequence[Serial]) -> None:
    """Sign the requests of devices as a person does who approves them all."""
    outcomes = Signing(site).approve(serials, VERA, now())
    assert all(outcome.is_done for outcome in outcomes), outcomes


def revoke(site: Site, serials: Sequence[Serial]) -> None:
    """Revoke the certificates of devices, one after the other."""
    signing = Signing(site)
    for serial in serials:
        assert signing.revoke([serial], "lost", VERA, now())[0].is_done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--key", default="ecdsa-p256", help="of the authority")
    parser.add_argument("--device-key", choices=("rsa", "ec"), default="ec")
    given = parser.parse_args()
    device_key = rsa_key(0) if given.device_key == "rsa" else new_key()
    ratios, rates, bare_rates = [], [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        signing_site(Path(folder) / "site", founding=replace(FOUNDING, key=given.key)) as site,
    ):
        authority = site.authority.current()
        assert authority is not None
        issuer = site.authority.issuer(authority)
        for number in range(given.rounds):
            serials = [Serial(f"0090{number:02x}{each:06x}") for each in range(given.devices)]
            requests = [asks(site, serial, request_of(serial, device_key)) for serial in serials]
            bare, service = timed(lambda: sign_bare(requests, issuer)), timed(lambda: sign(site, serials))  # noqa: B023 - called at once
            rates.append(given.devices / service[0])
            bare_rates.append(given.devices / bare[0])
            ratios.append(bare[1] / service[1])
            print(
                f"round {number + 1}: bare {bare_rates[-1]:,.0f}/s, service {rates[-1]:,.0f}/s,"
                f" ratio {rates[-1] / bare_rates[-1]:.2f} (processor time: {ratios[-1]:.2f})"
            )
        seconds, _ = timed(lambda: revoke(site, serials[:REVOCATIONS]))
    print(f"authority {given.key}, devices {given.device_key}: {statistics.median(rates):,.0f} certificates a second")
    print(f"ratio to bare cryptography: {statistics.median(rates) / statistics.median(bare_rates):.2f}")
    print(f"revoked one at a time: {REVOCATIONS / seconds:,.0f} a second")


if __name__ == "__main__":
    main()
