"""The documents of a configuration repository: where each lies, what it says, and where in it something stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gitupd.config.schema import conform, find, key_place, suggestion
from gitupd.config.yaml_tree import MOST_NODES, read
from gitupd.config.yaml_tree import Mapping as Branch
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gitupd.config.yaml_tree import Node

PATHS = {
    "phases": "phases.yaml",
    "environments": "environments.yaml",
    "classes": "classes.yaml",
    "queries": "queries.yaml",
    "devices": "devices.yaml",
    **{
        name: f"policies/{name}.yaml"
        for name in (
            *("delivery", "firmware", "backup", "transport", "admission", "certificates", "status", "deploy"),
            *("notify", "audit"),
        )
    },
}
"""Path by the name of the schema."""

_MOST_OF_DEVICES = 1_000_000
MOST_NAMES = {"phases": 100, "environments": 2000, "classes": 1000, "queries": 200}
"""How many things a document may name, by the name of its schema."""

PLAIN_SECRETS = ("secrets.yaml", "secrets.yml")
"""What would be encrypted, and is an error as it is."""

POLICIES = "policies/"
YAML = (".yaml", ".yml")
TESTS = "tests/"


SIGNERS = "signers/"
FOLDERS = ("snippets/", POLICIES, TESTS, "certificates/", SIGNERS)
"""The folders that gitupd reads."""

_OTHER_NAMES = {
    **dict.fromkeys(("snippet", "snipet", "snipets", "script", "scripts"), "snippets/"),
    **dict.fromkeys(("policy", "policys", "polices"), POLICIES),
    **dict.fromkeys(("test",), TESTS),
    **dict.fromkeys(("certificate", "cert", "certs"), "certificates/"),
    **dict.fromkeys(("signer", "allowed-signers", "allowed_signers"), SIGNERS),
}
"""What folders are called by mistake, or elsewhere, that hold the same."""

_DELIVERED = ("snippets/", POLICIES)
_BELONGS = {
    "snippets/": re.compile(r"[^/]+-[^/]+-[^/]+\.txt(\.j2)?(\.age)?"),
    POLICIES: re.compile("|".join(re.escape(path.removeprefix(POLICIES)) for path in PATHS.values())),
    TESTS: re.compile(r"[^/]+\.ya?ml"),
    "certificates/": re.compile(r"CAkey[^/]*", re.IGNORECASE),
    SIGNERS: re.compile(r"allowed_signers|revoked_keys|[^/]+\.asc"),
}
"""What the files in each folder are called."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document that conforms to its schema.

    An absent or empty one says nothing, and so does one that is ``broken``: nothing else may be held against it.
    """

    path: str
    said: Mapping[str, Any] = field(default_factory=dict)
    root: Node | None = None
    broken: bool = False

    def get(self, *keys: str, default: Any = None) -> Any:
        """Return what stands under *keys*, *default* if any of them is absent."""
        value: Any = self.said
        for key in keys:
            if not isinstance(value, dict) or key not in value:
                return default
            value = value[key]
        return value

    def names(self, key: str) -> Collection[str] | None:
        """Return what stands below *key*, by name; None if the document is too broken to say, or says nothing of it."""
        if not self.broken:
            names = self.get(key)
            return None if names is None else dict.fromkeys(names)
        branch = self.root.entries.get(key) if isinstance(self.root, Branch) else None
        return branch.entries.keys() if isinstance(branch, Branch) else None

    def problem(
        self, at: Iterable[str | int], message: str, hint: str = "", *, key: bool = False, warning: bool = False
    ) -> Problem:
        """Return a problem with the value at *at*, or with its *key*."""
        severity = Severity.WARNING if warning else Severity.ERROR
        if self.root is None:
            return Problem(self.path, 0, 0, message, hint, severity)
        place = key_place(self.root, list(at)) if key else find(self.root, at).place
        return Problem(self.path, place.line, place.column, message, hint, severity)


def read_document(path: str, name: str, content: bytes) -> tuple[Document, list[Problem]]:
    """Return the document at *path*, held against the schema *name*; with problems it says nothing."""
    root, problems = read(path, content, _MOST_OF_DEVICES if name == "devices" else MOST_NODES)
    if root is None:
        return Document(path, broken=bool(problems)), problems
    if too_many := _too_many(path, name, root):
        return Document(path, root=root, broken=True), [*problems, too_many]
    values, violations = conform(path, name, root)
    problems += violations
    if problems or not isinstance(values, dict):
        return Document(path, root=root, broken=True), problems
    return Document(path, values, root), problems


def _too_many(path: str, name: str, root: Node) -> Problem | None:
    """Return the problem with a document that names more things than anybody means, so that nothing gets slow."""
    most = MOST_NAMES.get(name)
    node = find(root, [name])
    if most is None or not isinstance(node, Branch) or len(node.entries) <= most:
        return None
    place = key_place(root, [name])
    message = f"{len(node.entries):,} {name}, more than {most:,}"
    return Problem(path, place.line, place.column, message, "this is hardly meant")


def read_all(files: Mapping[str, bytes]) -> tuple[dict[str, Document], list[Problem]]:
    """Return every document by the name of its schema, and all their problems, misplaced documents included."""
    documents, problems = {}, []
    for name, path in PATHS.items():
        if path in files:
            documents[name], faults = read_document(path, name, files[path])
            problems += faults
        else:
            documents[name] = Document(path)
    for path in files:
        if path.startswith(POLICIES) and path not in PATHS.values():
            policies = [other.removeprefix(POLICIES) for other in PATHS.values() if other.startswith(POLICIES)]
            problems.append(Problem(path, 0, 0, "no such policy", suggestion(path.removeprefix(POLICIES), policies)))
        elif _is_at_top(path) and path not in PATHS.values() and path not in PLAIN_SECRETS:
            at_top = [other for other in PATHS.values() if "/" not in other]
            policy = f"{POLICIES}{path}"
            hint = f"move it to {policy}" if policy in PATHS.values() else suggestion(path, at_top)
            problems.append(Problem(path, 0, 0, "not read by gitupd", hint, Severity.WARNING))
    return documents, problems


def _is_at_top(path: str) -> bool:
    """Whether the file at *path* looks like a document; what begins with a dot is of other programs."""
    return "/" not in path and path.endswith(YAML) and not path.startswith(".")


def unread_tests(files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Yield as warnings what is wrong with render tests, for no device gets anything else because of them."""
    for path, content in files.items():
        if path.startswith(TESTS) and path.endswith(YAML):
            for problem in read_document(path, "tests", content)[1]:
                yield replace(problem, severity=Severity.WARNING)


