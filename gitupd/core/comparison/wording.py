"""Differences between two commits in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, assert_never

from gitupd.core.comparison.consequences import (
    CertificateDemanded,
    CertificateRolledOut,
    EveryPoll,
    ExecutedAgain,
    Failing,
    GetsNothing,
    HttpsDemanded,
    InOtherPhase,
    LetIn,
    Loads,
    LoadsNoMore,
    LosesMost,
    MovesOn,
    NotExecuted,
    OnceOnly,
    OnlyWithin,
    PollsOtherwise,
    Restarts,
    ShutOut,
)
from gitupd.core.comparison.grouping import Footing
from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.comparison.consequences import Consequence
    from gitupd.core.comparison.difference import ScriptDifference
    from gitupd.core.comparison.grouping import FleetComparison, Group

FOOTINGS = {
    Footing.OUTSIDE: "not let in",
    Footing.FRESH: "with an update URL that is yet to be completed",
    Footing.STAGING: "in a phase before the last",
    Footing.EXECUTED: "up to date",
    Footing.BEHIND: "yet to execute what the first commit says",
}
"""How devices stand to what is compared."""

_WHY = {"firmware": "for the new build", "variables": "for the sake of vars create", "command": "as its script says"}


def told(consequence: Consequence, number: int = 1, *, brief: bool = False) -> str:
    """Return what *consequence* means, such as ``restarts when idle``, for so many devices; *brief* without details."""
    one, many, rest = _words(consequence, brief=brief)
    return f"{one if number == 1 else many} {rest}".rstrip()


def _words(consequence: Consequence, *, brief: bool) -> tuple[str, str, str]:  # noqa: C901, PLR0911, PLR0912 - a row each
    """Return the verb for one device and for many, and what follows it."""
    match consequence:
        case ShutOut():
            return "is", "are", "no longer let in"
        case LetIn():
            return "is", "are", "let in"
        case HttpsDemanded(port):
            return "is", "are", f"sent to HTTPS on port {port}"
        case CertificateDemanded():
            return "lacks", "lack", "the client certificate that is required"
        case CertificateRolledOut():
            return "is", "are", "to be given a certificate"
        case Failing(reason):
            return "gets", "get", "nothing, for a failure" if brief else f"nothing: {reason}"
        case GetsNothing():
            return "gets", "get", "nothing any more"
        case LosesMost(before, after):
            lost = "most commands" if brief else f"most commands: {after:,} of {before:,} are left"
            return "loses", "lose", lost
        case InOtherPhase(before, after):
            return "counts", "count", f"as in phase {after}, and not {before}"
        case MovesOn(before, after):
            return "goes", "go", _moving(before, after)
        case Loads(what, before, after, present):
            from_ = "" if brief else f" (now {before or 'an unknown one'})"
            return "loads", "load", f"{what} {after}{from_}{', which is not on this server' * (present is False)}"
        case LoadsNoMore(what, build):
            return "does", "do", f"not load {what} {build} any more"
        case ExecutedAgain():
            return "executes", "execute", "everything again"
        case NotExecuted():
            return "has", "have", "nothing to execute, after exactly this was executed before"
        case Restarts(why):
            return "restarts", "restart", "" if brief else f"when idle, {_WHY[why]}"
        case EveryPoll():
            return "executes", "execute", "everything at every poll"
        case OnceOnly():
            return "executes", "execute", "everything once, and no longer at every poll"
        case OnlyWithin("never"):
            return "waits", "wait", "for ever, for the time window has no hour"
        case OnlyWithin(hours):
            return "waits", "wait", f"until it is {hours} by the device's clock"
        case PollsOtherwise():
            return "is", "are", "told another address or pace for the next polls"
        case _:
            assert_never(consequence)


def _moving(before: str | None, after: str | None) -> str:
    if after is None:
        return f"on to phase {before} no more"
    return f"on to phase {after}" if before is None else f"on to phase {after}, and not to {before}"


def changes(difference: ScriptDifference) -> str:
    """Return how many lines change, such as ``2 lines more, 1 line less``."""
    parts = [
        f"{counted(number, 'line')} {word}"
        for number, word in ((difference.added, "more"), (difference.removed, "less"))
        if number
    ]
    return ", ".join(parts) or "no line else"


def noun(comparison: FleetComparison, number: int) -> str:
    """Return *number* with what is counted: devices, or combinations that stand for them."""
    return counted(number, "imagined device" if comparison.imagined else "device")


def title(comparison: FleetComparison, group: Group) -> str:
    """Return what changes for a group, as a line."""
    number = len(group.members)
    parts = [told(each, number).strip() for each in group.difference.consequences]
    parts.insert(0, f"{'gets' if number == 1 else 'get'} {changes(group.difference)}")
    return f"{noun(comparison, number)}: {'; '.join(parts)}"


def summary(comparison: FleetComparison) -> str:
    """Return all of it in a sentence or two."""
    total, changed = comparison.total, comparison.changed
    whom = noun(comparison, total)
    if not changed:
        return f"Nothing changes for any of {whom}." if total else "There is no device that anything could change for."
    what = list(_totals(comparison)) or ["nothing follows from it beyond that"]
    verb = "gets" if changed == 1 else "get"
    return f"{changed:,} of {whom} {verb} something else: {', '.join(what)}."


def _totals(comparison: FleetComparison) -> Iterator[str]:
    """Yield how many devices each consequence has, in the order in which the kinds are told."""
    totals: Counter[Consequence] = Counter()
    texts: dict[str, list[Consequence]] = {}
    for group in comparison.groups:
        for consequence in group.difference.consequences:
            totals[consequence] += len(group.members)
    for consequence in totals:
        texts.setdefault(told(consequence, 2, brief=True), []).append(consequence)
    for some in sorted(texts.values(), key=lambda some: _ORDER.index(type(some[0]))):
        number = sum(totals[each] for each in some)
        yield f"{number:,} {told(some[0], number, brief=True)}".strip()


_ORDER = (
    *(ShutOut, LetIn, GetsNothing, LosesMost, Failing, ExecutedAgain, EveryPoll, OnceOnly, NotExecuted, Loads),
    *(LoadsNoMore, Restarts, InOtherPhase, MovesOn, HttpsDemanded, CertificateDemanded, CertificateRolledOut),
    *(OnlyWithin, PollsOtherwise),
)
"""What a reader wants to know first."""


def remarks(comparison: FleetComparison) -> Iterator[str]:
    """Yield what is to be known of the devices that were compared, in sentences."""
    if comparison.imagined:
        yield (
            "No fleet was given, so these devices are imagined: one for each combination of model, environment and"
            " phase, which has executed what the first commit says."
        )
    yield from (f"{remark}." for remark in comparison.remarks)
    if number := comparison.skipped.silent:
        yield f"Of {counted(number, 'device')} it is not known what they say, for they never polled."
    if number := comparison.skipped.malformed:
        yield f"{counted(number, 'device')} polled as no device does, and were left out."
