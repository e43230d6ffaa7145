"""The same situation gives the same bytes, and what does not concern a device changes nothing for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.actions import script
from gitupd.core.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.situation import Situation

_PHASES = ("staging", "update")
_CLASSES = ("phone", "gw", "ip222", "ip232", "ip811", "ip29-2")
_PLACES = ("default", "berlin", "intranet", "00_90_33_30_00_af", "00_90_33_30_00_b0")
_DOCUMENTS = {
    "phases.yaml": "phases: {staging: {order: 1}, update: {order: 2}}",
    "environments.yaml": "environments: {default: {}, berlin: {implies: [intranet]}, intranet: {}}",
}

_names = st.tuples(*(st.sampled_from(("all", *parts)) for parts in (_PHASES, _CLASSES, _PLACES)))
_contents = st.one_of(
    st.binary(max_size=30), st.lists(st.sampled_from(["config add A /b 1", "# x", ""])).map("\n".join)
)
_snippets = st.dictionaries(_names, _contents, max_size=12)
_devices = st.fixed_dictionaries(
    {
        "phase": st.sampled_from(_PHASES),
        "type": st.sampled_from(["IP222", "ip811", "IP29-2"]),
        "sn": st.sampled_from(["00-90-33-30-00-af", "00-90-33-30-00-b0"]),
        "env": st.sampled_from(["", "default", "berlin", "berlin,default", "intranet"]),
        "CHECK": st.sampled_from(["", "0"]),
    }
)


def _files(snippets: dict[tuple[str, str, str], bytes | str]) -> dict[str, bytes | str]:
    return {**_DOCUMENTS, **{f"snippets/{'-'.join(name)}.txt": content for name, content in snippets.items()}}


def _query(device: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in device.items()) + "&hwid=x&ip=10.0.0.7"


@given(snippets=_snippets, device=_devices)
def test_equal_files_give_equal_scripts(
    situation: Callable[..., Situation],
    snippets: dict[tuple[str, str, str], bytes | str],
    device: dict[str, str],
) -> None:
    files = _files(snippets)
    first = situation(files, _query(device))
    again = situation(dict(reversed(files.items())), _query(device))
    assert first.snapshot is not again.snapshot
    assert script(plan(first)) == script(plan(first)) == script(plan(again))


@given(snippets=_snippets, name=_names, device=_devices)
def test_a_snippet_for_others_changes_nothing(
    situation: Callable[..., Situation],
    snippets: dict[tuple[str, str, str], bytes | str],
    name: tuple[str, str, str],
    device: dict[str, str],
) -> None:
    snippets.pop(name, None)
    before = situation(_files(snippets), _query(device))
    after = situation(_files({**snippets, name: "config add NEW /line 1"}), _query(device))
    phase, device_class, place = name
    concerns = (
        phase in ("all", device["phase"])
        and device_class in ("all", *(each.name for each in before.classes))
        and place in ("all", device["sn"].replace("-", "_"), *before.environments)
    )
    if concerns:
        assert b"config add NEW /line 1\r\n" in script(plan(after))
    else:
        assert script(plan(before)) == script(plan(after))
