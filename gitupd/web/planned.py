"""Plans of a change as pages show them: in words first, then groups, then lines, each of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import escape

from gitupd.core.comparison.grouping import Footing
from gitupd.core.comparison.staying import staying_in
from gitupd.core.comparison.wording import FOOTINGS, title
from gitupd.errors import has_errors
from gitupd.service.clock import now
from gitupd.service.comparison.kept import KeptPlan, PlanFailed, PlanInProgress, Plans
from gitupd.web.context import served
from gitupd.web.language.forms import grouped
from gitupd.web.language.texts import gettext, marked, translated
from gitupd.web.revisions import readable, snapshot_of, veil, verdicts
from gitupd.web.showing import may_see_secrets, sees_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.comparison.grouping import FleetComparison, Group, Member
    from gitupd.core.concealing import Veil
    from gitupd.core.snapshot import CommitId
    from gitupd.service.comparison.kept import Plan

_MOST_VALUES = 5
_MOST_NAMES = 3
_MOST_STAYING = 30
_LONGEST_VALUE = 80
_LONGEST_LINE = 300
_TRAITS = (("model", marked("models")), ("environments", marked("environments")), ("phase", marked("phases")))
_ITSELF = "gitupd itself"
_ROW = 90  # bytes around a line in a page


@dataclass(frozen=True, slots=True)
class PlanView:
    """The plan of two commits as a page tells it.

    ``kept`` is what is shown, None while nothing is known; ``progress`` is there while it is being made, or looked at
    again, and ``failure`` says why it can't be.
    """

    base: CommitId
    head: CommitId
    kept: KeptPlan | None = None
    progress: PlanInProgress | None = None
    failure: str = ""

    @property
    def numbers(self) -> str:
        """The numbers in a line, such as ``412 devices change, 12 restart``; empty while they are not known."""
        return str(self.kept.numbers) if self.kept and not self.progress else ""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A line that goes (``-``) or comes (``+``), or the heading (``@``) of those that are from one snippet."""

    change: str
    text: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of devices with the same change: ``some`` of them, their ``traits`` in words, and lines.

    ``more`` lines are not shown. Of one that is not ``is_whole``, no lines were kept.
    """

    number: int
    title: str
    count: int
    traits: tuple[str, ...]
    some: tuple[Member, ...]
    lines: tuple[PlanLine, ...]
    more: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class StayingView:
    """A line that goes and whose effect stays: in so many ``devices``' scripts, and with which ``options`` of it."""

    text: str
    options: tuple[str, ...]
    devices: int


@dataclass(frozen=True, slots=True)
class Stays:
    """Lines that nothing takes back, ``more`` of which are not shown; of ``untold`` groups the lines are not known."""

    lines: tuple[StayingView, ...]
    more: int
    untold: int


def plan_of(base: CommitId, head: CommitId) -> PlanView:
    """Return the plan of two commits as it is known now, and have it made if it is not."""
    return _view(base, head, Plans(served().site).wanted(base, head, now()))


def plan_to(commit: CommitId) -> PlanView | None:
    """Return what *commit* would change if it were deployed, None if it can't be, or is, or nothing was before."""
    live = served().live
    if live is None or live.deployment.commit == commit or has_errors(verdicts().of(commit)):
        return None
    return plan_of(live.deployment.commit, commit)


def plan_lately(commit: CommitId) -> PlanView | None:
    """Return what *commit* would change by the last plan that was made, true or no longer; have one made if none was.

    None as for :func:`plan_to`. For pages that are renewed for hours: they have nothing made again and again.
    """
    live = served().live
    known = Plans(served().site).known(live.deployment.commit, commit) if live else None
    return plan_to(commit) if known is None else PlanView(known.base, known.head, known)


def _view(base: CommitId, head: CommitId, plan: Plan) -> PlanView:
    match plan:
        case KeptPlan():
            return PlanView(base, head, plan)
        case PlanInProgress(last=last):
            return PlanView(base, head, last, plan)
        case PlanFailed():
            return PlanView(base, head, failure=failure_of(plan))


