"""The values that a shell is offered, by their kind: what a site and a repository have of them.

Nothing is offered where that can't be found out at once, and nobody is told why: who types wants no message then.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from gitupd.cli.completion.configuration import configured_environments, configured_phases, recipients_listed
from gitupd.cli.completion.places import folder_meant, repository_in, site_meant
from gitupd.cli.completion.unfinished import MOST, UnfinishedWord
from gitupd.settings import read_settings
from gitupd.store.glances import repository as git
from gitupd.store.glances import values as stored
from gitupd.store.places import CONFIG, TRUST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import click

    from gitupd.cli.completion.kinds import ValueKind
    from gitupd.store.glances.database import Glance
    from gitupd.store.glances.values import Found

_SECONDS = 1.0  # of what is looked up; whoever types has given up by then
_LONGEST = 100
_HALF = MOST // 2
_HEXADECIMAL = frozenset("0123456789abcdef")
_FEWEST_DIGITS = 3


def offered(kind: ValueKind, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return the values of *kind* that begin with *incomplete*, each with a few words; none if anything goes wrong."""
    head, comma, start = incomplete.rpartition(",") if kind.many else ("", "", incomplete)
    try:
        with _in_time(), UnfinishedWord(ctx, start) as asked:
            closed = _beginning([(value, "") for value in kind.closed], start)
            found = closed if kind.closed else _FINDERS[kind.name](asked)
            return [*_items(found, start, f"{head}{comma}"), *_folders(kind, ctx, start)]
    except Exception:  # noqa: BLE001 - whatever it is, the shell shows it in the middle of the line that is typed
        return []


@contextmanager
def _in_time() -> Iterator[None]:
    """End the process without a word if the block takes too long: a database or a disk far away may be stuck."""
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _folders(kind: ValueKind, ctx: click.Context, start: str) -> Iterator[CompletionItem[str]]:
    """Yield what has a shell offer folders, where one may stand in front of revisions."""
    if kind.name == "path-or-revision" and not ctx.params.get("arguments"):
        yield CompletionItem(start, type="dir")


def _items(found: Iterable[Found], start: str, head: str) -> Iterator[CompletionItem[str]]:
    """Yield what a shell can offer of what was *found*, each value once, and :data:`MOST` of them at the most.

    A value that would be taken for an option, or holds what can't be typed, is left out; so are backslashes, which
    each shell takes in its own way. What is typed begins with a dash only behind --, where nothing is an option.
    """
    told = dict[str, str]()
    for value, words in found:
        if f"{head}{value}".isprintable() and value and (value[0] != "-" or start[:1] == "-") and "\\" not in value:
            told.setdefault(value, " ".join("".join(each if each.isprintable() else " " for each in words).split()))
    for value, words in list(told.items())[:MOST]:
        yield CompletionItem(f"{head}{value}", help=words[:_LONGEST] or None)


def _beginning(found: Iterable[Found], start: str) -> Iterator[Found]:
    """Yield those of what was *found* that begin so, whatever the letter case."""
    return (each for each in found if each[0].lower().startswith(start.lower()))


# Devices


def _serials(asked: UnfinishedWord, find: Callable[[Glance, str], Iterable[Found]] = stored.serials) -> list[Found]:
    """Return serial numbers, their pairs separated as in what is typed: by dashes, by colons, or not at all."""
    typed = asked.start.lower()
    digits = typed.replace("-", "").replace(":", "")
    if not _HEXADECIMAL.issuperset(digits):
        return []
    separator = ":" if ":" in typed else "" if len(typed) >= _FEWEST_DIGITS and "-" not in typed else "-"
    return [(_separated(serial, separator), words) for serial, words in find(asked.database, digits)]


def _separated(digits: str, separator: str = "-") -> str:
    return separator.join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _names(asked: UnfinishedWord) -> list[Found]:
    return [(name, _separated(serial)) for name, serial in stored.names(asked.database, asked.start)]


def _addresses(asked: UnfinishedWord) -> list[Found]:
    return stored.addresses(asked.database, asked.start)


def _devices(asked: UnfinishedWord, find: Callable[[Glance, str], Iterable[Found]] = stored.serials) -> list[Found]:
    """Return serial numbers and names, half of each where there are too many; addresses only where one is begun."""
    serials, names = _serials(asked, find), _names(asked)
    addresses = _addresses(asked) if asked.start else []
    return [*serials[: max(_HALF, MOST - len(names))], *names, *addresses]


def _kept_devices(asked: UnfinishedWord) -> list[Found]:
    return _devices(asked, stored.kept_serials)


def _subjects(asked: UnfinishedWord) -> list[Found]:
    return [*stored.people(asked.database, asked.start), *_serials(asked)]


def _filter_words(asked: UnfinishedWord) -> Iterable[Found]:
    from gitupd.cli.completion.filters import filter_words  # noqa: PLC0415 - searches know much

    return filter_words(asked)


def _models(asked: UnfinishedWord) -> Iterable[Found]:
    """Yield types that devices of the site have, then all that are built in, as they are written in capitals."""
    from gitupd.config.builtin import BUILTIN  # noqa: PLC0415 - few ask for it

    yield from asked.of_site(lambda database: stored.own_values(database, "model", asked.start))
    models = {model.upper() for models in BUILTIN.classes.values() for model in models}
    yield from _beginning([(model, "") for model in sorted(models)], asked.start)


