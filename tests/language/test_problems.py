"""What is wrong with files of a configuration has German words, whatever stands in the files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import product
from time import process_time

import pytest
from support.broken import CASES, FILES
from support.said import ROOT, SaidText, said_texts

from gitupd.config.schema import conform
from gitupd.config.yaml_tree import read
from gitupd.errors import Problem, Severity
from gitupd.language.forms.all import FORMS, PROBLEMS
from gitupd.language.problems import problem_retold, report_retold
from gitupd.language.reader import Reader
from gitupd.language.sentences import LONGEST, retold, retold_whole
from gitupd.service.deployments.examining import examined

GERMAN, ENGLISH = Reader("de", UTC), Reader("en", UTC)
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)

MODULES = (
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "config").glob("*.py")),
    "service/certificates/chain.py",
    "service/deployments/signing_keys.py",
)

NO_MESSAGES = {
    "dict[str, Json] | list[Json] | str | int | bool | None": "a type",
    "{instance!r} does not match {pattern!r}": "what is told of it is that it is not understood",
    "gitupd secrets encrypt": "a command",
    "a character that is not seen": "stands for a name of Unicode",
    "cut off": "becomes another error",
    "{path}:{node.lineno} for": "a way of a template",
    "{path}:{node.lineno} if": "a way of a template",
    "{path}:{node.lineno} else": "a way of a template",
    "{path}:{branch.lineno} elif": "a way of a template",
}
"""Texts that nobody is told as they stand, and why."""

_KINDS = (
    *("text", "text or null", "a mapping", "a mapping or null", "a list", "a list or text", "true or false"),
    *("a whole number", "a whole number or null", "text or a whole number or null"),
)
_HISTORY = "; and replace what is in it, for it stays in the history"
_REFUSED = "'x' can't be used: (?= looks around, or back, which can take for ever; write what is there instead"
_BRACE = (
    "'{,9}' repeats nothing in RE2; write {0,9} for up to nine times, 1,000 at the most, and [{] for the brace itself"
)
_LARGE = "is too large: a repetition counts as often as it repeats, a class of letters as often as it has ranges"
WHOLE: dict[str, tuple[str, ...]] = {
    "{len(node.entries)} {name}, more than {most}": tuple(
        f"2,001 {name}, more than 2,000" for name in ("phases", "environments", "classes", "queries")
    ),
    "looked for {', '.join((path for path in PATHS.values() if '/' not in path))}, {POLICIES} and {FOLDERS[0]}": (
        "looked for phases.yaml, policies/ and snippets/; name the folder that holds them",
    ),
    "{looked}; name the folder that holds them": (),
    "class {by_name[name].name!r} has no models, or uses other snippets": (
        "no device can ever get this: class 'x' has no models, or uses other snippets",
    ),
    "no device can ever get this: {why}": (),
    "{repetition[0]!r} repeats nothing in RE2; write {0,9} for up to nine times, 1,000 at the most": (
        f"'x' is no regular expression: {_BRACE}",
    ),
    "is no regular expression: {reason}, and [{] for the brace itself": (),
    "is no regular expression: {reason}": ("'x' is no regular expression: missing )",),
    _LARGE: (f"'x' {_LARGE}",),
    "can't be used: {operator} looks around, or back, which can take for ever; write what is there instead": (
        _REFUSED,
    ),
    "{excerpt(pattern)} {error}": (),
    "{excerpt(rule['pattern'])} {error}": (),
    "{excerpt(text)} {error}": (),
    "{at[-1]!r}: ": ("'x': 'y' is not a list",),
    "{value} is not {_kinds(limit)}": tuple(
        f"{value} is not {kind}" for kind in _KINDS for value in ("'x'", "this", "nothing", "7", "True")
    ),
    "{value} has more than {counted(limit, *_NOUNS[error.validator])}": tuple(
        f"this has more than {what}" for what in ("1,000 characters", "24 entries", "1 key")
    ),
    "a whole number": (),
    "true or false": (),
    "a list": (),
    "a mapping": (),
    "it is not encrypted": ("snippets/x can't be decrypted: it is not encrypted",),
    "it is too large": ("secrets.yaml.age can't be decrypted: it is too large",),
    "can't be decrypted{of}: {error}": ("can't be decrypted: it is encrypted to other keys",),
    _HISTORY: (),
    "encrypt it by: gitupd secrets encrypt --remove {path}{history}": (
        f"encrypt it by: gitupd secrets encrypt --remove secrets.yml{_HISTORY}",
    ),
    "remove it{history}": (f"remove it{_HISTORY}",),
    "encrypted to {count} keys, and {RECIPIENTS} has {len(recipients)}": (
        "encrypted to 1 keys, and age-recipients.txt has 2",
    ),
    "add {ALLOWED_SIGNERS}, or *{OPENPGP}, or set require_signatures: false": (
        "add signers/allowed_signers, or *.asc, or set require_signatures: false",
    ),
    "SSH keys are in {ALLOWED_SIGNERS} and {REVOKED_KEYS}, OpenPGP keys in {SIGNERS}NAME{OPENPGP}": (
        "SSH keys are in signers/allowed_signers and signers/revoked_keys, OpenPGP keys in signers/NAME.asc",
    ),
    "{name} takes {'no value' if name == 'cert-authority' else 'a value in quotation marks'}": (
        "cert-authority takes no value",
        "namespaces takes a value in quotation marks",
    ),
    "class or model": (),
    "unknown {what} {name!r}": tuple(f"unknown {what} 'x'" for what in ("phase", "class or model", "environment")),
    "the {kind} {node.name!r} is not allowed in a template": tuple(
        f"the {kind} 'x' is not allowed in a template" for kind in ("filter", "test")
    ),
    **{
        what: (f"{what} is not allowed in a template",)
        for what in (
            *("a call", "a part of a value by its name", "'set' with a block", "'set' of more than a name"),
            "'if' without 'else'",
        )
    },
    ": {(error.message or '').rstrip('.')}": ("not a template that Jinja reads: unexpected 'x'",),
    "not a template that Jinja reads{words}": ("not a template that Jinja reads",),
    " and {len(lacking) - _FEW} more": (
        "a device that is in 'a', 'b' and 3 more alone has no 'x' but by devices.yaml, and would get no script",
    ),
    "the certificate {link.name} {untimely}": (
        "the certificate A CA has expired on 2026-05-01",
        "the certificate A CA is not valid before 2026-05-01",
    ),
    "what stands here {error}": (
        "what stands here is no certificate that can be read",
        "what stands here is larger than any certificate",
    ),
    "no OpenPGP public key: {error}": (
        "no OpenPGP public key: it is damaged, or none at all",
        "no OpenPGP public key: it is a secret key, which everybody gets who may read the configuration",
    ),
    "it no longer lists {old.name}, who has signed {info.id[:12]}": (),
}
"""Texts that are a part of a sentence, or have another one as a part, and how all of it may read."""


def cure(said: str) -> str:
    return problem_retold(Problem("x", 0, 0, "", said), GERMAN).hint


def is_german(said: str) -> bool:
    return cure(said) != said


def has_german(text: SaidText) -> bool:
    names = text.values
    ways = product(("12", "xq", "'x q'", "2026-05-01"), repeat=len(names))
    filled = [text.filled(dict(zip(names, way, strict=True))) for way in ways]
    return any(is_german(said) or fails(said) for said in filled)


# What the source says


@pytest.mark.parametrize("module", MODULES)
def test_what_is_said_of_a_configuration_has_german_words(module: str) -> None:
    known = NO_MESSAGES.keys() | WHOLE.keys()
    assert [
        f"{each.line}: {each}" for each in said_texts(module) if str(each) not in known and not has_german(each)
    ] == []


def test_parts_of_sentences_are_there_and_have_german_words_as_a_whole() -> None:
    found = {str(each) for module in MODULES for each in said_texts(module)}
    assert [text for text in (*NO_MESSAGES, *WHOLE) if text not in found] == []
    assert [said for wholes in WHOLE.values() for said in wholes if not is_german(said) and not fails(said)] == []


def fails(said: str) -> bool:
    """Whether *said* is told of a script that can't be made, and not of a file."""
    return retold(said, GERMAN, FORMS) != said


