"""The page of a commit: who changed what, and the difference it makes to the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from gitupd.core.deployments.convergence import Holding
from gitupd.core.deployments.objection import way_on
from gitupd.core.deployments.record import OPEN_STATES
from gitupd.core.deployments.state import CommitState
from gitupd.core.differing import spans
from gitupd.errors import UnreadableRepository, has_errors
from gitupd.service.clock import now
from gitupd.web.context import served
from gitupd.web.language.texts import gettext, ngettext
from gitupd.web.pages.configuration import as_text
from gitupd.web.pages.seen import may_approve, may_deploy
from gitupd.web.planned import groups_of, plan_to, shown
from gitupd.web.revisions import (
    hiding_in,
    readable,
    readable_problems,
    resolve,
    signatures_of,
    snapshot_of,
    veil,
    verdicts,
    worries,
)
from gitupd.web.showing import sees_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitupd.core.concealing import Veil
    from gitupd.core.deployments.commit import FileChange, FileSide
    from gitupd.core.snapshot import CommitId

bp = Blueprint("commits", __name__)

_MOST_FILES = 200
_MOST_LINES = 1_200
_MOST_COMPARED = 8_000
_MOST_COMPARED_IN_ALL = 24_000
_CONTEXT = 3
_MOST_GROUPS = 5
_ROOM_FOR_PLAN = 30_000  # bytes for its lines


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference; ``number`` is where the file has it after the change, before it for removed ones.

    ``change`` is ``+``, ``-``, empty for a line that stays, and ``@`` for a heading.
    """

    text: str
    change: str
    number: int


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a commit changes in one file; ``kind`` is added, removed or changed, ``note`` why no lines are shown."""

    path: str
    kind: str
    added: int
    removed: int
    lines: tuple[DiffLine, ...]
    note: str = ""


@bp.get("/commits/<path:rev>")
def show(rev: str) -> str:
    """Show a commit, held against its first parent or the commit that the address names as ``against``."""
    against = request.args.get("against", "").strip()
    try:
        commit = resolve(rev)
        base = resolve(against) if against else None
    except UnreadableRepository:
        abort(404)
    with served().site.open_config() as repository:
        text = repository.text(commit)
        base = base or (text.parents[0] if text.parents else None)
        changes = repository.changes(base, commit, _MOST_FILES + 1)
        signature = signatures_of(repository, [text.info]).get(commit)
    live, problems = served().live, verdicts().of(commit)
    plan = plan_to(commit)
    comparison = groups_of(plan) if plan else None
    is_live = live is not None and live.deployment.commit == commit
    record, approvals = served().site.commits.of(commit), served().site.approvals.of(commit)
    is_next = record is not None and record.state in OPEN_STATES | {CommitState.BLOCKED, CommitState.REFUSED}
    objections = verdicts().objections(commit, now()) if is_next and not is_live and not has_errors(problems) else ()
    return render_template(
        "commit.html",
        text=text,
        signature=signature,
        base=base,
        compared=bool(against),
        diffs=diffs(changes[:_MOST_FILES], _veil(commit, base)),
        more=len(changes) > _MOST_FILES,
        most_files=_MOST_FILES,
        is_live=is_live,
        record=record,
        approvals=approvals,
        objections=objections,
        ways=list(dict.fromkeys(filter(None, (*(each.cure for each in objections), way_on(objections, commit))))),
        may_approve=may_approve(commit, objections),
        may_deploy=may_deploy(commit, objections),
        holding=served().measures().holding().get(commit, Holding()),
        was_deployed=served().site.deployments.was_deployed(commit),
        block=served().site.deployments.block(commit),
        problems=readable_problems(problems, commit),
        worries=() if is_live or has_errors(problems) else worries(commit, {each.subject for each in objections}),
        faulty=has_errors(problems),
        plan=plan,
        groups=shown(comparison, 0, _MOST_GROUPS, _ROOM_FOR_PLAN) if comparison else (),
        group_count=len(comparison.groups) if comparison else 0,
    )


def _veil(*commits: CommitId | None) -> Veil:
    if sees_secrets():
        return veil()  # nothing is hidden, so they need not be loaded
    return veil(*(snapshot_of(commit) for commit in commits if commit))


def diffs(changes: list[FileChange], hide: Veil) -> list[FileDiff]:
    """Return *changes* line by line, with no more lines in all than a page can show."""
    left, comparable = _MOST_LINES, _MOST_COMPARED_IN_ALL
    differences = []
    for change in changes:
        difference = _diff(change, hide, left, min(comparable, _MOST_COMPARED))
        left -= len(difference.lines)
        comparable -= _length(change) if difference.lines else 0
        differences.append(difference)
    return differences


def _length(change: FileChange) -> int:
    return sum(len(_lines(side) or ()) for side in (change.before, change.after))


def _diff(change: FileChange, hide: Veil, most: int, comparable: int) -> FileDiff:
    kind = "added" if change.before is None else "removed" if change.after is None else "changed"
    before, after = _lines(change.before), _lines(change.after)
    if before is None or after is None:
        size = max(side.size for side in (change.before, change.after) if side)
        return FileDiff(change.path, kind, 0, 0, (), _unshown(size))
    if len(before) + len(after) > comparable:
        return FileDiff(change.path, kind, 0, 0, (), _uncompared(len(before) + len(after)))
    lines = list(_numbered(before, after))
    added, removed = (sum(line.change == sign for line in lines) for sign in "+-")
    hides = hiding_in(change.path, hide)
    shown = tuple(_readable(line, hides) for line in lines[:most])
    note = "" if len(shown) == len(lines) else _more(len(lines) - len(shown))
    return FileDiff(change.path, kind, added, removed, shown, note)


def _unshown(size: int) -> str:
    return ngettext(
        "%(number)s bytes, not shown: no text, or too large", "%(number)s bytes, not shown: no text, or too large", size
    )


def _uncompared(lines: int) -> str:
    return ngettext("%(number)s lines, not compared here", "%(number)s lines, not compared here", lines)


def _more(lines: int) -> str:
    return ngettext("%(number)s more lines are not shown", "%(number)s more lines are not shown", lines)


def _readable(line: DiffLine, hides: Callable[[str], str]) -> DiffLine:
    return line if line.change == "@" else replace(line, text=readable(line.text, hides))


def _lines(side: FileSide | None) -> list[str] | None:
    """Return the lines of one side, none where there is no file; None if they can't be shown."""
    if side is None:
        return []
    text = None if side.content is None else as_text(side.content)
    return None if text is None else text.splitlines()


def _numbered(before: list[str], after: list[str]) -> Iterator[DiffLine]:
    """Yield the lines that differ with some equal ones around them, each such place below a heading."""
    lines = list(_compared(before, after))
    near = sorted({at for number, line in enumerate(lines) if line.change for at in _around(number, len(lines))})
    last, reached, new = -2, 0, 1
    for number in near:
        if number != last + 1:
            new += sum(line.change != "-" for line in lines[reached:number])
            reached = number
            yield DiffLine(gettext("from line %(number)s", number=new), "@", 0)
        yield lines[number]
        last = number


def _around(number: int, end: int) -> range:
    return range(max(0, number - _CONTEXT), min(end, number + _CONTEXT + 1))


def _compared(before: list[str], after: list[str]) -> Iterator[DiffLine]:
    for span in spans(before, after):
        if not span.same:
            yield from (DiffLine(before[at], "-", at + 1) for at in range(span.start, span.end))
        sign = "" if span.same else "+"
        yield from (DiffLine(after[at], sign, at + 1) for at in range(span.other_start, span.other_end))
