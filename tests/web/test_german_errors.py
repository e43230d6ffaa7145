"""What goes wrong is told in German to whoever reads German, and in English to all others and to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.visitors import PASSWORD, Visitor, logged_in

from gitupd.core.people.person import Actor, Role
from gitupd.service.clock import now
from gitupd.service.people.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server

    from gitupd.service.site import Site

ROOT = Actor("root@host", Role.ADMINISTRATOR, None)
NAME = "grete"


@pytest.fixture(scope="module")
def readers(server: Server, site: Site) -> Iterator[dict[str, Visitor]]:
    """Return the same person in two languages: what is English reads so without a choice."""
    Access(site).add(ROOT, NAME, Role.ADMINISTRATOR, PASSWORD, now())
    Access(site).add(ROOT, f"{NAME}-english", Role.ADMINISTRATOR, PASSWORD, now())
    with logged_in(server, NAME) as german, logged_in(server, f"{NAME}-english") as english:
        german.submit("/account/language", {"language": "de"}, page="/account")
        yield {"de": german, "en": english}


@pytest.mark.parametrize(
    ("address", "german", "english"),
    [
        ("/devices?q=nope:1", "Nach &#39;nope&#39; lässt sich nicht suchen; Schlüssel sind", "is nothing to search by"),
        ("/devices.csv?q=nope:1", "<p>Nach &#39;nope&#39; lässt sich", "<p>&#39;nope&#39; is nothing to"),
        ("/devices/0090", "ist keine Seriennummer; schreiben Sie zwölf hexadezimale Ziffern", "is no serial number"),
        ("/devices?columns=<b>", "&lt;b&gt;&#39; ist keine Spalte; Spalten sind", "&lt;b&gt;&#39; is no column"),
        ("/audit?from=soon", "&#39;soon&#39; ist keine Zeit; schreiben Sie einen Tag", "is no time; write a day"),
        (
            "/configuration?rev=nope",
            "Es gibt keinen Branch, kein Tag und keinen Commit &#39;nope&#39;",
            "There is no branch, tag or",
        ),
    ],
)
def test_pages_tell_of_errors(readers: dict[str, Visitor], address: str, german: str, english: str) -> None:
    told, original = (readers[language].get(address, headers={"Accept": "text/html"}).text for language in ("de", "en"))
    assert german in told
    assert english in original
    assert english not in told


def test_forms_tell_of_errors(readers: dict[str, Visitor]) -> None:
    fields = {"name": "<b>", "role": "viewer", "password": PASSWORD}
    told = [readers[language].submit("/people", fields, page="/people").text for language in ("de", "en")]
    assert "ein Name beginnt mit einem Buchstaben oder einer Ziffer" in told[0]
    assert "a name starts with a letter or digit" in told[1]
    assert "a name starts" not in told[0]


def test_programs_get_english(readers: dict[str, Visitor]) -> None:
    answer = readers["de"].get("/devices/0090", headers={"Accept": "*/*"})
    assert "serial number" in readers["de"].get("/api/v1/devices/0090").json()["detail"]
    assert answer.status_code == 404