def test_texts_of_the_source_are_found() -> None:
    found = {str(each) for each in said_texts("config/loader.py")}
    assert {"not UTF-8", "not Python: {error.msg}", "{len(classes)} classes, where one is expected"} <= found
    assert not any("Files of a configuration repository" in each for each in found)


# What is said of files


def retold_wholly(problem: Problem) -> Problem:
    german = problem_retold(problem, GERMAN)
    assert german.message != problem.message or problem.message == "XML"
    assert german.hint != problem.hint or problem.hint in ("", "gitupd secrets encrypt")
    quoted = re.findall(r"(?<!\w)'[^']+'(?!\w)", problem.message.partition("regular expression: ")[0])
    # What libyaml expects is in other quotes in German, and no text of a file.
    assert [text for text in quoted if text not in german.message and "not YAML" not in problem.message] == []
    return german


@pytest.mark.parametrize("name", CASES)
def test_problems_with_one_file_are_told(name: str) -> None:
    path, content, _ = CASES[name]
    for problem in examined({path: content.encode()}, NOON)[1]:
        retold_wholly(problem)


@pytest.mark.parametrize("name", FILES)
def test_problems_with_several_files_are_told(name: str) -> None:
    files = {path: content if isinstance(content, bytes) else content.encode() for path, content in FILES[name].items()}
    problems = examined(files, NOON)[1]
    assert problems
    for problem in problems:
        retold_wholly(problem)


