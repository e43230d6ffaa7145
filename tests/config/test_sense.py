"""What is odd only if documents and snippets are seen together."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]

REQUEST = "policies/certificates.yaml"
KEY = b"-----BEGIN " + b"RSA PRIVATE KEY-----\nx\n"
PEM = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(b"\x30" + b"x" * 80) + b"\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"policies/delivery.yaml": "check: false", "snippets/all-all-all.txt": "# x\n vars create A p 1\n"},
            (
                "snippets/all-all-all.txt:2: warning: 'vars create' with check: false, so that devices restart at "
                "every poll; set check: true in policies/delivery.yaml"
            ),
        ),
        (
            {"policies/firmware.yaml": "storage: 'fw/{build}/{modle}'"},
            (
                "policies/firmware.yaml:1:10: warning: {modle} is filled in by nobody; known: {build} {model} "
                "{filetype} {filename}"
            ),
        ),
        (
            {"policies/backup.yaml": "upload_url: 'u.php?x={sn}'"},
            (
                "policies/backup.yaml:1:13: warning: {sn} is filled in by nobody; nothing is filled in there but #m "
                "and the like"
            ),
        ),
        (
            {REQUEST: "request: {dns: ['{hwid}.x', '{host}.x']}"},
            (
                f"{REQUEST}:1:29: warning: {{host}} is filled in by nobody; known: {{sn}} {{hwid}} {{name}} {{ip}} "
                "{realip} {proxy} {rdns}"
            ),
        ),
        (
            {REQUEST: "request: {key: 4096-bit}"},
            (
                f"{REQUEST}:1:16: warning: a key of 4096 bits takes a device very long to make, and each connection "
                "long to open; write 2048-bit"
            ),
        ),
        (
            {REQUEST: "request: {signature: RSA256}"},
            f"{REQUEST}:1:22: warning: 'RSA256' is no signature that devices are known to make; write SHA256",
        ),
        (
            {REQUEST: "request: {dn: {c: Germany}}"},
            (
                f"{REQUEST}:1:19: warning: 'Germany' is no country: authorities sign codes of two letters only; "
                "write a code such as DE"
            ),
        ),
        (
            {REQUEST: "request: {dn: {cn: '{sn}', o: '{Sn}'}}"},
            (
                f"{REQUEST}:1:31: warning: {{Sn}} is filled in by nobody; known: {{sn}} {{hwid}} {{name}} {{ip}} "
                "{realip} {proxy} {rdns}"
            ),
        ),
        ({REQUEST: "request: {dns: [x, 'x y']}"}, f"{REQUEST}:1:20: warning: 'x y' is no name of DNS"),
        ({REQUEST: "request: {ip: [10.0.0.300]}"}, f"{REQUEST}:1:16: warning: '10.0.0.300' is no IP address"),
        (
            {"policies/status.yaml": "missing_after: 90d\nforget_after: 7d"},
            (
                "policies/status.yaml:2:15: warning: devices are forgotten before they count as missing; "
                "make it longer than missing_after"
            ),
        ),
        (
            {"policies/deploy.yaml": "branch: origin/main"},
            "policies/deploy.yaml:1:9: warning: 'origin/main' is what a clone calls a branch; write main",
        ),
        (
            {"policies/backup.yaml": "ignore: [x, '.*']"},
            (
                "policies/backup.yaml:1:13: warning: fits every line, so that no version is ever kept but the first; "
                "write what is in those lines only"
            ),
        ),
        (
            {"policies/admission.yaml": "accept: [{type: IP2222}]"},
            "policies/admission.yaml:1:17: warning: no class has the model 'ip2222'; did you mean 'ip222'?",
        ),
        (
            {"certificates/root.pem": KEY, "phases.yaml": ""},
            (
                "certificates/root.pem: a private key, which everybody gets who may read the configuration; remove "
                "it, and replace the key: it stays in the history"
            ),
        ),
        (
            {"certificates/CAkey.pem": "hello", "phases.yaml": ""},
            (
                "certificates/CAkey.pem: warning: no certificate, neither in PEM nor in DER; put the certificate of "
                "the authority here"
            ),
        ),
        (
            {"certificates/CAkey.pem": PEM.replace(b"\n-----END", b"A\n-----END"), "phases.yaml": ""},
            (
                "certificates/CAkey.pem: warning: no certificate, neither in PEM nor in DER; put the certificate of "
                "the authority here"
            ),
        ),
    ],
)
def test_what_is_hardly_meant(told: Told, files: dict[str, str | bytes], problem: str) -> None:
    assert told(files) == [problem]


@pytest.mark.parametrize(
    "files",
    [
        {"snippets/all-all-all.txt": "vars create A p 1\n"},
        {"policies/delivery.yaml": "check: false", "snippets/all-all-all.txt": "# vars create A p 1\n"},
        {"policies/firmware.yaml": "storage: 'fw/{build}/{model}/{filetype}/{filename}'"},
        {REQUEST: "request: {key: 2048-bit, dn: {cn: '{sn}'}, dns: ['{name}.x'], ip: ['{realip}']}"},
        {REQUEST: "request: {signature: SHA384, dn: {cn: '{sn}', c: de}}"},
        {REQUEST: "request: {signature: SH256, dn: {cn: '{sn}', c: ''}}"},
        {REQUEST: "request: {dns: ['*.example.com', '{name}.phones.x', '{rdns}'], ip: ['10.0.0.1', '{realip}']}"},
        {"policies/status.yaml": "missing_after: 7d\nforget_after: 8d"},
        {"policies/deploy.yaml": "branch: release/2026"},
        {"policies/backup.yaml": "ignore: ['^vars create A/', 'x+']"},
        {"policies/admission.yaml": "accept: [{type: IP222}, {network: 10.0.0.0/8}]"},
        {"certificates/CAkey.pem": PEM, "phases.yaml": ""},
        {"certificates/CAkey.cer": b"\x30\x82" + b"x" * 80, "phases.yaml": ""},
        {"certificates/notes.txt": "hello", "phases.yaml": ""},
    ],
)
def test_what_is_meant(told: Told, files: dict[str, str | bytes]) -> None:
    assert told(files) == []
