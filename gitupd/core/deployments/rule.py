"""How commits become deployed, as the deployed commit says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gitupd.core.deployments.brake import Brake

if TYPE_CHECKING:
    from gitupd.core.deployments.freezing import FreezeRule


@dataclass(frozen=True, slots=True)
class Deploy:
    """How commits of ``branch`` become deployed: by themselves once they are ``grace`` seconds old, or by hand.

    One that goes beyond the ``brake`` waits for a person's word; None lets everything through.
    With ``approval`` "second-person", somebody else than who made a commit approves it first. ``freeze`` is when
    nothing is deployed by itself, and ``rollback_reason`` whether whoever rolls back has to say why.
    """

    branch: str = "main"
    mode: Literal["automatic", "manual"] = "automatic"
    grace: int = 90
    require_signatures: bool = False
    brake: Brake | None = field(default_factory=Brake)
    approval: Literal["none", "second-person"] = "none"
    rollback_reason: Literal["optional", "required"] = "optional"
    freeze: tuple[FreezeRule, ...] = ()