def failure_of(plan: PlanFailed) -> str:
    """Return why a plan can't be made, as its reader may know: what is wrong with a commit may quote a secret."""
    if may_see_secrets():
        return plan.reason
    return gettext("one of the commits has errors, or can't be read; operators are told more")


def groups_of(view: PlanView) -> FleetComparison | None:
    """Return all of a plan, None if nothing of it is known."""
    return Plans(served().site).comparison(view.base, view.head) if view.kept else None


def shown(comparison: FleetComparison, first: int, count: int, room: int) -> list[GroupView]:
    """Return *count* groups of *comparison* from the one at *first* on, with lines that take *room* bytes in all."""
    hide, some = plan_veil(comparison.base, comparison.head), comparison.groups[first : first + count]
    each = room // max(len(some), 1)
    return [group_view(comparison, group, first + at + 1, hide, each) for at, group in enumerate(some)]


def plan_veil(base: CommitId, head: CommitId) -> Veil:
    """Return what hides the secrets of both commits from the reader; what is encrypted is hidden in a kept plan."""
    if sees_secrets():
        return veil()  # nothing more is hidden, so they need not be loaded
    return veil(snapshot_of(base), snapshot_of(head))


def group_view(comparison: FleetComparison, group: Group, number: int, hide: Veil, room: int) -> GroupView:
    """Return a *group* of *comparison*, the one with this *number*, as its reader may see it.

    Its lines take *room* bytes in a page at the most, but for the first one.
    """
    lines: list[PlanLine] = []
    for line in _lines(group):
        text = line.text if line.change == "@" else _cut(readable(line.text, hide.line))
        room -= _ROW + len(escape(text).encode())
        if room < 0 and lines:
            break
        lines.append(PlanLine(line.change, text))
    shown_lines = sum(line.change != "@" for line in lines)
    return GroupView(
        number,
        readable(title(comparison, group), hide.line),
        len(group.members),
        tuple(_traits(group)),
        group.members[:_MOST_NAMES],
        tuple(lines),
        group.difference.added + group.difference.removed - shown_lines,
        group.is_whole,
    )


def stays_of(view: PlanView) -> Stays | None:
    """Return what stays on devices that lose lines by a plan, None while the plan is not known."""
    comparison = groups_of(view)
    if comparison is None:
        return None
    hide, found = plan_veil(comparison.base, comparison.head), staying_in(comparison)
    some = [
        StayingView(_cut(readable(each.text, hide.line)), each.options, count) for each, count in found[:_MOST_STAYING]
    ]
    untold = sum(not group.is_whole for group in comparison.groups)
    return Stays(tuple(some), len(found) - len(some), untold)


def _lines(group: Group) -> Iterator[PlanLine]:
    place = ""
    for hunk in group.difference.hunks:
        if (hunk.path or _ITSELF) != place:
            place = hunk.path or _ITSELF
            yield PlanLine("@", place)
        yield from (PlanLine("-", line) for line in hunk.removed)
        yield from (PlanLine("+", line) for line in hunk.added)


def _traits(group: Group) -> Iterator[str]:
    for one, many in _TRAITS:
        yield gettext("%(what)s: %(counts)s", what=translated(many), counts=_counts(group.count(one)))
    footings = [(FOOTINGS[Footing(value)], number) for value, number in group.count("footing")]
    yield ", ".join(f"{grouped(number)} {translated(words)}" for words, number in footings)


def _counts(counts: tuple[tuple[str, int], ...]) -> str:
    most = _MOST_VALUES if len(counts) > _MOST_VALUES + 1 else _MOST_VALUES + 1
    told = [f"{value[:_LONGEST_VALUE] or gettext('unknown')} {grouped(number)}" for value, number in counts[:most]]
    if others := counts[most:]:
        devices = grouped(sum(number for _, number in others))
        told.append(gettext("%(number)s others %(devices)s", number=grouped(len(others)), devices=devices))
    return ", ".join(told)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
