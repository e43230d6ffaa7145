"""Whatever stands at an address instead of the old server, the message says what it is."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority
from support.old_server import Reply, playing
from support.ports import free_port

from gitupd.core.endpoint import Endpoint
from gitupd.core.proof.comparing import ScriptAnswer
from gitupd.service.proof.asking import OldServer, OldServerFault, base_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMPLETION = (
    b"# \r\n# turn on fast polling (5)\r\nmod cmd UP1 provision 5\r\n"
    b"config add UP1 /url http%3A%2F%2F192.0.2.1%3A8080%2Fupdate%2Fupdate.php%3Fphase%3Dupdate\r\nconfig write\r\n"
)

REPLIES = {
    "a page": (Reply(b"<!DOCTYPE html>\n<html><p>It works!</html>"), "answers with a page, not with a script"),
    "a page in XML": (Reply(b'  <?xml version="1.0"?><html/>'), "answers with a page, not with a script"),
    "a word": (Reply(b"hello"), "answers with something that is no script: 'hello'"),
    "nothing": (
        Reply(b""),
        "does not complete the address of a new device, as each update server does; it says: ",
    ),
    "a failure": (
        Reply(b"# config: phase name 'all' not allowed - exit\r\n"),
        "it says: config: phase name 'all' not allowed - exit",
    ),
    "404": (Reply(b"", 404), "answers 404: there is no update.php: write the address that devices poll"),
    "401": (Reply(b"", 401), "answers 401: it wants a log-in"),
    "403": (Reply(b"", 403), "answers 403: it refuses that to this machine"),
    "500": (Reply(b"", 500), "answers 500: it fails; its error log says why"),
    "418": (Reply(b"", 418), "answers 418: that is no answer of an update server"),
    "a redirect": (
        Reply(b"", 302, {"Location": "https://other.example/update.php"}),
        "answers 302: it sends on to 'https://other.example/update.php'; if that is the server, ask it there",
    ),
    "too much": (Reply(b"# " + b"x" * 9 * 2**20), "an answer of more than 8 MiB"),
}


@pytest.mark.parametrize("what", REPLIES)
def test_what_is_no_update_server_is_told(what: str) -> None:
    reply, message = REPLIES[what]
    with playing(lambda *_: reply) as played, pytest.raises(OldServerFault) as fault:
        OldServer(played.url).probe()
    assert message in str(fault.value)
    assert played.url in str(fault.value)
    assert len(played.asked) == 1, "no redirect is followed, and nothing is asked twice"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("upd.example/update.php", "is no address; write http://HOST/update/update.php"),
        ("ftp://upd.example/update.php", "is no address"),
        ("http://upd.example/update", "write an address that ends in update.php"),
        ("http://upd.example:99999/update.php", "is no address"),
        ("http://[::1/update.php", "is no address"),
    ],
)
def test_addresses_that_are_none_are_told(url: str, message: str) -> None:
    with pytest.raises(OldServerFault, match=message):
        OldServer(url)


def test_a_folder_is_enough_and_what_devices_add_is_passed_over() -> None:
    assert OldServer("http://h:81/update/").url == "http://h:81/update/update.php"
    assert OldServer("http://h").url == "http://h/update.php"
    assert OldServer("https://[::1]:8443/update.php?env=x#y").url == "https://[::1]:8443/update.php"


def test_nobody_listens() -> None:
    with pytest.raises(OldServerFault, match="can't be asked: Connection refused"):
        OldServer(f"http://127.0.0.1:{free_port()}/update.php").ask({})
    with pytest.raises(OldServerFault, match="can't be asked: "):
        OldServer("http://nobody.invalid/update.php").ask({})


@contextmanager
def silent(greeting: bytes) -> Iterator[int]:
    """Take connections, say *greeting*, and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    connection, _ = listening.accept()
                    taken.append(connection)
                    connection.sendall(greeting)
            except OSError:
                pass

        threading.Thread(target=take, daemon=True).start()
        yield listening.getsockname()[1]
        for connection in taken:
            connection.close()


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n# half"])
def test_an_answer_that_does_not_come_is_not_waited_for(greeting: bytes) -> None:
    with silent(greeting) as port, pytest.raises(OldServerFault, match=r"does not answer within 0\.2 s"):
        OldServer(f"http://127.0.0.1:{port}/update.php", timeout=0.2).ask({})


def test_something_that_does_not_speak_http_is_told() -> None:
    with silent(b"220 mail.example ESMTP\r\n") as port, pytest.raises(OldServerFault, match="can't be asked: 220 mail"):
        OldServer(f"http://127.0.0.1:{port}/update.php", timeout=2).ask({})


def test_arguments_are_sent_as_they_are_and_a_log_in_is_not_shown() -> None:
    with playing(lambda *_: Reply(COMPLETION)) as played:
        url = played.url.replace("http://", "http://us%65r:p%3Aw@")
        server = OldServer(url)
        server.ask({"env": "a b,ö&x", "sn": "00-90"})
        assert played.asked == ["env=a b,ö&x&sn=00-90"]
        assert played.headers[0]["Authorization"] == "Basic dXNlcjpwOnc="
        assert server.url == played.url
        server.close()


def test_a_connection_is_kept_and_one_that_was_closed_is_opened_again() -> None:
    ports: list[str] = []
    with playing(lambda *_: Reply(COMPLETION, headers={"Connection": "close"} if len(ports) == 1 else {})) as played:
        server = OldServer(played.url, rate=1000)
        for _ in range(4):
            server.ask({})
            ports.append("")
        assert len(played.asked) == 4
        server.close()


def test_it_is_never_asked_faster_than_at_the_pace() -> None:
    with playing(lambda *_: Reply(COMPLETION)) as played:
        server = OldServer(played.url, rate=20)
        before = time.monotonic()
        for _ in range(5):
            server.ask({})
        assert time.monotonic() - before >= 4 / 20
        server.close()


def test_a_certificate_that_is_not_good_is_told(tmp_path: Path) -> None:
    files = Authority.root("Nobody's").device("127.0.0.1").files(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/update.php"

        def serve() -> None:
            for _ in range(2):
                connection, _ = listening.accept()
                try:
                    with context.wrap_socket(connection, server_side=True) as secured:
                        secured.recv(4096)
                        secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(COMPLETION) + COMPLETION)
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(OldServerFault, match=r"shows a certificate that is not good .* see --insecure"):
            OldServer(url).probe()
        server = OldServer(url, verify=False)
        assert base_in(server.probe()) == Endpoint("http", "192.0.2.1", 8080, "/update")
        server.close()
        thread.join(10)


def test_where_a_server_believes_to_be_is_in_the_addresses_that_it_gives() -> None:
    assert base_in(ScriptAnswer(COMPLETION)) == Endpoint("http", "192.0.2.1", 8080, "/update")
    assert base_in(ScriptAnswer(b"config add UP1 /url nonsense")) is None
    assert base_in(ScriptAnswer(b"config add UP1 /url %2Fupdate.php")) is None
    assert base_in(ScriptAnswer(b"# nothing")) is None
