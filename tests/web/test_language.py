"""The language of the pages: which one somebody reads, and that it is complete before browsers may choose it."""

from __future__ import annotations

import gettext as standard
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from support.installing import build_wheel
from support.messages import PACKAGE, catalogue, in_code, in_template, renewed, texts
from support.unmarked import unmarked, unmarked_in_code
from support.visitors import PASSWORD, Visitor, logged_in

from gitupd.core.admission.admittance import Decision
from gitupd.core.backups.intent import Verdict
from gitupd.core.certificates.rollout import Rollout, Stage
from gitupd.core.certificates.steps import steps
from gitupd.core.deployments.signature import Flaw
from gitupd.core.deployments.state import CommitState
from gitupd.core.notices.notice import NoticeKind
from gitupd.core.people.audit import Kind, Topic, deed
from gitupd.core.people.person import Actor, Role
from gitupd.core.stories.happening import StoryTopic
from gitupd.language import catalogues
from gitupd.language.languages import IN_PROGRESS, LANGUAGES, SOURCE
from gitupd.service.clock import now
from gitupd.service.listing.columns import OWN
from gitupd.service.people.access import Access
from gitupd.web import wording
from gitupd.web.language import choosing
from gitupd.web.language.forms import decimal, exact, grouped, moment
from gitupd.web.language.texts import counted, gettext, ngettext, translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.serving import Server

    from gitupd.service.site import Site

TEMPLATES = PACKAGE / "templates"
OTHERS = sorted(LANGUAGES.keys() - {SOURCE})
COMPLETE = [each for each in OTHERS if each not in IN_PROGRESS]

NAMES = frozenset(
    {
        "gitupd",
        "gitupd · … · gitupd",
        "CSV",
        "JSON",
        "SHA-256",
        "-----BEGIN CERTIFICATE-----",
        "Android",
        "iOS",
        "dnsmasq",
        "ISC dhcpd",
        "Kea",
        "IP222, berlin, 10.1., name:Desk*",
        "IP222 homeoffice",
        "state.xml",
        "missing runs:",
    }
)
"""Texts that are the same in all languages."""

SPEAKING = sorted(
    (*(PACKAGE / "pages").rglob("*.py"), *(PACKAGE / name for name in ("layout.py", "planned.py", "revisions.py")))
)
"""Modules whose texts are read on pages."""

UNSAID_BECAUSE = (
    (
        "the audit keeps it for all readers, in English",
        (
            "against what it would get now",
            "^going back to …",
            "^which devices are not as wanted",
            "^export of …, as of …",
            "^since when the lines of … are there",
            "^the latest versions$",
            "^the history$",
            "^versions without it$",
            "^… as a file$",
        ),
    ),
    (
        "headers of HTTP",
        (
            "^attachment; filename=",
            "^(text|application)/[a-z]+; charset=utf-8$",
            "^Accept$",
            "^Content-Disposition$",
            "^Retry-After$",
        ),
    ),
    ("a line of a script", ("^config change … … …$",)),
    ("a search", ("^asked deployment:unconfirmed$",)),
    ("categories of Unicode", ("^C[cfs]$", "^Z[lp]$")),
    (
        "marked as words of their own, in language/words.py, or among the columns",
        (
            "^to be renewed$",
            "^has ended$",
            "^of none of the policy's authorities$",
            "^not valid yet$",
            "^its dates can't be read$",
            "^the site trusts it$",
            "^proves (who it is|nothing)$",
            "^Drifted$",
            "^Backup overdue$",
        ),
    ),
    ("for programs", ("^the database can't be used at the moment$",)),
    ("a name", ("^gitupd itself$",)),
)
"""Texts that are in code and not for the catalogue, as patterns, and why."""

UNSAID = re.compile("|".join(f"(?:{part})" for _, parts in UNSAID_BECAUSE for part in parts))

ROOT = Actor("root@host", Role.ADMINISTRATOR, None)


# Texts


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_texts_of_templates_are_marked_for_translation(path: Path) -> None:
    assert unmarked(path.read_text("utf-8"), NAMES) == []


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: path.name)
def test_texts_of_code_are_marked_for_translation(path: Path) -> None:
    assert [text for text in unmarked_in_code(path.read_text("utf-8")) if not UNSAID.search(text)] == []


def test_styles_and_scripts_know_no_texts() -> None:
    by_text = re.compile(r"\[(?:data-label|aria-label|title|placeholder)[~|^$*]?=.*")
    static = [path for path in (PACKAGE / "static").iterdir() if path.suffix in (".css", ".js")]
    assert static
    assert [found[0] for path in static for found in by_text.finditer(path.read_text("utf-8"))] == []


