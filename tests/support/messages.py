"""The texts of the pages, as they stand in the source, and the catalogues that translate them.

    python tests/support/messages.py

brings the catalogues up to date: new texts come in without a translation, those that are gone leave, the others stay. A
text whose English changed is a new one. Catalogues name no places in the source, so that moving
code changes none of them.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

import gitupd.web
from gitupd.config.schema import as_hint
from gitupd.language.catalogues import TRANSLATIONS, catalogue_file
from gitupd.language.languages import LANGUAGES, SOURCE
from gitupd.resources import schema, schema_names

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(gitupd.web.__file__).parent
_SPEAKING = (PACKAGE, TRANSLATIONS.parent)
KEYWORDS = ("gettext", "_", "marked", "ngettext", "plural", "pgettext", "counted")
"""Functions whose texts are for catalogues."""

Text = tuple[str | tuple[str, str], str | None]
"""A text, or its forms for one and for many; and the context that it means something else in."""


def texts() -> set[Text]:
    """Return all texts that the pages say."""
    found: set[Text] = set()
    for path in sorted((PACKAGE / "templates").rglob("*.html")):
        found.update(in_template(path.read_text("utf-8")))
    for path in sorted(path for folder in _SPEAKING for path in folder.rglob("*.py")):
        found.update(in_code(path.read_bytes()))
    found.update(in_schemas())
    return found


def in_schemas() -> Iterator[Text]:
    """Yield what schemas say of values, as it is told of those that they do not allow."""
    for name in schema_names():
        for description in _descriptions(schema(name)):
            yield as_hint(description), None


def _descriptions(rules: Any) -> Iterator[str]:
    match rules:
        case dict():
            if isinstance(description := rules.get("description"), str):
                yield description
            for each in rules.values():
                yield from _descriptions(each)
        case list():
            for each in rules:
                yield from _descriptions(each)


def in_template(source: str) -> Iterator[Text]:
    """Yield the texts of a template, the nouns of the filter ``counted`` among them."""
    options = {"trimmed": "true", "silent": "false"}
    for _, function, said, _ in babel_extract(BytesIO(source.encode()), KEYWORDS, (), options):
        yield from _text(function, said)
    for counted in Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source).find_all(nodes.Filter):
        if counted.name == "counted" and all(isinstance(each, nodes.Const) for each in counted.args):
            yield from _text("counted", ("", *(each.as_const() for each in counted.args)))


def in_code(source: bytes) -> Iterator[Text]:
    """Yield the texts of a module."""
    for _, function, said, _ in extract_python(BytesIO(source), KEYWORDS, (), {}):
        yield from _text(function, said)


def _text(function: str | None, said: Any) -> Iterator[Text]:
    given = said if isinstance(said, tuple) else (said,)
    match function, given:
        case "counted", (_, str(one)):
            yield (one, one + "s"), None
        case ("counted", (_, str(one), str(many))) | (("ngettext" | "plural"), (str(one), str(many), *_)):
            yield (one, many), None
        case "pgettext", (str(context), str(text), *_):
            yield text, context
        case (("gettext" | "_" | "marked"), (str(text), *_)):
            yield text, None


def catalogue(language: str) -> Catalog:
    """Return the catalogue of *language* as it is kept."""
    with catalogue_file(language).open("rb") as file:
        return read_po(file, locale=language)


def renewed(language: str) -> bytes:
    """Return the catalogue of *language* with just the texts that are in the source now."""
    old = catalogue(language)
    new = Catalog(locale=language, project="gitupd", charset="utf-8", fuzzy=False)
    new.header_comment = old.header_comment
    found = texts()
    both = {(text[0], context) for text, context in found if isinstance(text, tuple)}
    for text, context in found:
        if (text, context) in both:
            continue  # the form for one of a text that has others, too
        known = old.get(text[0] if isinstance(text, tuple) else text, context)
        kept = known.string if known and isinstance(known.id, tuple) == isinstance(text, tuple) else None
        new.add(text, kept, context=context)
    return written(new)


def written(catalog: Catalog) -> bytes:
    """Return *catalog* as a file, its texts in alphabetical order."""
    target = BytesIO()
    write_po(target, catalog, width=120, no_location=True, omit_header=True, sort_output=True)
    return _HEADER.encode() + target.getvalue()


_HEADER = """\
# What pages say in German. Forms: "Sie", imperatives as infinitives. Words: docs/reference/german.md.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: de\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def main() -> None:
    """Write the catalogues anew, and tell how many texts they lack."""
    for language in sorted(LANGUAGES.keys() - {SOURCE}):
        path: Path = catalogue_file(language)
        path.write_bytes(renewed(language))
        messages = [each for each in catalogue(language) if each.id]
        lacking = [each for each in messages if not all(_forms(each.string))]
        print(f"{path.name}: {len(messages)} texts, {len(lacking)} without a translation")


def _forms(string: str | tuple[str, ...]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else string


if __name__ == "__main__":
    main()
