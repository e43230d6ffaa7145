"""Details of the audit are told again as far as the program has composed them; what people typed stays theirs."""

from __future__ import annotations

from datetime import UTC

import pytest

from gitupd.core.people.audit import Kind
from gitupd.language.forms.audit import DETAILS, SUBJECTS
from gitupd.language.reader import Reader
from gitupd.language.sentences import retold_whole

GERMAN = Reader("de", UTC)

NOT_COMPOSED = {
    "nothing": {
        *(Kind.LOGIN, Kind.LOGOUT, Kind.PASSWORD, Kind.UNFREEZE, Kind.UNBLOCK, Kind.CODE_REVOKE, Kind.NOTIFY_TEST),
        *(Kind.SECRETS_SHOW, Kind.DEVICE_RECORD_STOP, Kind.CERTIFICATE_RESTART, Kind.RESTORE_CANCEL),
    },
    "devices": {Kind.DEVICE_FORGET, Kind.DEVICE_TOUCH, Kind.DEVICE_ACCEPT, Kind.DEVICE_REFUSE, Kind.DEVICE_WITHDRAW},
    "what somebody typed": {Kind.APPROVE, Kind.FREEZE, Kind.CERTIFICATE_REVOKE},
    "names of files": {Kind.TRUST_REMOVE},
    "a search": {Kind.SEARCH_REMOVE},
}
"""Kinds whose details have no words of the program, by what they are."""

SHA = "0123456789ab"


def told(kind: Kind, detail: str) -> str:
    return retold_whole(detail, GERMAN, DETAILS.get(kind, ()))


def test_each_kind_has_forms_or_no_words_of_the_program() -> None:
    others = set().union(*NOT_COMPOSED.values())
    assert set(Kind) - others == set(DETAILS)


@pytest.mark.parametrize(
    ("kind", "detail", "german"),
    [
        (Kind.LOGIN_REFUSED, "wrong name or password", "falscher Name oder falsches Passwort"),
        (Kind.USER_ADD, "as operator", "als Operator"),
        (Kind.USER_CHANGE, "administrator instead of viewer", "Administrator statt Betrachter"),
        (
            Kind.TOKEN_ADD,
            "'viewer as ada' as viewer, until 2026-05-01",
            "'viewer as ada' als Betrachter, bis 01.05.2026",
        ),
        (Kind.PUSH, f"main {SHA} new: the door", f"main {SHA} neu: the door"),
        (Kind.PUSH, "and 1,250 references more", "und 1.250 weitere Referenzen"),
        (
            Kind.FETCH,
            (
                f"main {SHA}..{SHA} from https://x/y.git; although branch main of the upstream, {SHA}, has nothing in "
                "common with what is here, as ada wants"
            ),
            (
                f"main {SHA}..{SHA} von https://x/y.git; obwohl: der Branch main des Upstreams, {SHA}, hat nichts mit "
                "dem gemein, was hier ist, wie ada es will"
            ),
        ),
        (
            Kind.UPSTREAM_ACCEPT,
            f"branch main of the upstream, {SHA}, was rewound: it lacks 2 commits that are here: as ada: wants",
            (
                f"der Branch main des Upstreams, {SHA}, wurde zurückgedreht: ihm fehlen 2 Commits, die hier sind: as "
                "ada: wants"
            ),
        ),
        (Kind.DEPLOY, "the first one", "der erste"),
        (Kind.DEPLOY, f"instead of {SHA}: pushed by vera", f"statt {SHA}: gepusht von vera"),
        (
            Kind.DEPLOY,
            (
                f"instead of {SHA}: good; although it waits for the approval of a second person; although "
                "scripting.py: not run here, as the site does not allow it; although 3 more"
            ),
            (
                f"statt {SHA}: good; ungeachtet dessen: er wartet auf die Freigabe durch eine zweite Person; "
                "scripting.py: wird hier nicht ausgeführt, denn die Site erlaubt es nicht; 3 weitere"
            ),
        ),
        (Kind.ROLLBACK, f"instead of {SHA}: deployed", f"statt {SHA}: deployed"),
        (Kind.DEVICE_RECORD, "until 2026-05-01T10:00:00Z", "bis 01.05.2026, 10:00 UTC"),
        (Kind.CODE_ADD, "12 for Berlin, good until 2026-05-01", "12 für Berlin, gültig bis 01.05.2026"),
        (Kind.FIRMWARE_ADD, "1,250,000 bytes", "1.250.000 Bytes"),
        (
            Kind.AUDIT_PRUNE,
            "1 entry before 2026-05-01, for looks are kept for 365 days",
            "1 Eintrag vor dem 01.05.2026, denn aufbewahrt werden Einsichtnahmen: 365 Tage",
        ),
        (Kind.BACKUP_VIEW, "search for 'the history' in the history of 'good'", None),
        (Kind.BACKUP_VIEW, "what version 01234567 changed", "was sich mit Version 01234567 geändert hat"),
        (
            Kind.CERTIFICATE_SIGN,
            "12ab, by Site CA, until 2026-05-01, without DNS:x: say why",
            "12ab, von Site CA, bis 01.05.2026, ohne DNS:x: say why",
        ),
        (Kind.SECRETS_KEY_FORGET, "1 key that what is deployed does not need", None),
        (Kind.RESTORE, f"restore 7: to {SHA}, which was received 2026-05-01 10:00 UTC", None),
    ],
)
def test_details_in_german(kind: Kind, detail: str, german: str | None) -> None:
    assert told(kind, detail) == (german or told(kind, detail)) != detail


@pytest.mark.parametrize(
    "typed", ["good", "deployed", "3 devices", "it was rolled back: x", "as operator", "off; good"]
)
def test_what_people_typed_is_never_translated(typed: str) -> None:
    for kind in NOT_COMPOSED["what somebody typed"]:
        assert told(kind, typed) == typed
    assert told(Kind.DEPLOY, f"instead of {SHA}: {typed}").endswith(f": {typed}")
    assert told(Kind.SEARCH_SHARE, f"was {typed}") == f"hieß {typed}"
    assert retold_whole(typed, GERMAN, SUBJECTS.get(Kind.SEARCH_SHARE, ())) == typed


def test_to_what_something_was_done() -> None:
    assert retold_whole("1,250 devices", GERMAN, SUBJECTS[Kind.DEVICE_FORGET]) == "1.250 Geräte"
    assert retold_whole("until 2026-05-01 10:00", GERMAN, SUBJECTS[Kind.FREEZE]) == "bis 2026-05-01 10:00"


def test_english_and_what_is_too_long_stay_as_they_are() -> None:
    assert retold_whole("as operator", Reader("en", UTC), DETAILS[Kind.USER_ADD]) == "as operator"
    long = f"instead of {SHA}: {'x' * 2_000}"
    assert told(Kind.DEPLOY, long) == long
