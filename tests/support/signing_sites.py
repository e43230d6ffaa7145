"""Sites with an authority of their own, and devices whose requests wait for it.

with signing_site(folder) as site:
    asks(site, SERIAL)
    Signing(site).approve([SERIAL], VERA, now())
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Need, Rollout, Stage
from gitupd.core.people.person import Actor, Role
from gitupd.service.certificates.configuring import commit_configured
from gitupd.service.certificates.founding import Founding, found
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from support.authorities import Key, new_key, subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from gitupd.service.site import Site

SERIAL, OTHER = Serial("0090333000af"), Serial("0090333000b0")
VERA = Actor("Vera", Role.OPERATOR, "192.0.2.7")
FOUNDING = Founding("Example", "ecdsa-p256")
PASSPHRASE = "correct horse battery"


@contextmanager
def signing_site(
    folder: Path, policy: str = "enabled: true\n", founding: Founding = FOUNDING, at: datetime | None = None
) -> Iterator[Site]:
    """Make a site whose authority signs, by a policy that begins so, and deploy that."""
    site, first = create_site(folder, who="test", now=at or now())
    try:
        authority = found(site, founding, PASSPHRASE, VERA, at or now())
        files = dict(site.config.files(first.commit)) | {"policies/certificates.yaml": policy.encode()}
        site.config.commit_files(files, "Certificates", "Test <test@localhost>")
        commit = commit_configured(site, authority, "test")
        assert commit is not None
        deploy(site, commit, who="test", now=at or now())
        yield site
    finally:
        site.close()


def request_of(
    serial: Serial = SERIAL,
    key: Key | None = None,
    *,
    name: str = "",
    organization: str = "",
    alternative: tuple[x509.GeneralName, ...] = (),
) -> bytes:
    """Make the request (DER) of a device."""
    asked = subject(name or serial.digits, organization=organization)
    builder = x509.CertificateSigningRequestBuilder().subject_name(asked)
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    return builder.sign(key or new_key(), SHA256()).public_bytes(Encoding.DER)


def asks(site: Site, serial: Serial = SERIAL, request: bytes = b"", *, address: str = "10.0.0.1") -> bytes:
    """Have the request of a device wait."""
    made = request or request_of(serial)
    site.rollouts.note(serial, Need(Stage.SIGNING, "Its request waits."), now(), None, site.rollouts.of(serial))
    site.rollouts.change(serial, now(), lambda _: Rollout().uploaded(made, now(), address))
    return made
