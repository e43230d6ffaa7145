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
CODES = (
    marked("used"),
    marked("revoked"),
    marked("open"),
    marked("expired"),
)
NOTICES = (
    marked("deployed"),
    marked("refused"),
    marked("braked"),
    marked("stopped"),
    marked("rolled-back"),
    marked("diverged"),
    marked("missing"),
    marked("overdue"),
    marked("expiring"),
    marked("sent"),
    marked("waiting"),
    marked("failing"),
    marked("given up"),
)
STAGES = (
    marked("unknown"),
    marked("good"),
    marked("absent"),
    marked("not-yet-valid"),
    marked("busy"),
    marked("failed"),
    marked("old-firmware"),
    marked("nameless"),
    marked("request"),
    marked("fetch"),
    marked("signing"),
    marked("rejected"),
    marked("install"),
    marked("clean-up"),
    marked("start-over"),
    marked("look-again"),
)
CHAPTERS = (
    marked("Delivery"),
    marked("Firmware"),
    marked("Deployment"),
    marked("Status"),
    marked("Transport"),
    marked("Admission"),
    marked("Backups"),
    marked("Certificates"),
    marked("Queries"),
)