def _phases(asked: UnfinishedWord) -> Iterable[Found]:
    yield from _beginning([(name, "") for name in configured_phases(asked.ctx)], asked.start)
    yield from asked.of_site(lambda database: stored.own_values(database, "phase", asked.start))


def _environments(asked: UnfinishedWord) -> Iterable[Found]:
    yield from _beginning([(name, "") for name in configured_environments(asked.ctx)], asked.start)
    yield from asked.of_site(lambda database: stored.listed_values(database, "environments", asked.start))


def _builds(asked: UnfinishedWord) -> Iterable[Found]:
    """Yield builds that the site has files of, then those that its devices run."""
    folder = site_meant(asked.ctx) / "firmware"
    if folder.is_dir():
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
        yield from _beginning([(name, "") for name in names], asked.start)
    yield from asked.of_site(lambda database: stored.own_values(database, "firmware", asked.start))


# Backups


def _versions(asked: UnfinishedWord) -> Iterable[Found]:
    """Yield versions of the device that another argument names, or of another one, as DEVICE@REV."""
    if "@" in asked.start:
        return _device_versions(asked)
    device = str(asked.ctx.params.get("device") or "")
    latest = _beginning([("latest", "")], asked.start)
    return [*stored.versions(asked.database, _digits(asked, device), asked.start.lower()), *latest]


def _device_versions(asked: UnfinishedWord) -> Iterable[Found]:
    device, at, revision = asked.start.rpartition("@")
    if not at:
        return [each for each in _kept_devices(asked) if "@" not in each[0]]
    found = stored.versions(asked.database, _digits(asked, device), revision.lower())
    return [(f"{device}@{commit}", words) for commit, words in found]


def _digits(asked: UnfinishedWord, device: str) -> str:
    """Return the digits of the serial number that *device* is, or of the one device that is called so; else nothing."""
    digits = device.replace("-", "").replace(":", "").lower()
    if _HEXADECIMAL.issuperset(digits):
        return digits
    called = [serial for name, serial in stored.names(asked.database, device) if name.lower() == device.lower()]
    return called[0] if len(called) == 1 else ""


# Revisions


def _revisions(asked: UnfinishedWord) -> Iterable[Found]:
    """Yield branches and tags of the site's repository, the deployed commit, then the latest ones."""
    repository = site_meant(asked.ctx) / CONFIG
    yield from _beginning(git.branches_and_tags(repository), asked.start)
    yield from asked.of_site(lambda database: _beginning(stored.live_commit(database), asked.start))
    yield from _beginning(git.latest_commits(repository), asked.start)


def _revisions_here(asked: UnfinishedWord) -> Iterable[Found]:
    repository = repository_in(folder_meant(asked.ctx))
    if repository is not None:
        yield from _beginning(git.branches_and_tags(repository), asked.start)
        yield from asked.of_site(lambda database: _beginning(stored.live_commit(database), asked.start))
        yield from _beginning(git.latest_commits(repository), asked.start)


def _commits(find: Callable[..., Iterable[Found]]) -> Callable[[UnfinishedWord], Iterable[Found]]:
    return lambda asked: _beginning(find(asked.database), asked.start)


# What else is at a site


def _stored(find: Callable[..., Iterable[Found]]) -> Callable[[UnfinishedWord], Iterable[Found]]:
    return lambda asked: find(asked.database, asked.start)


def _recipients(asked: UnfinishedWord) -> Iterable[Found]:
    listed = read_settings(site_meant(asked.ctx)).notify.to
    return _beginning([(name, ", ".join(to.channels)) for name, to in listed.items()], asked.start)


def _trusted(asked: UnfinishedWord) -> Iterable[Found]:
    names = sorted(path.name for path in (site_meant(asked.ctx) / TRUST).iterdir() if path.name[0] != ".")
    return _beginning([(name, "") for name in names], asked.start)


def _schemas(asked: UnfinishedWord) -> Iterable[Found]:
    from gitupd.resources import schema_names  # noqa: PLC0415 - few ask for it

    return _beginning([(name, "") for name in schema_names()], asked.start)


_FINDERS: Mapping[str, Callable[[UnfinishedWord], Iterable[Found]]] = {
    "device": _devices,
    "serial": _serials,
    "kept-device": _kept_devices,
    "name": _names,
    "address": _addresses,
    "filter": _filter_words,
    "environment": _environments,
    "phase": _phases,
    "model": _models,
    "build": _builds,
    "version": _versions,
    "device-and-version": _device_versions,
    "revision": _revisions,
    "revision-here": _revisions_here,
    "path-or-revision": _revisions_here,
    "deployed": _commits(stored.deployed),
    "blocked": _commits(stored.blocked),
    "refused": _commits(stored.refused),
    "person": _stored(stored.people),
    "subject": _subjects,
    "shared-search": _stored(stored.shared_searches),
    "token": _stored(stored.tokens),
    "code": _stored(stored.open_codes),
    "certificate": _stored(stored.certificate_numbers),
    "recipient": _recipients,
    "key": lambda asked: _beginning([(key, "") for key in recipients_listed(asked.ctx)], asked.start),
    "trusted": _trusted,
    "schema": _schemas,
}

KINDS = frozenset(_FINDERS)
"""What values are looked up of; kinds with closed values besides have any name."""
