"""Nobody sees or changes anything without the right to; against a real server, as browsers and attackers do it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from support.routes import routes
from support.serving import Server, serving
from support.visitors import PASSWORD, RECENTLY, ROOT, Visitor, add_key, add_person, logged_in

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role, Token
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.people.access import Access
from gitupd.service.people.passwords import key_hash
from gitupd.web.access import local_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from gitupd.service.site import Site

PEOPLE = {"vera": Role.VIEWER, "otto": Role.AUDITOR, "olga": Role.OPERATOR, "ada": Role.ADMINISTRATOR}
API = "/api/v1/devices"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made, _ = create_site(tmp_path_factory.mktemp("sites") / "site", who="test", now=now())
    for name, role in PEOPLE.items():
        add_person(made, name, role)
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    """Two workers, which must agree; the tests are a trusted proxy, so that each guesser has its own address."""
    with serving(site.path, workers=2, trusted_proxies="127.0.0.1") as running:
        running.ready()
        yield running


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with Visitor(server) as made:
        yield made


def person(site: Site, name: str, role: Role = Role.VIEWER) -> str:
    """Add somebody for one test."""
    add_person(site, name, role)
    return name


def is_log_in(response: httpx.Response) -> bool:
    return response.status_code == 303 and urlsplit(response.headers["location"]).path == "/login"


def is_problem(response: httpx.Response, status: int) -> bool:
    kind = response.headers["content-type"]
    return response.status_code == status == response.json()["status"] and kind == "application/problem+json"


# Nobody


def test_nothing_is_answered_without_a_log_in(site: Site, visitor: Visitor) -> None:
    public = ("static", "bootstrap.static", "people.login")
    listed = [(method, re.sub("<.*?>", "1", path)) for name, method, path in routes(site) if name not in public]
    assert len(listed) > 30
    for method, path in listed:
        response = visitor.request(method, path)
        for_programs = path.startswith("/api/") or path == "/metrics"
        assert response.status_code == (401 if for_programs else 303), (method, path)


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/devices/00-90-33-30-00-af", "/people/ada/role", "/..%2f", "/LOGIN"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_strangers_do_not_learn_what_exists(visitor: Visitor, method: str, path: str) -> None:
    response = visitor.request(method, path)
    assert is_log_in(response)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/devices", "/api/nothing", "/metrics"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_programs_without_a_token_get_a_problem(visitor: Visitor, method: str, path: str) -> None:
    response = visitor.request(method, path)
    assert is_problem(response, 401)
    assert response.headers["www-authenticate"] == 'Bearer realm="gitupd"'
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", ["/static/gitupd.css", "/bootstrap/static/css/bootstrap.min.css", "/login"])
def test_what_everybody_may_see(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 200


def test_a_log_in_leads_back_to_the_page_that_was_asked_for(server: Server) -> None:
    with Visitor(server) as visitor:
        sent = visitor.get("/audit?kind=login&text=a%26b%20c")
        target = parse_qs(urlsplit(sent.headers["location"]).query)["next"][0]
        page = visitor.get(sent.headers["location"])
        assert 'value="/audit?kind=login&amp;text=a%26b%20c"' in page.text
        arrived = visitor.log_in("otto", next=target)
        assert (arrived.status_code, arrived.headers["location"]) == (303, "/audit?kind=login&text=a%26b%20c")
        assert visitor.get("/login?next=/audit").headers["location"] == "/audit"


# Roles

PAGES = {"/account": Role.VIEWER, "/audit": Role.AUDITOR, "/people": Role.ADMINISTRATOR}
FORMS = ("/people", *(f"/people/ghost/{deed}" for deed in ("role", "disable", "enable", "remove", "password")))


@pytest.mark.parametrize("name", PEOPLE)
def test_each_role_sees_its_pages_and_no_others(server: Server, site: Site, name: str) -> None:
    people = site.people.users()
    with logged_in(server, name) as visitor:
        for path, needed in PAGES.items():
            response = visitor.get(path)
            may = PEOPLE[name].allows(needed)
            assert response.status_code == (200 if may else 403), path
            assert response.headers["cache-control"] == "no-store"
            assert may or f"This needs the role {needed}" in response.text
            assert (f'href="{path}"' in response.text) == (path == "/account" or may)
        if name != "ada":
            for path in FORMS:
                response = visitor.submit(path, {"name": "mallory", "role": "administrator"}, page="/account")
                assert response.status_code == 403, path
    assert site.people.users() == people


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(server: Server, site: Site) -> None:
    name = person(site, "tim", Role.ADMINISTRATOR)
    with logged_in(server, name) as visitor:
        assert visitor.get("/people").status_code == 200
        Access(site).set_role(ROOT, name, Role.VIEWER, now())
        assert visitor.get("/people").status_code == 403
        Access(site).set_disabled(ROOT, name, now(), disabled=True)
        assert is_log_in(visitor.get("/account"))


# Sessions


def test_the_cookie(server: Server, visitor: Visitor) -> None:
    sent = visitor.log_in("vera").headers["set-cookie"]
    assert sent.startswith("gitupd_session=")
    assert "; HttpOnly" in sent
    assert "; SameSite=Lax" in sent
    assert "; Path=/" in sent
    assert "; Secure" not in sent
    with Visitor(server) as other:
        other.headers.update(
            {"X-Forwarded-Proto": "https", "Referer": server.base.replace("http:", "https:") + "/login"}
        )
        page = other.get("/login")
        assert "; Secure" in page.headers["set-cookie"]


def test_the_cookie_from_before_the_log_in_is_worth_nothing_after_it(visitor: Visitor, server: Server) -> None:
    csrf = visitor.csrf()
    before = dict(visitor.cookies)
    response = visitor.post("/login", data={"name": "vera", "password": PASSWORD, "csrf_token": csrf})
    assert response.status_code == 303
    assert dict(visitor.cookies) != before
    with Visitor(server) as attacker:
        attacker.cookies.update(before)
        assert is_log_in(attacker.get("/account"))
    # What the page before the log-in knew does not open a form after it.
    assert visitor.post("/logout", data={"csrf_token": csrf}).status_code == 400


def test_two_log_ins_have_nothing_in_common(server: Server) -> None:
    with logged_in(server, "vera") as one, logged_in(server, "vera") as two:
        assert one.cookies["gitupd_session"] != two.cookies["gitupd_session"]
        assert one.submit("/logout", page="/account").status_code == 303
        assert is_log_in(one.get("/account"))
        assert two.get("/account").status_code == 200


def test_a_log_out_ends_the_session_for_whoever_has_the_cookie(server: Server, site: Site) -> None:
    with logged_in(server, "vera") as visitor, Visitor(server) as thief:
        thief.cookies.update(dict(visitor.cookies))
        assert thief.get("/account").status_code == 200
        assert visitor.get("/logout").status_code in (404, 405)
        assert visitor.submit("/logout", page="/account").headers["location"] == "/login"
        assert is_log_in(thief.get("/account"))
    assert site.audit.entries(1)[0].kind == "logout"


def test_a_changed_password_ends_the_other_sessions(server: Server, site: Site) -> None:
    name = person(site, "pia")
    with logged_in(server, name) as here, logged_in(server, name) as there, logged_in(server, "vera") as vera:
        change = {"present": PASSWORD, "password": "another password", "again": "another password"}
        for wrong in ({"present": "wrong"}, {"again": "different one"}, {"password": "short", "again": "short"}):
            response = here.submit("/account/password", {**change, **wrong}, page="/account")
            assert response.status_code in (400, 403)
            assert "Nothing was changed" in response.text
        assert there.get("/account").status_code == 200
        before = dict(here.cookies)
        assert here.submit("/account/password", change, page="/account").status_code == 303
        assert here.get("/account").status_code == 200
        assert is_log_in(there.get("/account"))
        assert vera.get("/account").status_code == 200
    with Visitor(server) as thief:
        thief.cookies.update(before)
        assert is_log_in(thief.get("/account"))
        assert thief.log_in(name).status_code == 403
        assert thief.log_in(name, "another password").status_code == 303


@pytest.mark.parametrize("value", ["", "x", "eyJrZXkiOiJ4In0.x.y", "eyJrZXkiOm51bGx9.aaaaaa.bbbb", "." * 3000])
def test_a_forged_cookie_opens_nothing(visitor: Visitor, value: str) -> None:
    visitor.cookies.set("gitupd_session", value)
    assert is_log_in(visitor.get("/account"))


def test_all_workers_and_a_restart_know_a_session(server: Server, site: Site) -> None:
    with logged_in(server, "vera") as visitor:
        for _ in range(20):
            visitor.headers["Connection"] = "close"
            assert visitor.get("/account").status_code == 200
        cookies = dict(visitor.cookies)
    with serving(site.path) as another, Visitor(another) as visitor:
        another.ready()
        visitor.cookies.update(cookies)
        assert visitor.get("/account").status_code == 200


# CSRF

POSTS = (
    "/logout",
    "/account/language",
    "/account/columns",
    "/account/password",
    "/account/tokens",
    "/account/tokens/1/revoke",
    "/devices/columns",
    *FORMS,
)


@pytest.mark.parametrize("token", [None, "", "x", "foreign"])
def test_forms_from_elsewhere_do_nothing(server: Server, site: Site, token: str | None) -> None:
    with logged_in(server, "ada") as visitor, logged_in(server, "otto") as other:
        if token == "foreign":
            token = other.csrf("/account")
        before = (site.people.users(), site.people.tokens("ada"))
        for path in POSTS:
            fields = {"name": "mallory", "role": "administrator", "title": "t"}
            response = visitor.post(path, data=fields if token is None else {**fields, "csrf_token": token})
            assert response.status_code == 400, path
            assert "That form does not count" in response.text
        assert (site.people.users(), site.people.tokens("ada")) == before
        assert visitor.get("/account").status_code == 200


def test_a_log_in_from_elsewhere_does_nothing(server: Server, visitor: Visitor) -> None:
    fields = {"name": "vera", "password": PASSWORD}
    assert visitor.post("/login", data=fields).status_code == 400
    with Visitor(server) as other:
        assert visitor.post("/login", data={**fields, "csrf_token": other.csrf()}).status_code == 400
    assert is_log_in(visitor.get("/account"))


def test_by_https_a_form_must_come_from_a_page_of_this_server(server: Server) -> None:
    secure = server.base.replace("http:", "https:")
    with logged_in(server, "vera") as visitor:
        csrf = visitor.csrf("/account")
        for referer in (None, "https://evil.example/", secure.replace("127.0.0.1", "127.0.0.2"), server.base):
            headers = {"X-Forwarded-Proto": "https"} | ({"Referer": referer} if referer else {})
            assert visitor.post("/logout", data={"csrf_token": csrf}, headers=headers).status_code == 400
        headers = {"X-Forwarded-Proto": "https", "Referer": f"{secure}/account"}
        assert visitor.post("/logout", data={"csrf_token": csrf}, headers=headers).status_code == 303


# Where a log-in leads

ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "////evil.example/..",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/%5cevil\\.example",
    "https://evil.example/",
    "https:evil.example",
    "HTTPS:\\\\evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    " //evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n\r\nX: y",
    "/x\r\nSet-Cookie: gitupd_session=evil",
    "/x\0",
    "/x\u2028y",
    "/\u202egpj.evil",
    "?next=//evil.example",
    "",
    "/" + "x" * 2000,
)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_path_that_leads_elsewhere_is_none(target: str) -> None:
    assert local_path(target) == "/"


@pytest.mark.parametrize("target", ["/", "/devices?q=a%20b&x=//y", "/audit?who=a@b", "/a//b", "/devices#L1", "/ä"])
def test_a_path_of_this_server_is_kept(target: str) -> None:
    assert local_path(target) == target


def test_a_log_in_never_leads_elsewhere(server: Server) -> None:
    with logged_in(server, "vera") as visitor:
        for target in ELSEWHERE:
            answer = visitor.get("/login", params={"next": target})
            assert answer.headers["location"] == "/", target
    with Visitor(server) as visitor:
        answer = visitor.log_in("vera", next="//evil.example/\r\nX-Evil: 1")
        assert answer.headers["location"] == "/"
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "//evil.example/%2e%2e", "/%0d%0aSet-Cookie:%20x=y", "/%5cevil.example", "/%2f%2fevil.example"],
)
def test_a_refusal_never_leads_elsewhere(server: Server, path: str) -> None:
    import http.client  # noqa: PLC0415 - httpx tidies paths up

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 303
    assert (response.headers["Location"] or "").startswith("/login")
    assert response.headers.get("Set-Cookie") is None
    connection.close()


# Guessing


def test_a_guesser_is_told_how_long_to_wait(server: Server, site: Site) -> None:
    name = person(site, "gil")
    with Visitor(server) as guesser, Visitor(server) as owner:
        guesser.headers["X-Forwarded-For"] = "203.0.113.9"
        owner.headers["X-Forwarded-For"] = "203.0.113.10"
        tries = [guesser.log_in(name, f"guess {number}") for number in range(5)]
        assert [each.status_code for each in tries] == [403] * 5
        assert {each.text.count("The name or the password is wrong.") for each in tries} == {1}
        slowed = guesser.log_in(name)
        assert slowed.status_code == 429
        assert 0 < int(slowed.headers["retry-after"]) <= 31
        assert re.search(r"Wait \d+ seconds, then try again", slowed.text)
        assert owner.log_in(name).status_code == 303
    found = site.audit.entries(10, subject=name)
    assert [(each.kind, each.address) for each in found] == [
        ("login", "203.0.113.10"),
        *[("login-refused", "203.0.113.9")] * 6,
        ("user-add", None),
    ]


def test_strangers_do_not_learn_who_exists(server: Server) -> None:
    with Visitor(server) as guesser:
        guesser.headers["X-Forwarded-For"] = "203.0.113.11"
        pages = []
        for name in ("vera", "nobody-at-all"):
            response = guesser.log_in(name, "wrong")
            shown = re.sub(r'name="csrf_token" value="[^"]+"', "", response.text).replace(name, "NAME")
            pages.append((response.status_code, shown))
        assert pages[0] == pages[1]


# Tokens


def bearer(key: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {key}"}


def test_a_good_token_is_let_in_where_programs_go(server: Server, site: Site, visitor: Visitor) -> None:
    key = add_key(site, "vera")
    for scheme in ("Bearer", "bearer", "BEARER "):
        response = visitor.get(API, headers=bearer(key, scheme))
        assert response.status_code not in (401, 403)
        assert "set-cookie" not in response.headers
    assert visitor.get("/metrics", headers=bearer(key)).status_code not in (401, 403)
    # On pages it counts for nothing: there it could make itself tokens without end.
    assert is_log_in(visitor.get("/account", headers=bearer(key)))
    assert site.people.tokens("vera")[-1].used is not None
    with logged_in(server, "vera") as person_with_session:
        assert person_with_session.post("/account/tokens", headers=bearer(key)).status_code == 400


def test_tokens_that_open_nothing(site: Site, visitor: Visitor) -> None:
    name = person(site, "tom")
    good, expired, revoked = add_key(site, name, days=1), "gitupd_expired", add_key(site, name)
    past = now() - timedelta(seconds=1)
    token = Token(0, name, "t", Role.VIEWER, past, past, None)
    site.people.add_token(token, key_hash(expired), Event(past, "x", Kind.TOKEN_ADD))
    Access(site).revoke(ROOT, site.people.tokens(name)[1].id, now())
    for key in (expired, revoked, good[:-1], good.upper(), good.removeprefix("gitupd_"), "", "x y", "é"):
        response = visitor.get(API, headers={"Authorization": f"Bearer {key}".strip().encode()})
        assert is_problem(response, 401), key
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
    for header in (good, f"Basic {good}", f"Token {good}"):
        assert is_problem(visitor.get(API, headers={"Authorization": header}), 401)
    assert is_problem(visitor.get(f"{API}?access_token={good}&token={good}"), 401)
    assert visitor.get(API, headers=bearer(good)).status_code not in (401, 403)
    Access(site).set_disabled(ROOT, name, now(), disabled=True)
    assert is_problem(visitor.get(API, headers=bearer(good)), 401)


def test_a_wrong_token_is_not_made_good_by_a_session(server: Server) -> None:
    with logged_in(server, "vera") as visitor:
        assert is_problem(visitor.get(API, headers=bearer("gitupd_wrong")), 401)


def test_a_session_reads_the_api_and_changes_nothing_there_without_csrf(server: Server, site: Site) -> None:
    with logged_in(server, "ada") as visitor:
        assert visitor.get(API).status_code not in (401, 403)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert is_problem(visitor.request(method, API), 400)
            assert is_problem(visitor.request(method, API, headers={"X-CSRFToken": "x"}), 400)
            good = {"X-CSRFToken": visitor.csrf("/account")}
            assert visitor.request(method, API, headers=good).status_code != 400
    key = add_key(site, "ada")
    with Visitor(server) as program:
        assert program.delete(API, headers=bearer(key)).status_code != 400


# The pages


def test_a_token_of_ones_own_is_shown_once(server: Server, site: Site) -> None:
    name = person(site, "nina", Role.OPERATOR)
    with logged_in(server, name) as visitor:
        fields = {"title": "<b>nightly</b>", "role": "auditor", "days": "30"}
        made = visitor.submit("/account/tokens", fields, page="/account")
        found = re.search(r"gitupd_[\w-]{43}(?=<)", made.text)
        assert found
        assert visitor.get(API, headers=bearer(found[0])).status_code not in (401, 403)
        again = visitor.get("/account").text
        assert found[0] not in again
        assert "&lt;b&gt;nightly&lt;/b&gt;" in again
        assert "<b>nightly" not in again
        for wrong in ({"role": "administrator"}, {"role": "root"}, {"days": "0"}, {"days": "x"}, {"title": " "}):
            refused = visitor.submit("/account/tokens", {**fields, **wrong}, page="/account")
            assert refused.status_code == 400
            assert "No token was made" in refused.text
        [token] = site.people.tokens(name)
        assert (token.role, token.title) == (Role.AUDITOR, "<b>nightly</b>")
        with logged_in(server, "ada") as other:  # nobody can revoke another one's here
            assert other.submit(f"/account/tokens/{token.id}/revoke", page="/account").status_code == 404
        for number in (10**6, 10**30):
            assert visitor.submit(f"/account/tokens/{number}/revoke", page="/account").status_code == 404
        assert visitor.submit(f"/account/tokens/{token.id}/revoke", page="/account").status_code == 303
        assert is_problem(visitor.get(API, headers=bearer(found[0])), 401)


def test_an_administrator_manages_people(server: Server, site: Site) -> None:
    with logged_in(server, "ada") as ada, Visitor(server) as kim:

        def do(path: str, **fields: str) -> httpx.Response:
            return ada.submit(path, fields, page="/people")

        page = do("/people", name="Kim", role="viewer")
        first = re.search(r"(?:[a-z2-9]{5}-){3}[a-z2-9]{5}", page.text)
        assert first
        assert first[0] not in ada.get("/people").text
        assert kim.log_in("kim", first[0]).status_code == 303
        for fields in ({"name": "kim"}, {"name": "a/b"}, {"name": ""}, {"name": "k", "role": "root"}):
            refused = do("/people", **{"role": "viewer", **fields})
            assert refused.status_code == 400
            assert "Nobody was added" in refused.text
        assert do("/people/kim/role", role="auditor").status_code == 303
        assert kim.get("/audit").status_code == 200
        assert do("/people/kim/disable").status_code == 303
        assert is_log_in(kim.get("/audit"))
        assert kim.log_in("kim", first[0]).status_code == 403
        assert do("/people/kim/enable").status_code == 303
        assert kim.log_in("kim", first[0]).status_code == 303
        second = re.search(r"(?:[a-z2-9]{5}-){3}[a-z2-9]{5}", do("/people/kim/password").text)
        assert second
        assert is_log_in(kim.get("/account"))
        assert kim.log_in("kim", first[0]).status_code == 403
        assert kim.log_in("kim", second[0]).status_code == 303
        assert do("/people/kim/remove").status_code == 303
        assert is_log_in(kim.get("/account"))
        for path in FORMS[1:]:
            assert do(path, role="viewer").status_code == 400
    did = [each.kind for each in site.audit.entries(20, subject="kim") if each.who == "ada"]
    assert did == ["user-remove", "password", "user-change", "user-change", "user-change", "user-add"]
    assert {each.address for each in site.audit.entries(20, who="ada")} == {"127.0.0.1"}


def test_the_last_administrator_can_not_go(server: Server, site: Site) -> None:
    for each in site.people.users():
        if each.name != "ada" and each.role is Role.ADMINISTRATOR:
            Access(site).set_role(ROOT, each.name, Role.VIEWER, now())
    with logged_in(server, "ada") as ada:
        for deed in ("role", "disable", "remove"):
            refused = ada.submit(f"/people/ada/{deed}", {"role": "viewer"}, page="/people")
            assert refused.status_code == 400
            assert "ada is the last administrator who can log in" in refused.text
        assert ada.get("/people").status_code == 200


def test_the_audit_is_filtered_by_the_address_and_read_page_by_page(server: Server, site: Site) -> None:
    for number in range(150):
        site.audit.add(
            now(), "pat", Kind.DEPLOY, f"commit{number}", "<script>alert(1)</script> 100%", address="10.0.0.1"
        )
    with logged_in(server, "otto") as visitor:

        def shown(path: str) -> list[str]:
            return re.findall(r">(commit\d+)</a>", visitor.get(path).text)

        first = visitor.get("/audit?who=pat")
        assert "<script>alert" not in first.text
        assert shown("/audit?who=pat") == [f"commit{number}" for number in range(149, 124, -1)]
        older = re.search(r'rel="next" href="([^"]+)"', first.text)
        assert older
        assert shown(older[1].replace("&amp;", "&")) == [f"commit{number}" for number in range(124, 99, -1)]
        assert shown("/audit?who=pat&subject=commit7") == ["commit7"]
        assert shown("/audit?kind=deploy&text=COMMIT14") == [
            f"commit{n}" for n in (149, 148, 147, 146, 145, 144, 143, 142, 141, 140, 14)
        ]
        assert shown("/audit?who=pat&text=%25%25") == []
        assert "Nothing like that was done." in visitor.get("/audit?kind=nonsense").text
        assert re.search(rf"pat\s+deployed a commit <time[^>]*>{RECENTLY}</time>: commit149\.", first.text)
        for odd in ("-1", "0", "x", "99999999999999999999", "1e3", ""):
            assert visitor.get("/audit", params={"before": odd, "who": "pat"}).status_code == 200
        for odd in ("\0", "\udcff".encode("utf-8", "surrogateescape"), "'; DROP TABLE audit; --", "x" * 5000):
            assert visitor.get("/audit", params={"text": odd, "who": odd}).status_code == 200
    assert len(site.audit.entries(200, who="pat")) == 150


def test_strangers_are_not_told_where_the_database_is(own_site: Site) -> None:
    with own_site.database.connection() as connection:
        connection.exec_driver_sql("DROP TABLE users")
    own_site.close()
    with serving(own_site.path) as running, Visitor(running) as visitor:
        running.ready()
        for accept in ("text/html", "*/*"):
            answer = visitor.get("/login", headers={"Accept": accept})
            assert answer.status_code == 503
            assert "he database can&#39;t be used at the moment" in answer.text.replace("'", "&#39;")
            assert str(own_site.path) not in answer.text
        assert "no such table: users" in running.log.read_text()


def test_the_very_first_visitor_is_told_what_to_do(own_site: Site) -> None:
    with serving(own_site.path) as running, Visitor(running) as visitor:
        running.ready()
        assert "gitupd users add NAME --role administrator" in visitor.get("/login").text
        add_person(own_site, "ada")
        assert "gitupd users add" not in visitor.get("/login").text
