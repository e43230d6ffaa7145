"""Telling the host of the upstream what became of its commits, from a thread of the keeper."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.request import Request

from gitupd.core.upstream.status import StatusState, api_of, pause_before_telling, status_request
from gitupd.errors import GitupdError, SiteError
from gitupd.service.background import Recurring, Trouble
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.elsewhere import Unanswered, ask
from gitupd.service.upstream.judging import arrived, brought, judged, not_followed
from gitupd.service.upstream.opening import token_of
from gitupd.service.upstream.telling import followed
from gitupd.store.git.references import reference
from gitupd.store.places import CONFIG
from gitupd.store.upstream.statuses import ToldStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.core.upstream.status import CommitStatus, StatusRequest
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.site import Site

_LOOK_SECONDS = 1.0
_PLANNED_SECONDS = 120.0
"""For so long after a commit has come its plan is asked for: one that can't be made is not made for ever."""

_CALM_SECONDS = 2.0

_SECONDS = 20
_PATIENCE = 3.0
_LARGEST_ANSWER = 2**16
_LONGEST_PAUSE = 600.0
_ALREADY = b"Cannot transition"
"""What GitLab answers to who tells it a state that it has."""


def _pause(failures: int) -> float:
    return pause_before_telling(failures) or _LONGEST_PAUSE


class Announcing:
    """Tells a host what it has not been told yet; what can't be told is tried some times more."""

    def __init__(
        self, site: Site, follower: Follower, clock: Callable[[], datetime], calm: float = _CALM_SECONDS
    ) -> None:
        """Tell of commits of *site*, of which *follower* knows the deployed one.

        For *calm* seconds one that has come is left to those who deploy it, before it is looked at for this.
        """
        self._site, self._follower, self._now, self._calm = site, follower, clock, calm
        self._verdicts = Verdicts(site)
        trouble = Trouble("the host can't be told of commits")
        self._recurring = Recurring(
            "status",
            _LOOK_SECONDS,
            self.look,
            trouble,
            retry=_pause,
            patience=_PATIENCE,
            cured=lambda: self._found_head() != self._head,
        )
        self._head: CommitId | None = None
        self._since = float("-inf")

    def start(self) -> None:
        """Start in the background, if there is a host to be told."""
        if self._site.settings.upstream.address is not None and self._site.settings.upstream.status:
            self._recurring.start()

    def stop(self) -> None:
        """Stop; what was not told yet is told by the next server."""
        self._recurring.stop()

    def look(self) -> None:
        """Tell what is new; raises GitupdError if that fails."""
        live = self._follower.live
        stands = followed(self._site, live)
        if live is None or stands is None or stands.head is None:
            return
        if stands.refusal and stands.refused is not None:
            self._tell(stands.refused, not_followed(self._site, stands.refused, stands.refusal))
        elif stands.head == reference(self._site.path / CONFIG, f"refs/heads/{stands.branch}"):
            self._tell_of(live, stands.head)

    def _found_head(self) -> CommitId | None:
        """Return where the branch was there when it was last fetched, None if that is not known."""
        try:
            stands = followed(self._site, self._follower.live)
        except GitupdError:
            return self._head
        return stands.head if stands else None

    def _tell_of(self, live: Live, head: CommitId) -> None:
        """Tell of the *head* of the branch, and when it is deployed of those that came before it."""
        if head != self._head:
            self._head, self._since = head, time.monotonic()
            if head != live.deployment.commit and self._site.statuses.of(head) is None:
                self._tell(head, arrived(self._site, head))
        if head != live.deployment.commit and time.monotonic() - self._since < self._calm:
            return
        is_new = time.monotonic() - self._since < _PLANNED_SECONDS
        status = judged(self._site, live, head, self._verdicts, plan=is_new)
        self._tell(head, status)
        if status.state is StatusState.SUCCESS and (waited := self._site.statuses.pending()):
            for commit in brought(self._site, waited, head):
                self._tell(commit, status)

    def _tell(self, commit: CommitId, status: CommitStatus) -> None:
        """Tell the host, unless it knows, or has not listened for long."""
        told = self._site.statuses.of(commit) or ToldStatus(commit)
        if told.is_about(status) and (told.told or pause_before_telling(told.tries) is None):
            return
        tries = told.tries + 1 if told.is_about(status) else 1
        new = ToldStatus(commit, status.state, status.description, tries=tries, at=self._now())
        self._site.statuses.save(new)
        self._send(self._request(commit, status))
        self._site.statuses.save(replace(new, told=True))

    def _request(self, commit: CommitId, status: CommitStatus) -> StatusRequest:
        settings = self._site.settings.upstream
        assert settings.address is not None  # noqa: S101 - it was started for that
        assert settings.status  # noqa: S101 - as above
        api = api_of(settings.status, settings.address, settings.status_url)
        return status_request(settings.status, api, settings.address.project, commit, status)

    def _send(self, asked: StatusRequest) -> None:
        """Ask; raises SiteError if the host refuses, or does not answer."""
        token = token_of(self._site)
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "gitupd"}
        if token:
            headers[asked.header] = f"{asked.token_prefix}{token}"
        body = json.dumps(asked.body).encode()
        request = Request(asked.url, body, headers, method="POST")  # noqa: S310 - http or https, as the settings are
        try:
            answer = ask(request, _SECONDS, _LARGEST_ANSWER)
        except Unanswered as error:
            raise SiteError(f"{asked.url} can't be told: {error}") from error
        if answer.is_good or (answer.status == 400 and _ALREADY in answer.content):  # noqa: PLR2004 - Bad Request
            return
        cure = "; see whether the token in token_file may write it" if answer.status in (401, 403, 404) else ""
        raise SiteError(f"{asked.url} answers {answer.status} to the status of a commit{cure}")
