"""What is said of a push, by what it moves and what is in that; the hooks themselves are tried in tests/cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.signed_commits import Work, keyring

from gitupd.core.deployments.pushed import PushedRef
from gitupd.core.snapshot import CommitId
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.pushing.examining import MOST_OTHERS, PushVerdict, _Examination, examine_push
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = dict(template_files())
MORE = {**GOOD, "snippets/update-all-default.txt": b"config add MORE /is better\n"}
BAD = {**GOOD, "phases.yaml": b"phases: [\n"}
FAILING = {
    **GOOD,
    "tests/more.yaml": b"tests:\n  - name: more\n    device: {type: IP222}\n    contains: [config add LESS]\n",
}
LIVE = {**GOOD, "policies/deploy.yaml": b"branch: live\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[ConfigRepository]:
    with ConfigRepository.create(tmp_path / "config.git") as repository:
        repository.commit_files(GOOD, "first", "Tess <t@localhost>")
        yield repository


def made(repository: ConfigRepository, files: dict[str, bytes], branch: str = "work") -> CommitId:
    """Return a commit of *files*, which is nowhere but on *branch*."""
    return repository.commit_files(files, "made", "Tess <t@localhost>", branch)


def verdicts(repository: ConfigRepository, *refs: PushedRef, reason: str = "") -> list[PushVerdict]:
    return examine_push(repository.path, refs, now(), reason=reason)


def follows(repository: ConfigRepository, files: dict[str, bytes]) -> CommitId:
    """Return a commit of *files* on top of what is on main, without main at it."""
    before = repository.head("main")
    commit = repository.commit_files(files, "next", "Tess <t@localhost>")
    (repository.path / "refs/heads/main").write_text(f"{before}\n")
    return commit


@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        (MORE, None),
        (BAD, "its configuration has errors"),
        (FAILING, "1 render test of it fails: tests/more.yaml: more"),
        ({"README": b"nothing\n"}, "its configuration has errors"),
    ],
)
def test_the_followed_branch_takes_what_could_be_deployed(
    repository: ConfigRepository, files: dict[str, bytes], refusal: str | None
) -> None:
    head = repository.head("main")
    (verdict,) = verdicts(repository, PushedRef("refs/heads/main", head, follows(repository, files)))
    assert verdict.refusal == refusal


@pytest.mark.parametrize("files", [BAD, FAILING])
def test_of_another_branch_the_same_is_told(repository: ConfigRepository, files: dict[str, bytes]) -> None:
    (verdict,) = verdicts(repository, PushedRef("refs/heads/work", None, made(repository, files)))
    assert verdict.refusal is None
    assert verdict.problems or verdict.failures


def test_a_branch_that_the_configuration_names_is_followed_before_and_after(repository: ConfigRepository) -> None:
    main = repository.head("main")
    names = follows(repository, LIVE)
    # To follow another branch protects that one, and does not free the one that is followed.
    bad = made(repository, {**LIVE, "phases.yaml": b"phases: [\n"})
    assert verdicts(repository, PushedRef("refs/heads/main", main, bad))[0].refusal
    (repository.path / "refs/heads/main").write_text(f"{names}\n")
    assert verdicts(repository, PushedRef("refs/heads/live", None, made(repository, BAD)))[0].refusal
    assert verdicts(repository, PushedRef("refs/heads/main", names, made(repository, BAD)))[0].refusal
    assert verdicts(repository, PushedRef("refs/heads/else", None, made(repository, BAD)))[0].refusal is None


def test_the_followed_branch_is_not_rewound_without_a_reason(repository: ConfigRepository) -> None:
    first = repository.head("main")
    second = repository.commit_files(MORE, "second", "Tess <t@localhost>")
    back, aside = PushedRef("refs/heads/main", second, first), made(repository, MORE)
    for ref in (back, PushedRef("refs/heads/main", second, aside)):
        (verdict,) = verdicts(repository, ref)
        assert "-o force-with-reason=" in (verdict.refusal or "")
        assert verdicts(repository, ref, reason="it was a mistake")[0].refusal is None
    assert verdicts(repository, PushedRef("refs/heads/main", first, second))[0].refusal is None
    assert verdicts(repository, PushedRef("refs/heads/main", second, None), reason="x")[0].refusal
    bad = PushedRef("refs/heads/main", second, made(repository, BAD))
    assert verdicts(repository, bad, reason="x")[0].refusal == "its configuration has errors"


def test_tags_and_branches_that_go_are_nobodys_business(repository: ConfigRepository) -> None:
    bad = made(repository, BAD)
    refs = [PushedRef("refs/tags/main", None, bad), PushedRef("refs/heads/work", bad, None)]
    assert verdicts(repository, *refs) == []


def test_each_of_several_is_looked_at_and_of_many_others_some(repository: ConfigRepository) -> None:
    head, bad, more = repository.head("main"), made(repository, BAD), follows(repository, MORE)
    many = [PushedRef(f"refs/heads/work/{number}", None, bad) for number in range(100)]
    told = verdicts(repository, *many, PushedRef("refs/heads/main", head, more))
    assert [verdict.ref.branch for verdict in told] == [*(f"work/{number}" for number in range(MOST_OTHERS)), "main"]
    assert verdicts(repository, *many, PushedRef("refs/heads/main", head, bad))[-1].refusal


def test_of_many_others_no_more_commits_are_read(repository: ConfigRepository) -> None:
    commits = [made(repository, {"README": b"%d" % number}) for number in range(MOST_OTHERS + 10)]
    examination = _Examination(repository, now(), "", may_force=True, upstream=None)
    refs = [PushedRef(f"refs/heads/{number}", None, commit) for number, commit in enumerate(commits)]
    assert len(list(examination.verdicts(refs))) == MOST_OTHERS
    assert len(examination._known) == MOST_OTHERS


def test_the_first_push_of_all_is_looked_at(tmp_path: Path) -> None:
    with ConfigRepository.create(tmp_path / "config.git", "trunk") as repository:
        bad = made(repository, BAD, "elsewhere")
        assert verdicts(repository, PushedRef("refs/heads/trunk", None, bad))[0].refusal
        assert verdicts(repository, PushedRef("refs/heads/idea", None, bad))[0].refusal is None


def test_where_what_is_deployed_requires_it_the_followed_branch_takes_signed_commits_only(tmp_path: Path) -> None:
    with keyring() as keys:
        vera, work = keys.ssh("vera"), Work.at(tmp_path / "work")
        signers = {"signers/allowed_signers": f"vera@example.com {vera.line}\n".encode()}
        work.write({**GOOD, **signers, "policies/deploy.yaml": b"require_signatures: true\n"})
        first = work.commit(None)
        signed = work.commit(vera)
        bad = work.commit(None)
        last = work.commit(vera)
        with ConfigRepository(work.path) as repository:
            refused = f"commit {bad[:12]} 'change' is not signed"

            def refusal(old: CommitId | None, new: CommitId, branch: str = "main", reason: str = "") -> str | None:
                ref = PushedRef(f"refs/heads/{branch}", old, new)
                return verdicts(repository, ref, reason=reason)[0].refusal

            assert refusal(first, signed) is None
            assert refusal(first, last) == refused
            assert refusal(first, last, reason="the key is lost") is None
            assert refusal(None, last, "work") is None
            # What was deployed with a word on the server is no matter any more.
            assert refusal(bad, last) is None
            repository.keep([first])
            assert refusal(bad, last) == refused
            repository.keep([bad])
            assert refusal(first, last) is None


def test_what_is_no_commit_is_refused_wherever_it_is_to_be(repository: ConfigRepository) -> None:
    head = repository.head("main")
    nothing = CommitId("12" * 20)
    others = [PushedRef("refs/heads/main", head, nothing), PushedRef("refs/heads/idea", None, nothing)]
    told = verdicts(repository, *others, PushedRef("refs/heads/more", None, made(repository, MORE)))
    assert [(verdict.ref.branch, "can't be read as a commit" in (verdict.refusal or "")) for verdict in told] == [
        ("main", True),
        ("idea", True),
        ("more", False),
    ]
