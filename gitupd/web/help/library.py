"""All documents of the documentation that came with this version: where they are, and what is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING

from gitupd.resources import docs_folder
from gitupd.web.help.dividing import HelpSection, Manual, divided
from gitupd.web.help.rendering import PREFIX, listing, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markupsafe import Markup

MAP = "index"
"""The document that lists all others."""
GLOSSARY = "reference/glossary"

_LISTED = re.compile(r"^\* \[([^\]]+)\]\(([\w/-]+)\.md\)", re.MULTILINE)
_FILES = (".conf", ".cfg", ".yaml", ".json", "Caddyfile")
_MOST_WORDS, _LONGEST_QUERY = 8, 200
_AROUND = 80
"""Characters that are quoted before what was found, and twice as many behind it."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Documents of a kind, as the map lists them: their names and titles."""

    title: str
    documents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Extract:
    """What a search has found: a heading of a document, and ``quote``, what it says there."""

    document: str
    title: str
    heading: str
    url: str
    quote: str


@dataclass(frozen=True)
class Library:
    """The documents by name, and other files of the documentation by path."""

    documents: Mapping[str, Manual]
    files: Mapping[str, str]
    _pages: dict[tuple[str, int], Markup] = field(default_factory=dict, repr=False)

    @cached_property
    def shelves(self) -> tuple[Shelf, ...]:
        """The documents by kind, in the order of the map."""
        found = ((piece.title, _LISTED.findall(piece.text)) for piece in self.documents[MAP].pieces)
        return tuple(
            Shelf(title, tuple((name, shown) for shown, name in listed if name in self.documents))
            for title, listed in found
            if listed
        )

    def shelf_of(self, name: str) -> str:
        """Return the title of the shelf that a document is on, empty for none."""
        return next((each.title for each in self.shelves if any(name == listed for listed, _ in each.documents)), "")

    def url(self, name: str, anchor: str = "") -> str | None:
        """Return the address of a document's part with a heading; None if there is no such document."""
        document = self.documents.get(name)
        if document is None:
            return None
        part = document.part_of.get(anchor, 1)
        page = "/help" if name == MAP else f"/help/{name}"
        return f"{page}{f'?part={part}' if part > 1 else ''}{f'#{PREFIX}{anchor}' if anchor else ''}"

    def page(self, name: str, part: int) -> Markup:
        """Return a part of a document as HTML; it is rendered once. Raises KeyError if there is no such document."""
        if (name, part) not in self._pages:
            document = self.documents[name]
            pieces = [piece for piece in document.pieces if piece.part == part]
            self._pages[name, part] = rendered(pieces, name, self._place)
        return self._pages[name, part]

    def file(self, path: str) -> Markup:
        """Return a file that documents refer to as HTML; raises KeyError if there is none."""
        return listing(self.files[path])

    def _place(self, path: str, anchor: str) -> str | None:
        if path.endswith(".md"):
            return self.url(path.removesuffix(".md"), anchor)
        return f"/help/{path}" if path in self.files else None

    def search(self, query: str, limit: int) -> list[Extract]:
        """Return up to *limit* passages in which all words of *query* are, those first that have them in a heading."""
        words = query[:_LONGEST_QUERY].casefold().split()[:_MOST_WORDS]
        if not words:
            return []
        ranked = sorted(self._ranked(words), key=lambda each: each[0])
        return [self._passage(document, piece, words) for _, document, piece in ranked[:limit]]

    def _ranked(self, words: list[str]) -> Iterator[tuple[tuple[int, int, int], Manual, HelpSection]]:
        for number, (document, piece, heading, text) in enumerate(self._index):
            missing = [word for word in words if word not in heading]
            if any(word not in text for word in missing):
                continue
            title = document.title.casefold()
            explains = not missing or document.name == GLOSSARY
            rank = 0 if piece.level == 1 and not missing else 1 if explains else 2
            yield (rank, document.name.startswith("decisions/"), number - sum(map(title.count, words))), document, piece

    @cached_property
    def _index(self) -> list[tuple[Manual, HelpSection, str, str]]:
        """All pieces with their headings and their words as they are compared, but for the map."""
        return [
            (document, piece, piece.title.casefold(), piece.words.casefold())
            for name, document in self.documents.items()
            if name != MAP
            for piece in document.pieces
        ]

    def _passage(self, document: Manual, piece: HelpSection, words: list[str]) -> Extract:
        text = piece.words
        at = max(min((place for word in words if (place := text.lower().find(word)) >= 0), default=0) - _AROUND, 0)
        quote = text[at : at + 3 * _AROUND]
        more = ("… " if at else "", " …" if at + 3 * _AROUND < len(text) else "")
        url = self.url(document.name, "" if piece.level == 1 else piece.anchor) or ""
        return Extract(document.name, document.title, piece.title, url, f"{more[0]}{quote.strip()}{more[1]}")


@cache
def library() -> Library:
    """Return the documentation of this version, as it was when it was first asked for."""
    folder = docs_folder()
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    texts = {name.removesuffix(".md"): path.read_text("utf-8") for name, path in named.items() if name.endswith(".md")}
    files = {name: path.read_text("utf-8") for name, path in named.items() if name.endswith(_FILES)}
    return Library({name: divided(name, text) for name, text in texts.items()}, files)
