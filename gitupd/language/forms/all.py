"""All forms, in the order in which they are tried."""

from __future__ import annotations

from gitupd.language.forms import errors
from gitupd.language.forms.certificates import ROLLOUTS
from gitupd.language.forms.commits import COMMITS, CONCERNS, GATES, OBJECTIONS
from gitupd.language.forms.configurations import RULES
from gitupd.language.forms.devices import OUTLOOKS, SNIPPETS, STORIES, WARNINGS
from gitupd.language.forms.notices import EXPIRY, MESSAGES, UPSTREAM
from gitupd.language.forms.plans import GROUPS, PLANS
from gitupd.language.forms.troubles import MENDING, TROUBLES

Forms = tuple[str | tuple[str, str], ...]

FORMS: Forms = (
    *STORIES,
    *OUTLOOKS,
    *ROLLOUTS,
    *COMMITS,
    *PLANS,
    *SNIPPETS,
    *RULES,
    *WARNINGS,
    *OBJECTIONS,
    *GATES,
    *CONCERNS,
    *MENDING,
    *GROUPS,
)
"""Those of what pages tell of the core. Of two that fit, the first counts."""

NOTICES: Forms = (*MESSAGES, *EXPIRY, *UPSTREAM, *FORMS)
"""Those of what people are told of, and of what is a part of that."""

ERRORS: Forms = (
    *errors.ENTRIES,
    *errors.CURES,
    *errors.SEARCHES,
    *errors.DEVICES,
    *errors.DEPLOYMENTS,
    *TROUBLES,
    *errors.CERTIFICATES,
    *errors.SENDING,
    *EXPIRY,
    *UPSTREAM,
    *errors.REPOSITORIES,
    *FORMS,
)
"""Those of what errors say that pages show, and of what is a part of that."""
