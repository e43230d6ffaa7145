"""Options of `gitupd emulate`: the certificates of devices, and how they speak TLS."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gitupd.emulator.clock import moment
from gitupd.emulator.factory import Factory, read_authority
from gitupd.emulator.signing import RequestKeys
from gitupd.emulator.tls import TlsHabits, TlsVersion, read_trust

HELP = """\b
Over HTTPS, a device shows a certificate to servers that ask for one. Its authority is made up, and nobody trusts
it. These are known to a site, each with a key of its own (ECDSA; RSA keys take long to make, and are shared):
  gitupd emulate https://127.0.0.1:8444/update.php --factory-authority factory.pem factory.key
  gitupd trust add factory.pem --site SITE"""

Command = Callable[..., None]

_file = click.Path(dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option(
        "--factory-authority",
        nargs=2,
        type=_file,
        metavar="CERT KEY",
        help="Authority that signs the devices' certificates, in PEM; made up and written there if there is none.",
    ),
    click.option(
        "--certificates",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Take the devices' certificates from DIR: NAME.pem with NAME.key. Those without a file show none.",
    ),
    click.option(
        "--certificate-name",
        type=click.Choice(["hardware-id", "serial"]),
        default="hardware-id",
        show_default=True,
        help="What the common names of the devices' certificates are; serial: twelve digits.",
    ),
    click.option("--rsa", is_flag=True, help="Make RSA certificates. All devices share one key."),
    click.option(
        "--expire-in",
        type=click.FloatRange(0, 10_000),
        metavar="DAYS",
        help="The certificates that are made for devices end so soon. [default: in 2041]",
    ),
    click.option(
        "--request-keys",
        type=click.Choice([str(kind) for kind in RequestKeys]),
        default=str(RequestKeys.SHARED_RSA),
        show_default=True,
        help="Keys that devices make for signing requests; shared-rsa: one of each size for all of them.",
    ),
    click.option(
        "--check-server",
        type=_file,
        metavar="FILE",
        help="Accept servers with a certificate of the authorities in FILE only. [default: any server]",
    ),
    click.option(
        "--tls",
        "version",
        type=click.Choice([str(version) for version in TlsVersion]),
        default=str(TlsVersion.TLS_1_3),
        show_default=True,
        help="The latest version of TLS that the devices speak; with 1.0 nothing else.",
    ),
)


def tls_options(command: Command) -> Command:
    """Add the options, and give the command what comes of them as `factory`, `request_keys` and `tls`."""

    @wraps(command)
    def gathered(
        *,
        factory_authority: tuple[Path, Path] | None,
        certificates: Path | None,
        certificate_name: str,
        rsa: bool,
        expire_in: float | None,
        request_keys: str,
        check_server: Path | None,
        version: str,
        **others: Any,
    ) -> None:
        if factory_authority and certificates:
            raise click.UsageError("certificates come from --factory-authority or from --certificates, not from both")
        try:
            authority = read_authority(*factory_authority) if factory_authority else None
            trusted = read_trust(check_server) if check_server else None
        except ValueError as fault:
            raise click.UsageError(str(fault)) from fault
        until = None if expire_in is None else moment(time.time()) + timedelta(days=expire_in)
        factory = Factory(authority, certificates, certificate_name == "serial", rsa, until)
        tls = TlsHabits(trusted, TlsVersion(version))
        command(factory=factory, request_keys=RequestKeys(request_keys), tls=tls, **others)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered
