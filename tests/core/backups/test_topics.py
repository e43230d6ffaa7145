"""What changes are about: words of a closed list, whatever devices upload."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.backups.topics import topics


@pytest.mark.parametrize(
    ("line", "topic"),
    [
        (b"config change PHONE/REG /gk-addr 10.1.0.1 /gk-id x", "gatekeeper"),
        (b"config change PHONE/REG /e164 42", "registration"),
        (b"config change PHONE SIG /prot SIP", "registration"),
        (b"config add PHONE/USER-UI /language eng", "users"),
        (b"config add PHONE /x", "phone"),
        (b"config change PHONE", "phone"),
        (b"mod cmd PHONE/CONF-UI reg-edit-dir /id 0", "users"),
        (b"config change NTP0 /addr ntp.example", "time"),
        (b"config rem ETH1 /dhcp", "network"),
        (b"config change CMD0 /name Desk /pw 1", "administration"),
        (b"config change H323 /x", "SIP and H.323"),
        (b"config change GW-DECT RADIO /master 10.1.0.1", "DECT"),
        (b"mod cmd FLASHDIR0 add-item 101 (cn=Ada)", "directory"),
        (b"vars create X509/REQUEST pb 00", "certificates"),
        (b"vars create UPDATE/CHECK p x", "updates"),
        (b"vars create MY/OWN p x", "variables"),
        (b"config change NEVERHEARDOF0 /x", "other"),
        (b"config change hunter2 /x", "other"),
        (b"config write", "other"),
        (b"\xff\xfe", "other"),
        (b"", "other"),
    ],
)
def test_what_a_line_is_about(line: bytes, topic: str) -> None:
    assert topics({line: 1}) == (topic,)


def test_what_most_lines_are_about_comes_first_and_the_rest_last() -> None:
    lines = {b"x": 5, b"config change LOG0 /a": 1, b"config change NTP0 /a": 1, b"config change ETH0 /b": -2}
    assert topics(lines) == ("network", "log", "time", "other")
    assert topics({}) == ()


@given(st.lists(st.binary(max_size=60) | st.from_regex(rb"(config change|mod cmd|vars create) [A-Z0-9/ -]*")))
def test_nothing_of_a_line_gets_into_a_topic(lines: list[bytes]) -> None:
    words = {"gatekeeper", "registration", "users", "directory", "phone", "variables", "other", "access"}
    words |= {"certificates", "DECT", "log", "media", "administration", "network", "PBX", "routes and lines"}
    assert set(topics(dict.fromkeys(lines, 1))) <= words | {"SIP and H.323", "time", "updates"}
