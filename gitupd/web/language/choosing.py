"""Which language somebody reads: the one they have chosen, else the first that their browser asks for and we have."""

from __future__ import annotations

from flask import Flask, Response, g, has_request_context, request

from gitupd.language.languages import IN_PROGRESS, LANGUAGES, SOURCE
from gitupd.language.reader import Reader
from gitupd.web.clock import zone
from gitupd.web.problem import for_programs


def install(app: Flask) -> None:
    """Have the pages of *app* say which language they are in."""
    app.jinja_env.globals.update(language=language)
    app.after_request(_told)


def choose(chosen: str | None) -> None:
    """Answer the request at hand in the language that somebody has *chosen*, None if they left it to their browser."""
    g.chosen_language = chosen if chosen in LANGUAGES else None


def chosen_language() -> str | None:
    """Return the language that whoever asks has chosen, None if they left it to their browser."""
    chosen: str | None = g.get("chosen_language")
    return chosen


def language() -> str:
    """Return the language of the answer at hand, such as ``de``; the source's for programs, and without a request."""
    if not has_request_context() or for_programs():
        return SOURCE
    return chosen_language() or by_browser()


def reader() -> Reader:
    """Return who reads the answer at hand: in which language, by which clock."""
    return Reader(language(), zone())


def by_browser() -> str:
    """Return the language that the browser at hand asks for, the source's if we have none that it knows."""
    offered = [each for each in LANGUAGES if each not in IN_PROGRESS]
    # Werkzeug's best_match() takes de before en-GB where a browser asks for en-GB first.
    for asked, quality in request.accept_languages:
        name = asked.partition("-")[0].lower()
        if quality and name in offered:
            return name
    return SOURCE


def _told(response: Response) -> Response:
    """Say which language a page is in, and what that depends on."""
    if response.mimetype == "text/html" and not for_programs():
        response.headers.setdefault("Content-Language", language())
        response.vary.add("Accept-Language")
        response.vary.add("Cookie")
    return response
