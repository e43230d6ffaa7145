"""Searches for what devices answered to queries: the same values as those that lists of devices show."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.core.concealing import Veil
from gitupd.core.names import fold
from gitupd.core.search import KEYS, Among, Nonsense, Not, parse_search, with_answers
from gitupd.service.answers import shown_answers
from gitupd.service.listing.columns import columns_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitupd.core.answers import QueryAnswer
    from gitupd.core.caller import Serial
    from gitupd.core.policy import Query
    from gitupd.core.search import HasAnswered, Search, Term
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_SHOWN = 60
_OF_ATTRIBUTES = re.compile(r"[^(|]*/@[\w:.-]+")
"""An expression whose values stand in the answer as they are, in one piece each."""

_PLAIN = re.compile(r"[0-9A-Za-z]+", re.ASCII)


def understood(site: Site, live: Live | None, text: str) -> Search:
    """Return the search that *text* means, in which keys may be columns of the queries that are *live*.

    What is a secret to some is found by nobody: values are compared as everybody may see them.
    """
    return with_answers(parse_search(text), lambda term: _meaning(site, live, term))


def _meaning(site: Site, live: Live | None, term: HasAnswered) -> Term:
    queries = live.snapshot.policy.queries if live else ()
    veil = Veil.over([live.snapshot]) if live else Veil()
    asked = {name: column.asked for name, column in columns_for(queries).items() if column.asked}
    if term.key not in asked:
        of_answers = f"of answers {', '.join(asked)}" if asked else "no query shows a value"
        return Nonsense(f"{term.key[:_SHOWN]!r} is nothing to search by; keys are {', '.join(KEYS)}, and {of_answers}")
    query, title = asked[term.key]
    one = next(
        replace(each, show=(show,)) for each in queries if each.id == query for show in each.show if show.title == title
    )
    fits = _fitting(term) if term.value else bool
    found = frozenset(
        serial.digits
        for serial, value in _values(site, one, veil, _part(term) if term.value else "").items()
        if fits(value)
    )
    return Among(found) if term.value else Not(Among(found))


def _values(site: Site, query: Query, veil: Veil, part: str) -> Mapping[Serial, str]:
    """Return the one value that *query* shows, of the devices whose answers may say *part*, as everybody may see it."""
    (show,) = query.show
    answers: Mapping[Serial, Sequence[QueryAnswer]]
    if "/state/queries/" in show.xpath:  # it may look at any answer
        answers = site.answers.of_many(site.answers.answering())
    else:
        told = site.answers.holding(query.id, part if _OF_ATTRIBUTES.fullmatch(show.xpath) else "")
        answers = {serial: (answer,) for serial, answer in told.items()}
    shown = ((serial, shown_answers((query,), each)[0].values) for serial, each in answers.items())
    return {serial: veil.variable(show.title, values[0][1]) for serial, values in shown if values and values[0][1]}


def _fitting(term: HasAnswered) -> Callable[[str], bool]:
    if term.range is not None:
        return term.range.holds
    if not term.wild:
        return lambda value: fold(value) == term.value
    pattern = re.compile(fnmatch.translate(term.value.replace("[", "[[]")))
    return lambda value: pattern.match(fold(value)) is not None


def _part(term: HasAnswered) -> str:
    """Return the longest part of a value that stands in an answer as it is written here, empty if there is none."""
    return max(_PLAIN.findall(term.value), key=len, default="") if term.range is None else ""
