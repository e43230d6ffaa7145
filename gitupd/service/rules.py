"""What a commit rules, in sentences, each with the place in its documents that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.config.documents import PATHS
from gitupd.config.yaml_tree import Mapping as Branch
from gitupd.config.yaml_tree import read
from gitupd.core.describing import query, sections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gitupd.config.yaml_tree import Node
    from gitupd.core.snapshot import Snapshot

    Content = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence; ``line`` is where its document says so, None where it says nothing and the default holds."""

    text: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Chapter:
    """The rules of one document; ``path`` is None if the commit has no such document."""

    title: str
    path: str | None
    rules: tuple[Rule, ...]


class Places:
    """Where in the documents of a commit something stands."""

    def __init__(self, content: Content) -> None:
        """Look into documents, whose *content* is given by path; None for those that don't exist."""
        self._content = content
        self._roots: dict[str, Node | None] = {}

    def path(self, document: str) -> str | None:
        """Return the path of the document of this schema, None if the commit has none."""
        return PATHS[document] if self._root(document) is not None else None

    def line(self, document: str, keys: Iterable[str]) -> int | None:
        """Return the line of the key that *keys* lead to, None if the document does not have it."""
        node: Node | None = self._root(document)
        line = None
        for key in keys:
            if not isinstance(node, Branch) or key not in node.entries:
                return None
            line = node.key_places[key].line
            node = node.entries[key]
        return line

    def _root(self, document: str) -> Node | None:
        if document not in self._roots:
            content = self._content(PATHS[document])
            self._roots[document] = None if content is None else read(PATHS[document], content)[0]
        return self._roots[document]


def chapters(snapshot: Snapshot, places: Places) -> tuple[Chapter, ...]:
    """Return the policies of *snapshot* in sentences, and after them what devices are asked."""
    policies = [
        Chapter(
            section.title,
            places.path(section.document),
            tuple(Rule(sentence.text, places.line(section.document, sentence.keys)) for sentence in section.sentences),
        )
        for section in sections(snapshot.policy)
    ]
    questions = tuple(
        Rule(f"{question.title}: {query(question)}", places.line("queries", ("queries", question.id)))
        for question in snapshot.policy.queries
    )
    return (
        *policies,
        Chapter("Queries", places.path("queries"), questions or (Rule("Devices are asked nothing.", None),)),
    )
