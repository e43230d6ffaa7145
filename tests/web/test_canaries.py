"""Secrets of configurations reach nobody without the right: planted in every form, and looked for in every byte."""

from __future__ import annotations

import gzip
import html
import http.client
import io
import re
import subprocess
import time
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from support.routes import filled, routes
from support.serving import Server, serving
from support.signing_sites import FOUNDING, PASSPHRASE, VERA, asks
from support.visitors import ROOT, Visitor, add_key, add_person, logged_in
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.certificates.founding import found
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now
from gitupd.web.router import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from gitupd.service.site import Site

MARK = "Cnry"
"""In every secret; so nothing that anybody gets may hold it."""

SERIAL = parse_serial("00-90-33-30-00-af")
OTHER = parse_serial("00-90-33-30-00-b0")
POLL = f"/update.php?type=IP222&sn={SERIAL}&hwid=IP222-30-00-af&ip=10.0.0.7&env=intranet&phase=update&polling=0"
BACKUP = f"/update.php?mode=backup&hwid=IP222-30-00-af&sn={SERIAL}"
OF_ANOTHER = f"/update.php?mode=backup&hwid=IP222-30-00-b0&sn={OTHER}"
WORD = f"{MARK}2word"
OLD, NEW = f"{MARK} old s&p%", f"{MARK} new s&p%"
"""What a variable says, in the commit before and in the deployed one."""

FORMS = (
    "config change FIRST /pw {}",
    "config change A /pw  {}",
    "config change A /pw\t{}",
    "config change A /PW {} /pw* {}",
    "config change A /pw /pwd {}",
    "config change A /no-key /x /gk-pwd /psk {} /y z",
    "config change PHONE SIG /prot SIP /gk-addr 10.0.0.1 /auth-name 100 /gk-pwd {} /coder G711A,20,",
    "config change CMD0 /user admin,{} /name Desk",
    "config change HTTP0 /user admin%2C{}",
    "config change A /passphrase {} /pin {} /pw2 {} /pwd-repeat {} /token {} /auth-pass {} /api-key {}",
    "config change A /pw={} /x y",
    'config change A /pw "{} {}"',
    "config change A /pw x%20{}+{}%0A{}",
    "config change A /pw \u00fc\u3000{}\u00a0{}\u2028{}\x0b{}",
    "config change A /pw /{}",
    "config change A /pw {long}{}",
    "mod cmd PHONE/CONF-UI reg-edit /cmd reg-edit /ldap.3.pw {} /ldap.3.pw* {} /op OK",
    "vars create X/Y pc {}",
    "  vars  create X/Y\tPBC {} and {}",
    "vars create X509/REQUESTKEY pb {}",
    "vars create CMD0/PW p {} {}",
    "config change UP1 /url http%3A%2F%2Fu%3A{}%40host%2Fx /poll 15",
    "config change URL /url http://u:x@{}@host/x",
    "config change URL /url http%3a%2f%2fhost%2fx%3fpassword%3d{}%26a%3db",
    "mod cmd UP0 scfg http://host/x?token={}&a=b",
    "vars create UPDATE/PASSWORD p {}",
    "mod cmd FLASHDIR0 add-item 1 (cn=A)(type=x)(info=y)(pwd={})",
    'mod cmd FLASHDIR0 add-item 2 (cn=A)(pbx=<user pwd="{} &amp; {}" key="{}"/>)(e164=1)',
    "mod cmd FLASHDIR0 add-item 3 (cn=A)(pbx=%3Cuser%20pwd%3D%22{}%22%2F%3E)",
    "config change LONG /a {filling} /pw {}",
    "config change LONGER /a {filling}{filling}{filling}{filling} {}",
    "# config change COMMENT /pw {}",
    "config change OTHER /text {variable} /plus {plus} /small {small} /twice {twice}",
    "config change LAST /pw {}",
)


