"""What the demonstration's site holds: a configuration with a short past, and devices that called some days ago."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.caller import parse_serial
from gitupd.core.device import Device

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ACCOUNT = ("admin", "demo")
"""Name and password of the demonstration's administrator."""

BUILD = "137213"
FIRMWARE_FILES = ("ip222.bin", "ip112.bin", "ip232.bin", "ip6010.bin", "ip811.bin")

_GREEN_FIELD = {
    "policies/firmware.yaml": f"""\
# A build that every device of the demonstration loads first.
firmware: {BUILD}
bootcode: none
""",
    "policies/deploy.yaml": """\
# So that a commit waits for somebody to deploy it.
mode: manual
# Here changes are tried that reach every device. A site of your own asks before it deploys such a one.
brake: null
""",
    "policies/status.yaml": """\
missing_after: 7d
forget_after: 90d
log_keep: 30m
refresh: 2                 # seconds; pages follow the emulated devices, which live fast
""",
    "environments.yaml": """\
# The first environment is that of a device whose update URL names none.
environments:
  default: {}
  homeoffice: {implies: [intranet]}
  berlin: {implies: [intranet]}
  intranet: {}
""",
    "queries.yaml": """\
# What every device is asked, and which of its answers the pages show.
queries:
  admin:
    applies: [all]
    show:
      - {title: Name, xpath: /info/@name}
      - {title: Product, xpath: /info/@product}
  certificates:
    applies: [{class: phone}]
    show:
      - {title: Issued to, xpath: /info/servercert/certificate/@subject_cn}
      - {title: Issued by, xpath: /info/servercert/certificate/@issuer_cn}
      - {title: Valid until, xpath: /info/servercert/certificate/@not_after}
""",
    "devices.yaml": """\
# What is said here wins over what a device says.
devices:
  00-90-33-00-00-01: {name: Reception}
  00-90-33-00-00-02: {name: Kitchen}
  00-90-33-00-00-03: {name: Board room}
  00-90-33-00-00-04: {name: Gateway to the exchange, environments: [berlin]}
  00-90-33-00-00-05: {name: Door and lift}
  00-90-33-00-00-06: {name: Workshop}
  00-90-33-00-00-08: {name: Ada's desk, environments: [homeoffice]}
""",
    "snippets/update-phone-berlin.txt": "config add PHONE/REG /gk-addr 10.30.0.1\n",
}
_LOG = {"snippets/update-phone-all.txt": "config add PHONE/USER-UI /language eng /date-format 1\n"}
_GERMAN = {"snippets/update-phone-all.txt": "config add PHONE/USER-UI /language ger /date-format 1\n"}

COMMITS = (
    ("Start with the template, and an office in Berlin", _GREEN_FIELD),
    ("Dates as people write them in Berlin", _LOG),
    ("German for all phones", _GERMAN),
)
"""Messages, and the documents that change; all but the last commit are deployed."""

_GONE = (
    ("00-90-33-00-01-01", "Old reception", "IP222", 9),
    ("00-90-33-00-01-02", "Guest room", "IP112", 12),
    ("00-90-33-00-01-03", "Spare gateway", "IP6010", 31),
)


def gone(now: datetime) -> Iterator[Device]:
    """Give devices that called last so many days before *now* that they count as missing."""
    for number, name, model, days in _GONE:
        serial = parse_serial(number)
        yield Device(
            serial,
            hardware_id=f"{model}-{number[-8:]}",
            model=model,
            own_name=name,
            address="127.0.0.1",
            own_address="127.0.0.1",
            environments=("default",),
            phase="update",
            phase_before="staging",
            firmware="134250",
            bootcode="134250",
            first_seen=now - timedelta(days=400),
            last_seen=now - timedelta(days=days),
        )
