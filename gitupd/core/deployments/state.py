"""What has become of a commit of the followed branch."""

from __future__ import annotations

from enum import StrEnum


class CommitState(StrEnum):
    """What has become of a commit, or what it waits for."""

    SEEN = "seen"
    """It is there, and nothing was decided on it: it is checked, its grace goes on, or a later one came with it."""
    INVALID = "invalid"
    """It has errors."""
    WAITING = "waiting"
    """It waits for somebody: to deploy it, or to approve it."""
    REFUSED = "refused"
    """Its history, a signature or a render test speaks against it."""
    BRAKED = "braked"
    """It would change more of the fleet than it may without a person's word."""
    FROZEN = "frozen"
    """Deployments are frozen."""
    APPROVED = "approved"
    """Somebody has approved it, and it is deployed when nothing else holds it."""
    DEPLOYED = "deployed"
    """It was deployed, and is or was live."""
    ROLLED_BACK = "rolled back"
    """It was deployed, and somebody went back."""
    BLOCKED = "blocked"
    """It contains what was rolled back."""
