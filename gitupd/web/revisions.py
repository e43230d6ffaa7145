"""Commits as pages name them: which one an address means, what it says, and what of it the reader may see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import current_app, request

from gitupd.config.builtin import BUILTIN
from gitupd.config.patterns import compiled
from gitupd.core.concealing import Veil, sealed_in
from gitupd.errors import GitupdError, InvalidConfiguration, UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments.concerns import concerns
from gitupd.service.deployments.objections import left_out
from gitupd.service.deployments.signatures import signatures
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.showing import may_see_secrets, sees_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.signature import SignatureVerdict
    from gitupd.core.script import Script
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.errors import Problem
    from gitupd.service.scripting.computing import Computing
    from gitupd.store.git.repository import ConfigRepository

LONGEST = 200
_LONGEST_LINE = 4_000
_LONGEST_SHOWN = 60
_QUOTED = 30
"""So many letters of a value are in each message that quotes it, if it has as many."""
_OFFERED = 20
_VERDICTS = "gitupd.verdicts"
_BUILTIN_PATTERNS = tuple(map(compiled, BUILTIN.secret_patterns))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an address names by ``rev``, empty for what is deployed.

    ``commit`` is None if there is no such commit, which ``fault`` tells; ``snapshot`` is None if it has errors, which
    are among ``problems``.
    """

    rev: str
    commit: CommitId | None
    snapshot: Snapshot | None
    fault: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether this is what is deployed."""
        live = served().live
        return live is not None and live.deployment.commit == self.commit


@dataclass(frozen=True, slots=True)
class Offer:
    """A revision to choose: what to enter, and what it is."""

    rev: str
    title: str


def resolve(rev: str) -> CommitId:
    """Return the commit that *rev* names; raises UnreadableRepository with words for the one who entered it."""
    live = served().live
    if live is not None and rev == live.deployment.commit:
        return live.deployment.commit
    if len(rev) > LONGEST:
        raise UnreadableRepository(gettext("no commit has a name of more than %(number)s characters", number=LONGEST))
    with served().site.open_config() as repository:
        try:
            return repository.resolve(rev)
        except UnreadableRepository as error:
            name = repr(rev if len(rev) <= _LONGEST_SHOWN else f"{rev[:_LONGEST_SHOWN]}…")
            raise UnreadableRepository(gettext("there is no branch, tag or commit %(name)s", name=name)) from error


def chosen() -> Chosen:
    """Return what the address at hand names as its ``rev``."""
    rev = request.args.get("rev", "").strip()
    live = served().live
    if not rev:
        return Chosen("", None, None) if live is None else Chosen("", live.deployment.commit, live.snapshot)
    try:
        commit = resolve(rev)
        snapshot = snapshot_of(commit)
        return Chosen(rev, commit, snapshot) if snapshot else _faulty(rev, commit)
    except GitupdError as error:
        return Chosen(rev, None, None, in_words(error))


def _faulty(rev: str, commit: CommitId) -> Chosen:
    return Chosen(
        rev, commit, None, gettext("this commit has errors"), readable_problems(verdicts().of(commit), commit)
    )


def snapshot_of(commit: CommitId) -> Snapshot | None:
    """Return what *commit* says, None if it has errors; raises UnreadableRepository if it can't be read."""
    live = served().live
    if live is not None and live.deployment.commit == commit:
        return live.snapshot
    if verdicts().errors(commit):
        return None  # found out before, so it need not be read once more
    try:
        return served().snapshots.of(commit)
    except InvalidConfiguration:
        verdicts().of(commit)
        return None


def veil(*snapshots: Snapshot | None) -> Veil:
    """Return what hides secrets from who asks: what any of *snapshots*, or the deployed commit, calls secret.

    A snapshot is None for a commit with errors, of which nobody can say what in it is secret.
    """
    live = served().live
    relevant = [each for each in (*snapshots, live.snapshot if live else None) if each is not None]
    if sees_secrets():
        return Veil(lifted=True, sealed=sealed_in(relevant))
    hide = Veil.over(relevant) if relevant else Veil(_BUILTIN_PATTERNS)
    return replace(hide, blind=None in snapshots)


def hiding_in(path: str, hide: Veil) -> Callable[[str], str]:
    """Return what hides secrets in the lines of the file at *path*."""
    return hide.document if path.endswith((".yaml", ".yml")) else hide.source


def veil_for(script: Script | None) -> Veil:
    """Return what hides secrets in *script*: its commit may have others than the deployed one."""
    if script is None or not script.lines or sees_secrets():
        return veil()
    return veil(snapshot_of(script.commit))