def dump(variable: str, version: int) -> bytes:
    """Return a configuration with a secret in every form; those of each *version* are others."""
    coded = quote(variable, safe="")
    others = {
        "long": "q" * 3_000,
        "filling": "q" * 9_000,
        "variable": coded,
        "plus": quote_plus(variable),
        "small": re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), coded),
        "twice": quote(coded),
    }
    lines = [form.format(*[f"{MARK}{version}x{n}z"] * 9, **others) for n, form in enumerate(FORMS)]
    lines.insert(5, f"config change MODULE /public {version}")
    return "\r\n".join(lines).encode() + b"\xff\xfe" + MARK.encode()


def configuration(variable: str) -> dict[str, bytes]:
    written = {
        "policies/backup.yaml": "enabled: true\n",
        "environments.yaml": (
            f"environments:\n  default: {{variables: {{password: {WORD}}}}}\n  homeoffice: {{implies: [intranet]}}\n"
            f'  intranet: {{variables: {{sip_password: "{variable}"}}}}\n'
        ),
        "queries.yaml": (
            "queries:\n  reg:\n    title: Registration\n    command: mod cmd A xml-info\n    applies: [all]\n"
            '    show: [{title: Password, xpath: "string(/info/@pwd)"}, {title: Line, xpath: "string(/info/@line)"}]\n'
        ),
        "snippets/update-phone-all.txt": (
            f"config add PHONE/SIG /gk-pwd /psk {MARK}snip\nconfig add CMD0 /user a,{MARK}snip\n"
            f"config add OTHER /text {quote(variable, safe='')}\nconfig change MODULE /public 3\n"
        ),
    }
    return {**template_files(), **{path: text.encode() for path, text in written.items()}}


@dataclass(frozen=True)
class Scene:
    """A site with secrets in two versions of a device, in its answers, in its scripts and in a restore that differs."""

    site: Site
    server: Server
    values: Mapping[str, str]


def put(server: Server, path: str, body: bytes) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("PUT", path, body=body)
    said = connection.getresponse().read().decode()
    connection.close()
    return said


def restored_wrong(site: Site, server: Server) -> None:
    """Have the device go back to its first version, and come back with another one."""
    live = live_now(site)
    assert live is not None
    first = site.backup_index.of(SERIAL)[-1]
    restore = SiteRestores(site).ask(first, ROOT, now(), live.snapshot.policy.backup)
    until(lambda: f"/restore/{restore.token}".encode() in server.get(POLL)[1])
    assert MARK in server.get(f"/restore/{restore.token}")[1].decode(errors="replace")
    assert put(server, BACKUP, dump(NEW, 3)).endswith("kept\r\n")
    until(lambda: bool(site.restores.of(SERIAL)[0].detail))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    site, _ = create_site(tmp_path_factory.mktemp("canaries") / "site", who="test", now=now())
    for name, role in (("vera", Role.VIEWER), ("adam", Role.AUDITOR), ("olga", Role.OPERATOR)):
        add_person(site, name, role)
    commit = ""
    found(site, FOUNDING, PASSPHRASE, VERA, now())
    asks(site, SERIAL)
    with serving(site.path, workers=1) as server:
        for version, variable in enumerate((OLD, NEW), 1):
            commit = site.config.commit_files(configuration(variable), "Change", "Ada <ada@example.org>")
            deploy(site, commit, who="tess", now=now())
            server.ready(commit)
            for _ in range(3):
                assert server.get(POLL)[0] == 200
            assert put(server, BACKUP, dump(variable, version)).endswith("kept\r\n")
            until(lambda count=version: len(site.backup_index.of(SERIAL)) == count)
        assert server.get(POLL.replace("00-af", "00-b0").replace("IP222", "IP811"))[0] == 200
        assert put(server, OF_ANOTHER, dump(NEW, 4)).endswith("kept\r\n")
        until(lambda: bool(site.backup_index.of(OTHER)))
        answer = f'<info pwd="{MARK}a" line="config change A /pw {MARK}b" deep="c"><x secret="{MARK}c"/></info>'
        assert "kept" in put(server, f"/update.php?mode=query&sn={SERIAL}&id=reg", answer.encode())
        put(server, f"/update.php?mode=query&sn={SERIAL}&id=reg", f'<info pwd="{MARK}d'.encode())
        restored_wrong(site, server)
        server.get(POLL)
        time.sleep(1)
        values = {
            "serial": str(SERIAL),
            "sn": str(SERIAL),
            "revision": "latest",
            "rev": commit,
            "commit": commit,
            "path": "snippets/update-phone-all.txt",
            "name": "vera",
            "token": "1",
            "code": "1",
            "search": "1",
            "filename": "gitupd.css",
            "file": "nothing.pem",
            "number": "1",
            "deployment": "1",
            "base": commit,
            "head": commit,
            "group": "1",
        }
        yield Scene(site, server, values)
    site.close()


