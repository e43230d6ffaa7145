"""Sentences that the core has put together, told again in the language of whoever reads a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gitupd.language import problems, sentences
from gitupd.language.forms.all import ERRORS, FORMS, NOTICES, Forms
from gitupd.language.forms.audit import DETAILS, SUBJECTS
from gitupd.web.language.choosing import reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from gitupd.core.people.audit import AuditEntry
    from gitupd.errors import Problem

Topic = Literal["core", "notices", "errors"]

_FORMS: Mapping[Topic, Forms] = {"core": FORMS, "notices": NOTICES, "errors": ERRORS}


def install(app: Flask) -> None:
    """Have the templates of *app* tell again what the core says, by filters."""
    app.jinja_env.filters.update(retold=retold, told_error=told_error, told_problem=told_problem)
    app.jinja_env.filters.update(audit_subject=audit_subject, audit_detail=audit_detail)


def retold(text: object, topic: Topic = "core") -> str:
    """Return in the reader's language what is said in English of a *topic*; what has no form stays as it is."""
    return sentences.retold(text, reader(), _FORMS[topic])


def in_words(error: Exception) -> str:
    """Return in the reader's language what *error* says."""
    return told_error(str(error))


def told_error(text: str) -> str:
    """Return in the reader's language what an error says, which may be all that is wrong with a configuration."""
    told = retold(text, "errors")
    return problems.report_retold(text, reader()) if told == text else told


def told_problem(problem: Problem) -> Problem:
    """Return what is wrong with a configuration with its words in the reader's language."""
    return problems.problem_retold(problem, reader())


def audit_subject(entry: AuditEntry) -> str:
    """Return in the reader's language to what something was done, as far as the program said so."""
    return sentences.retold_whole(entry.subject, reader(), SUBJECTS.get(entry.kind, ()))


def audit_detail(entry: AuditEntry) -> str:
    """Return in the reader's language the details of an entry, as far as the program said them."""
    return sentences.retold_whole(entry.detail, reader(), DETAILS.get(entry.kind, ()))
