"""Taking in what devices upload: looked at, written down, and only then answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.admission.admittance import Appearance
from gitupd.core.device import Message
from gitupd.service.group_commit import GroupCommit
from gitupd.service.restraint import Restraint
from gitupd.store.answers import Told
from gitupd.store.strangers import Capacity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from gitupd.core.answers import AnsweredQuery
    from gitupd.core.caller import Serial
    from gitupd.service.deployments.live import Follower
    from gitupd.store.answers import Answers, Upload


class Uploads:
    """The use case of a worker: a device answers a query, and goes on once that is on disk."""

    def __init__(self, follower: Follower, answers: Answers) -> None:
        """Keep in *answers* what the configuration that *follower* knows has asked for."""
        self._follower, self._answers = follower, answers
        self._commit: GroupCommit[Upload, bool] = GroupCommit("uploads", self._save)
        self._restraint = Restraint()

    @property
    def trouble(self) -> str | None:
        """Why the last uploads could not be written, None if they could."""
        return self._commit.trouble

    def start(self) -> None:
        """Start to write in the background."""
        self._commit.start()

    def stop(self) -> None:
        """Write what waits, and stop."""
        self._commit.stop()

    def unwanted(self, query: str) -> str | None:
        """Return why nobody wants an answer to *query*, None if it is one of the deployed configuration."""
        live = self._follower.live
        if live is None:
            return "nothing is deployed yet"
        if all(query != deployed.id for deployed in live.snapshot.policy.queries):
            return "the configuration has no such query"
        return None

    def keep(self, upload: AnsweredQuery) -> Future[bool]:
        """Write *upload* down; the future is done when it is on disk, and raises GitupdError if it can't be.

        It is False if nothing was kept, for there are too many unknown devices.
        """
        return self._commit.put(upload)

    def tell(self, serial: Serial, text: str, now: datetime) -> None:
        """Leave a message on the page of a device, unless it was there a moment ago, or there are too many in all.

        Nobody waits for it. To be called from one thread.
        """
        if self._restraint.allows((serial, text), now):
            self._commit.put(Told(serial, Message(now, text)))

    def _save(self, uploads: Sequence[Upload]) -> list[bool]:
        live = self._follower.live
        admissions = {each.serial: live.verdict_on(each.serial, Appearance()) for each in uploads} if live else {}
        left_out = self._answers.save(uploads, admissions, Capacity(self._follower.most_unknown))
        return [upload.serial not in left_out for upload in uploads]
