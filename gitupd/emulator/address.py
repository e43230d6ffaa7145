"""The URL a device polls: placeholders, and what it tells about itself.

Only `#m`, `#h`, `#t` and `#i` are well known; other placeholders are left alone.
"""

import re
from urllib.parse import parse_qs, quote, urlsplit

from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.script import Flashed
from gitupd.emulator.state import BUILD_HEAD, SERIALS, Device

WIRE_SAFE = "!#$%&'()*+,-./:;=?@[]_~"


def expanded(device: Device, url: str) -> str:
    """Replace the placeholders in the URL of a poll, a download or an upload."""
    identity = device.identity
    values = {"m": identity.serial, "h": identity.hardware_id, "t": identity.type, "i": identity.address}
    if device.habits.has(Misbehaviour.UPPER_CASE):
        values = {token: value.upper() for token, value in values.items()}
    if device.habits.has(Misbehaviour.MISSING_ARGS):
        values |= {"h": "", "i": ""}
    return on_the_wire(re.sub("#([mhti])", lambda match: values[match[1]], url))


def on_the_wire(url: str) -> str:
    """Escape blanks and letters that can't be sent as they are; what is escaped already stays as it is."""
    return quote(url, safe=WIRE_SAFE)


def server_of(url: str) -> str:
    """Give scheme, host and port of a URL, as they stand there."""
    return "/".join(url.split("?", 1)[0].split("/", 3)[:3])


def update_url(device: Device) -> str | None:
    """Give what to poll, complete with serials and version; None if no URL is configured."""
    stored = device.configuration.value("UP1", "url")
    if not stored:
        return None
    path, mark, query = stored.partition("?")
    if path.endswith("/"):
        path += f"update-{device.identity.type.lower()}.htm"
    url = expanded(device, path + mark + query)
    pairs = _reported(device)
    if device.habits.has(Misbehaviour.MISSING_ARGS):
        fates = [(name, value, device.rng.randrange(3)) for name, value in pairs]
        pairs = [(name, value if fate else "") for name, value, fate in fates if fate < 2]  # noqa: PLR2004 - 2: left out
    arguments = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    return url + _joint(url) + arguments if arguments else url


def _joint(url: str) -> str:
    if "?" not in url:
        return "?"
    return "" if url.endswith(("?", "&")) else "&"


def _reported(device: Device) -> list[tuple[str, str]]:
    """List the version, and each serial that is set with its date."""
    pairs = [("ver", version_line(device))]
    for name in SERIALS:
        value = device.serial(name)
        if value is None and device.habits.report_running_builds and name in Flashed.__members__:
            value = device.running(Flashed[name])
        if not value:
            continue
        pairs.append((name, value))
        if (date := device.date(name)) is not None:
            pairs.append((f"{name}date", date))
    return pairs


def version_line(device: Device) -> str:
    """Write the version as people read it: `13r2 IP222[13.4250], Bootcode[131286], HW[1300]`."""
    firmware = device.running(Flashed.PROT)
    head, rest = firmware[:BUILD_HEAD], firmware[BUILD_HEAD:]
    boot = device.running(Flashed.BOOT)
    return f"{device.release} {device.identity.type}[{head}.{rest}], Bootcode[{boot}], HW[{device.identity.hardware}]"


def stored_argument(device: Device, name: str) -> str:
    """Give an argument of the stored update URL, such as its phase; "" if it has none."""
    try:
        query = urlsplit(device.configuration.value("UP1", "url").replace("#", "%23")).query
        return parse_qs(query).get(name, [""])[-1]
    except ValueError:  # an address such as http://[ or thousands of arguments
        return ""
