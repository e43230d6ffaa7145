from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import fleets

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Serial
from gitupd.errors import InvalidEntry
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERIES = b"""queries:
  admin:
    applies: [all]
    show:
      - {title: Name, xpath: /info/@name}
      - {title: Text, xpath: /info}
      - {title: How many, xpath: count(/info/ring)}
      - {title: Password, xpath: /info/@pwd}
      - {title: All of it, xpath: /state/queries/admin/info/@name}
"""
NAMES = ["Ring 1", "ring 10", "RING", "[ring]", "Österreich", "a & b", "100%", "", None]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    at = now()
    site = create_site(tmp_path_factory.mktemp("answered") / "site", who="test", now=at)[0]
    files = dict(site.config.files(site.deployments.live().commit)) | {"queries.yaml": QUERIES}
    commit = site.config.commit_files(files, "Queries", "Ada <ada@example.org>")
    deploy(site, commit, who="tess", now=at)
    fleets.fill(site, len(NAMES), at)
    for number, name in enumerate(NAMES):
        if name is not None:
            xml = f"<info name={quoteattr(name)} pwd='2hunter'>{'<ring/>' * number}Floor <b>1</b>{number}</info>"
            site.answers.save([AnsweredQuery(serial(number), QueryAnswer("admin", at, xml))])
    yield Fleet(site, live_now(site), at)
    site.close()


def serial(number: int) -> Serial:
    return Serial(f"009033{number:06x}")


def found(fleet: Fleet, text: str) -> set[str | None]:
    return {NAMES[int(each.digits[6:], 16)] for each in fleet.serials(fleet.checked(text))}


def folded(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def naive(pattern: str, *, wild: bool) -> set[str | None]:
    """Return the names that are like *pattern*; an empty one is the unknown."""
    if not pattern:
        return {name for name in NAMES if not name}
    letters = {"*": ".*", "?": "."} if wild else {}
    form = re.compile("".join(letters.get(letter, re.escape(letter)) for letter in folded(pattern)), re.DOTALL)
    return {name for name in NAMES if name and form.fullmatch(folded(name))}


PATTERNS = st.sampled_from(
    [*filter(None, NAMES), "ring*", "*1*", "?ing", "*", "ring", "r*1", "[r]ing", "*%", "nobody", ""]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=PATTERNS, key=st.sampled_from(["admin.name", "admin.all-of-it"]), minus=st.booleans())
def test_an_answer_is_found_as_its_reference_says(fleet: Fleet, pattern: str, key: str, minus: bool) -> None:  # noqa: FBT001 - drawn
    quoted = not pattern or " " in pattern
    text = f"{'-' if minus else ''}{key}:{chr(34) + pattern + chr(34) if quoted else pattern}"
    wanted = naive(pattern, wild=not quoted)
    assert found(fleet, text) == (set(NAMES) - wanted if minus else wanted), text


def test_what_is_computed_is_found(fleet: Fleet) -> None:
    assert found(fleet, "admin.how-many:2") == {NAMES[2]}
    assert found(fleet, "admin.name:ring*,*% missing,present") == {"Ring 1", "ring 10", "RING", "100%"}


@pytest.mark.parametrize(
    ("range_", "wanted"),
    [(">2", {3, 4, 5, 6, 7}), ("<2", {0, 1}), ("2..4", {2, 3, 4}), (">1,0..0", {0, 2, 3, 4, 5, 6, 7})],
)
def test_numbers_and_versions_have_ranges(fleet: Fleet, range_: str, wanted: set[int]) -> None:
    assert found(fleet, f"admin.how-many:{range_}") == {NAMES[number] for number in wanted}
    assert found(fleet, f"-admin.how-many:{range_}") == {NAMES[number] for number in set(range(9)) - wanted}
    assert found(fleet, f'admin.how-many:"{range_}"') == set()
    assert found(fleet, "admin.name:>0") == {"100%"}


def test_a_text_in_pieces_is_found(fleet: Fleet) -> None:
    assert found(fleet, "admin.text:floor?13") == {NAMES[3]}


def test_a_secret_is_found_by_nobody(fleet: Fleet) -> None:
    assert found(fleet, "admin.password:2hunter") == found(fleet, "admin.password:2*") == set()
    assert found(fleet, "admin.password:>0") == set()


@pytest.mark.parametrize("text", ["admin.nam:x", "-admin.nam:x", "no.such.query:x", "admin.name:x,y other.name:z"])
def test_a_key_that_is_none_is_an_error_that_lists_them(fleet: Fleet, text: str) -> None:
    with pytest.raises(
        InvalidEntry,
        match=r"is nothing to search by; keys are sn, hwid, .*, and of answers admin\.name, admin\.text,",
    ):
        fleet.checked(text)
