"""What people may enter, and what roles allow."""

from __future__ import annotations

import pytest

from gitupd.core.people.person import Role, lower_role, parse_days, parse_name, parse_password, parse_role, parse_title
from gitupd.errors import InvalidEntry


def test_roles_are_a_ladder() -> None:
    ladder = [Role.VIEWER, Role.AUDITOR, Role.OPERATOR, Role.ADMINISTRATOR]
    assert [[role.allows(needed) for needed in ladder] for role in ladder] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
    assert lower_role(Role.OPERATOR, Role.AUDITOR) is lower_role(Role.AUDITOR, Role.OPERATOR) is Role.AUDITOR


@pytest.mark.parametrize("name", ["a", "Ada", "ada.lovelace@example.org", "x" * 64, "_svc-1", " ada ", "ada\n"])
def test_names(name: str) -> None:
    assert parse_name(name) == name.strip().lower()


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 65, "a b", "a/b", "..", ".", "-x", "@", "a\nb", "ä", "K" + "\u212a", "a\0", "<b>"]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InvalidEntry, match="a name starts with a letter or digit"):
        parse_name(name)


@pytest.mark.parametrize("password", ["x" * 10, "x" * 1024, "ten blanks", "żółć-żółć-", "\0" * 10])
def test_passwords(password: str) -> None:
    assert parse_password(password) == password


@pytest.mark.parametrize(
    ("password", "fault"), [("", "10 to 1024"), ("x" * 9, "10 to"), ("x" * 1025, "1024"), ("x" * 9 + "\udcff", "UTF-8")]
)
def test_what_is_no_password(password: str, fault: str) -> None:
    with pytest.raises(InvalidEntry, match=fault) as caught:
        parse_password(password)
    assert "xxx" not in str(caught.value)


def test_roles_titles_and_days() -> None:
    assert parse_role(" Operator ") is Role.OPERATOR
    with pytest.raises(InvalidEntry, match="no role 'root'; choose viewer, auditor, operator, administrator"):
        parse_role("root")
    assert parse_title("  nightly\r\n export ") == "nightly export"
    for title in ("", " \n", "x" * 101):
        with pytest.raises(InvalidEntry, match="needs a title"):
            parse_title(title)
    assert [parse_days(text) for text in ("", " ", "1", "3650")] == [None, None, 1, 3650]
    for text in ("0", "3651", "99999", "-1", "1.5", "x", "\uff11"):
        with pytest.raises(InvalidEntry, match="no number of days"):
            parse_days(text)
