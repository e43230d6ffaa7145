"""Preview, configuration, commits and onboarding, on a real server, as each role sees them."""

from __future__ import annotations

import html
import http.client
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.serving import serving
from support.showcase import HIDING, SECRETS, Scene, commit, populate, showing
from support.visitors import RECENTLY, Visitor, answer, logged_in, shown

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with showing(tmp_path_factory.mktemp("pages"), devices=60) as running:
        yield running


@pytest.fixture(scope="module")
def viewer(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "vera") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def operator(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "olga") as visitor:
        yield visitor


# Preview


def test_the_preview_answers_in_words_and_by_line(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&env=homeoffice&phase=update").text
    assert answer(page).startswith(
        f"An IP222 in homeoffice, phase update, would get 10 commands from 4 snippets of {scene.live[:8]}."
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
        f"An IP6010, phase update, would get 9 commands from 2 snippets of {scene.head[:8]}."
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
    assert "50,004 lines is more than a page can show; gitupd render prints it." in answer(response.text)
    assert 'name="type" value="IP222"' in response.text


CODE = """
class Lines:
    def pre(self, device):
        return ["config add COMPUTED /for " + device.type]
"""


def test_code_of_commits_is_run_only_if_it_was_deployed_and_is_allowed(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", who="test", now=now())[0]
    populate(site)
    head = commit(site, {"scripting.py": CODE}, "Code")
    question = f"/preview?type=IP222&phase=update&rev={head}"
    with serving(site.path, workers=1, scripting="true") as server, logged_in(server, "olga") as operator:
        text = shown(operator.get(question).text)
        assert "config add COMPUTED" not in text
        assert "Lines computed by scripting.py are left out here." in text
        assert "only from commits that were deployed" in text
        deploy(site, head, who="tess", now=now())
        server.ready(head)
        page = operator.get(question).text
        assert "config add COMPUTED /for IP222" in page
        assert '<td class="origin">computed</td>' in page
        assert "left out" not in page
    with serving(site.path, workers=1) as server, logged_in(server, "olga") as operator:
        server.ready(head)
        page = operator.get("/preview?type=IP222&phase=update").text
        assert "would get no command" in answer(page)
        assert "this server does not run scripting.py; set scripting = true in gitupd.toml" in shown(page)
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


def test_what_is_wrong_with_a_line_does_not_lay_its_secret_open(
    scene: Scene, viewer: Visitor, operator: Visitor
) -> None:
    lines = "config add X /pw first second-half\nconfig add X /a first other-half\n"
    wrong = {"snippets/update-all-all.txt": lines, "policies/delivery.yaml": "intervall: 10\n"}
    rev = commit(scene.site, wrong, "Blanks", "blanks")
    for path in (f"/configuration?rev={rev}", f"/preview?type=IP222&rev={rev}"):
        assert "second-half" in operator.get(path).text
        page = viewer.get(path).text
        assert "second-half" not in page
        assert "a line with a secret, of which operators are told more" in page
        assert "other-half" in page


# Configuration


def test_the_configuration_is_told_in_sentences_with_their_places(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/configuration").text
    assert re.match(rf"Devices follow {scene.live[:8]}, deployed {RECENTLY} by tess", answer(page))
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
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=60)
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
    assert re.match(rf"Ada committed {scene.head[:8]} {RECENTLY}\. It was never deployed\.", answer(page))
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


@pytest.mark.parametrize("host", ["gitupd_1.example:8080", "[::1]:8080", "GITUPD"])
def test_every_host_that_devices_may_use_is_shown(viewer: Visitor, host: str) -> None:
    for path in ("/add", "/preview?type=IP222", "/api/v1/preview?type=IP222"):
        page = viewer.get(path, headers={"Host": host})
        assert page.status_code == 200
        url = f"http://{host}/update.php"
        assert url in page.text or quote(url, safe="") in page.text


def test_an_environment_that_does_not_exist_is_told(viewer: Visitor) -> None:
    response = viewer.get("/add?env=mars&name=x")
    assert response.status_code == 400
    assert "there is no environment 'mars'" in html.unescape(response.text)
    assert 'value="x"' in response.text
