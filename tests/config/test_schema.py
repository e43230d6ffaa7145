"""Documents against their schemas."""

from __future__ import annotations

import pytest

from gitupd.config.loader import load

_FIRMWARE = "policies/firmware.yaml"


@pytest.mark.parametrize("text", ["22:00", "no", "yes", "on", "010", "0x10", "1e3", "1_000", "~x", "15", "1.50"])
def test_text_stays_as_it_was_written(text: str) -> None:
    environments = f"environments: {{'default': {{variables: {{a: {text}, b: '{text}'}}}}, {text}x: {{}}}}".encode()
    policy = load({"environments.yaml": environments}).policy
    assert policy.environments["default"].variables == {"a": text, "b": text}
    assert f"{text}x" in policy.environments


@pytest.mark.parametrize("build", ["137213", "010", "1e3", "0x10", "13A146", "13.4250", "9" * 30])
def test_builds_stay_as_they_were_written(build: str) -> None:
    policy = load({_FIRMWARE: f"firmware: {build}\nbootcode: '{build}'\n".encode()}).policy.firmware
    assert (policy.firmware, policy.bootcode) == (policy.bootcode, policy.firmware)
    assert getattr(policy.firmware, "number", None) == build
