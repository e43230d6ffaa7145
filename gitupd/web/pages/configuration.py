"""The page that says what the rule is: what a commit rules, in words, and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from gitupd.core.names import fold
from gitupd.errors import UnreadableRepository
from gitupd.service.rules import Places, chapters
from gitupd.service.upstream.telling import followed
from gitupd.web.context import served
from gitupd.web.pages import paging
from gitupd.web.pages.links import LINES_OF_A_PAGE, file_place, pair
from gitupd.web.revisions import chosen, describe, hiding_in, offers, readable, resolve, snapshot_of, veil
from gitupd.web.showing import sees_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.concealing import Veil
    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.policy import Environment
    from gitupd.core.snapshot import CommitId, Snapshot, Snippet

bp = Blueprint("configuration", __name__)
bp.add_app_template_global(file_place)

_LARGEST_FILE = 512 * 2**10
_LAST_PAGE = 1_000
_SIZES = (100, 200)
_LONGEST_FILTER = 200
_MOST_ENVIRONMENTS = 300


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """An environment as the page shows it: where it is defined, and how many devices are in it."""

    environment: Environment
    line: int | None
    variables: tuple[tuple[str, str], ...]
    devices: int
    search: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of a commit, and the page of its ``lines`` that is shown; these are None if it is no text or too large."""

    path: str
    size: int
    lines: tuple[str, ...] | None
    paging: paging.Paging
    changed: CommitInfo | None


@bp.get("/configuration")
def index() -> tuple[str, int]:
    """Show what a commit rules."""
    revision = chosen()
    snapshot, commit = revision.snapshot, revision.commit
    page = render_template(
        "configuration.html",
        revision=revision,
        live=served().live,
        info=describe(commit).get(commit) if commit else None,
        offers=offers(),
        upstream=followed(served().site, served().live),
        scripting=served().site.settings.scripting,
        **(_contents(snapshot) if snapshot else {}),
    )
    return page, 404 if revision.fault and commit is None else 200


def _contents(snapshot: Snapshot) -> dict[str, object]:
    policy = snapshot.policy
    places = Places(lambda path: _content(snapshot.commit, path))
    query = request.args.get("q", "").strip()[:_LONGEST_FILTER]
    matches = [each for each in snapshot.snippets if _fits(each, query)]
    page, size = paging.asked(request.args, _SIZES)
    pages = paging.Paging(min(page, max(1, -(-len(matches) // size))), size, len(matches))
    return {
        "policy": policy,
        "snapshot": snapshot,
        "phases": [(name, places.line("phases", ("phases", name))) for name in policy.phases],
        "environments": list(_places(list(policy.environments.values())[:_MOST_ENVIRONMENTS], places, veil(snapshot))),
        "classes": [(each, places.line("classes", ("classes", each.name))) for each in policy.classes],
        "chapters": chapters(snapshot, places),
        "query": query,
        "snippets": matches[pages.first - 1 : pages.last],
        "paging": pages,
    }


def _content(commit: CommitId, path: str) -> bytes | None:
    """Return a document, None also if it can't be read: only what lines its rules are in is missing then."""
    try:
        with served().site.open_config() as repository:
            return repository.file(commit, path)
    except UnreadableRepository:
        return None


def _fits(snippet: Snippet, query: str) -> bool:
    return all(word in snippet.path.lower() for word in fold(query).split())


def _places(environments: Iterable[Environment], places: Places, hide: Veil) -> Iterator[EnvironmentRow]:
    counts = {share.value: share.count for share in served().fleet().summary().environments}
    for each in environments:
        yield EnvironmentRow(
            each,
            places.line("environments", ("environments", each.name)),
            tuple((name, hide.variable(name, value)) for name, value in each.variables.items()),
            counts.get(each.name, 0),
            pair("env", each.name),
        )


@bp.get("/configuration/file/<path:path>")
def file(path: str) -> str:
    """Show a file of a commit, each line under its number."""
    live = served().live
    rev = request.args.get("rev", "").strip()
    if not rev and live is None:
        abort(404)
    try:
        commit = resolve(rev) if rev or live is None else live.deployment.commit
    except UnreadableRepository:
        abort(404)
    shown = _file(commit, path, paging.number(request.args.get("page"), 1, _LAST_PAGE))
    if shown is None or shown.paging.page > shown.paging.pages:
        abort(404)
    return render_template(
        "file.html",
        file=shown,
        commit=commit,
        is_live=live is not None and live.deployment.commit == commit,
        info=describe(commit).get(commit),
    )


def _file(commit: CommitId, path: str, page: int) -> File | None:
    with served().site.open_config() as repository:
        size = repository.size(commit, path)
        if size is None:
            return None
        content = repository.file(commit, path) if size <= _LARGEST_FILE else None
        changed = repository.last_changes(commit, [path]).get(path)
    text = None if content is None else as_text(content)
    if text is None:
        return File(path, size, None, paging.Paging(page, LINES_OF_A_PAGE, 0), changed)
    lines = text.splitlines()
    pages = paging.Paging(page, LINES_OF_A_PAGE, len(lines))
    sees = sees_secrets()
    hides = hiding_in(path, veil() if sees else veil(snapshot_of(commit)))
    visible = tuple(readable(line, hides) for line in lines[pages.first - 1 : pages.last])
    return File(path, size, visible, pages, changed)


def as_text(content: bytes) -> str | None:
    """Return *content* as text, None if it is none."""
    if b"\0" in content:
        return None
    return content.decode(errors="replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
