"""What settings say of listeners, and what is wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import SiteError
from gitupd.listeners import Address, KeyPair, Listener, TlsSettings, http, https, mtls
from gitupd.settings import FILE_NAME, Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path

WHERE = Address("127.0.0.1", 1)


def read(site: Path, text: str, **environment: str) -> Settings:
    (site / FILE_NAME).write_text(text, "utf-8")
    return read_settings(site, environment)


def test_without_settings_there_is_one_listener(tmp_path: Path) -> None:
    assert read(tmp_path, "").listen == (http(Address("127.0.0.1", 8080)),)


def test_short_forms_and_tables_are_all_listened_at(tmp_path: Path) -> None:
    text = """
http = ["127.0.0.1:1", "[::1]:2"]
https = "127.0.0.1:3"
trusted_proxies = ["127.0.0.1"]

[[listen]]
address = "127.0.0.1:4"
tls = true
client_certificates = "asked"
serves = ["devices", "api"]
proxy_protocol = true
"""
    listed = read(tmp_path, text, GITUPD_MTLS="127.0.0.1:5,127.0.0.1:6").listen
    asked = Listener(
        Address("127.0.0.1", 4),
        tls=True,
        client_certificates="asked",
        serves=frozenset({"devices", "api"}),
        proxy_protocol=True,
    )
    assert listed == (
        http(WHERE),
        http(Address("::1", 2)),
        https(Address("127.0.0.1", 3)),
        mtls(Address("127.0.0.1", 5)),
        mtls(Address("127.0.0.1", 6)),
        asked,
    )


def test_the_short_forms_are_what_the_reference_says() -> None:
    assert (http(WHERE).tls, len(http(WHERE).serves)) == (False, 4)
    assert (https(WHERE).tls, https(WHERE).client_certificates, len(https(WHERE).serves)) == (True, "none", 4)
    assert (mtls(WHERE).tls, mtls(WHERE).client_certificates, mtls(WHERE).serves) == (True, "demanded", {"devices"})


def test_certificates_are_paths(tmp_path: Path) -> None:
    text = """
[tls]
certificate = "a.pem"
key = "/b.key"
old_devices = true
[[tls.further]]
certificate = "c.pem"
key = "c.key"
"""
    assert read(tmp_path, text).tls == TlsSettings(
        KeyPair("a.pem", "/b.key"), (KeyPair("c.pem", "c.key"),), old_devices=True
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[listen]\naddress = ':1'", "listen: {'address': ':1'} is no list of tables"),
        ("listen = [1]", "listen: [1] is no list of tables"),
        ("[[listen]]", "listen: number 1: address is missing, such as 127.0.0.1:8443"),
        ("[[listen]]\naddress = 1", "listen: number 1: address: '1' is no ADDRESS:PORT, such as 127.0.0.1:8080"),
        ("[[listen]]\naddress = ':1'\ntls = 1", "listen: number 1: tls: 1 is neither true nor false"),
        (
            "[[listen]]\naddress = ':1'\n[[listen]]\naddress = ':2'\nclient_certificates = 'asked'",
            "listen: number 2: client_certificates need tls = true: without TLS nobody shows any",
        ),
        (
            "[[listen]]\naddress = ':1'\ntls = true\nclient_certificates = 'wanted'",
            "listen: number 1: client_certificates: 'wanted' is none of none, asked, demanded",
        ),
        (
            "[[listen]]\naddress = ':1'\nserves = []",
            "listen: number 1: serves: [] is no list of some of devices, people, api, git",
        ),
        ("[[listen]]\naddress = ':1'\nserves = 'git'", "listen: number 1: serves: 'git' is no list of some"),
        ("[[listen]]\naddress = ':1'\nserves = [['git']]", "listen: number 1: serves: [['git']] is no list of some"),
        ("[[listen]]\naddress = ':1'\nport = 1", "listen: number 1: unknown key 'port'; known: address, tls,"),
        (
            "[[listen]]\naddress = ':1'\nproxy_protocol = true",
            "listen: proxy_protocol needs trusted_proxies: nobody else may say who asks",
        ),
        ("tls = 1", "tls: 1 is no table, such as [tls]"),
        ("[tls]\ncertificate = 'a'", "tls: certificate and key are needed, both"),
        ("[tls]\ncertificate = ''\nkey = 'b'", "tls: certificate: '' is no path of a file"),
        ("[tls]\nfurther = [{key = 'b'}]", "tls: further: certificate and key are needed, both"),
        ("[tls]\nciphers = 'b'", "tls: unknown key 'ciphers'; known: further, old_devices"),
        ("https = 'x'", "https: 'x' is no ADDRESS:PORT, such as 127.0.0.1:8080"),
        ("mtls = [':99999']", "mtls: ':99999' is no ADDRESS:PORT, such as 127.0.0.1:8080"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SiteError, match=re.escape(fault)):
        read(tmp_path, text)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SiteError) as caught:
        read(tmp_path, "workers = 0\n[[listen]]\ntls = 1\nserves = 1\n[tls]\nold_devices = 2\nkey = ''")
    assert len(str(caught.value).split("\n")) == 6
