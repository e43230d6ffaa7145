"""Asking the server that is to be replaced, as devices ask it: one poll at a time, at a pace, and never for long."""

from __future__ import annotations

import base64
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from gitupd.core.endpoint import Endpoint, quoted
from gitupd.core.proof.comparing import ScriptAnswer
from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

TIMEOUT_SECONDS = 10.0
_LARGEST = 8 * 2**20
_NEW_URL = "config add UP1 /url "
_SCRIPT = "update.php"
_OK = 200
_REFUSALS = {
    401: "it wants a log-in: write http://USER:PASSWORD@HOST/…, or ask from where devices ask",
    403: "it refuses that to this machine: ask from where devices ask, or from its own",
    404: "there is no update.php: write the address that devices poll, such as http://HOST/update/update.php",
}


class OldServerFault(GitupdError):
    """The server that is to be replaced gave no script; the text says what it gave, and what can be done."""


class OldServer:
    """The server at an address that ends in ``update.php``; kept connected, and never asked faster than at a pace."""

    def __init__(self, url: str, *, rate: float = 20, timeout: float = TIMEOUT_SECONDS, verify: bool = True) -> None:
        """Ask the server at *url*, *rate* polls a second at the most; each answer may take *timeout* seconds.

        With *verify* its certificate must be good. Raises OldServerFault for an address that is none.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise OldServerFault(f"{url[:200]!r} is no address: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OldServerFault(f"{url[:200]!r} is no address; write http://HOST/update/update.php")
        path = f"{parts.path}{_SCRIPT}" if parts.path.endswith("/") or not parts.path else parts.path
        if not path.startswith("/"):
            path = f"/{path}"
        if not path.endswith(f"/{_SCRIPT}"):
            raise OldServerFault(f"{parts.path!r} is not where devices poll; write an address that ends in {_SCRIPT}")
        self._scheme, self._host, self._port, self._path = parts.scheme, parts.hostname, port, path
        self._log_in = _log_in(parts.username, parts.password)
        self._timeout, self._pause, self._next = timeout, 1 / rate, 0.0
        self._context = _context(verify=verify) if parts.scheme == "https" else None
        self._connection: HTTPConnection | None = None

    @property
    def url(self) -> str:
        """The address, without a log-in."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{self._scheme}://{host}{'' if self._port is None else f':{self._port}'}{self._path}"

    def ask(self, arguments: Mapping[str, str]) -> ScriptAnswer:
        """Return what a device that says *arguments* is answered; raises OldServerFault."""
        self._wait()
        query = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in arguments.items())
        try:
            status, place, body = self._get(f"{self._path}?{query}" if query else self._path)
        except ssl.SSLCertVerificationError as error:
            self.close()
            message = f"{self.url} shows a certificate that is not good ({error.verify_message}); see --insecure"
            raise OldServerFault(message) from error
        except TimeoutError as error:
            self.close()
            raise OldServerFault(f"{self.url} does not answer within {self._timeout:g} s") from error
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise OldServerFault(f"{self.url} can't be asked: {getattr(error, 'strerror', None) or error}") from error
        if status != _OK:
            self.close()
            raise OldServerFault(f"{self.url} answers {status}: {_reason(status, place)}")
        try:
            return _script(self.url, body)
        except OldServerFault:
            self.close()
            raise

    def probe(self) -> ScriptAnswer:
        """Ask as a device out of the box; raises OldServerFault if the answer is not what such a one is answered."""
        answer = self.ask({})
        if not any(line.startswith(_NEW_URL) for line in answer.commands):
            self.close()
            said = "; ".join(answer.comments[:3]) or "nothing"
            raise OldServerFault(
                f"{self.url} does not complete the address of a new device, as each update server does; it says: "
                f"{said[:300]}"
            )
        return answer

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _wait(self) -> None:
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._pause

    def _get(self, target: str) -> tuple[int, str, bytes]:
        """Return status, Location and body; a connection that was closed meanwhile is opened anew, once."""
        is_new = self._connection is None
        try:
            return self._get_once(target)
        except TimeoutError:
            raise
        except (ConnectionError, HTTPException):
            self.close()
            if is_new:
                raise
            return self._get_once(target)

    def _get_once(self, target: str) -> tuple[int, str, bytes]:
        if self._connection is None:
            self._connection = (
                HTTPConnection(self._host, self._port, timeout=self._timeout)
                if self._context is None
                else HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
            )
        self._connection.request("GET", target, headers={"User-Agent": "gitupd prove", **self._log_in})
        with self._connection.getresponse() as response:
            return response.status, response.getheader("Location") or "", self._read(response)

    def _read(self, response: HTTPResponse) -> bytes:
        """Return the body, which as a whole has to come in time."""
        deadline, content = time.monotonic() + self._timeout, b""
        while part := response.read1(65536):
            content += part
            if len(content) > _LARGEST:
                raise ValueError(f"an answer of more than {_LARGEST // 2**20} MiB")
            if time.monotonic() > deadline:
                raise TimeoutError
        return content


def base_in(answer: ScriptAnswer) -> Endpoint | None:
    """Return where the server believes that it is reached, as the last address says that it gives devices."""
    urls = [unquote(line.removeprefix(_NEW_URL)) for line in answer.commands if line.startswith(_NEW_URL)]
    base, found, _ = (urls[-1] if urls else "").partition(f"/{_SCRIPT}")
    try:
        return Endpoint.parsed(base) if found else None
    except ValueError:
        return None


def _script(url: str, body: bytes) -> ScriptAnswer:
    answer = ScriptAnswer(body)
    first = body.lstrip()[:200].lower()
    if first.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise OldServerFault(f"{url} answers with a page, not with a script: it is the address of something else")
    if answer.lines and not answer.comments and not any(" " in line for line in answer.commands):
        raise OldServerFault(f"{url} answers with something that is no script: {answer.lines[0][:100]!r}")
    return answer


def _reason(status: int, place: str) -> str:
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        return f"it sends on to {place[:200]!r}; if that is the server, ask it there"
    if status >= 500:  # noqa: PLR2004 - failures
        return "it fails; its error log says why"
    return _REFUSALS.get(status, "that is no answer of an update server")


def _log_in(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
