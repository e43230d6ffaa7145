"""Whether a worker serves what it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitupd.errors import GitupdError
from gitupd.service.live import builds_in, repository_trouble

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.service.live import Follower
    from gitupd.service.site import Site


class Health:
    """What a worker can say of itself."""

    def __init__(self, site: Site, follower: Follower, started: datetime) -> None:
        """Report on *follower*, which serves *site* since *started*."""
        self._site, self._follower, self._started = site, follower, started

    def report(self) -> dict[str, Any]:
        """Return ``ready``, the ``commit`` that is served (None if none is), and a list of ``troubles``."""
        live = self._follower.live
        troubles = list(filter(None, [self._follower.trouble, self._repository(), self._master()]))
        return {
            "ready": live is not None and not troubles,
            "commit": live and live.deployment.commit,
            "deployed": live and live.deployment.at.isoformat(timespec="seconds"),
            "by": live and live.deployment.who,
            "troubles": list(dict.fromkeys(troubles)),
        }

    def _repository(self) -> str | None:
        try:
            return repository_trouble(self._site)
        except GitupdError as error:
            return str(error)

    def _master(self) -> str | None:
        """Return a trouble until the master device was asked since the start; that it is away is no trouble."""
        live = self._follower.live
        firmware = live.snapshot.policy.firmware if live else None
        if live is None or firmware is None or not firmware.asks_master or firmware.master is None:
            return None
        answer = self._site.database.master_answers().get(firmware.master.url)
        fresh = answer is not None and (
            answer.asked_at >= self._started
            or (
                answer.answered_at is not None
                and (self._started - answer.answered_at).total_seconds() < firmware.master.cache
            )
        )
        if not fresh:
            return "the master device has not been asked yet"
        return None if builds_in(answer) == live.builds else "the master device's answer is being taken over"
