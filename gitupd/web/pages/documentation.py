"""The documentation of this very version, as pages of help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from gitupd.web.help.library import MAP, library
from gitupd.web.language.texts import gettext
from gitupd.web.layout import error_page
from gitupd.web.pages.paging import number

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("help", __name__)

_MOST_PASSAGES = 20


@bp.get("/help")
def index() -> str:
    """Show which documents there are, or what a search finds in them."""
    query = request.args.get("q", "").strip()
    passages = library().search(query, _MOST_PASSAGES)
    return render_template("help/index.html", shelves=library().shelves, query=query, passages=passages)


@bp.get("/help/<path:name>")
def show(name: str) -> ResponseReturnValue:
    """Show a part of a document, or a file that documents refer to."""
    books = library()
    if name in books.files:
        return render_template("help/file.html", name=name, content=books.file(name))
    document = books.documents.get(name)
    part = number(request.args.get("part"), 1, 10_000)
    if document is None or name == MAP or part > document.parts:
        what = gettext("This version has no such page of help.")
        abort(error_page(404, gettext("No such help"), what, gettext("Look for it on the page Help.")))
    return render_template(
        "help/document.html",
        document=document,
        shelf=books.shelf_of(name),
        shelves=books.shelves,
        part=part,
        content=books.page(name, part),
        contents=[
            (piece, books.url(name, piece.anchor))
            for piece in document.pieces
            if piece.level == 2  # noqa: PLR2004 - below the title
        ],
    )
