"""What completes a search for devices while somebody types it."""

from __future__ import annotations

from flask import Response, json

from gitupd.service.listing.completing import completions, keys
from gitupd.web.context import served
from gitupd.web.language.sentences import retold
from gitupd.web.language.texts import translated
from gitupd.web.pages.links import pair
from gitupd.web.pages.listing import policy

_DEPLOYMENTS = 20
_LONGEST = 100
"""Nobody types more than so many characters of a value, and devices may say any number of them."""


def words() -> Response:
    """Return all keys and words of a search, each with what it means: some thousand at the most."""
    site = served().site
    found = completions(policy(), site.fleet.kinds(), site.deployments.latest(_DEPLOYMENTS))
    told = [
        (pair(each.key, each.value) if each.key else each.value, retold(each.note))
        for each in found
        if len(each.value) <= _LONGEST
    ]
    return Response(
        json.dumps({"keys": [(key, translated(note)) for key, note in keys()], "words": told}),
        content_type="application/json",
    )