def misplaced(files: Iterable[str]) -> Iterator[Problem]:
    """Yield problems with what gitupd would read, were it called or placed otherwise: absence means the default."""
    present, reported = set(files), set()
    misspelt = filter(None, map(_misspelt, present))
    for folder, name in sorted({each for each in misspelt if not _any_below(each[1], present)}):
        severity = Severity.ERROR if name in _DELIVERED else Severity.WARNING
        yield Problem(folder, 0, 0, f"not read by gitupd, which looks for {name!r}", "rename it", severity)
    for path in sorted(present):
        if path.startswith(TESTS) and path.endswith(".yml"):
            yield Problem(path, 0, 0, "not run by gitupd test", f"call it {path.removesuffix('yml')}yaml")
        meant = _meant(path)
        where = path.partition("/")[0] + "/" if "/" in meant and path.count("/") == meant.count("/") else path
        if meant in (path, "") or where in reported:
            continue
        reported.add(where)
        if meant.lower() == path.lower():
            name = meant.partition("/")[0] + "/" if where.endswith("/") else meant
            yield Problem(where, 0, 0, f"not read by gitupd, which looks for {name!r}", "rename it: letter case counts")
        elif meant not in present and not (meant.startswith(FOLDERS[0]) and _any_below(FOLDERS[0], present)):
            yield Problem(path, 0, 0, "not read by gitupd here", f"move it to {meant}", Severity.WARNING)


def _misspelt(path: str) -> tuple[str, str] | None:
    """Return the folder of the file at *path* and what it is meant to be called, None if that is nothing of ours."""
    folder, _, name = path.partition("/")
    meant = _OTHER_NAMES.get(folder.lower())
    return (f"{folder}/", meant) if meant and _BELONGS[meant].fullmatch(name) else None


def _any_below(folder: str, paths: Iterable[str]) -> bool:
    return any(path.startswith(folder) for path in paths)


def is_meant(path: str) -> bool:
    """Whether gitupd would read the file at *path*, were it called or placed otherwise."""
    return _meant(path) != "" or _misspelt(path) is not None


def _meant(path: str) -> str:
    """Return where gitupd would read the file at *path*, empty if nowhere."""
    if path.lower() == "scripting.py":
        return "scripting.py"
    for document in PATHS.values():
        if f"/{path.lower()}".endswith(f"/{document}"):
            return document
    for folder in FOLDERS:
        before, separator, rest = f"/{path}".lower().rpartition(f"/{folder}")
        if separator and (not before or folder == FOLDERS[0]):
            return folder + path[len(path) - len(rest) :]
    return ""


def absence(files: Iterable[str], place: str = ".") -> Problem | None:
    """Return the problem with *files* that hold no document and no snippet: all would be default; None if they do."""
    if any(path in (*PATHS.values(), "scripting.py") or path.startswith((FOLDERS[0], POLICIES)) for path in files):
        return None
    looked = f"looked for {', '.join(path for path in PATHS.values() if '/' not in path)}, {POLICIES} and {FOLDERS[0]}"
    return Problem(place, 0, 0, "no document and no snippet", f"{looked}; name the folder that holds them")