def test_what_is_let_pass_in_code_is_there() -> None:
    found = [text for path in SPEAKING for text in unmarked_in_code(path.read_text("utf-8"))]
    passing = [part.lstrip("^") for _, parts in UNSAID_BECAUSE for part in parts]
    assert [each for each in passing if not any(re.search(each, text) for text in found)] == []


@pytest.mark.parametrize("language", COMPLETE)
def test_a_language_that_browsers_choose_lacks_nothing(language: str) -> None:
    assert renewed(language) == catalogues.catalogue_file(language).read_bytes(), "run: make messages"
    assert lacking(language) == []


def lacking(language: str) -> list[str]:
    return [str(each.id) for each in catalogue(language) if each.id and not all(forms(each.string))]


@pytest.mark.parametrize("language", OTHERS)
def test_translations_take_the_values_of_their_texts(language: str) -> None:
    kept = catalogue(language)
    faults = {str(each.id): list(each.check(kept)) for each in kept if each.id and any(forms(each.string))}
    assert {text: fault for text, fault in faults.items() if fault} == {}


def forms(string: str | tuple[str, ...]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else string


def test_texts_are_found_in_templates_and_in_code() -> None:
    template = (
        '{% trans n=3 %}{{ n }} cat{% pluralize %}{{ n }} cats{% endtrans %}{{ _("Dogs") }}'
        '{{ 3 | counted("mouse", "mice") }}'
    )
    assert set(in_template(template)) == {
        (("%(n)s cat", "%(n)s cats"), None),
        ("Dogs", None),
        (("mouse", "mice"), None),
    }
    code = b"counted(2, 'cow'); _('Hens'); plural('a', 'b'); marked('c'); pgettext('farm', 'd'); other('e')"
    assert set(in_code(code)) == {
        (("cow", "cows"), None),
        ("Hens", None),
        (("a", "b"), None),
        ("c", None),
        ("d", "farm"),
    }
    assert len(texts()) > 100


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{% trans %}Hello{% endtrans %} {{ _('you') }} {{ name }}, 3 ÷</p>", []),
        ('<p title="Hello {{ name }}" class="not shown"></p>', ["Hello …"]),
        ('<p>{{ "is" if one == "none" else "are" }}</p>', ["is", "are"]),
        ('<p class="{{ "one" if one else "two" }}">{{ state("warning", "Bad thing") }}</p>', ["Bad thing"]),
        ("{% set said = _('Hello you') %}{{ url_for('x', y='Some thing') }}<code>git push</code>", []),
        ("{# A comment #}{% block title %}Title{% endblock %}", ["Title"]),
    ],
)
def test_texts_that_are_not_marked_are_found(template: str, found: list[str]) -> None:
    assert unmarked(template) == found


def test_texts_of_code_that_are_not_marked_are_found() -> None:
    code = """
def flashing(name):
    '''Say something to somebody.'''
    flash(gettext("It is done."))
    flash(f"{name} is done: {'at once' if name else gettext('later on')}")
    titles = {"of_keys": marked("Its title"), "Title": "with a title"}
"""
    assert unmarked_in_code(code) == ["… is done: …", "at once", "Title", "with a title"]


def test_values_that_are_words_are_for_the_catalogue() -> None:
    values = {*Role, *Stage, *CommitState, *NoticeKind, *map(deed, Kind), *(flaw.value for flaw in Flaw)}
    values |= {*Verdict, *Topic, *StoryTopic, *Decision, *(column.title for column in OWN), *steps_in_words()}
    values |= {column.heading for column in OWN}
    marked = {text if isinstance(text, str) else text[0] for text, _ in texts()}
    assert sorted(values - marked) == []


def steps_in_words() -> set[str]:
    return {text for each in steps(Stage.REQUEST, Rollout()) for text in (each.title, each.progress)}


# Forms


@pytest.fixture
def german(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        choosing.choose("de")
        yield


@pytest.fixture
def app() -> Flask:
    return Flask("test")


def test_english_is_what_the_source_says(app: Flask) -> None:
    noon = datetime(2026, 1, 5, 11, tzinfo=UTC)
    with app.test_request_context("/"):
        assert counted(1250, "device") == "1,250 devices"
        assert (str(grouped(1250)), decimal(1234.56)) == ("1,250", "1,234.6")
        assert exact(noon) == noon.astimezone().strftime("%a %d %b %Y, %H:%M:%S %Z")
        assert moment(noon) == noon.astimezone().strftime("%d %b %Y, %H:%M %Z")
        assert wording.ago(noon, noon + timedelta(hours=3)) == "3 h ago"


@pytest.mark.usefixtures("german")
def test_numbers_and_times_in_german() -> None:
    at = datetime(2026, 3, 5, 11, 4, 9).astimezone()
    assert [counted(number, "device") for number in (0, 1, 1250)] == ["0 Geräte", "1 Gerät", "1.250 Geräte"]
    assert (f"{grouped(12500)}", decimal(1234.56)) == ("12.500", "1.234,6")
    assert exact(at) == f"Do., 5. März 2026, 11:04:09 {at:%Z}"
    assert moment(at) == f"05.03.2026, 11:04 {at:%Z}"


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(), "gerade eben"),
        (timedelta(minutes=4), "vor 4 min"),
        (timedelta(hours=3), "vor 3 h"),
        (timedelta(days=1), "vor 1 Tag"),
        (timedelta(days=65), "vor 2 Monaten"),
        (timedelta(seconds=-30), "gleich"),
        (timedelta(days=-400), "in 1 Jahr"),
    ],
)
def test_how_long_ago_in_german(passed: timedelta, said: str) -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    assert wording.ago(at, at + passed) == said


