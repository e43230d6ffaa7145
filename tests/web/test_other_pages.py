"""Preview, configuration, commits, deployments and onboarding, on a real server, as each role sees them."""

from __future__ import annotations

import html
import http.client
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from fleets import fill
from serving import Server, serving
from visitors import Visitor, add_person, logged_in

from gitupd.core.people import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deploying import deploy
from gitupd.service.deploying import rollback as roll_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

ADA = "Ada <ada@example.org>"
SECRETS = ("s3cret-of-phones", "hunter22-variable", "device-pin-4711")
HIDING = {
    "environments.yaml": (
        "environments:\n  default: {}\n  homeoffice: {implies: [intranet]}\n"
        "  intranet: {variables: {gatekeeper: 10.1.0.1, sip_password: hunter22-variable}}\n"
    ),
    "devices.yaml": "devices:\n  00-90-33-00-00-01: {name: Reception, variables: {pin: device-pin-4711}}\n",
    "snippets/update-phone-all.txt": (
        "config add PHONE/SIG /gk-pwd s3cret-of-phones /prot SIP\n# for the intranet: hunter22-variable\n"
    ),
    "policies/delivery.yaml": "interval: 10\nwindow: {hours: [22, 23, 0, 1]}\n",
    "certificates/logo.bin": "\0\1\2",
}


@dataclass(frozen=True)
class Scene:
    """A site with a past: the template, a commit with secrets that is deployed, one that waits, and one with errors."""

    site: Site
    server: Server
    first: CommitId
    live: CommitId
    head: CommitId
    broken: CommitId


def commit(site: Site, changes: Mapping[str, str], message: str = "Change", branch: str = "main") -> CommitId:
    files = {**template_files(), **{path: text.encode() for path, text in changes.items()}}
    return site.config.commit_files(files, message, ADA, branch)


def populate(site: Site) -> None:
    for name, role in (("vera", Role.VIEWER), ("olga", Role.OPERATOR)):
        add_person(site, name, role)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    site, first = create_site(tmp_path_factory.mktemp("pages") / "site", who="test", now=now())
    populate(site)
    live = commit(site, HIDING, "Secrets <b>of</b> phones\n\nAnd why: <script>alert(1)</script>")
    deploy(site, live, who="tess", now=now())
    fill(site, 60, now())
    broken = commit(site, {"policies/delivery.yaml": "intervall: 10\n"}, "Broken", "broken")
    waiting = HIDING | {"snippets/update-gw-all.txt": "config add X /y z\nconfig write\n"}
    head = commit(site, waiting, "More for gateways")
    with serving(site.path, workers=1) as server:
        server.ready(live)
        yield Scene(site, server, first.commit, live, head, broken)
    site.close()


@pytest.fixture(scope="module")
def viewer(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "vera") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def operator(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "olga") as visitor:
        yield visitor


def shown(page: str) -> str:
    """Return the text of a page as one reads it."""
    body = re.sub(r"<(script|style|datalist)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", body)).split())


def answer(page: str) -> str:
    """Return the sentences at the top of a page."""
    found = re.search(r'<div class="answer".*?</div>', page, re.DOTALL)
    assert found
    return shown(found[0])


# Preview


