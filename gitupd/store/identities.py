"""What a device has proved of who it is, as JSON: certificates that are shown on its page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitupd.core.identity import Certificate, Identity
from gitupd.store.database import storable

if TYPE_CHECKING:
    from collections.abc import Mapping


def identity_row(identity: Identity) -> dict[str, Any]:
    """Return *identity* as a value of JSON."""
    return {
        "trusted": identity.is_trusted,
        "reason": storable(identity.reason),
        "certificate": identity.certificate and _row(identity.certificate),
        "path": [_row(above) for above in identity.path],
    }


def identity_in(row: Mapping[str, Any] | None) -> Identity | None:
    """Return the identity in a value of JSON, None if there is none."""
    if row is None:
        return None
    certificate = row["certificate"]
    return Identity(
        is_trusted=row["trusted"],
        reason=row["reason"],
        certificate=certificate and _certificate(certificate),
        path=tuple(_certificate(above) for above in row["path"]),
    )


def _row(certificate: Certificate) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else storable(value)
        for name, value in asdict(certificate).items()
    }


def _certificate(row: Mapping[str, Any]) -> Certificate:
    times = {name: datetime.fromisoformat(row[name]) for name in ("not_before", "not_after")}
    return Certificate(**{**row, **times, "usage": tuple(row["usage"])})
