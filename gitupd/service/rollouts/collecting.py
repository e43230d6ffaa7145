"""Many signed certificates handed in at once: each finds the request that it was signed for by its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from gitupd.core.certificates.rollout import Stage
from gitupd.core.standing import Yardstick
from gitupd.errors import GitupdError
from gitupd.service.certificates.handing_in import public_key_of, read_certificates
from gitupd.service.certificates.rolling import RolloutView
from gitupd.store.certificates.rollout_lists import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

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
            keys = [public_key_of(certificate) for certificate in read_certificates(content)]
            serial = next((waiting[key] for key in keys if key in waiting), None)
            if serial is None:
                yield CollectedFile(name, None, "no request waits that has its key")
                continue
            view.hand_in(serial, content, actor, now)
        except GitupdError as error:
            yield CollectedFile(name, None, str(error))
        else:
            yield CollectedFile(name, serial)


def _waiting(site: Site, now: datetime) -> Mapping[bytes, Serial]:
    """Return the devices whose request waits for a signature, by the keys of the requests."""
    choice = Choice(Yardstick(now, None, None), (Stage.SIGNING,))
    requests = site.rollout_lists.requests(choice, MOST)
    return {public_key_of(x509.load_der_x509_csr(request)): serial for serial, request in requests}