def readable(line: str, hide: Callable[[str], str]) -> str:
    """Return *line* with what *hide* hides, shortened if it is longer than anybody reads."""
    # Hidden before it is cut, that no half of a secret is left; but not in all of it, for patterns may be slow.
    text = hide(line[: 2 * _LONGEST_LINE])
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"


def verdicts() -> Verdicts:
    """Return what is known to be wrong with commits."""
    kept: Verdicts = current_app.extensions.setdefault(_VERDICTS, Verdicts(served().site))
    return kept


def worries(commit: CommitId, told: Container[str] = ()) -> tuple[Problem, ...]:
    """Return what *commit* would mean for the devices of this site, were it deployed; nothing if it has errors.

    What is on a subject that was *told* already is left out.
    """
    snapshot, site = snapshot_of(commit), served().site
    if snapshot is None:
        return ()
    live = site.deployments.live()
    with site.open_config() as repository:
        lost = left_out(repository, commit, live.commit) if live and repository.has(commit) else ()
    return (*lost, *concerns(site, snapshot, told))


def signatures_of(repository: ConfigRepository, commits: Iterable[CommitInfo]) -> Mapping[CommitId, SignatureVerdict]:
    """Return who has signed *commits*, by id; those of which there is nothing to be said are left out."""
    live = served().live
    return signatures(repository, commits, live.snapshot if live else None, now())


def readable_problems(problems: tuple[Problem, ...], commit: CommitId) -> tuple[Problem, ...]:
    """Return what is wrong with *commit*, for viewers without what is quoted of lines that hold secrets."""
    if not problems or may_see_secrets():
        return problems
    hide = veil(snapshot_of(commit))
    paths = {each.path for each in problems if each.line}
    with served().site.open_config() as repository:
        files = {path: repository.file(commit, path) or b"" for path in paths}
    lines = {path: content.decode(errors="replace").split("\n") for path, content in files.items()}
    return tuple(_readable_problem(each, lines.get(each.path, []), hide) for each in problems)


def _readable_problem(problem: Problem, lines: list[str], hide: Veil) -> Problem:
    line = "".join(lines[problem.line - 1 : problem.line])[:_LONGEST_LINE] if problem.line else ""
    seen = hiding_in(problem.path, hide)(line)
    if seen == line or (hide.blind and hide.source(line) == line and not _quotes(problem.message, line)):
        return problem
    return replace(problem, message=gettext("a line with a secret, of which operators are told more"), hint="")


def _quotes(message: str, line: str) -> bool:
    """Whether *message* tells what is in *line* beyond the key at its beginning."""
    value = line.rpartition(": ")[2].strip(" -'\"")
    # Messages quote no more than the beginning of what is long, and as ``repr`` writes it.
    words = (written[:_QUOTED] for word in (value, *value.split()) for written in (word, repr(word)[1:-1]))
    return len(value) > 1 and any(word in message for word in words)


def computing_for(snapshot: Snapshot) -> Computing | None:
    """Return what runs the commit's own code for somebody who asks, None if it is to be left out.

    Only code that somebody has deployed is run. Where none is, that is what devices get, and so it is shown.
    """
    site = served().site
    if site.settings.scripting and not site.deployments.was_deployed(snapshot.commit):
        return None
    return served().computing


def offers() -> list[Offer]:
    """Return revisions to choose from: branches, and the latest commits of the one that is deployed from."""
    live = served().live
    try:
        with served().site.open_config() as repository:
            branches = repository.branches()
            branch = live.snapshot.policy.deploy.branch if live else "main"
            head = branches.get(branch)
            recent = repository.between(None, head, _OFFERED) if head else []
    except UnreadableRepository:
        return []  # they are a convenience, and what can't be read is told where it is needed
    named = [Offer(name, gettext("branch, at %(commit)s", commit=head[:8])) for name, head in branches.items()]
    return [*named, *(Offer(each.id[:12], each.subject) for each in recent)]


def describe(*commits: CommitId | None) -> dict[CommitId, CommitInfo]:
    """Return what *commits* say of themselves, as far as they can be read."""
    described: dict[CommitId, CommitInfo] = {}
    try:
        with served().site.open_config() as repository:
            for commit in dict.fromkeys(filter(None, commits)):
                try:
                    described[commit] = repository.describe(commit)
                except UnreadableRepository:
                    continue  # a list must come even if some of its commits are gone
    except UnreadableRepository:
        return described
    return described
