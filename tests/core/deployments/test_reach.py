"""Which devices a change of files reaches."""

from __future__ import annotations

import pytest

from gitupd.config.loader import load
from gitupd.core.caller import Serial
from gitupd.core.deployments.reach import Reach
from gitupd.core.device import Device
from gitupd.core.snapshot import CommitId

_FILES = {
    "phases.yaml": b"phases: {update: {order: 1}}\n",
    "environments.yaml": b"environments: {default: {}, berlin: {}}\n",
    "snippets/all-all-all.txt": b"config add A /b\n",
    "snippets/update-ip222-all.txt": b"config add A /c\n",
    "snippets/update-all-berlin.txt": b"config add A /d\n",
}
_PHONE = Device(Serial("009033000001"), model="IP222", environments=("default",))
_BERLIN = Device(Serial("009033000002"), model="IP112", environments=("berlin",))


@pytest.mark.parametrize(
    ("paths", "reached"),
    [
        ([], []),
        (["snippets/all-all-all.txt"], [_PHONE, _BERLIN]),
        (["snippets/update-ip222-all.txt"], [_PHONE]),
        (["snippets/update-all-berlin.txt"], [_BERLIN]),
        (["snippets/update-all-00_90_33_00_00_02.txt"], [_BERLIN]),
        (["snippets/update-ip222-all.txt", "snippets/update-all-berlin.txt"], [_PHONE, _BERLIN]),
        (["policies/delivery.yaml"], [_PHONE, _BERLIN]),
    ],
)
def test_a_change_reaches_those_who_get_one_of_its_files(paths: list[str], reached: list[Device]) -> None:
    before = load(_FILES, CommitId("1" * 40))
    own = {"snippets/update-all-00_90_33_00_00_02.txt": b"config add A /e\n"}
    after = load({**_FILES, **own}, CommitId("2" * 40))
    for reach in (Reach(before, after, paths), Reach(after, before, paths)):
        assert [device for device in (_PHONE, _BERLIN) if reach.includes(device)] == reached