@pytest.mark.usefixtures("german")
def test_days_in_german() -> None:
    at = datetime(2026, 3, 5, 12).astimezone()
    days = [wording.day(at, at + timedelta(days=days)) for days in (0, 1, 3, 30, 400)]
    assert days == ["heute", "gestern", "Donnerstag", "5. März", "5. März 2026"]


@pytest.mark.usefixtures("german")
def test_values_of_texts_are_filled_in() -> None:
    assert gettext("%(name)s is removed.", name="100 %") == "100 % ist entfernt."
    assert ngettext("%(number)s day ago", "%(number)s days ago", 1250) == "vor 1.250 Tagen"
    assert [translated(each) for each in (Role.VIEWER, "desk 12", "")] == ["Betrachter", "desk 12", ""]


def test_the_script_says_what_the_server_says(app: Flask) -> None:
    for language in LANGUAGES:
        with app.test_request_context("/"):
            choosing.choose(language)
            for seconds, past, future in wording.script_words()["spans"]:
                for number, form in ((1, 0), (7, 1)):
                    at, present = datetime(2026, 3, 5, tzinfo=UTC), timedelta(seconds=seconds * number)
                    assert past[form].format(number) in (wording.ago(at, at + present), "7 years ago")
                    assert future[form].format(number) == wording.ago(at + present, at)


# Who reads what


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en-GB,de;q=0.5", "en"),
        ("fr, de;q=0", "en"),
        ("", "en"),
        ("*", "en"),
        ("\x00;q=z", "en"),
    ],
)
def test_browsers_choose_among_complete_languages(
    app: Flask, monkeypatch: pytest.MonkeyPatch, asks: str, told: str
) -> None:
    with app.test_request_context("/", headers={"Accept-Language": asks}):
        for language in IN_PROGRESS:
            assert choosing.language() != language
        monkeypatch.setattr(choosing, "IN_PROGRESS", {})
        assert choosing.language() == told
        choosing.choose("de")
        assert choosing.language() == "de"
        choosing.choose("gone")
        assert choosing.language() == told
    with app.test_request_context("/api/v1/devices", headers={"Accept-Language": asks}):
        choosing.choose("de")
        assert choosing.language() == SOURCE


def test_somebody_chooses_german_and_goes_back(server: Server, site: Site) -> None:
    name = "greta"
    Access(site).add(ROOT, name, Role.ADMINISTRATOR, PASSWORD, now())
    with logged_in(server, name) as visitor:
        page = visitor.get("/account")
        assert '<html lang="en">' in page.text
        assert page.headers["content-language"] == "en"
        assert {"Accept-Language", "Cookie"} <= {each.strip() for each in page.headers["vary"].split(",")}
        assert visitor.submit("/account/language", {"language": "de"}, page="/account").status_code == 303
        german = visitor.get("/account")
        assert german.headers["content-language"] == "de"
        for text in ('<html lang="de">', "Die Seiten sind jetzt auf Deutsch.", "Neues Token", 'lang="de" selected'):
            assert text in german.text
        assert site.people.user(name).language == "de"
        assert "Diese Seite gibt es nicht." in visitor.get("/nowhere", headers={"Accept": "text/html"}).text
        refused = visitor.submit("/account/language", {"language": "tlh"}, page="/account")
        assert (refused.status_code, "Diese Sprache gibt es nicht." in refused.text) == (400, True)
        with Visitor(server) as other:
            assert '<html lang="en">' in other.get("/login").text
        assert visitor.submit("/account/language", {"language": ""}, page="/account").status_code == 303
        assert "The pages are in English now." in visitor.get("/account").text
        assert site.people.user(name).language is None


def test_the_wheel_has_the_catalogues(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as wheel:
        for language in OTHERS:
            kept = wheel.read(f"gitupd/language/translations/{language}.po")
            assert kept == catalogues.catalogue_file(language).read_bytes()


def test_catalogues_are_what_the_standard_library_reads() -> None:
    for language in OTHERS:
        assert isinstance(catalogues.translations(language), standard.GNUTranslations)
        assert catalogues.translations(language).gettext("Not a text") == "Not a text"
