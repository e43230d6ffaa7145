"""Many signed certificates handed in at once: each finds the request that it was signed for by its key."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from gitupd.core.certificates.rollout import Stage
from gitupd.core.standing import Yardstick
from gitupd.errors import GitupdError
from gitupd.service.certificates.handing_in import common_name, public_key_of, read_certificates
from gitupd.service.certificates.rolling import RolloutView
from gitupd.store.certificates.reading import UNREADABLE
from gitupd.store.certificates.rollout_lists import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from cryptography.x509 import Certificate

    from gitupd.core.caller import Serial
    from gitupd.core.people.person import Actor
    from gitupd.service.site import Site

MOST = 20_000


@dataclass(frozen=True, slots=True)
class CollectedFile:
    """What became of a file: the device whose certificate was in it, else why it was not taken."""

    file: str
    serial: Serial | None
    fault: str = ""


def hand_in_matching(
    site: Site, files: Iterable[tuple[str, bytes]], actor: Actor, now: datetime
) -> Iterator[CollectedFile]:
    """Keep signed certificates, each for the request that waits with its key; yield what became of each file.

    *files* are names and contents, each a certificate, with its chain or without. Each is audited like a single one.
    """
    waiting = _waiting(site, now)
    view = RolloutView(site)
    for name, content in files:
        try:
            serial = _matching(read_certificates(content), waiting)
            if serial is None:
                yield CollectedFile(name, None, "no request waits that has its key")
                continue
            view.hand_in(serial, content, actor, now)
        except GitupdError as error:
            yield CollectedFile(name, None, str(error))
        else:
            yield CollectedFile(name, serial)


def _matching(certificates: Iterable[Certificate], waiting: Mapping[bytes, Mapping[str, Serial]]) -> Serial | None:
    """Return the device whose request has the key of one of *certificates*: of several, the one with its name."""
    for certificate in certificates:
        if (devices := waiting.get(public_key_of(certificate))) is not None:
            return devices.get(common_name(certificate.subject)) or next(iter(devices.values()))
    return None


def _waiting(site: Site, now: datetime) -> Mapping[bytes, Mapping[str, Serial]]:
    """Return the devices whose request waits for a signature, by the keys of the requests and the names in them."""
    choice = Choice(Yardstick(now, None, None), (Stage.SIGNING,))
    waiting: dict[bytes, dict[str, Serial]] = defaultdict(dict)
    for serial, content in site.rollout_lists.requests(choice, MOST):
        with suppress(*UNREADABLE):  # nobody has signed what can't be read
            request = x509.load_der_x509_csr(content)
            waiting[public_key_of(request)][common_name(request.subject)] = serial
    return waiting