def test_the_preview_answers_in_words_and_by_line(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&env=homeoffice&phase=update").text
    assert answer(page).startswith(
        f"An IP222 in homeoffice, phase update, would get 9 commands from 4 snippets of {scene.live[:8]}."
    )
    assert "This is the deployed commit" in answer(page)
    assert f'href="/configuration/file/snippets/update-phone-homeoffice.txt?rev={scene.live}#L1"' in page
    assert '<tr id="L1">' in page
    assert '<a href="#L1">1</a>' in page
    assert "environment intranet, implied by homeoffice" in page
    assert re.search(r"by <span[^>]*>Ada</span> in <a[^>]*><code", page)


def test_the_preview_of_another_revision(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP6010&phase=update&rev=main").text
    assert answer(page).startswith(
        f"An IP6010, phase update, would get 8 commands from 2 snippets of {scene.head[:8]}."
    )
    assert "This commit is not deployed: “More for gateways”, Ada" in answer(page)
    page = viewer.get("/preview?type=swphone&phase=update&rev=main~2").text
    assert scene.first[:8] in answer(page)
    assert answer(page).startswith("A swphone, phase update,")


def test_a_device_that_has_executed_everything_gets_nothing(viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&phase=update").text
    check = re.search(r"check ser ([0-9a-f]{32})", page)
    assert check
    page = viewer.get(f"/preview?type=IP222&phase=update&check={check[1]}").text
    assert "has executed all that" in answer(page)
    assert f"check ser {check[1]}" in page


def test_an_order_of_environments_survives_the_form(viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&env=intranet&env=default").text
    assert re.findall(r'name="env" value="(\w+)"( checked)?', page) == [
        ("intranet", " checked"),
        ("default", " checked"),
        ("homeoffice", ""),
    ]
    assert "environments intranet default" in page
    assert "environments intranet default" in viewer.get("/preview?type=IP222&env=intranet,default").text


@pytest.mark.parametrize(
    ("query", "field", "told"),
    [
        ("sn=zz", "sn", "is no serial number; write twelve hexadecimal digits"),
        ("type=<b>", "type", "letters, digits, and the like only"),
        ("type=", "type", "which type of device?"),
        ("rev=nonsense", "rev", "there is no branch, tag or commit 'nonsense'"),
        ("phase=" + "x" * 300, "phase", "more than 200 characters"),
        ("check=a%0Ab", "check", "control character"),
        ("env=" + "e," * 10 + "%07", "env", "control character"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(
    viewer: Visitor, query: str, field: str, told: str
) -> None:
    rest = [part for part in ("type=IP222", "firmware=137213", "sn=009033000001") if part[:3] != query[:3]]
    response = viewer.get(f"/preview?{query}&{'&'.join(rest)}")
    assert response.status_code == 400
    found = re.search(rf'id="{field}"(?:(?!<label).)*?class="fault"[^>]*>([^<]*)', response.text, re.DOTALL)
    assert found, response.text[-3000:]
    assert told in html.unescape(found[1])
    assert 'name="firmware" value="137213"' in response.text
    assert "The question is not complete" in answer(response.text)


def test_an_unknown_environment_is_told_and_the_answer_given_all_the_same(viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&env=mars").text
    assert "mars <span" in page
    assert "environment 'mars' does not exist, and is ignored" in shown(page)


def test_a_commit_with_errors_is_told_with_all_of_them(scene: Scene, viewer: Visitor) -> None:
    for path in ("/preview?type=IP222&rev=broken", "/configuration?rev=broken"):
        page = viewer.get(path).text
        assert "has errors" in answer(page) or "has 1 problem" in answer(page)
        assert "unknown key 'intervall'" in shown(page)
        assert f'href="/configuration/file/policies/delivery.yaml?rev={scene.broken}#L1"' in page


def test_a_script_that_is_too_large_is_told(scene: Scene, viewer: Visitor) -> None:
    changes = {"snippets/update-all-all.txt": "config add X /y 1\n" * 50_001}
    large = commit(scene.site, changes, "Large", "large")
    response = viewer.get(f"/preview?type=IP222&phase=update&rev={large}")
    assert response.status_code == 400
    assert "50,006 lines is more than a page can show; gitupd render prints it." in answer(response.text)
    assert 'name="type" value="IP222"' in response.text


SCRIPTING = {
    "scripting.py": "class Lines:\n    def pre(self, device):\n        return ['config add COMPUTED /for ' + device.type]\n"
}


def test_code_of_commits_is_run_only_if_it_was_deployed_and_is_allowed(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", who="test", now=now())[0]
    populate(site)
    head = commit(site, SCRIPTING, "Code")
    question = f"/preview?type=IP222&phase=update&rev={head}"
    with serving(site.path, workers=1, scripting="true") as server, logged_in(server, "olga") as operator:
        text = shown(operator.get(question).text)
        assert "config add COMPUTED" not in text
        assert "Lines computed by scripting.py are left out here." in text
        assert "only from commits that were deployed" in text
        deploy(site, head, who="tess", now=now())
        server.ready(head)
        text = shown(operator.get(question).text)
        assert "config add COMPUTED /for IP222 computed" in text
        assert "left out" not in text
    with serving(site.path, workers=1) as server, logged_in(server, "olga") as operator:
        server.ready(head)
        text = shown(operator.get("/preview?type=IP222&phase=update").text)
        assert "config add COMPUTED" not in text
        assert "The server's setting scripting is off." in text
    site.close()


# Secrets


@pytest.mark.parametrize(
    "path",
    [
        "/preview?type=IP222&phase=update",
        "/preview?type=IP222&phase=update&rev=main",
        "/configuration",
        "/configuration?rev=main",
        "/configuration/file/environments.yaml",
        "/configuration/file/devices.yaml",
        "/configuration/file/snippets/update-phone-all.txt",
        "/configuration/file/snippets/update-phone-all.txt?rev=main",
        "/commits/main~1",
        "/commits/main?against=main~2",
    ],
)
def test_secrets_are_hidden_from_viewers_only(viewer: Visitor, operator: Visitor, path: str) -> None:
    closed, opened = viewer.get(path).text, operator.get(path).text
    assert "***" in closed
    assert not [secret for secret in SECRETS if secret in closed]
    assert "***" not in opened
    assert [secret for secret in SECRETS if secret in opened]


def test_a_commit_that_hides_nothing_does_not_lay_open_what_the_deployed_one_hides(
    scene: Scene, viewer: Visitor
) -> None:
    lax = commit(scene.site, HIDING | {"policies/backup.yaml": "enabled: false\nhide: []\n"}, "Lax", "lax")
    for path in (f"/preview?type=IP222&phase=update&rev={lax}", f"/commits/{lax}",
                 f"/configuration/file/snippets/update-phone-all.txt?rev={lax}"):  # fmt: skip
        page = viewer.get(path).text
        assert "***" in page
        assert not [secret for secret in SECRETS if secret in page]


# Configuration


def test_the_configuration_is_told_in_sentences_with_their_places(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/configuration").text
    assert f"Devices follow {scene.live[:8]}, deployed just now by tess" in answer(page)
    assert "2 phases, 3 environments, 13 classes and 7 snippets." in answer(page)
    text = shown(page)
    assert "Devices poll every 10 minutes. delivery.yaml:1" in text
    assert "Scripts run only from 22:00 to 2:00, in the device's local time. delivery.yaml:2" in text
    assert "What a device has executed already is not sent to it again. by default" in text
    assert f'href="/configuration/file/policies/delivery.yaml?rev={scene.live}#L2"' in page
    assert "1 device is known by serial number." in text
    assert re.search(r'href="/devices\?q=env:homeoffice">20</a>', page)


def test_snippets_are_found_by_parts_of_their_names(viewer: Visitor) -> None:
    page = viewer.get("/configuration?q=UPDATE+phone").text
    names = re.findall(r">((?:all|staging|update)-[\w-]+\.txt)<", page)
    assert names == ["update-phone-all.txt", "update-phone-default.txt", "update-phone-homeoffice.txt"]
    assert "No snippet has “zz” in its name." in viewer.get("/configuration?q=zz").text
    assert viewer.get("/configuration?page=99999&size=7").status_code == 200


def test_a_file_has_numbered_lines_and_says_who_changed_it(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/configuration/file/policies/delivery.yaml?rev=main").text
    assert '<tr id="L2">' in page
    assert f"2 lines in {scene.head[:8]}; last changed" in answer(page)
    assert f"by Ada in {scene.live[:8]}: “Secrets <b>of</b> phones”" in answer(page)


def test_a_file_that_is_no_text_is_told_politely(viewer: Visitor) -> None:
    response = viewer.get("/configuration/file/certificates/logo.bin")
    assert response.status_code == 200
    assert "This is no text" in response.text
    assert "3 bytes" in answer(response.text)


def raw(scene: Scene, visitor: Visitor, path: str) -> tuple[int, str]:
    """Return what a path gets that no well-behaved client would send."""
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=20)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.putheader("Cookie", cookie)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read().decode(errors="replace")
    connection.close()
    return response.status, body


@pytest.mark.parametrize(
    "path",
    ["../gitupd.toml", "..%2fgitupd.toml", "%2e%2e/gitupd.db", "snippets/../../gitupd.toml", "/etc/passwd",
     "%2fetc%2fpasswd", "snippets", "snippets/", ".", "a%00b", ".git/config", "config", "x" * 5000, "%ff%fe",
     "policies/delivery.yaml/x"],
)  # fmt: skip
def test_no_path_leads_out_of_the_commit(scene: Scene, operator: Visitor, path: str) -> None:
    status, body = raw(scene, operator, f"/configuration/file/{path}")
    assert status in (404, 308), body[:500]
    assert "root:" not in body
    assert "http =" not in body


ODD_REVISIONS = (
    "--help", "-", "HEAD@{1}", "a..b", "a...b", "^main", ":/Secrets", "main:environments.yaml", "main^{tree}",
    "@", "~", "^", "HEAD~99999999999999999999", "main" + "^0" * 500, "x" * 3000, "../../etc/passwd", "'; drop table--",
    "<script>x</script>", "\x00", "\x7f", "ü" * 90, "refs/../../HEAD", "0" * 40, "f" * 39,
)  # fmt: skip


@pytest.mark.parametrize("revision", ODD_REVISIONS)
def test_odd_revisions_are_no_commits(viewer: Visitor, operator: Visitor, revision: str) -> None:
    named = quote(revision, safe="")
    for path, codes in (
        (f"/preview?type=IP222&rev={named}", (400,)),
        (f"/configuration?rev={named}", (404,)),
        (f"/configuration/file/phases.yaml?rev={named}", (404,)),
        (f"/commits/{named}", (404,)),
        (f"/commits/main?against={named}", (404,)),
    ):
        response = viewer.get(path)
        assert response.status_code in codes, path
        assert "<script>x" not in response.text
    for path in ("/deployments/deploy", "/deployments/rollback"):
        assert operator.get(f"{path}?rev={named}").status_code == 404
        assert operator.submit(path, {"rev": revision}, page="/deployments").status_code == 404


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "a" * 4000,
    "%00",
    "%F0%28%8C%28",
    "' or 1=1",
)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("/preview", ("type", "sn", "env", "phase", "firmware", "bootcode", "check", "rev")),
        ("/configuration", ("rev", "q", "page", "size")),
        ("/add", ("env", "name", "interval")),
        ("/deployments", ("before",)),
        ("/commits/main", ("against",)),
    ],
)
def test_no_argument_harms_a_page(viewer: Visitor, page: str, names: tuple[str, ...], value: str) -> None:
    for name in names:
        said = value if value.startswith("%") else quote(value)
        other = "" if name == "type" or page != "/preview" else "type=IP222&"
        response = viewer.get(f"{page}?{other}{name}={said}")
        assert response.status_code in (200, 400, 404), (name, response.text[:300])
        for harm in ("<script>alert", "<img src=x", ">49<"):
            assert harm not in response.text, name


def test_what_a_commit_says_is_text_and_nothing_else(scene: Scene, viewer: Visitor) -> None:
    for path in (f"/commits/{scene.live}", "/deployments", "/configuration", "/preview?type=IP222"):
        page = viewer.get(path).text
        assert "<b>of</b>" not in page
        assert "<script>alert" not in page
    assert "And why: <script>alert(1)</script>" in shown(viewer.get(f"/commits/{scene.live}").text)


# Commits


def test_a_commit_shows_what_it_changes(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get(f"/commits/{scene.head[:10]}").text
    assert "<h1>More for gateways</h1>" in page
    assert f"Ada committed {scene.head[:8]} just now. It was never deployed." in answer(page)
    text = shown(page)
    assert f"Changes since its parent {scene.live[:8]}: 1 file, 2 lines added, 1 removed." in text
    assert "snippets/update-gw-all.txt changed +2" in text
    assert re.search(
        r'class="added"><th><a[^>]*>2</a></th><td class="sign">\+</td><td class="text">config write<', page
    )
    assert re.search(r'class="removed"><th><a[^>]*>1</a></th><td class="sign">-</td>', page)


def test_a_commit_compared_with_another(scene: Scene, viewer: Visitor) -> None:
    text = shown(viewer.get(f"/commits/main?against={scene.first}").text)
    assert f"Compared with {scene.first[:8]}: 6 files" in text
    assert "certificates/logo.bin added 3 bytes, not shown: no text, or too large." in text


# Adding a device


def test_adding_a_device_shows_every_way_to_do_it(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/add?env=homeoffice&name=Desk+12+%26+%3C13%3E").text
    text = html.unescape(page)
    base = scene.server.base
    assert f'data-copy="{base}/update.php?env=homeoffice"' in text
    encoded = quote(f"{base}/update.php?env=homeoffice", safe="")
    assert (
        f"config add UP1 /url {encoded} /poll 1\nconfig add CMD0 /name Desk%2012%20%26%20%3C13%3E\nconfig write" in text
    )
    assert "https://com.innovaphone.commands/config%20add%20UP1%20%2Furl%20http%253A" in text
    assert "com.innovaphone.commands://ser%0D%0Aconfig%20add" in text
    assert f'dhcp-option=vendor:1.3.6.1.4.1.6666,215,"{base}/update.php?env=homeoffice"' in text
    assert "Devices can't reach 127.0.0.1" in text
    assert 'data-copy="' + f"{base}/update.php?env=intranet" in text


def test_the_update_url_is_made_of_where_the_request_came(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/add", headers={"Host": "upd.example:8443"}).text
    assert "http://upd.example:8443/update.php?env=default" in page
    assert "can't reach" not in html.unescape(page)
    assert scene.server.base not in page


def test_an_environment_that_does_not_exist_is_told(viewer: Visitor) -> None:
    response = viewer.get("/add?env=mars&name=x")
    assert response.status_code == 400
    assert "there is no environment 'mars'" in html.unescape(response.text)
    assert 'value="x"' in response.text


# Deployments


def test_deployments_say_what_is_live_and_how_far_the_fleet_is(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/deployments").text
    assert f"{scene.live[:8]} is live since just now, deployed by tess. 52 of 60 devices run it;" in answer(page)
    assert '<rect class="current"' in page
    text = shown(page)
    assert f"{scene.head[:8]} More for gateways Ada" in text
    assert "waits for Deploy: commits of branch main are deployed by hand." in text
    assert "'config write' inside a snippet" in text


def test_viewers_find_no_buttons_and_can_decide_nothing(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/deployments").text
    assert "/deployments/deploy" not in page
    assert "/deployments/rollback" not in page
    assert "/deployments/deploy" not in viewer.get(f"/commits/{scene.head}").text
    before = scene.site.deployments.live()
    assert before
    for path in ("/deployments/deploy", "/deployments/rollback"):
        assert viewer.get(f"{path}?rev={scene.head}").status_code == 403
    for path in ("/deployments/deploy", "/deployments/rollback", "/deployments/unblock"):
        fields = {"rev": scene.head, "after": str(before.id)}
        assert viewer.submit(path, fields, page="/deployments").status_code == 403
    assert scene.site.deployments.live() == before


def test_nobody_decides_without_the_token_of_the_form(scene: Scene, operator: Visitor) -> None:
    before = scene.site.deployments.live()
    assert before
    response = operator.post("/deployments/deploy", data={"rev": scene.head, "after": str(before.id)})
    assert response.status_code == 400
    assert scene.site.deployments.live() == before


def test_before_deploying_one_sees_what_changes(scene: Scene, operator: Visitor) -> None:
    page = operator.get("/deployments/deploy?rev=main").text
    assert "58 devices are present." in answer(page)
    assert "at their next poll, within 10 minutes. Scripts run only from 22:00 to 2:00" in answer(page)
    assert re.search(
        r'class="added"><th><a[^>]*>2</a></th><td class="sign">\+</td><td class="text">config write<', page
    )
    assert "'config write' inside a snippet" in shown(page)
    assert f"Deploy {scene.head[:8]}" in shown(page)


@pytest.mark.parametrize(("path", "revision", "told"), [
    ("deploy", "broken", "has errors, so it can't be deployed"),
    ("deploy", "main~1", "is what is live"),
    ("rollback", "main", "was never deployed, so there is no way back to it"),
])  # fmt: skip
def test_what_can_not_be_decided_has_no_button(operator: Visitor, path: str, revision: str, told: str) -> None:
    page = operator.get(f"/deployments/{path}?rev={revision}").text
    assert told in answer(page)
    assert 'action="/deployments/deploy"' not in page
    assert 'action="/deployments/rollback"' not in page


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Scene]:
    """The same for one test, which may change what is deployed."""
    site, first = create_site(tmp_path / "site", who="test", now=now())
    populate(site)
    live = commit(site, HIDING, "Second")
    deploy(site, live, who="tess", now=now())
    head = commit(site, HIDING | {"snippets/update-gw-all.txt": "config add X /y z\n"}, "Third")
    broken = commit(site, {"policies/delivery.yaml": "intervall: 10\n"}, "Broken", "broken")
    with serving(site.path, workers=1) as server:
        server.ready(live)
        yield Scene(site, server, first.commit, live, head, broken)
    site.close()


def after(page: str) -> str:
    found = re.search(r'name="after" value="(\d+)"', page)
    assert found
    return found[1]


def test_an_operator_deploys_rolls_back_and_unblocks(own: Scene) -> None:
    with logged_in(own.server, "olga") as operator:
        question = f"/deployments/deploy?rev={own.head}"
        fields = {"rev": own.head, "after": after(operator.get(question).text)}
        response = operator.submit("/deployments/deploy", fields, page=question)
        assert (response.status_code, response.headers["location"]) == (303, "/deployments")
        page = operator.get("/deployments").text
        assert f"{own.head[:8]} is deployed." in shown(page)
        assert f"{own.head[:8]} is live since just now, deployed by olga." in answer(page)
        assert "the head of branch main is what is live" in shown(page)

        question = f"/deployments/rollback?rev={own.live}"
        page = operator.get(question).text
        assert f"blocks {own.head[:8]}, the commit that is live now" in shown(page)
        assert "Third" in shown(page)
        fields = {"rev": own.live, "after": after(page), "reason": "  gateways\n lost <b>calls</b> "}
        assert operator.submit("/deployments/rollback", fields, page=question).status_code == 303
        page = operator.get("/deployments").text
        assert f"Rolled back to {own.live[:8]}; {own.head[:8]} is blocked." in shown(page)
        assert "blocked by a rollback: “gateways lost <b>calls</b>”" in shown(page)
        assert "is blocked: “gateways lost <b>calls</b>”" in answer(
            operator.get(f"/deployments/deploy?rev={own.head}").text
        )

        response = operator.submit("/deployments/unblock", {"rev": own.head}, page="/deployments")
        assert response.status_code == 303
        page = operator.get("/deployments").text
        assert f"{own.head[:8]} may be deployed again." in shown(page)
        assert "waits for Deploy" in shown(page)
        operator.submit("/deployments/unblock", {"rev": own.head}, page="/add")
        assert "is not blocked." in shown(operator.get("/deployments").text)
    kinds = [(each.kind, each.who) for each in own.site.deployments.latest(2)]
    assert kinds == [("rollback", "olga"), ("deploy", "olga")]
    assert [each.kind for each in own.site.audit.entries(10) if each.who == "olga"][:3] == [
        "unblock",
        "rollback",
        "deploy",
    ]


def test_two_who_decide_at_once_are_told_of_each_other(own: Scene) -> None:
    with logged_in(own.server, "olga") as operator:
        question = f"/deployments/deploy?rev={own.head}"
        seen = after(operator.get(question).text)
        roll_back(own.site, own.first, who="tess", now=now())
        response = operator.submit("/deployments/deploy", {"rev": own.head, "after": seen}, page=question)
        assert response.status_code == 409
        assert f"Tess has deployed {own.first[:8]} meanwhile; look again at what would change." in answer(response.text)
        live = own.site.deployments.live()
        assert live
        assert live.commit == own.first
        again = operator.submit(
            "/deployments/deploy", {"rev": own.head, "after": after(response.text)}, page="/deployments/deploy?rev=main"
        )
        assert again.status_code == 303


@pytest.mark.parametrize("page", ["deploy", "rollback"])
def test_what_can_not_be_deployed_is_refused_politely(own: Scene, page: str) -> None:
    before = own.site.deployments.live()
    assert before
    with logged_in(own.server, "olga") as operator:
        for revision in (own.broken, own.live):
            fields = {"rev": revision, "after": str(before.id)}
            response = operator.submit(f"/deployments/{page}", fields, page=f"/deployments/deploy?rev={own.head}")
            assert response.status_code == 409
            assert 'role="alert"' in response.text
        fields = {"rev": own.first, "after": str(before.id), "reason": "x" * 501}
        response = operator.submit("/deployments/rollback", fields, page=f"/deployments/deploy?rev={own.head}")
        assert response.status_code == 400
        assert "longer than 500 characters" in response.text
    assert own.site.deployments.live() == before


def test_deployments_are_listed_page_by_page(own: Scene) -> None:
    for _ in range(20):
        for revision in (own.first, own.live):
            deploy(own.site, revision, who="tess", now=now())
    with logged_in(own.server, "vera") as viewer:
        page = viewer.get("/deployments").text
        older = re.search(r'href="(/deployments\?before=\d+)">Earlier', page)
        assert older
        numbers = re.findall(r'id="deployment-(\d+)"', page)
        page = viewer.get(older[1]).text
        numbers += re.findall(r'id="deployment-(\d+)"', page)
        assert numbers == [str(number) for number in range(42, 0, -1)]
        assert "Earlier" not in shown(page).replace("Earlier deployments", "")


def test_pages_teach_where_nothing_is_deployed(tmp_path: Path) -> None:
    site = create_site(tmp_path / "other", who="test", now=now())[0]
    populate(site)
    with site.database.connection() as connection:
        connection.exec_driver_sql("delete from deployments")
    with serving(site.path, workers=1) as server, logged_in(server, "olga") as operator:
        assert "Nothing is deployed yet" in answer(operator.get("/deployments").text)
        assert "Deploy a configuration first" in operator.get("/add").text
        assert "No configuration to show" in operator.get("/configuration").text
        assert "name a revision" in answer(operator.get("/preview").text)
        assert "An IP222, phase update, would get" in answer(
            operator.get("/preview?type=IP222&phase=update&rev=main").text
        )
        assert "waits for Deploy" in shown(operator.get("/deployments").text)
        assert operator.get("/configuration/file/phases.yaml").status_code == 404
        question = "/deployments/deploy?rev=main"
        fields = {"rev": "main", "after": after(operator.get(question).text)}
        assert operator.submit("/deployments/deploy", fields, page=question).status_code == 303
        assert "deployed by olga" in answer(operator.get("/deployments").text)
    site.close()


def test_strangers_see_nothing(scene: Scene) -> None:
    with Visitor(scene.server) as stranger:
        for path in (
            "/preview",
            "/configuration",
            "/configuration/file/phases.yaml",
            "/add",
            "/deployments",
            "/commits/main",
        ):
            response = stranger.get(path)
            assert response.status_code == 303
            assert response.headers["location"].startswith("/login")
