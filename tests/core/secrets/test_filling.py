"""Snippets as one device gets them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from support.secrets import CANARY, Keyholder

from gitupd.core.actions import Warn, script
from gitupd.core.identity import PRESUMED
from gitupd.core.plan import plan
from gitupd.core.script import script_of
from gitupd.core.situation import Computed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.situation import Situation

    Make = Callable[..., Situation]

FILES = {
    "environments.yaml": """\
environments:
  default: {variables: {gatekeeper: 10.0.0.1, a: default}}
  berlin: {implies: [intranet], variables: {gatekeeper: 10.1.0.1, b: berlin}}
  intranet: {variables: {gatekeeper: 10.9.0.1, c: intranet}}
""",
    "devices.yaml": "devices: {00-90-33-30-00-b0: {name: The Boss, environments: [berlin], variables: {c: own}}}\n",
    "snippets/all-all-all.txt": "config add A /a\n",
}
PHONE = "polling=0&phase=update&type=IP222&sn=00-90-33-30-00-b0&hwid=IP222-30-00-b0&ip=i"
OTHER = "polling=0&phase=update&type=IP222&sn=00-90-33-30-00-b1&hwid=IP222-30-00-b1&ip=i"
TEMPLATE = "snippets/update-phone-all.txt.j2"


def lines(situation: Situation) -> list[str]:
    return [line for line in script(plan(situation)).decode().split("\r\n") if line.startswith("config add X")]


def test_what_is_filled_in_is_of_the_environments_and_of_the_device_which_wins(situation: Make) -> None:
    files = {**FILES, TEMPLATE: "config add X /gk {{ gatekeeper }} /b {{ b }} /c {{ c }} /a {{ a | default('-') }}"}
    assert lines(situation(files, PHONE)) == ["config add X /gk 10.1.0.1 /b berlin /c own /a -"]
    assert lines(situation(files, f"{OTHER}&env=default,berlin")) == [
        "config add X /gk 10.0.0.1 /b berlin /c intranet /a default"
    ]


def test_what_is_known_of_the_device_is_filled_in(situation: Make) -> None:
    source = (
        "config add X /1 {{ device.serial }} /2 {{ device.type }} /3 {{ device.hwid }} /4 {{ device.name | urlencode }}"
        " /5 {{ device.phase }} /6 {{ device.environments | join('+') }} /7 {{ device.classes | last }}"
    )
    (line,) = lines(situation({**FILES, TEMPLATE: source}, PHONE))
    assert line.startswith("config add X /1 00-90-33-30-00-b0 /2 IP222 /3 IP222-30-00-b0 /4 The%20Boss ")
    assert line.endswith(" /5 update /6 berlin+intranet /7 ip222")


def test_check_is_made_of_what_is_filled_in(situation: Make) -> None:
    files = {**FILES, TEMPLATE: "{% if b is defined %}\nconfig add X /gk {{ gatekeeper }}\n{% endif %}\n"}
    check = hashlib.md5(b"config add A /aconfig add X /gk 10.1.0.1", usedforsecurity=False).hexdigest()
    assert f"mod cmd UP1 check ser {check}\r\n" in script(plan(situation(files, PHONE))).decode()
    executed = script(plan(situation(files, f"{PHONE}&CHECK={check}"))).decode()
    assert f"# the device has executed this already, CHECK is {check}\r\n" in executed
    moved = {**files, "environments.yaml": FILES["environments.yaml"].replace("10.1.0.1", "10.1.0.2")}
    assert check not in script(plan(situation(moved, f"{PHONE}&CHECK={check}"))).decode()


def test_a_device_gets_nothing_if_a_template_fails(situation: Make) -> None:
    files = {**FILES, TEMPLATE: "config add X /b {{ b }}", "policies/backup.yaml": "enabled: true"}
    asked = situation(files, OTHER)
    assert asked.failure == f"a template failed, so nothing is sent: {TEMPLATE}: 'b' is not defined for this device"
    actions = list(plan(asked))
    assert actions[-1] == Warn(asked.failure)
    assert all(line.startswith("#") for line in script(actions).decode().splitlines())
    assert situation(files, PHONE).failure is None


def test_to_who_lacks_the_trust_that_is_required_a_failure_is_not_told(situation: Make) -> None:
    files = {**FILES, TEMPLATE: "config add X /b {{ b }}", "policies/transport.yaml": "https: required"}
    asked = situation(files, OTHER)
    assert asked.failure is None
    assert "'b'" not in script(plan(asked)).decode()


@pytest.mark.parametrize("break_", ["\n", "\r", "\0", "\u2028", "\x85"])
def test_no_value_becomes_another_line(situation: Make, break_: str) -> None:
    files = {**FILES, TEMPLATE: "config add X /gk {{ gatekeeper }}"}
    asked = situation(files, PHONE)
    asked.policy.environments["berlin"].variables["gatekeeper"] = f"1{break_}config add X /evil"
    assert lines(asked) == []
    assert asked.failure is not None
    assert asked.failure.endswith("the value of 'gatekeeper' has a line break or another control character")


@pytest.mark.parametrize("hardware", ["IP222 /evil", "IP222%20/evil", "a%26b", "a/b", "a%E2%80%A8b", "a" * 65])
def test_no_hardware_id_becomes_another_option(situation: Make, hardware: str) -> None:
    files = {**FILES, TEMPLATE: "config add X /id {{ device.hwid }}"}
    query = OTHER.replace("hwid=IP222-30-00-b1", f"hwid={hardware.replace(' ', '+')}")
    asked = situation(files, query)
    assert lines(asked) == []
    assert asked.failure is not None
    assert asked.failure.endswith("a hardware id with a blank or a slash, or of that length, is not filled in")


def test_more_environments_than_a_loop_is_good_for_are_a_failure(situation: Make) -> None:
    names = ", ".join(f"e{number}" for number in range(300))
    environments = f"environments: {{all_of_them: {{implies: [{names}]}}, {names.replace(',', ': {},')}: {{}}}}"
    files = {"environments.yaml": environments, TEMPLATE: "{% for e in device.environments %}{{ e }}{% endfor %}"}
    asked = situation(files, OTHER)
    assert asked.failure is not None
    assert asked.failure.endswith("more than 64 environments are not gone through")


def test_a_line_of_a_template_is_from_its_line_if_it_has_one(situation: Make) -> None:
    for source, numbers in (("# one\nconfig add X /b {{ gatekeeper }}", [1, 2]), ("{% set x = 1 %}\n# one\n", [0])):
        asked = situation({**FILES, TEMPLATE: source}, PHONE)
        shown = script_of(asked, list(plan(asked)))
        assert [line.line for line in shown.lines if line.path == TEMPLATE] == numbers


def test_only_what_differs_from_device_to_device_is_personal(situation: Make) -> None:
    for source, is_personal in (
        ("{{ device.serial }}", True),
        ("{{ device.hwid }}", True),
        ("{{ device.name }} {{ device.environments | join }} {{ gatekeeper }}", False),
    ):
        assert situation({**FILES, TEMPLATE: source}, PHONE).snapshot.is_personal is is_personal


SITE = Keyholder()
SECRETS = f"variables: {{pin: {CANARY}}}\ndevices: {{00-90-33-30-00-b1: {{pin: of-b1}}}}\n"
SEALED = "snippets/update-all-all.txt.age"
ENCRYPTED = {
    "environments.yaml": "environments: {default: {variables: {gatekeeper: 10.0.0.1}}}",
    "secrets.yaml.age": SITE.seal(SECRETS),
    SEALED: SITE.seal(f"config add X /pw {CANARY}\nconfig add X /other\n"),
    TEMPLATE: "config add X /gk {{ gatekeeper }}\nconfig add X /pin {{ pin | urlencode }}\n",
    "snippets/all-all-all.txt": "config add X /plain\n",
}
WITH_KEY = {"opener": SITE.opener(), "presumed": PRESUMED}


def shown(situation: Situation) -> list[str]:
    texts = [line.text for line in script_of(situation, list(plan(situation))).lines]
    assert not any(CANARY in text for text in texts)
    return [text for text in texts if text.startswith(("config add X", "***", "# "))][2:]


def test_a_device_that_has_proved_who_it_is_gets_secrets_and_people_see_stars(situation: Make) -> None:
    asked = situation(ENCRYPTED, PHONE, **WITH_KEY)
    assert lines(asked) == [
        "config add X /plain",
        f"config add X /pw {CANARY}",
        "config add X /other",
        "config add X /gk 10.0.0.1",
        f"config add X /pin {CANARY}",
    ]
    digest = hashlib.sha256(ENCRYPTED[SEALED]).hexdigest()[:16]
    other = hashlib.sha256(ENCRYPTED["secrets.yaml.age"]).hexdigest()[:16]
    assert shown(asked) == [
        "# from snippets/all-all-all.txt",
        "config add X /plain",
        f"# from {SEALED}, encrypted, SHA-256 {digest}",
        "***",
        "***",
        f"# from {TEMPLATE}, with secrets (encrypted, SHA-256 {other})",
        "config add X /gk 10.0.0.1",
        "config add X /pin ***",
    ]
    assert lines(situation(ENCRYPTED, OTHER, **WITH_KEY))[-1] == "config add X /pin of-b1"
    seen = script_of(asked, list(plan(asked))).lines
    assert {line.line for line in seen if line.path == SEALED} == {0}, "lines of the encrypted file are others"


def test_one_that_has_not_gets_the_others_and_everything_once_it_has(situation: Make) -> None:
    asked = situation(ENCRYPTED, PHONE, opener=SITE.opener())
    text = script(plan(asked)).decode()
    assert lines(asked) == ["config add X /plain"]
    assert CANARY not in text
    assert (
        f"# left out until the device proves who it is by a client certificate: {SEALED} (encrypted, SHA-256 " in text
    )
    assert (
        f"# left out until the device proves who it is by a client certificate: {TEMPLATE} (encrypted, SHA-256 " in text
    )
    check = hashlib.md5(b"config add X /plain", usedforsecurity=False).hexdigest()
    assert f"mod cmd UP1 check ser {check}\r\n" in text
    proved = situation(ENCRYPTED, f"{PHONE}&CHECK={check}", **WITH_KEY)
    assert len(lines(proved)) == 5
    assert asked.secrets == {}


def test_without_a_key_check_is_unknown_and_secrets_are_stars(situation: Make) -> None:
    asked = situation(ENCRYPTED, PHONE, presumed=PRESUMED)
    text = script(plan(asked)).decode()
    assert "# CHECK is unknown: there is no key here for what is encrypted\r\n" in text
    assert "mod cmd UP1 check ser ***\r\n" in text
    assert "# *** not opened here\r\n" in text
    assert lines(asked) == ["config add X /plain", "config add X /gk 10.0.0.1", "config add X /pin ***"]


def test_what_depends_on_a_secret_is_hidden_as_a_whole(situation: Make) -> None:
    files = {**ENCRYPTED, TEMPLATE: "{% if pin == 'x' %}\nconfig add X /x\n{% endif %}\nconfig add X /y\n"}
    del files[SEALED]
    assert lines(situation(files, PHONE, **WITH_KEY))[1:] == ["config add X /y"]
    assert shown(situation(files, PHONE, **WITH_KEY))[-1] == "***"
    closed = script(plan(situation(files, PHONE, presumed=PRESUMED))).decode()
    assert "config add X /y" not in closed
    assert "# *** not opened here" in closed


def test_a_sealed_template_is_filled_in_and_hidden(situation: Make) -> None:
    files = {**ENCRYPTED, f"{TEMPLATE}.age": SITE.seal("config add X /gk {{ gatekeeper }}\n")}
    del files[SEALED], files[TEMPLATE]
    asked = situation(files, PHONE, **WITH_KEY)
    assert lines(asked) == ["config add X /plain", "config add X /gk 10.0.0.1"]
    assert shown(asked)[-1] == "***"


@pytest.mark.parametrize("path", [SEALED, "secrets.yaml.age"])
def test_where_a_server_cant_decrypt_devices_get_nothing_that_would_get_it(situation: Make, path: str) -> None:
    files = {**ENCRYPTED, path: Keyholder().seal("variables: {}")}
    asked = situation(files, PHONE, **WITH_KEY)
    assert lines(asked) == []
    assert asked.failure is not None
    assert asked.failure.endswith(f"{path} can't be decrypted: it is encrypted to other keys")
    assert lines(situation(files, PHONE, opener=SITE.opener())) == ["config add X /plain"]


def test_computed_lines_show_no_secret(situation: Make) -> None:
    asked = situation(ENCRYPTED, PHONE, computed=Computed((f"config add X /c {CANARY}",)), **WITH_KEY)
    assert "config add X /c ***" in shown(asked)
