"""What errors in a roll-out mean, and what is likely to be behind them, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.certificates.rollout import MOST_INSTALLATIONS, Stage

if TYPE_CHECKING:
    from gitupd.core.certificates.rollout import Rollout

_REPORTED = (
    "The device could not make its request, or did not take its certificate. Likely: its clock is wrong, it does not "
    "know the signature or the key, or something in the name is too long for it."
)
_WITHOUT_EFFECT = (
    f"The device was sent its certificate {MOST_INSTALLATIONS} times, and still reports another one. Likely: the chain "
    "that goes along lacks the issuer, or the key of the request is gone, as after a reset."
)
_IN_VAIN = (
    "The certificate that it was given is not good by policies/certificates.yaml. Likely: an issuer in its chain is "
    "missing in authorities, or it is valid for less than renew_before."
)
_REJECTED = "Somebody has decided that this request is not to be signed."


def meaning(stage: Stage, rollout: Rollout, error: str = "") -> str:
    """Return what it means that a roll-out stands still at *stage*, as sentences; empty if it does not."""
    if stage is Stage.REJECTED:
        return _REJECTED
    if stage is not Stage.FAILED:
        return ""
    if error or rollout.installed is None:
        return _REPORTED
    return _WITHOUT_EFFECT if rollout.installations >= MOST_INSTALLATIONS else _IN_VAIN
