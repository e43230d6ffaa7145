"""Whether an account is of somebody who made a commit."""

from __future__ import annotations

import pytest

from gitupd.core.deployments.authorship import has_made
from gitupd.core.deployments.record import Makers

_ADA = "Ada Lovelace <ada.lovelace+git@example.org>"


@pytest.mark.parametrize(
    ("account", "makers", "is_own"),
    [
        ("ada.lovelace", Makers(_ADA), True),
        ("Ada-Lovelace", Makers("", _ADA), True),
        ("ada.lovelace+git@example.org", Makers(_ADA), True),
        ("adalovelace@buero", Makers(_ADA), True),
        ("ada", Makers(_ADA), False),
        ("ada", Makers("Ada <>"), True),
        ("ada", Makers("x <ada@example.org"), True),
        ("bob", Makers(_ADA, "GitHub <noreply@github.com>", "bob"), True),
        ("bob@buero", Makers(_ADA, "", "bob"), True),
        ("bob", Makers(_ADA), False),
        ("bob", Makers("(no author)", " <> ", ""), False),
        ("", Makers("", "", ""), False),
        ("", Makers(" <@>", "<>", " "), False),
    ],
)
def test_names_are_compared_as_people_write_them(account: str, makers: Makers, *, is_own: bool) -> None:
    assert has_made(account, [Makers("Eve <eve@example.org>"), makers]) is is_own


def test_nobody_has_made_nothing() -> None:
    assert not has_made("ada", [])
