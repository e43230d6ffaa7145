"""What the server makes of requests that no device sends, and of clients that take their time."""

from __future__ import annotations

import json
import select
import socket
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.serving import PATIENCE, Server, serving
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitupd.service.site import Site

POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0"
BACKUP = "/update.php?mode=backup&sn=00-90-33-30-00-af&hwid=IP222-30-00-af"

FORM = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def hasty(site: Site) -> Iterator[Server]:
    """A server with short time-outs, for those who exceed them."""
    with serving(site.path, request_seconds="1.5") as running:
        running.ready()
        yield running


@contextmanager
def connection(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as opened:
        yield opened


def exchange(server: Server, request: bytes, *, hang_up: bool = False) -> bytes:
    """Send *request*, then no more if *hang_up*; return all that comes until the server closes."""
    with connection(server) as opened:
        opened.sendall(request)
        if hang_up:
            opened.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := opened.recv(65536):
                received += chunk
        except OSError:
            pass
        return received


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/update.php?sn=../../etc", 400),
        ("/update.php?sn=x%0d%0ay", 400),
        ("/update.php?env=x%0aconfig+add+INJ", 400),
        ("/update.php?type[]=a", 400),
        ("/update.php?type=a/b&sn=00-90-33-30-00-af", 400),
        ("/update.php?" + "&".join(f"a{n}=1" for n in range(300)), 400),
        ("/update.php?x=" + "y" * 9000, 414),
        ("/a%0db/update.php?env=default", 400),
        ("/../update.php?env=default", 400),
        ("/a//update.php?env=default", 200),
        ("//update.php?env=default", 200),
        ("///a///update.php?env=default", 200),
        ("/Update/Update.PHP?env=default", 200),
        ("//fw//137213//nothing.bin", 404),
        ("/FW/137213/nothing.bin", 404),
        ("//restore//nothing", 404),
        ("/update-ip222.htm?sn=00-90-33-30-00-af&hwid=x", 404),
        ("/?sn=00-90-33-30-00-af&hwid=x", 404),
        ("/devices?hwid=x", 404),
        ("/devices", 303),
        ("/any/where/update.php?env=default", 200),
        ("/nothing", 303),
        ("/admin/admin.php?mode=ui&cmd=delstatus", 404),
        ("/fw/137213/../../gitupd.toml", 404),
        ("/fw/..%2f..%2fgitupd.toml", 404),
        ("/static/../../settings.py", 404),
        ("/healthz", 200),
    ],
)
def test_status(server: Server, path: str, status: int) -> None:
    answer = exchange(server, f"GET {path} HTTP/1.1\r\nHost: gitupd.example\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) == status


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a b",
        "evil.test/path?",
        "x\t",
        "[::1",
        "h:99999",
        "-a",
        "a,b",
        "a..b",
        "a:0",
        "[::::]",
        "[1.2.3.4]",
        "x" * 64,
    ],
)
def test_a_host_that_is_none_is_refused(server: Server, host: str) -> None:
    answer = exchange(server, f"GET {POLL} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) == 400


def test_many_slashes_are_one_in_the_addresses_that_a_device_is_told(server: Server) -> None:
    _, body = server.get("/a///b//update.php?env=default")
    assert b"%2Fa%2Fb%2Fupdate.php" in body


def test_what_is_no_http_leaves_a_trace_of_who_sent_it(server: Server) -> None:
    answer = exchange(server, "GET /update.php?env=münchen&sn=00-90-33-30-00-af HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert status_of(answer) == 400
    time.sleep(0.5)
    (line,) = [
        line for line in server.log.read_text().splitlines() if "Invalid HTTP request" in line and "begins" in line
    ]
    assert "127.0.0.1" in line
    assert "sn=00-90-33-30-00-af" in line


def test_two_host_headers_are_refused(server: Server) -> None:
    answer = exchange(server, f"GET {POLL} HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) == 400


def test_a_directory_stays_encoded_in_commands(server: Server) -> None:
    status, body = server.get("/a%20b/update.php?env=default")
    assert status == 200
    assert b"%2Fa%2520b%2Fupdate.php" in body


def test_a_head_request_says_how_much_and_is_no_delivery(site: Site, server: Server) -> None:
    head = POLL.replace("30-00-af", "30-00-aa")
    answer = exchange(server, f"HEAD {head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) == 200
    assert answer.endswith(b"\r\n\r\n")
    assert server.get(POLL)[0] == 200
    device = until(lambda: site.inventory.device(parse_serial("00-90-33-30-00-af")), "the poll is not remembered")
    assert device.phase == "update"
    assert site.inventory.device(parse_serial("00-90-33-30-00-aa")) is None


def test_other_methods_are_refused(server: Server) -> None:
    for method in ("DELETE", "OPTIONS", "PATCH"):
        assert server.get(POLL, method=method)[0] == 405


def test_a_poll_may_come_as_a_form_or_with_a_body_that_means_nothing(server: Server) -> None:
    path, _, arguments = POLL.partition("?")
    head = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    polled = exchange(server, f"GET {POLL} {head}\r\n".encode())
    form = f"POST {path} {head}Content-Length: {len(arguments)}\r\n\r\n{arguments}"
    put = f"PUT {POLL} {head}Content-Length: 7\r\n\r\nignored"
    for request in (form, put):
        assert exchange(server, request.encode()).partition(b"\r\n\r\n")[2] == polled.partition(b"\r\n\r\n")[2]


def test_a_large_head_is_refused(server: Server) -> None:
    answer = exchange(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 100_000)
    assert status_of(answer) in (400, 431)


def test_a_large_upload_is_refused(server: Server) -> None:
    head = f"PUT {BACKUP} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"10000\r\n" + b"z" * 65536 + b"\r\n"
    with connection(server) as opened:
        opened.sendall(head)
        answer = b""
        try:
            for _ in range(40):
                opened.sendall(chunk)
            answer = opened.recv(1000)
        except OSError:
            answer = answer or opened.recv(1000)
    assert status_of(answer) == 413


def test_an_upload_in_chunks_is_taken_in(server: Server) -> None:
    path = b"/update.php?mode=query&id=admin&sn=00-90-33-30-00-af"
    head = b"PUT " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    body = b"5\r\n<info\r\nb\r\n name='x'/>\r\n0\r\n\r\n"
    answer = exchange(server, head + b"Connection: close\r\n\r\n" + body)
    assert status_of(answer) == 200
    assert b"# answer to query admin kept" in answer


def let_go(clients: Sequence[socket.socket]) -> int:
    """Return how many of *clients* have heard something, or were left."""
    heard = select.poll()
    for each in clients:
        heard.register(each, select.POLLIN)
    return len(heard.poll(0))


def test_hundreds_of_slow_clients_hold_nobody_up(site: Site) -> None:
    half = f"GET {POLL} HTTP/1.1\r\nHost: ".encode()
    upload = f"PUT {BACKUP} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nslow".encode()
    with serving(site.path, request_seconds="300") as server, ExitStack() as stack:
        slow = []
        for request in (b"", half, upload):
            for _ in range(150):
                slow.append(stack.enter_context(connection(server)))
                slow[-1].sendall(request)
        for _ in range(20):
            assert server.get(POLL)[0] == 200
        assert let_go(slow) == 0, "nobody waited for them, as they are slow still"


def test_slow_forms_hold_up_no_page(site: Site) -> None:
    with serving(site.path, request_seconds="300") as server, ExitStack() as stack:
        slow = [stack.enter_context(connection(server)) for _ in range(60)]
        for each in slow:
            each.sendall(FORM + b"Content-Length: 99\r\n\r\nname=")
        for _ in range(20):
            assert server.get("/login")[0] == 200
        assert let_go(slow) == 0, "nobody waited for them, as they are slow still"


def test_who_takes_too_long_for_a_form_is_told(hasty: Server) -> None:
    with connection(hasty) as opened:
        opened.sendall(FORM + b"Content-Length: 99\r\n\r\nname=")
        assert status_of(opened.recv(1000)) == 408


def test_a_form_that_is_too_large_is_refused_however_it_comes(server: Server) -> None:
    chunk = b"20000\r\n" + b"x" * 0x20000 + b"\r\n"
    for rest in (b"Content-Length: 2000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 9):
        assert status_of(exchange(server, FORM + b"Connection: close\r\n" + rest)) == 413


def test_who_sends_nothing_or_half_a_head_is_let_go(hasty: Server) -> None:
    for request in (b"", b"GET / HTTP/1.1\r\nHost: "):
        with connection(hasty) as opened:
            opened.sendall(request)
            assert opened.recv(1000) == b""


def test_who_takes_too_long_for_an_upload_is_told(hasty: Server) -> None:
    with connection(hasty) as opened:
        opened.sendall(
            b"PUT /update.php?mode=query&sn=00-90-33-30-00-af HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        )
        assert status_of(opened.recv(1000)) == 408


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_make_an_error_of_ours(server: Server, query: bytes) -> None:
    query = query.translate(None, b"\r\n \x00#")
    answer = exchange(
        server, b"GET /update.php?" + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", hang_up=True
    )
    assert not answer or status_of(answer) < 500


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=400))
def test_arbitrary_requests_never_make_an_error_of_ours(server: Server, request_bytes: bytes) -> None:
    answer = exchange(server, request_bytes, hang_up=True)
    assert not answer or status_of(answer) < 500


def test_forwarding_headers_are_believed_from_trusted_proxies_only(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    headers = {"Host": "upd.example", "X-Forwarded-For": "192.0.2.99, 198.51.100.7", "X-Forwarded-Proto": "https"}
    first_contact = "/update.php?env=default"
    for trusted, scheme, address in (("", "http", "127.0.0.1"), ("127.0.0.0/8", "https", "198.51.100.7")):
        with serving(site.path, trusted_proxies=trusted) as server:
            server.ready()
            body = server.get(first_contact, headers)[1]
            assert f"/url {scheme}%3A%2F%2Fupd.example%2F".encode() in body
            server.get(POLL, headers)
        device = site.inventory.device(parse_serial("00-90-33-30-00-af"))
        assert device.address == address
    site.close()


def test_only_allowed_hosts_are_served(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    site.close()
    with serving(site.path, allowed_hosts="upd.example, 127.0.0.1") as server:
        server.ready()
        assert server.get(POLL, {"Host": "UPD.example:8080"})[0] == 200
        assert server.get(POLL, {"Host": "other.example"})[0] == 400


def test_each_request_is_one_line_of_the_log(server: Server) -> None:
    server.get(POLL.replace("IP222&", "IP222&note=%22%0c&").replace("30-00-af", "30-00-ab"))
    server.get(POLL.replace("30-00-af", "30-00-ac"))
    (refused,) = until(lambda: of_the_log(server, "30-00-ab"))
    (served,) = until(lambda: of_the_log(server, "30-00-ac"))
    assert refused["status"] == 400
    assert "control character" in refused["note"]
    assert served["status"] == 200


def of_the_log(server: Server, serial: str) -> list[dict[str, Any]]:
    """Return the requests of a device that are in the log, whose last line may be half written."""
    lines = [json.loads(line) for line in server.log.read_text().split("\n")[:-1] if line.startswith("{")]
    return [line for line in lines if line["event"] == "request" and str(line["sn"]).endswith(serial)]


def test_a_file_of_the_configuration_may_be_called_like_an_address_for_devices(server: Server) -> None:
    for name in ("snippets/update.php", "restore/x", "fw/137213/ip222.bin"):
        assert server.get(f"/configuration/file/{name}")[0] == 303, "it is a page, which needs a log-in"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "upd.example", "Origin": "https://upd.example.evil.example"}, 403),
        ({"Host": "upd.example:8080", "Origin": "http://UPD.example:8080"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_a_page_of_another_site_can_not_have_a_browser_poll(
    site: Site, server: Server, headers: dict[str, str], status: int
) -> None:
    path = POLL.replace("30-00-af", f"30-07-{status - 200:02x}"[:8])
    assert server.get(path, headers)[0] == status
    if status != 200:
        time.sleep(1.5)
        assert site.inventory.device(parse_serial("00-90-33-30-07-cb")) is None
