"""Configurations with all kinds of errors and warnings, for whoever tells of them."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]


def _cases() -> dict[str, tuple[str, str, list[str]]]:
    """Return by name what is in problems.txt: the path of a file, what is in it, and what is told of it."""
    cases = {}
    for case in (TESTS / "config/problems.txt").read_text("utf-8").split("=== ")[1:]:
        name, _, rest = case.partition("\n--- ")
        file, _, told = rest.partition("--- told\n")
        path, _, content = file.partition("\n")
        cases[name] = (path, content, told.splitlines())
    return cases


CASES = _cases()

_ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP8A2HDaYpcZlCP6+JFh3y1Kf5Wh2GYTEmXT6SxFgvTg"
_TEMPLATES = (
    *(
        "{{ x | frob }}",
        "{{ x is frob }}",
        "{{ device }}",
        "{{ device.colour }}",
        "{{ self }}",
        "{{ x.y }}",
        "{{ x() }}",
    ),
    *(
        "{{ x * 2 }}",
        "{{ {1: 2} }}",
        "{{ x if x }}",
        "{{ 1.5 }}",
        "{{ x[x] }}",
        "{{ [1, 2] }}",
        "{{ x | replace(x, 'a') }}",
    ),
    *("{{ x | join(d=1) }}", "{% for a, b in x %}{% endfor %}", "{% for a in x %}{% endfor %}", "{{ 'a\\n' }}"),
    *("{% for a in range(x) %}{% endfor %}", "{% for a in range(1, 2, 0) %}{% endfor %}", "{% set a, b = 1 %}", "{{ x"),
    *("{% set a %}x{% endset %}", "{% for a in range(9) %}" * 7 + "x" + "{% endfor %}" * 7, "{{ " + "-" * 50 + "x }}"),
    *("{{ x | replace('a', '" + "b" * 900 + "') }}", "{% include 'x' %}", "{{ ghost }}", "{{ 1" + "0" * 5000 + " }}"),
)
_LINES = (
    *(
        "config write",
        "mod cmd UP1 check x",
        "; no comment",
        "confg add X /y",
        "config add X \\",
        "config add X /a {{ b }}",
    ),
    *(
        "config add X /a b # why",
        "config add X /a b c",
        "<<<<<<< ours",
        "@@ -1 +1 @@",
        "config add X /a \x1a",
        "vars create a p \x01",
    ),
    *(
        "config add X /a b\u00a0c",
        "config add X /a \u201cb\u201d",
        "config add X\rconfig add Y",
        "config add X\0",
        "config " + "x" * 9000,
    ),
)

FILES: dict[str, dict[str, str | bytes]] = {
    "nothing": {"README.md": "x"},
    "places": {
        "policys/delivery.yaml": "interval: 1",
        "Snippets/all-all-all.txt": "x",
        "sub/phases.yaml": "phases: {a: {order: 1}}",
        "notify.yaml": "rules: []",
        "tests/a.yml": "tests: []",
        "tests/b.yaml": "tests: [{name: ''}]",
    },
    "many names": {"phases.yaml": "phases:\n" + "".join(f"  p{n}: {{order: {n}}}\n" for n in range(101))},
    "many problems": {"policies/delivery.yaml": "".join(f"k{n}: 1\n" for n in range(1100))},
    "schemas": {
        "policies/delivery.yaml": "window: {hours: []}\nurl_arguments: {n: 1}\nfast_poll: x\ninterval:\n",
        "policies/firmware.yaml": "applies: [{class: a, environment: b}]\nmaster: [a]\nno_firmware: {}\nstorage: ''\n",
        "policies/deploy.yaml": f"branch: {'x' * 1001}\nbrake: 25%\nfreeze: [{{days: [xyz]}}, {{hours: []}}, {{}}]\n",
        "policies/notify.yaml": "rules: [{at_most: x}]\n",
        "policies/transport.yaml": "- a\n",
        "policies/status.yaml": "refresh: 86401\n",
        "policies/certificates.yaml": "wildcard: [a]\nenabled: 1\nrequest: {dns: [" + "a," * 200 + "a]}\n",
    },
    "policies": {
        "policies/firmware.yaml": "storage: elsewhere/{build}/{nothing}/",
        "policies/admission.yaml": "accept: [{network: x}]",
        "policies/audit.yaml": "keep_looks: 1d",
        "policies/deploy.yaml": (
            "branch: origin/main\nfreeze: [{reason: x}, {from: 2026-02-02, until: 2026-01-01}, {from: 2026-02-30}]"
        ),
        "policies/status.yaml": "missing_after: 2d\nforget_after: 1d",
        "policies/backup.yaml": (
            f"ignore: ['.*', 'a{{,9}}']\nhide: [{', '.join('x' * 600 for _ in range(6))}]\nupload_url: 'x{{y}}'"
        ),
        "policies/certificates.yaml": (
            "enabled: true\nsigning: manual\nvalid_for: 1d\napprove: [{type: IP222}, {environment: nowhere}]\n"
            "request: {key: 4096-bit, signature: MD5, dns: ['a b'], ip: [x], dn: {c: Germany, o: '{x}'}}\n"
        ),
    },
    "admission": {
        "policies/admission.yaml": "accept: [{network: 10.0.0.1/8}, {network: ab}, {type: nope}, {hardware_id: '('}]"
    },
    "long": {
        "policies/backup.yaml": f"ignore: ['({'x' * 900}']\n",
        "policies/transport.yaml": f"https_rewrite: {{pattern: '{'x' * 900}', replacement: '\\1{'x' * 900}'}}\n",
        "policies/firmware.yaml": f"storage: '{'x/' * 900}'\n",
        "policies/certificates.yaml": f"chain: 'certificates/{'x' * 900}'\n",
        "queries.yaml": f"queries: {{mine: {{command: x, show: [{{title: x, xpath: '{'x' * 900}['}}]}}}}\n",
        "environments.yaml": f"environments: {{default: {{implies: ['{'x' * 900}']}}}}\n",
    },
    "signing": {"policies/certificates.yaml": "enabled: true\nsigning: automatic"},
    "short": {"policies/certificates.yaml": "enabled: true\nsigning: authority\nvalid_for: 30d\nrenew_before: 90d"},
    "files of certificates": {
        "policies/certificates.yaml": "enabled: true\nchain: certificates/CAkey*",
        "certificates/CAkey1.pem": "x",
        "certificates/CAkey2.pem": "-----BEGIN CERTIFICATE-----\n" + "MIIB" * 40 + "\n-----END CERTIFICATE-----\n",
        "certificates/key.pem": "-----BEGIN PRIVATE KEY-----",
    },
    "signers": {
        "signers/allowed_signers": (
            f"vera\nvera@x {_ED25519}x\nvera@x frob {_ED25519}\nvera@x dsa AAAA\nvera@x namespaces {_ED25519}\n"
            f'vera@x cert-authority="x" {_ED25519}\nvera@x namespaces="a",namespaces="b" {_ED25519}\n'
            f'vera@x namespaces="file" {_ED25519}\nvera@x valid-after="20260101",valid-before="20250101" {_ED25519}\n'
            f'vera@x valid-after="soon" {_ED25519}\nvera@x ssh-ed25519 AAAA\nvera@x ssh-rsa {_ED25519.split()[1]}\n'
        ),
        "signers/revoked_keys": "SSHKRL",
        "signers/a.asc": "x",
        "signers/b.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx",
        "signers/c.asc": "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "signers/README": "x",
    },
    "many signers": {f"signers/{n}.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----" for n in range(201)},
    "sealed": {
        "secrets.yaml": "variables: {}",
        "snippets/all-all-all.txt.age": "x",
        "snippets/all-all-all.txt": "AGE-SECRET-KEY-1",
        "age-recipients.txt": "nobody\n",
    },
    "scripting": {"scripting.py": b"class A:\n    x = '\xe9'\n"},
    "names of snippets": {
        "snippets/x.txt": "",
        "snippets/update-phone-default.txt": "x",
        "snippets/Update-phone-default.txt": "x",
        "snippets/update-phone-default.txt.j2": "x",
    },
    "variables": {
        "environments.yaml": "environments: {default: {}, a: {variables: {x: '1'}}, b: {}, Ä: {}, A\u0308: {}}",
        "devices.yaml": "devices: {00-90-33-30-00-af: {environments: [b], phase: nowhere}}",
        "snippets/all-all-all.txt.j2": "config add X /y {{ x }}",
        "snippets/all-all-00_90_33_30_00_af.txt.j2": "config add X /y {{ x }}",
    },
    **{
        f"template {number}": {"snippets/all-all-all.txt.j2": template}
        for number, template in enumerate((*_TEMPLATES, "x" * 70_000, b"\xe9"))
    },
    **{f"line {number}": {"snippets/all-all-all.txt": f"{line}\n"} for number, line in enumerate(_LINES)},
    **{
        f"content {number}": {"snippets/all-all-all.txt": content}
        for number, content in enumerate(
            (
                *(b"version https://git-lfs.github.com/spec/v1", b"/annex/objects/x", b"\0GITCRYPT\0", b"-----BEGIN X"),
                *(
                    b"<html",
                    b"<?xml",
                    b"\xff\xfea\0",
                    "config add X".encode("utf-16-le"),
                    b"\xef\xbb\xbfx",
                    b"config \xe9",
                ),
                b"config write\n" * 30,
            )
        )
    },
    "restarts": {"policies/delivery.yaml": "check: false", "snippets/all-all-all.txt": "vars create A p x"},
    "unreachable": {"classes.yaml": "classes: {mine: {snippets: phone}}", "snippets/all-mine-all.txt": "x"},
}
"""Files by the name of what is wrong with them."""
