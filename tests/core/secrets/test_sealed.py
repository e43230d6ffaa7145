"""What is encrypted, and for whom."""

from __future__ import annotations

from gitupd.core.secrets.sealed import Seal, Secrets

SECRETS = Secrets(
    Seal("0123456789abcdef0123"),
    {"pin": "1", "token": "t"},
    {"berlin": {"pin": "2"}, "intranet": {"pin": "3", "proxy": "p"}},
    {"0090333000af": {"pin": "4"}},
)


def test_the_first_environment_wins_and_the_device_over_all() -> None:
    assert SECRETS.of((), "") == {"pin": "1", "token": "t"}
    assert SECRETS.of(("berlin", "intranet"), "009033300000") == {"pin": "2", "token": "t", "proxy": "p"}
    assert SECRETS.of(("intranet", "berlin", "nowhere"), "0090333000af") == {"pin": "4", "token": "t", "proxy": "p"}


def test_it_tells_its_names_and_shows_no_value() -> None:
    assert SECRETS.names == {"pin", "token", "proxy"}
    assert SECRETS.texts == {"1", "2", "3", "4", "t", "p"}
    assert "'t'" not in repr(SECRETS)
    assert str(SECRETS.seal) == "encrypted, SHA-256 0123456789abcdef"
