"""Each error that a page may show has German words."""

from __future__ import annotations

from datetime import UTC
from itertools import product

import pytest
from support.raised import ROOT, RaisedText, raised_texts

from gitupd.language.forms.all import ERRORS
from gitupd.language.reader import Reader
from gitupd.language.sentences import retold

NO_PAGE_SHOWS = {
    "__main__.py": "the command line is English",
    "cli/": "the command line is English",
    "emulator/": "it plays devices",
    "importer/": "only the command line imports",
    "web/": "pages speak for themselves; the API is English",
    "config/": "what is wrong with a configuration is looked at in test_problems.py",
    "core/deployments/pushed.py": "only Git's hooks",
    "core/secrets/": "it is a line of a script that can't be made",
    "resources.py": "only the command line",
    "settings.py": "the server does not start with them",
    "service/backups/upkeep.py": "only the command line, and the log",
    "service/certificates/founding.py": "only the command line",
    "service/certificates/configuring.py": "only the command line",
    "service/certificates/requests.py": "only devices",
    "service/comparison/fetching.py": "only the command line",
    "service/comparison/fleet_file.py": "only the command line",
    "service/proof/": "only the command line",
    "service/pushing/": "only the command line and CI",
    "service/secrets/": "only the command line",
    "service/site.py": "only the command line",
    "service/sources.py": "only the command line",
    "service/testing/": "only the command line",
    "service/upstream/announcing.py": "only the log",
    "service/upstream/news.py": "only the hook of the upstream",
    "store/certificates/authority.py": "only the command line, but for what is read",
    "store/firmware.py": "only the command line",
    "store/git/asking.py": "only the command line",
    "store/git/staged.py": "only the command line",
    "store/git/staging.py": "only the command line",
    "store/glances/": "only what shells complete",
    "store/migrations/": "the server does not start with it",
    "store/secrets.py": "only the command line",
    "store/signatures/": "what is said of signatures is no error, but a verdict",
    "store/signing.py": "only the command line, and the start",
    "store/tree.py": "only the command line",
    "store/wheel.py": "only the API gives it",
}
"""Modules, or folders of them, whose errors no page shows, and why."""

STILL_ENGLISH: dict[str, str] = {
    "the backup history in {site.backups.path} is there; see: gitupd backups verify": "only the command line",
    "{site.backups.path} can't be put aside: {error}": "only the command line",
    "{'; '.join(faults)}": "only the log",
    "{problems}": "problems of a configuration, each of which is told again",
    "{left}": "objections, which pages list",
    "{path}: {error.strerror}": "words of the system",
    "{ending.said or str(reason)}": "words of the system",
    "{ending.said}": "words of the system",
}
"""Errors that pages may show in English, as they stand in the source, and why; there should be ever less."""

VALUES = ("xq", "0123456789ab", "2026-05-01", "12", "'x q'")
"""What is filled in where the source has a value; one of them fits each form."""

_TIMES = "write seen:15m, seen:1h-1d, seen:>30d, or days such as seen:2026-05-01..2026-05-07"
_EARLY = "policies/certificates.yaml renews 30 days before: set renew_before to less"
_EXPIRED = ("is not valid before 2026-05-01", "has expired on 2026-05-01")
_NO_SIGNER = ("has a critical extension that is not understood, 1.2.3", "may not sign others")
_TROUBLES = (
    "no commit 'x'",
    "no branch 'x'",
    "can't read HEAD",
    "can't read commit 0123456789ab",
    "can't read devices.yaml of commit 0123456789ab",
    "can't read the branches",
    "can't read the history of 0123456789ab",
    "can't read the histories of 0123456789ab and 0123456789ac",
    "can't compare 0123456789ab and 0123456789ac",
    "can't change commit 0123456789ab",
    "can't move branch main",
    "can't keep commits",
)
BY_EXPRESSION: dict[str, tuple[str, ...]] = {
    "search.fault": (
        "21 words are too many; up to 20 are looked for, with those behind commas",
        "'x' is nothing to search by; keys are sn, name",
        "'x' is nothing to search by as 'has'; write has:warning",
        f"'x' is no time to search by; {_TIMES}",
        "type behind 'text:' what a line of the backup is to hold",
    ),
    "slip.text": (
        "unknown phase 'x'; did you mean 'y'?",
        "unknown environment 'x'; known: a, b",
        "unknown environment 'x'",
    ),
    "what": ("nothing is", "0123456789ab is"),
    "made": ("ada has made or pushed commit 0123456789ab, or one that comes with it",),
    "cure": ("write a day as 2026-12-18, or a minute as 2026-12-18 16:00",),
    "cure.format(path)": ("put it there", "ssh-keyscan x > y, and compare with what the host says that they are"),
    "hint": ("add it to request: {dns: [...]} of policies/certificates.yaml",),
    "said": ("", ": no"),
    "coverage.fault": (
        "it has no common name",
        "it has more than one common name",
        "it is for 'x', which the policy does not have it ask for",
    ),
    "trouble": _TROUBLES,
    "nothing": ("no commit 'x' in /site: there is no y",),
    "self._there_are()": ("; its branches are main, next", ", which has no branch at all"),
    "whose": ("shared searches", "saved searches of ada"),
    "_taken(search)": (
        "there is a shared search called 'x' already; choose another name, or say that it is to be replaced",
        "there is a search of ada called 'x' already; choose another name, or say that it is to be replaced",
    ),
    "'several' if matching else 'none'": ("several", "none"),
    "'it was given up' if given_up() else late": ("it was given up", "it took longer than 300 s"),
    "self._why(place, errors)": ("it sends more than largest, which is 512 MiB; see whether that is meant",),
    "ending.said or f'it broke off, with {answer.length} bytes to come'": ("it broke off, with 12 bytes to come",),
}
"""What is filled in for an expression that is a part of a sentence."""

