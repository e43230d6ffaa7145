"""Whether somebody who approves a commit has made it.

A commit says who made it, an account says who approves it, and neither knows the other. They are taken for one person
if the name of the account is the e-mail address, what is in front of its @, or the name that the commit has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.deployments.record import Makers

_PERSON = re.compile(r"(?P<name>[^<]*)(<(?P<address>[^>]*)>?)?.*", re.DOTALL)
_BETWEEN_WORDS = re.compile(r"[\s._-]+")


def has_made(account: str, makers: Iterable[Makers]) -> bool:
    """Whether *account*, a name to log in or ``user@host`` of the command line, is of one of *makers*."""
    own = _of_account(account)
    return any(
        own & (_of_commit(each.author) | _of_commit(each.committer) | _of_account(each.pusher)) for each in makers
    )


def _of_account(account: str) -> frozenset[str]:
    name = account.strip().casefold()
    return frozenset(filter(None, (name, _joined(name), _joined(name.partition("@")[0]))))


def _of_commit(person: str) -> frozenset[str]:
    found = _PERSON.fullmatch(person.casefold())
    name, address = (found["name"] or "", (found["address"] or "").strip()) if found else ("", "")
    local = address.partition("@")[0].partition("+")[0]
    return frozenset(filter(None, (address, _joined(local), _joined(name))))


def _joined(words: str) -> str:
    return _BETWEEN_WORDS.sub("", words.strip())
