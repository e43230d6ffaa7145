"""Words of searches for devices: serial numbers and names, states, and ``key:value``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitupd.core.backups.overdue import Overdue
from gitupd.core.certificates.standing import WORDS as CERTIFICATES
from gitupd.core.deployments.convergence import WORDS as PARTS
from gitupd.core.search import DRIFTS, KEYS, STATES, THINGS
from gitupd.store.glances import values as stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gitupd.cli.completion.unfinished import UnfinishedWord
    from gitupd.store.glances.database import Glance
    from gitupd.store.glances.values import Found

_BEGUN = re.compile(r"(?P<head>-?(?P<key>[A-Za-z]+):(?:[^\s\"]*,)?)(?P<start>[^\s\",]*)")
_PLAIN = re.compile(r"[^\s\",*?:]+")

_CLOSED: Mapping[str, Iterable[str]] = {
    "state": STATES,
    "has": THINGS,
    "certificate": CERTIFICATES,
    "backup": [reason.value for reason in Overdue],
    "deployment": PARTS,
    "drift": DRIFTS,
}
_LOOKED_UP: Mapping[str, Callable[[Glance, str], Iterable[Found]]] = {
    "sn": stored.serials,
    "name": stored.names,
    "address": stored.addresses,
    "type": lambda database, start: stored.own_values(database, "model", start),
    "phase": lambda database, start: stored.own_values(database, "phase", start),
    "firmware": lambda database, start: stored.own_values(database, "firmware", start),
    "bootcode": lambda database, start: stored.own_values(database, "bootcode", start),
    "class": lambda database, start: stored.listed_values(database, "classes", start),
    "env": lambda database, start: stored.listed_values(database, "environments", start),
    **dict.fromkeys(
        ("commit", "sent", "runs", "never"),
        lambda database, _: [*stored.live_commit(database), *stored.deployed(database)],
    ),
}


def filter_words(asked: UnfinishedWord) -> list[Found]:
    """Return words that begin with what is typed; behind a key and a colon, its values."""
    if begun := _BEGUN.fullmatch(asked.start):
        return [
            (f"{begun['head']}{value}", words) for value, words in _of_key(asked, begun["key"].lower(), begun["start"])
        ]
    minus, start = ("-", asked.start[1:]) if asked.start.startswith("-") else ("", asked.start)
    words = [(state, "state") for state in STATES] + [(f"{key}:", "") for key in KEYS]
    devices = asked.of_site(lambda database: [*stored.serials(database, start.lower()), *stored.names(database, start)])
    plain = [(value, told) for value, told in devices if _PLAIN.fullmatch(value)] if start else []
    return [(f"{minus}{word}", told) for word, told in (*words, *plain) if word.lower().startswith(start.lower())]


def _of_key(asked: UnfinishedWord, key: str, start: str) -> list[Found]:
    if key in _CLOSED:
        found: Iterable[Found] = [(value, "") for value in _CLOSED[key]]
    elif key in _LOOKED_UP:
        found = _LOOKED_UP[key](asked.database, start)
    else:
        found = []
    return [each for each in found if _PLAIN.fullmatch(each[0]) and each[0].lower().startswith(start.lower())]
