"""The page of a device's whole story, and the beginning of it on the device's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template, request

from gitupd.core.people.person import Role
from gitupd.core.stories.happening import StoryTopic
from gitupd.errors import SiteError
from gitupd.service.answers import shown_answers
from gitupd.service.backups.history import parse_moment
from gitupd.service.stories.telling import KEPT, Story
from gitupd.web.access import actor
from gitupd.web.context import served
from gitupd.web.pages.stories.device import device_at
from gitupd.web.revisions import veil

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.device import Device

_ON_A_PAGE = 40


def show(serial: str) -> str:
    """Show what happened to the device of a *serial* number, the latest first."""
    device = device_at(served().fleet(), serial)
    before, topic = _before(), next((each for each in StoryTopic if each == request.args.get("topic")), None)
    return render_template(
        "stories/timeline.html",
        device=device,
        page=story_of(device).page(_ON_A_PAGE, before, topic),
        before=before,
        topic=topic,
        topics=[each for each in StoryTopic if each is not StoryTopic.DEED or _may_see_deeds()],
        kept_days=KEPT.days,
    )


def story_of(device: Device) -> Story:
    """Return the story of *device* as whoever asks may know it."""
    live, progress = served().live, served().measures().progress(device)
    queries = live.snapshot.policy.queries if live else ()
    return Story(
        served().site,
        device,
        veil(),
        shown_answers(queries, served().site.answers.of(device.serial)),
        with_deeds=_may_see_deeds(),
        at_once=progress is not None and progress.unchanged,
    )


def _may_see_deeds() -> bool:
    return actor().role.allows(Role.AUDITOR)


def _before() -> datetime | None:
    """Return the time before which the page begins; None if the address names none."""
    try:
        return parse_moment(request.args.get("before", ""))
    except SiteError:
        return None
