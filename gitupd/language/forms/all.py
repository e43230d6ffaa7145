"""All forms, in the order in which they are tried."""

from __future__ import annotations

from gitupd.language.forms.certificates import ROLLOUTS
from gitupd.language.forms.commits import COMMITS, OBJECTIONS
from gitupd.language.forms.configurations import RULES
from gitupd.language.forms.devices import OUTLOOKS, SNIPPETS, STORIES, WARNINGS
from gitupd.language.forms.plans import GROUPS, PLANS

FORMS: tuple[str | tuple[str, str], ...] = (
    *STORIES,
    *OUTLOOKS,
    *ROLLOUTS,
    *COMMITS,
    *PLANS,
    *SNIPPETS,
    *RULES,
    *WARNINGS,
    *OBJECTIONS,
    *GROUPS,
)
"""All of them. Of two that fit, the first counts."""
