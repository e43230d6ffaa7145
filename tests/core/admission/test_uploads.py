from __future__ import annotations

import pytest

from gitupd.core.admission.uploads import Wanted, unasked

WANTED = (Wanted("X509/REQUEST", "request"), Wanted("X509/REQUESTERROR"))


@pytest.mark.parametrize(("variable", "file"), [("X509/REQUEST", "request"), ("X509/REQUESTERROR", None)])
def test_what_a_device_was_asked_for_is_taken(variable: str, file: str | None) -> None:
    assert unasked(WANTED, variable, file) is None


@pytest.mark.parametrize(
    ("variable", "file"),
    [
        ("X509/REQUEST", None),
        ("X509/REQUEST", "../../request"),
        ("x509/request", "request"),
        ("X509/REQUESTERROR", "request"),
        ("CMD0/PASSWORD", None),
    ],
)
def test_nothing_else_is_taken_whatever_it_is_called(variable: str, file: str | None) -> None:
    assert unasked(WANTED, variable, file) == "the server did not ask this device for that variable"
    assert unasked((), variable, file) is not None


@pytest.mark.parametrize("variable", [None, ""])
def test_a_variable_has_a_name(variable: str | None) -> None:
    assert unasked(WANTED, variable, None) == "an upload of a variable needs its name"