@pytest.mark.parametrize(
    ("message", "hint", "german"),
    [
        (
            "unknown key 'fast_pol'",
            "did you mean 'fast_poll'?",
            "der Schlüssel 'fast_pol' ist unbekannt; meinten Sie 'fast_poll'?",
        ),
        (
            "'interval': nothing is not a whole number",
            "minutes between polls, normally",
            "'interval': der fehlende Wert ist keine ganze Zahl; Minuten zwischen Abfragen, im Normalfall",
        ),
        ("this is not a mapping", "a rule", "dies ist keine Zuordnung; eine Regel"),
        ("'brake': this has more than 1,250 entries", "", "'brake': dies hat mehr als 1.250 Einträge"),
        ("this has more than 1 key", "", "dies hat mehr als 1 Schlüssel"),
        ("'a': 'on', 'to' is missing", "", "'a': 'on' und 'to' fehlen"),
        (
            "not YAML: while parsing a block mapping did not find expected key",
            "",
            "kein YAML: in einer eingerückten Zuordnung fehlt der erwartete Schlüssel",
        ),
        ("not YAML: something new", "", "kein YAML: something new"),
        (
            "2,001 environments, more than 2,000",
            "this is hardly meant",
            "2.001 Umgebungen, mehr als 2.000; das ist kaum so gemeint",
        ),
        (
            "not read by gitupd, which looks for 'policies/'",
            "rename it",
            "gitupd liest das nicht; es sucht nach 'policies/'; benennen Sie das um",
        ),
        (
            "no document and no snippet",
            "looked for phases.yaml, policies/ and snippets/; name the folder that holds them",
            (
                "kein Dokument und kein Snippet; gesucht wurde nach phases.yaml, policies/ und snippets/; "
                "nennen Sie den Ordner, in dem sie sind"
            ),
        ),
        (
            "a device that is in 'a', 'b' and 3 more alone has no 'x' but by devices.yaml, and would get no script",
            "define it there, or write what holds else: {{ x | default('…') }}",
            (
                "ein Gerät, das nur in 'a', 'b' und 3 weitere ist, hat 'x' allenfalls durch devices.yaml und bekäme "
                "sonst kein Skript; definieren Sie sie dort, oder schreiben Sie, was sonst gilt: {{ x | default('…') }}"
            ),
        ),
        ("the certificate A CA has expired on 2026-05-01", "", "das Zertifikat A CA ist am 01.05.2026 abgelaufen"),
    ],
)
def test_sentences_in_german(message: str, hint: str, german: str) -> None:
    told = problem_retold(Problem("x.yaml", 0, 0, message, hint), GERMAN)
    assert f"{told.message}; {told.hint}".removesuffix("; ") == german


