"""What UP0 does: fetch firmware, fetch a configuration, upload.

A transfer runs to its end before the next line of the script does. Redirects are followed when fetching only.
"""

from urllib.parse import urljoin

from gitupd.emulator.address import expanded, on_the_wire, server_of
from gitupd.emulator.dump import chunks, chunks_inside_letters, dump
from gitupd.emulator.exchange import Failure, Pause, Purpose, Request, Response, Talk, ask
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.script import Flash, Flashed, SaveConfig
from gitupd.emulator.state import Activity, Device
from gitupd.emulator.xmlinfo import answer

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
OK = 200
ONE_IN = 3  # answers that some devices lose
PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 7 * 86400}


def fetch(device: Device, purpose: Purpose, url: str, copies: int = 1) -> Talk[Response | Failure]:
    """GET a URL, following redirects."""
    slow = device.habits.has(Misbehaviour.SLOW)
    for _ in range(MAX_REDIRECTS + 1):
        reply = yield from _ask(device, Request(purpose, "GET", url, slow=slow, copies=copies))
        if isinstance(reply, Failure) or reply.status not in REDIRECTS or not reply.headers.get("location"):
            return reply
        try:
            url = on_the_wire(urljoin(url, reply.headers["location"]))
        except ValueError:
            return Failure("bad redirect", f"{reply.headers['location']!r} is no URL")
    return Failure("too many redirects", f"more than {MAX_REDIRECTS}, the last to {url}")


def _ask(device: Device, request: Request) -> Talk[Response | Failure]:
    """Make a request; some devices lose what is answered."""
    reply = yield from ask(request)
    if device.habits.has(Misbehaviour.LOST_ANSWERS) and device.rng.randrange(ONE_IN) == 0:
        return Failure("lost", "the device lost the answer")
    return reply


def fetch_well(device: Device, purpose: Purpose, url: str) -> Talk[Response | None]:
    """GET a URL; anything but a body with status 200 is counted as an error and gives None."""
    reply = yield from fetch(device, purpose, url)
    if isinstance(reply, Failure):
        device.tally.error(reply.kind, f"{purpose.value} {url}: {reply.reason}")
        return None
    if reply.status != OK or not reply.length:
        kind = f"{purpose.value} status {reply.status}" if reply.status != OK else f"{purpose.value} empty"
        device.tally.error(kind, url)
        return None
    return reply


def flash(device: Device, command: Flash) -> Talk[bool]:
    """Fetch and store a build unless it is there already; tell whether that was done."""
    current = device.serial(command.what.name) or device.running(command.what)
    if command.serial is not None and command.serial == current:
        return False
    url = expanded(device, command.url)
    if url.endswith("/"):
        url += file_name(device.identity.type, command.what)
    build = command.serial or url.rpartition("/")[2]
    device.be(Activity.DOWNLOADING, build)
    if (yield from fetch_well(device, Purpose.FIRMWARE, url)) is None:
        return False
    device.be(Activity.FLASHING, build)
    yield Pause(device.habits.flash_seconds)
    device.flash(command.what, build)
    device.set_serial(command.what.name, build)
    device.tally.downloads += 1
    return True


def file_name(model: str, what: Flashed) -> str:
    """Give what is appended to the URL of a directory: `ip222.bin`, `boot222.bin`."""
    if what is Flashed.PROT:
        return f"{model.lower()}.bin"
    return f"{what.value}{model.lower().removeprefix('ip')}.bin"


def save(device: Device, command: SaveConfig) -> Talk[bool]:
    """Upload a backup or the output of a command, if it is due; tell whether that worked."""
    if not _is_due(device, command):
        return False
    device.be(Activity.UPLOADING, command.command or "backup")
    url = expanded(device, command.url)
    text = dump(device) if command.command is None else answer(device, command.command)
    request = _put(device, url, text)
    reply = yield from _ask(device, request)
    if request.cut_after is not None:
        device.tally.cut_uploads += 1
        return False
    if isinstance(reply, Failure):
        device.tally.error(reply.kind, f"upload {url}: {reply.reason}")
        return False
    if reply.status // 100 != OK // 100:
        device.tally.error(f"upload status {reply.status}", url)
        return False
    device.tally.uploads += 1
    device.tally.uploaded[server_of(url)] += 1
    if command.serial is not None and not command.always:
        device.set_serial("SCFG", command.serial)
    return True


def _is_due(device: Device, command: SaveConfig) -> bool:
    if command.always or command.serial is None:
        return True
    if period := PERIODS.get(command.serial):
        last = device.dates.get("UPDATE/SCFG")
        return last is None or device.clock.now() - last >= period
    return command.serial != device.serial("SCFG")


def _put(device: Device, url: str, text: str) -> Request:
    habits = device.habits
    body = b"" if habits.has(Misbehaviour.EMPTY_UPLOAD) else text.encode()
    pieces = chunks_inside_letters(body) if habits.has(Misbehaviour.SPLIT_UTF8) else chunks(body)
    cut_after = None
    if habits.has(Misbehaviour.CUT_UPLOAD):
        pieces = pieces if len(pieces) > 1 else chunks(body, max(1, len(body) // 2))
        cut_after = len(pieces) // 2
    copies = 2 if habits.has(Misbehaviour.REPEATED_UPLOADS) else 1
    return Request(Purpose.UPLOAD, "PUT", url, pieces, cut_after, slow=habits.has(Misbehaviour.SLOW), copies=copies)
