"""Words that are values of the program, and said on pages as they are: roles, states, stages, kinds."""

from __future__ import annotations

from gitupd.web.language.texts import marked

ROLES = (marked("viewer"), marked("auditor"), marked("operator"), marked("administrator"))
STATES = (
    marked("current"),
    marked("present"),
    marked("waiting"),
    marked("missing"),
    marked("quarantined"),
    marked("refused"),
    marked("failed"),
    marked("good"),
    marked("off"),
)