def test_what_schemas_say_of_a_value_is_told_as_it_stands_in_the_catalogue() -> None:
    root, _ = read("x.yaml", b"- a")
    assert root is not None
    (problem,) = conform("policies/transport.yaml", "transport", root)[1]
    assert problem_retold(problem, GERMAN).hint == "HTTPS und Client-Zertifikate: gewünscht oder verlangt"


def test_english_stays_and_so_does_what_nobody_knows() -> None:
    problem = Problem("x.yaml", 1, 2, "unknown key 'x'", "known: a, b", Severity.WARNING)
    assert problem_retold(problem, ENGLISH) == problem
    assert report_retold(str(problem), ENGLISH) == str(problem)
    other = Problem("x.yaml", 1, 2, "the moon is full", "sleep")
    assert problem_retold(other, GERMAN) == other


@pytest.mark.parametrize("word", ["not UTF-8", "'x' and 'y'", "\\'; a mapping", '"', "🦆", "x: 'y' is missing"])
def test_what_stands_in_files_is_never_translated(word: str) -> None:
    said = f"unknown key {word!r}"
    assert retold_whole(said, GERMAN, PROBLEMS) == f"der Schlüssel {word!r} ist unbekannt"
    said = f"{word!r}: {word!r} is not understood"
    assert retold_whole(said, GERMAN, PROBLEMS) == f"{word!r}: {word!r} wird nicht verstanden"


# What is said of them in reports


def test_a_report_is_told_line_by_line() -> None:
    report = [
        *(
            Problem("policies/delivery.yaml", 2, 1, "unknown key 'fast_pol'", "did you mean 'fast_poll'?"),
            Problem("snippets/a;b.txt", 0, 0, "not UTF-8", "save the file as UTF-8", Severity.WARNING),
            Problem("phases.yaml", 1, 9, "anchor &all", "anchors are not allowed; remove it"),
        ),
        "something else; and more",
    ]
    assert report_retold("\n".join(map(str, report)), GERMAN).split("\n") == [
        "policies/delivery.yaml:2:1: der Schlüssel 'fast_pol' ist unbekannt; meinten Sie 'fast_poll'?",
        "snippets/a;b.txt: Warnung: nicht UTF-8; speichern Sie die Datei als UTF-8",
        "phases.yaml:1:9: der Anker &all; Anker sind nicht erlaubt; entfernen Sie ihn",
        "something else; and more",
    ]


def test_of_a_long_report_the_beginning_is_told() -> None:
    lines = report_retold("\n".join(["x.yaml: not UTF-8"] * 300), GERMAN).split("\n")
    assert lines == ["x.yaml: nicht UTF-8"] * 100 + ["x.yaml: not UTF-8"] * 200


_HOSTILE = (
    "'" * LONGEST,
    "'a' " * (LONGEST // 4),
    "'a': " * (LONGEST // 5),
    "'\\" * (LONGEST // 2),
    "x.yaml: " + "; " * 490,
    "no class has the model " * 40,
    "while parsing a block mapping " * 33,
    "not YAML: " * 100,
    " (U+" * 250,
    "the certificate x is not followed by " * 27,
    "snippets/x: " * 80,
    "a" * 50_000,
)


@pytest.mark.parametrize("hostile", _HOSTILE, ids=range(len(_HOSTILE)))
def test_hostile_words_cost_little(hostile: str) -> None:
    retold_whole("x", GERMAN, PROBLEMS)
    began = process_time()
    for _ in range(10):
        problem_retold(Problem("x", 0, 0, hostile, hostile), GERMAN)
        report_retold(f"x.yaml: {hostile}", GERMAN)
    assert process_time() - began < 1