BY_MODULE: dict[str, dict[str, tuple[str, ...]]] = {
    "service/certificates/handing_in.py": {"what": ("the certificate", "the device's request")},
    "service/notices/delivering.py": {"said": ("550 no such user", "it took more than 10 seconds")},
    "service/certificates/own_signer.py": {"fault": _EXPIRED},
    "service/certificates/rounds.py": {"fault": (f"it has signed until 2026-05-01 10:00, and {_EARLY}",)},
    "service/certificates/signing.py": {
        "fault": (
            "its roll-out starts over when it polls next",
            "its request was rejected (why); have it start over",
            "its request was signed already",
        )
    },
    "service/people/access.py": {"person.role": ("viewer",), "role": ("operator",)},
    "service/comparison/planner.py": {"trouble": ("its process ended with 1", "its process can't be reached: no")},
    "store/certificates/folder.py": {
        "fault": (*_EXPIRED, *_NO_SIGNER),
        "error": ("is larger than any certificate", "has a damaged block of PEM", "is no certificate that can be read"),
    },
}
"""What is so in one module alone."""

FRAGMENTS = ("it {}", "what was given {}")
"""What stands before the words of a certificate that can't be read."""

GERMAN = Reader("de", UTC)


def modules() -> list[str]:
    paths = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py")]
    return sorted(path for path in paths if not path.startswith(tuple(NO_PAGE_SHOWS)))


def lacking(module: str) -> list[RaisedText]:
    return [each for each in raised_texts(module) if str(each) not in STILL_ENGLISH and not has_german(each)]


def has_german(text: RaisedText) -> bool:
    """Whether each way in which *text* may end up has German words."""
    known = BY_EXPRESSION | BY_MODULE.get(text.module, {})
    parts = [part for is_value, part in text.parts if is_value and part in known]
    ways = [dict(zip(parts, values, strict=True)) for values in product(*(known[part] for part in parts))]
    wholes = FRAGMENTS if text.error in ("UnreadableCertificate", "UnreadableList") else ("{}",)
    return all(
        any(is_german(whole.replace("{}", text.filled(value, way))) for value in VALUES)
        for way in ways
        for whole in wholes
    )


def is_german(said: str) -> bool:
    return retold(said, GERMAN, ERRORS) != said


@pytest.mark.parametrize("module", modules())
def test_what_errors_say_has_german_words(module: str) -> None:
    assert [f"{each.line}: {each}" for each in lacking(module)] == []


def test_what_may_be_english_is_there_and_has_no_german_words() -> None:
    found = {str(each): each for module in modules() for each in raised_texts(module)}
    assert [text for text in STILL_ENGLISH if text not in found or has_german(found[text])] == []
    assert [place for place in NO_PAGE_SHOWS if not (ROOT / place).exists()] == []


def test_errors_of_the_source_are_found() -> None:
    found = {str(each): each for each in raised_texts("service/admission/codes.py")}
    assert "a code is good for 1 to {LONGEST_DAYS} days" in found
    assert is_german("a code is good for 1 to 90 days")
    assert not is_german("this is nothing that an error says")


@pytest.mark.parametrize(
    ("said", "german"),
    [
        (
            "can't compare 0123456789ab and 0123456789ac in /s: there is no y",
            "0123456789ab und 0123456789ac lassen sich nicht vergleichen in /s: y gibt es nicht",
        ),
        ("can't read commit 0123456789ab in /s: x", "Commit 0123456789ab ist nicht lesbar in /s: x"),
        (
            "what was signed is refused: it is for 'x', which is another device",
            "was signiert wurde, ist abgewiesen: sie ist für 'x', das ist ein anderes Gerät",
        ),
        (
            "ada is only viewer, and can have no token as operator",
            "ada ist nur Betrachter und kann kein Token als Operator haben",
        ),
        ("/s/x can't be read: Permission denied", "/s/x ist nicht lesbar: Zugriff verweigert"),
        (
            "unknown environment 'x'; did you mean 'y'?",
            "die Umgebung 'x' gibt es nicht; meinten Sie 'y'?",
        ),
    ],
)
def test_sentences_of_errors(said: str, german: str) -> None:
    assert retold(said, GERMAN, ERRORS) == german


def test_hostile_words_in_an_error_cost_little_and_stay_as_they_are() -> None:
    for hostile in (
        "; " * 499,
        "': " * 330,
        "(a), x " * 140,
        "in : there is no " * 58,
        "12 devices " * 90,
        "a" * 5_000,
    ):
        assert retold(hostile, GERMAN, ERRORS) == hostile
    said = "there is nobody called <b>3 devices; good</b>; see: gitupd users list"
    assert "<b>3 devices; good</b>" in retold(said, GERMAN, ERRORS)
