"""All forms, in the order in which they are tried."""

from __future__ import annotations

from gitupd.language.forms import errors, problem_documents, problem_policies, problem_snippets
from gitupd.language.forms.certificates import IDENTITIES, ROLLOUTS
from gitupd.language.forms.commits import COMMITS, CONCERNS, GATES, OBJECTIONS
from gitupd.language.forms.configurations import RULES
from gitupd.language.forms.devices import OUTLOOKS, REMARKS, SNIPPETS, STORIES, WARNINGS
from gitupd.language.forms.notices import EXPIRY, MESSAGES, UPSTREAM
from gitupd.language.forms.plans import GROUPS, PLANS
from gitupd.language.forms.troubles import MENDING, TROUBLES

Form = str | tuple[str, str]
Forms = tuple[Form, ...]

FORMS: Forms = (
    *STORIES,
    *OUTLOOKS,
    *ROLLOUTS,
    *COMMITS,
    *PLANS,
    *SNIPPETS,
    *RULES,
    *WARNINGS,
    *REMARKS,
    *IDENTITIES,
    *OBJECTIONS,
    *GATES,
    *CONCERNS,
    *MENDING,
    *GROUPS,
    *problem_snippets.FAILURES,
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

PROBLEMS: Forms = (
    *errors.CURES,
    *problem_documents.YAML,
    *problem_documents.LIBYAML,
    *problem_documents.SCHEMA,
    *problem_documents.PLACES,
    *problem_documents.NAMES,
    *problem_policies.POLICIES,
    *problem_policies.SENSE,
    *problem_policies.CERTIFICATE_FILES,
    *problem_policies.SIGNERS,
    *problem_policies.SEALED,
    *problem_snippets.SCRIPTING,
    *problem_snippets.SNIPPETS,
    *problem_snippets.VARIABLES,
    *problem_snippets.TEMPLATES,
    *problem_snippets.LINT,
    *problem_snippets.WORDS,
)
"""Those of what is said of files of a configuration, and how to mend it."""