def assert_clean(response: httpx.Response, path: str) -> None:
    """Fail if anything of *response* holds a secret, however it is written."""
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    body = response.content
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    if response.headers.get("content-type") == "application/zip":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.namelist()
            body = b"".join(map(archive.read, archive.namelist()))
    text = f"{head}\n{body.decode(errors='replace')}"
    for read in (text, html.unescape(text), unquote(text), unquote_plus(unquote(text))):
        at = read.lower().find(MARK.lower())
        assert at < 0, f"{path}: …{read[max(0, at - 200) : at + 60]}…"


def with_arguments(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Return by endpoint the queries with which a page shows more."""
    versions = [version.commit for version in scene.site.backup_index.of(SERIAL)]
    a_first, b_last = versions[-1], versions[0]
    return {
        "backups.index": ("show=devices", "show=late&days=1", "show=never", f"q={SERIAL}"),
        "backups.drift": (f"q={SERIAL}",),
        "backups.export": ("at=2999-01-01",),
        "backups.since": ("page=1",),
        "backups.against": (f"with={OTHER}", f"with={OTHER}&view=split&all=1", "with=x"),
        "backups.device": (f"before={b_last}",),
        "backups.diff": (
            f"a={a_first}&b={b_last}",
            f"a={a_first}&b={b_last}&view=split&all=1",
            "a=~2&b=~1",
            "a=~1&b=latest&view=split",
            "b=now",
            "a=~2&b=now",
        ),
        "backups.search": (
            "q=config&scope=latest",
            "q=config&scope=history",
            "q=MODULE&scope=history",
            "q=OTHER",
            "q=OTHER&scope=history",
            "q=***",
            "q=OTHER&scope=without",
            "q=nowhere&scope=without",
            f"q=config&word=1&of={SERIAL}",
        ),
        "configuration.index": ("rev=main", "rev=main~1"),
        "configuration.file": ("rev=main~1",),
        "commits.show": ("against=main~1",),
        "devices.device": ("script=now", "script=last", "script=compare"),
        "devices.index": (f"q={SERIAL}", "q=has:message"),
        "preview.index": (f"type=IP222&sn={SERIAL}&env=intranet", "type=IP222&env=intranet&rev=main~1"),
        "api.preview.show": ("type=IP222&env=intranet", "type=IP222&env=intranet&revision=main~1"),
        "api.devices.script": ("which=now", "which=last"),
        "devices.beside": (f"with={OTHER}",),
        "api.devices.difference": (f"with={OTHER}",),
        "people.audit": ("text=search",),
    }


MORE = (
    f"/backups/{SERIAL}/~1",
    f"/backups/{SERIAL}/~2",
    f"/backups/{SERIAL}/~1/raw",
    f"/backups/{SERIAL}/~2/raw",
    f"/backups/{SERIAL}/~2/since",
    f"/backups/{SERIAL}/against?with={OTHER}&a=~2",
    "/configuration/file/environments.yaml",
    "/configuration/file/environments.yaml?rev=main~1",
    "/commits/main~1",
)


@pytest.mark.parametrize("name", ["vera", "adam"])
def test_no_page_has_a_secret_for_those_without_the_right(scene: Scene, name: str) -> None:
    arguments = with_arguments(scene)
    shown = set()
    with logged_in(scene.server, name) as visitor:
        for endpoint, method, path in routes(scene.site):
            if method != "GET" or endpoint.endswith("static"):
                continue
            address = filled(path, scene.values)
            for query in ("", *arguments.get(endpoint, ())):
                asked = f"{address}?{query}" if query else address
                response = visitor.get(asked)
                assert response.status_code in (200, 202, 302, 303, 400, 403, 404), (asked, response.status_code)
                assert_clean(response, asked)
                if response.status_code == 200:
                    shown.add(endpoint)
                assert response.headers["cache-control"] == "no-store", asked
        for path in MORE:
            response = visitor.get(path)
            assert response.status_code == 200, path
            assert_clean(response, path)
    assert shown >= set(arguments) - ({"people.audit", "backups.export"} if name == "vera" else set())


def test_nor_has_any_page_that_links_lead_to(scene: Scene) -> None:
    waiting, seen = ["/devices", "/backups", "/deployments", "/configuration"], set()
    with logged_in(scene.server, "vera") as visitor:
        while waiting and len(seen) < 400:
            path = waiting.pop(0)
            page = visitor.get(path)
            assert_clean(page, path)
            if page.headers["content-type"].startswith("text/html"):
                links = (html.unescape(each) for each in re.findall(r'(?:href|src)="(/[^"#]*)', page.text))
                found = {link for link in links if not link.startswith(("/static", "/bootstrap", "/log"))} - seen
                seen |= found
                waiting += sorted(found)
    assert len(seen) > 50


def test_no_answer_to_a_program_has_one(scene: Scene) -> None:
    arguments = with_arguments(scene)
    keys = [add_key(scene.site, "vera"), add_key(scene.site, "olga", Role.VIEWER), add_key(scene.site, "adam")]
    with Visitor(scene.server) as program:
        for key in keys:
            program.headers["Authorization"] = f"Bearer {key}"
            asked = 0
            for endpoint, method, path in routes(scene.site):
                if method == "GET" and (path.startswith("/api/") or path == "/metrics"):
                    for query in ("", *arguments.get(endpoint, ())):
                        address = f"{filled(path, scene.values)}?{query}"
                        response = program.get(address)
                        assert response.status_code in (200, 202, 400, 403, 404), address
                        assert_clean(response, address)
                        asked += response.status_code == 200
            assert asked >= 10


def test_no_refusal_has_one(scene: Scene) -> None:
    with logged_in(scene.server, "vera") as visitor, Visitor(scene.server) as stranger:
        csrf = visitor.csrf("/account")
        for _, method, path in routes(scene.site):
            if method not in ("GET", "HEAD", "OPTIONS") and path != "/logout":
                address = filled(path, scene.values)
                fields = {"csrf_token": csrf, "rev": "latest", "sn": str(SERIAL)}
                assert_clean(visitor.request(method, address, data=fields), address)
                assert_clean(stranger.request(method, address), address)
        for path in (BACKUP, "/git/backups.git/info/refs?service=git-upload-pack", "/healthz", "/readyz", "/fw/1/x"):
            assert_clean(stranger.get(path), path)
            assert_clean(visitor.get(path), path)


def test_what_is_answered_besides_pages_was_looked_at() -> None:
    assert set(ROUTES) == {
        "/update.php",  # scripts have secrets, and go to devices
        "/fw/BUILD/NAME",
        "/DIRECTORY/fw/BUILD/NAME",
        "/restore/TOKEN",  # to the device alone, once
        "/.well-known/acme-challenge/TOKEN",  # what anybody may know of a key
        "/certificates/crl",  # serial numbers of certificates, and nothing else
        "/git/NAME",  # test_git_http.py, and below
        "/schemas/NAME.json",  # of the program itself, the same at every site
        "/dist/",
        "/dist/gitupd/",
        "/dist/NAME",
        "/webhook",  # takes a piece of news, and answers in a word
        "/healthz",
        "/readyz",
    }


def test_the_history_is_not_cloned_without_the_right(scene: Scene) -> None:
    refs = "/git/backups.git/info/refs?service=git-upload-pack"
    with Visitor(scene.server) as program:
        for name, role, status in (("vera", None, 403), ("adam", None, 403), ("olga", Role.AUDITOR, 403)):
            key = add_key(scene.site, name, role)
            response = program.get(refs, auth=(name, key))
            assert response.status_code == status
            assert_clean(response, refs)
        assert program.get(refs, auth=("olga", add_key(scene.site, "olga"))).status_code == 200


def test_neither_the_log_nor_commits_nor_the_audit_have_one(scene: Scene) -> None:
    with logged_in(scene.server, "olga") as operator:
        for scope in ("latest", "history", "without"):
            for text in (f"{MARK}1x6z", f"{MARK}2x6z", f"{MARK}3x6z", f"{MARK}-nowhere"):
                operator.get("/backups/search", params={"q": text, "scope": scope})
            operator.get("/backups/search", params={"q": "/public", "scope": scope})
    entries = scene.site.audit.entries(1000)
    assert not [entry for entry in entries if MARK in f"{entry.subject} {entry.detail}"]
    assert "search for '/public' in the history" in {entry.detail for entry in entries}
    time.sleep(0.5)
    assert MARK not in scene.server.log.read_text()
    messages = subprocess.run(
        ["git", "-C", scene.site.path / "backups.git", "log", "--format=%an %ae %cn %ce %B"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(SERIAL) in messages
    assert MARK not in messages


# Guessing


@pytest.mark.parametrize("scope", ["latest", "history", "without"])
def test_a_search_does_not_tell_a_right_guess_from_a_wrong_one(scene: Scene, scope: str) -> None:
    def page(text: str) -> str:
        found = visitor.get("/backups/search", params={"q": text, "scope": scope}).text
        for written in (text, quote(text), quote_plus(text), html.escape(text)):
            found = found.replace(written, "TEXT")
        found = found.replace(MARK, "GUESS").replace("Wrng", "GUESS")
        return re.sub(r'name="csrf_token" value="[^"]+"', "", found)

    with logged_in(scene.server, "vera") as visitor:
        for guess in (f"{MARK}3x6z", MARK, f"gk-pwd {MARK}", f"{MARK}3x30z", quote(NEW, safe=""), quote(OLD, safe="")):
            assert page(guess) == page(guess.replace(MARK, "Wrng")), guess


def test_a_preview_does_not_tell_a_right_guess_from_a_wrong_one(scene: Scene) -> None:
    with logged_in(scene.server, "vera") as visitor:
        for path in ("/preview", "/api/v1/preview"):
            for asked in ("env", "phase"):
                wrong, right = (
                    visitor.get(path, params={"type": "IP222", asked: guess}).text.replace(guess, "GUESS")
                    for guess in ("Wrng2word", WORD)
                )
                assert "GUESS" in wrong
                assert wrong.count("***") == right.count("***")
                assert wrong.count("GUESS") == right.count("GUESS"), (path, asked)


def test_the_number_of_bytes_does_not_tell_how_long_a_secret_is(scene: Scene) -> None:
    version = scene.site.backup_index.of(SERIAL)[0]
    with logged_in(scene.server, "vera") as viewer:
        page = viewer.get(f"/backups/{SERIAL}/latest").text
    assert str(version.length) not in page
    assert f"{version.length:,}" not in page
