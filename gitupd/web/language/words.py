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
COMMITS = (
    marked("seen"),
    marked("invalid"),
    marked("waiting"),
    marked("refused"),
    marked("braked"),
    marked("frozen"),
    marked("approved"),
    marked("deployed"),
    marked("blocked"),
    marked("rolled back"),
)
SIGNATURES = (
    marked("is not signed"),
    marked("not signed"),
    marked("signed"),
    marked("unknown key"),
    marked("bad signature"),
    marked("has a damaged signature"),
    marked("has several signatures, where one is allowed"),
    marked("has a signature of another kind than SSH and OpenPGP"),
    marked("has a signature that is too weak"),
    marked("has a signature of other content"),
    marked("has a signature that was made for something else than Git"),
    marked("is signed by an unknown key"),
    marked("is signed by a revoked key"),
    marked("is signed by a key that had expired at its time"),
    marked("is signed by a key that was not valid yet at its time"),
    marked("is signed by a key that may not sign commits"),
    marked("is dated in the future"),
)
CHANGES = (marked("added"), marked("removed"), marked("changed"))
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
