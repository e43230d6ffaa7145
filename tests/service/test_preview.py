"""What a device would get, for devices that may not exist, but in phases and environments that do."""

from __future__ import annotations

import pytest
from gitupd.service.preview import Facts, Preview

from gitupd.config.loader import load
from gitupd.errors import GitupdError
from gitupd.resources import template_files
from gitupd.service.clock import now


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (Facts("IP222", "00-90-33-30-00-af", phase="updat"), "unknown phase 'updat'; did you mean 'update'?"),
        (
            Facts("IP222", "00-90-33-30-00-af", environments="default,homeofice"),
            "unknown environment 'homeofice'; did you mean 'homeoffice'?",
        ),
    ],
)
def test_an_unknown_phase_or_environment_is_refused(facts: Facts, fault: str) -> None:
    with pytest.raises(GitupdError) as caught:
        Preview(load(template_files()), now()).check(facts)
    assert str(caught.value) == fault


def test_without_either_there_is_nothing_to_refuse() -> None:
    Preview(load(template_files()), now()).check(Facts("IP222", "00-90-33-30-00-af", environments="", phase=""))
