"""Files of a configuration repository become a snapshot, or every problem at once."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.config import policies, structure
from gitupd.config.chain import read_chain
from gitupd.config.documents import absence, misplaced, read_all, unread_tests
from gitupd.config.lint import lint_snippets, unreachable
from gitupd.config.sealed import doubtful, exposed, read_secrets
from gitupd.config.sense import unfit
from gitupd.config.signers import read_signers, signer_problems
from gitupd.config.snippets import read_snippets
from gitupd.config.variables import undefined
from gitupd.core.policy import Policy
from gitupd.core.snapshot import CommitId, Snapshot
from gitupd.errors import InvalidConfiguration, Problem, has_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.config.documents import Document
    from gitupd.core.secrets.sealed import Opener

SCRIPTING = "scripting.py"
NOT_COMMITTED = CommitId("0" * 40)
"""Stands for the commit of files that are not, or not yet, in a commit."""


def load(files: Mapping[str, bytes], commit: CommitId = NOT_COMMITTED, opener: Opener | None = None) -> Snapshot:
    """Return the snapshot that *files* make; raises InvalidConfiguration with all problems if there is an error.

    What snippets say is not looked through, and computed lines are not parsed: that takes long and much memory, and
    :func:`build` does it before a commit is deployed. What is encrypted is opened by *opener*, None where there is no
    key. What can't be opened is no error here, so that devices are served which have nothing to do with it.
    """
    documents, problems = read_all(files)
    snapshot = _read(documents, files, commit, problems, (opener, []))
    if has_errors(problems):
        raise InvalidConfiguration(problems)
    return snapshot


def build(
    files: Mapping[str, bytes], commit: CommitId = NOT_COMMITTED, opener: Opener | None = None
) -> tuple[Snapshot, tuple[Problem, ...]]:
    """Return the snapshot that *files* make and all that is wrong with them, warnings included, in order of place.

    With an error among the problems (:func:`~gitupd.errors.has_errors`), the snapshot is what could be read, and fit
    for nothing but to be looked at. What *opener* can't open is an error.
    """
    documents, problems = read_all(files)
    snapshot = _read(documents, files, commit, problems, (opener, problems))
    problems += [*exposed(files), *doubtful(files, snapshot)]
    nothing = absence(files)
    problems += [*misplaced(files), *unread_tests(files), *([nothing] if nothing else [])]
    if snapshot.scripting is not None:
        problems += _check_scripting(snapshot.scripting)
    problems += lint_snippets(snapshot.snippets)
    if not (documents["environments"].broken or documents["devices"].broken):
        problems += undefined(snapshot)
    if not has_errors(problems):
        problems += unreachable(snapshot)
    problems += unfit(snapshot, documents, files)
    problems += signer_problems(files, required=snapshot.policy.deploy.require_signatures)
    return snapshot, tuple(sorted(problems))


def _read(
    documents: Mapping[str, Document],
    files: Mapping[str, bytes],
    commit: CommitId,
    problems: list[Problem],
    opening: tuple[Opener | None, list[Problem]],
) -> Snapshot:
    """Return what *files* say; *opening* has what opens those that are encrypted, and where it goes if that fails."""
    opener, closed = opening
    environments = structure.environments(documents["environments"], problems)
    classes = structure.classes(documents["classes"], problems)
    phases = structure.phases(documents["phases"], problems)
    names = structure.names(documents, phases, environments, classes)
    policy = _policy(documents, files, structure.Conditions(names), problems)
    policy = replace(policy, phases=phases, environments=environments, classes=classes)
    snippets = read_snippets(files, names, problems, opener, closed)
    secrets = read_secrets(files, opener, names.environments, closed)
    devices = structure.devices(documents["devices"], names.environments, names.phases, problems)
    chain = read_chain(files, policy.certificates.chain) if policy.certificates.enabled else ()
    return Snapshot(
        commit, policy, snippets, devices, chain, files.get(SCRIPTING), secrets, signers=read_signers(files)
    )


def _policy(
    documents: Mapping[str, Document],
    files: Mapping[str, bytes],
    conditions: structure.Conditions,
    problems: list[Problem],
) -> Policy:
    """Return what the documents say, phases, environments and classes aside."""
    return Policy(
        queries=structure.queries(documents["queries"], conditions, problems),
        queries_url=documents["queries"].get("upload_url", default=Policy().queries_url),
        full_expansion=documents["environments"].get("expansion", default="full") == "full",
        delivery=policies.delivery(documents["delivery"]),
        firmware=policies.firmware(documents["firmware"], conditions, problems),
        backup=policies.backup(documents["backup"], problems),
        transport=policies.transport(documents["transport"], problems),
        admission=policies.admission(documents["admission"], problems),
        certificates=policies.certificates(documents["certificates"], files, conditions, problems),
        status=policies.status(documents["status"]),
        audit=policies.audit(documents["audit"], problems),
        deploy=policies.deploy(documents["deploy"], problems),
        notify=policies.notify(documents["notify"]),
    )


def _check_scripting(source: bytes) -> list[Problem]:
    """Return what keeps the computed lines from being loaded; the code is parsed, never run."""
    try:
        tree = ast.parse(source.decode(), SCRIPTING)
    except UnicodeDecodeError as error:
        return [Problem(SCRIPTING, source.count(b"\n", 0, error.start) + 1, 0, "not UTF-8", "save the file as UTF-8")]
    except SyntaxError as error:
        return [Problem(SCRIPTING, error.lineno or 0, error.offset or 0, f"not Python: {error.msg}")]
    except (ValueError, RecursionError, MemoryError) as error:
        return [Problem(SCRIPTING, 0, 0, f"not Python: {str(error) or 'nested too deeply'}")]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if len(classes) != 1:
        hint = "define one class with pre(device), post(device) or standard(device)"
        return [Problem(SCRIPTING, 0, 0, f"{len(classes)} classes, where one is expected", hint)]
    hooks = {"pre", "post", "standard"}
    if not hooks & {node.name for node in classes[0].body if isinstance(node, ast.FunctionDef)}:
        line = classes[0].lineno
        return [Problem(SCRIPTING, line, 1, f"class {classes[0].name} has none of {', '.join(sorted(hooks))}")]
    return []
