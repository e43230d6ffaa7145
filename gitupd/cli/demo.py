"""``gitupd demo``: a site, its server, and emulated devices that poll it, in one go."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import click

from gitupd.core.words import counted
from gitupd.errors import GitupdError
from gitupd.listeners import parse_address
from gitupd.service import demonstration
from gitupd.service.clock import now
from gitupd.service.creating import create_demo_site
from gitupd.service.site import Site
from gitupd.settings import FILE_NAME

if TYPE_CHECKING:
    from typing import BinaryIO

    from gitupd.listeners import Address

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_START_SECONDS = 30
_END_SECONDS = 30
_SPREAD_SECONDS = 20
_LINES_ABOVE = 26  # what this program says, and what stands above and below the table
_TYPES = "IP222,IP112,IP232,IP6010,IP811"
_ENVIRONMENTS = ("default", "homeoffice", "berlin")


@click.command()
@click.argument("place", metavar="[SITE]", type=click.Path(path_type=Path), default=Path("demo-site"))
@click.option(
    "--http", "http", metavar="ADDR:PORT", default="127.0.0.1:8080", show_default=True, help="Where to listen."
)
@click.option(
    "--https", "https", metavar="ADDR:PORT", help="Where to listen with TLS besides; devices poll there then."
)
@click.option("--count", type=click.IntRange(1, 10_000), default=40, show_default=True, help="How many devices.")
@click.option(
    "--speed", type=click.FloatRange(0.1, 1000), default=60, show_default=True, help="Device time runs so much faster."
)
@click.option("--until-settled", is_flag=True, help="End when no device has anything left to do.")
def demo(place: Path, *, http: str, https: str | None, count: int, speed: float, until_settled: bool) -> None:
    """Create a demonstration site, serve it, and let emulated phones and gateways poll it.

    SITE is demo-site by default; if it exists, the demonstration goes on where it ended. Ctrl-C ends it.
    """
    try:
        address = parse_address(http)
        secure = ["--https", str(parse_address(https))] if https else []
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    site = Site(place) if (place / FILE_NAME).exists() else create_demo_site(place, who="demo", now=now())
    site.database.migrate()
    log_in = _how_to_log_in(site)
    site.close()
    log = place / "server.log"
    for number in _ENDINGS:
        signal.signal(number, _interrupt)
    with log.open("ab") as output:
        before = output.tell()
        server = _start("serve", "--site", str(place), "--http", str(address), *secure, output=output)
    try:
        base = _base(server, log, before, address)
        https_base = _https_base(log, before) if secure else None
        click.echo(_introduction(_where(base, https_base), log_in, place, log, count))
        options = [f"--type={_TYPES}", f"--count={count}", f"--speed={speed}", "--firmware=134250", "--bootcode=134250"]
        options += [f"--env={name}" for name in _ENVIRONMENTS]
        options += [f"--rows={max(3, shutil.get_terminal_size().lines - _LINES_ABOVE)}"]
        # Without hurry, so that there is something to watch once one has logged in.
        options += ["--until-settled", "--timeout=300"] if until_settled else [f"--spread={_SPREAD_SECONDS}"]
        sys.exit(_wait(_start("emulate", f"{https_base or base}/update.php", *options)))
    finally:
        _end(server)


def _start(*arguments: str, output: BinaryIO | None = None) -> subprocess.Popen[bytes]:
    """Start a program of ours out of reach of Ctrl-C, which this process passes on.

    So the devices end first, as one that loses its server in a poll counts an error; and each program is told once,
    as the second time would kill one that is about to end by itself.
    """
    command = [sys.executable, "-m", "gitupd", *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0)


def _interrupt(*_: object) -> None:
    """End in good order by Ctrl-C, when this process is told to end, or its terminal closes; that takes its time."""
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _base(server: subprocess.Popen[bytes], log: Path, before: int, address: Address) -> str:
    """Return the server's address once it answers; raises GitupdError with its last words if it does not start.

    What stands in front of *before* in *log* are the words of others, whose address may be another site's by now.
    """
    marker = b" at http://"
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        parts = log.read_bytes()[before:].rpartition(marker)[2].split(b" ", 1)
        if len(parts) > 1 and _answers(base := f"http://{parts[0].decode()}") and server.poll() is None:
            return base
        time.sleep(0.05)
    words = log.read_bytes()[before:].decode(errors="replace").strip()[-2000:] or "it does not say why"
    raise GitupdError(f"the server at {address} did not start: {words}; choose another by --http ADDR:PORT")


def _https_base(log: Path, before: int) -> str:
    """Return the server's other address, which it names in the same line as the first one."""
    return "https://" + log.read_bytes()[before:].rpartition(b" and https://")[2].split(b" ", 1)[0].decode()


def _answers(base: str) -> bool:
    try:
        with urlopen(f"{base}/readyz", timeout=5) as response:  # noqa: S310 - our own server
            return bool(response.status == 200)  # noqa: PLR2004 - OK
    except (URLError, OSError):
        return False


def _how_to_log_in(site: Site) -> str:
    name, password = demonstration.ACCOUNT
    if site.people.user(name) is None:
        return f"Log in as one of those whom this lists: {_program()} users list --site {site.path}"
    return f"Log in as {name}, with the password {password}."


def _where(base: str, https_base: str | None) -> str:
    said = f"gitupd is at {base}/"
    return f"{said}\nand at {https_base}/, with a certificate that it has made for itself." if https_base else said


def _introduction(where: str, log_in: str, place: Path, log: Path, count: int) -> str:
    return f"""
{where}
{log_in}

Watch {counted(count, "emulated device")} come up on the page Devices, and find some: berlin, missing, type:IP222.
Deploy the commit that waits on the page Deployments, and see them follow. Or change something of your own:
    git clone {place.absolute()}/config.git demo-config
    cd demo-config
    echo 'config add LOG0 /level 2' >> snippets/update-gw-all.txt
    git -c user.name=Ada -c user.email=ada@example.org commit -am 'More to log' && git push
    {_program()} deploy main --site {place.absolute()}

The server's log is {log}. Ctrl-C ends everything.
"""


def _program() -> str:
    """Return how this program can be called from a shell."""
    beside = Path(sys.executable).with_name("gitupd")
    return "gitupd" if shutil.which("gitupd") or not beside.exists() else str(beside)


def _wait(devices: subprocess.Popen[bytes]) -> int:
    """Return the exit code of the emulated devices; they end with a summary when this process is interrupted."""
    try:
        return devices.wait()
    except KeyboardInterrupt:
        return _end(devices)


def _end(program: subprocess.Popen[bytes]) -> int:
    """Tell a program to end, see to it that it does, and return its exit code."""
    program.terminate()
    try:
        return program.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        return program.wait()
