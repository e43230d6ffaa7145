"""Messages in the language of whoever gets them: what is kept of notices is English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.language.forms.all import NOTICES
from gitupd.language.languages import SOURCE
from gitupd.language.reader import Reader
from gitupd.language.sentences import LONGEST, retold

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.notifying import Recipient
    from gitupd.settings import Settings


def wording(settings: Settings, recipient: Recipient) -> Callable[[str], str]:
    """Return what says a text again in the language of *recipient*, with times by the clock of the site."""
    if recipient.language == SOURCE:
        return str
    reader = Reader(recipient.language, settings.zone)
    return lambda text: retold(text[:LONGEST], reader, NOTICES)
