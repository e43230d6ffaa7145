"""Letters that nobody sees, or that turn the order of others round, made visible wherever a page shows text."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def visible(value: Any) -> Any:
    """Return *value*; if it is text, with the numbers of letters in place of those that can't be seen.

    Whoever reviews a commit would otherwise read something else than what devices execute (CVE-2021-42574). Jinja calls
    this for whatever templates write.
    """
    if not isinstance(value, str) or (value.isascii() and value.isprintable()) or not _UNSEEN.search(value):
        return value
    marked = _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)
    return Markup(marked) if isinstance(value, Markup) else marked  # noqa: S704 - what was markup still is
