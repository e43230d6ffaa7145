"""The page of deployments, and deciding there, on a real server, as each role may."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from support.fleets import fill
from support.serving import serving
from support.showcase import Scene, commit, populate, showing
from support.visitors import RECENTLY, Visitor, answer, logged_in, shown
from support.waiting import until

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.deploying import rollback as roll_back
from gitupd.web.pages.deployments.reaching import lasting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Scene]:
    """The same for one test, which may change what is deployed."""
    with showing(tmp_path) as running:
        yield running


def test_deployments_say_what_is_live_and_how_far_the_fleet_is(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/deployments").text
    assert re.match(
        rf"{scene.live[:8]} went live {RECENTLY}, deployed by tess\. 54 of 60 devices run it; "
        r"6 have yet to confirm it; 2 are missing, 2 of which run it\.",
        answer(page),
    )
    runs = re.findall(rf'href="/devices\?q=runs:{scene.live[:12]}">(\d+)<', unquote(page))
    assert runs == ["54", "54"], "the sentence and the row of the list say the same"
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


def test_what_there_is_no_way_back_to_shows_no_changes_but_can_be_deployed(operator: Visitor) -> None:
    page = operator.get("/deployments/rollback?rev=main").text
    assert "What changes" not in page
    assert "Commits that are taken back" not in page
    assert "/deployments/deploy?rev=" in page
    assert "What changes" in operator.get("/deployments/deploy?rev=main").text


def test_a_commit_with_errors_says_which_and_is_not_offered(operator: Visitor) -> None:
    page = operator.get("/commits/broken").text
    assert "has errors, so it can't be deployed." in answer(page)
    assert "What is wrong with it" in shown(page)
    assert "/deployments/deploy" not in page
    assert "/deployments/deploy?rev=" in operator.get("/commits/main").text


def test_the_question_says_how_many_devices_change(operator: Visitor) -> None:
    path = "/deployments/deploy?rev=main"
    told = until(lambda: re.match(r"(\d+) of 60 devices get something else", answer(operator.get(path).text)))
    assert 0 < int(told[1]) < 60, "they are for gateways"


def test_what_a_commit_means_for_the_devices_is_told_before_it_is_deployed(own: Scene) -> None:
    own.site.inventory.save_sightings(
        [Device(Serial("0090333000ff"), phase="elsewhere", first_seen=now(), last_seen=now())]
    )
    warning = "phases.yaml no phase 'elsewhere' any more, in which 1 device is; they start over with 'staging'"
    with logged_in(own.server, "olga") as operator, logged_in(own.server, "vera") as viewer:
        for visitor, page in ((viewer, f"/commits/{own.head}"), (operator, f"/deployments/deploy?rev={own.head}")):
            assert warning in shown(visitor.get(page).text)
        assert warning not in shown(viewer.get(f"/commits/{own.live}").text), "that is what they have"


def test_what_speaks_against_a_commit_has_to_be_overruled_with_a_reason(own: Scene) -> None:
    git = ["git", "-C", str(own.site.path / "config.git"), "-c", "user.name=A", "-c", "user.email=a@b"]
    made = subprocess.run([*git, "commit-tree", f"{own.head}^{{tree}}", "-m", "alone"], check=True, capture_output=True)
    alone = made.stdout.decode().strip()
    subprocess.run([*git, "update-ref", "refs/heads/main", alone], check=True)
    with logged_in(own.server, "olga") as operator:
        question = f"/deployments/deploy?rev={alone}"
        page = operator.get(question).text
        assert f"Its history has nothing in common with that of the deployed commit {own.live[:12]}." in shown(page)
        assert "Its history has nothing in common" in shown(operator.get("/deployments").text)
        fields = {"rev": alone, "after": after(page)}
        for said in ({}, {"force": "yes"}, {"reason": "why"}):
            refused = operator.submit("/deployments/deploy", {**fields, **said}, page=question)
            assert refused.status_code == 409
            assert "It was not deployed: decide, and say why." in answer(refused.text)
        meant = {**fields, "force": "yes", "reason": "a new beginning"}
        assert operator.submit("/deployments/deploy", meant, page=question).status_code == 303
    live = own.site.deployments.live()
    assert live
    assert (live.commit, live.reason) == (alone, "a new beginning")


@pytest.mark.parametrize("path", ["/commits/main", "/deployments/deploy?rev=main"])
def test_the_bar_says_where_one_is(operator: Visitor, path: str) -> None:
    assert re.search(r'href="/deployments" aria-current="true"', operator.get(path).text)


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
        assert re.match(rf"{own.head[:8]} went live {RECENTLY}, deployed by olga\.", answer(page))
        assert "the head of branch main is what is live" in shown(page)

        question = f"/deployments/rollback?rev={own.live}"
        page = operator.get(question).text
        assert f"blocks {own.head[:8]}, the commit that is live now" in shown(page)
        assert "More for gateways" in shown(page)
        fields = {"rev": own.live, "after": after(page), "reason": "  gateways\n lost <b>calls</b> "}
        assert operator.submit("/deployments/rollback", fields, page=question).status_code == 303
        page = operator.get("/deployments").text
        assert f"Rolled back to {own.live[:8]}; {own.head[:8]} is blocked." in shown(page)
        assert "blocked by a rollback: “gateways lost <b>calls</b>”" in shown(page)
        assert "is blocked: “gateways lost <b>calls</b>”" in answer(
            operator.get(f"/deployments/deploy?rev={own.head}").text
        )
        page = operator.get(f"/commits/{own.head}").text
        assert re.search(f"olga has blocked it {RECENTLY} by a rollback: “gateways lost <b>calls</b>”", answer(page))
        assert "/deployments/deploy" not in page

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


def test_going_back_says_what_stays_on_devices_and_asks_for_a_reason_where_that_is_required(own: Scene) -> None:
    line = "config add PHONE/REG /gk-addr 10.9.9.9 /gk-id x"
    fill(own.site, 12, now())
    changes = {"snippets/all-all-all.txt": f"{line}\n", "policies/deploy.yaml": "rollback_reason: required\n"}
    demanding = commit(own.site, changes, "Another gatekeeper", "main")
    deploy(own.site, demanding, who="tess", now=now(), force=True, reason="it is meant")
    question = f"/deployments/rollback?rev={own.live}"
    with logged_in(own.server, "olga") as operator:
        until(lambda: "What stays on the devices" in operator.get(question).text, "it is not told what stays")
        page = operator.get(question).text
        told = shown(page)
        assert f"{own.live[:8]} neither has them nor takes them back" in told
        assert f"{line}7" in told, "devices at home have a line of their own that names one of the options"
        assert f"{line} only /gk-id5" in told
        assert re.search(r'id="reason"[^>]* required>', page)
        fields = {"rev": own.live, "after": after(page), "reason": " "}
        refused = operator.submit("/deployments/rollback", fields, page=question)
        assert refused.status_code == 409
        assert "A rollback needs a reason here" in answer(refused.text)
        assert operator.submit("/deployments/rollback", fields | {"reason": "why"}, page=question).status_code == 303
        page = operator.get(f"/deployments/rollback?rev={demanding}").text
        assert not re.search(r'id="reason"[^>]* required>', page)


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
        fields = {
            "rev": own.head,
            "after": after(response.text),
            "force": "yes",
            "reason": "it builds on what is blocked",
        }
        again = operator.submit("/deployments/deploy", fields, page="/deployments/deploy?rev=main")
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


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A site in whose last deployment devices count, some of which have gone on; the one before had none."""
    with showing(tmp_path_factory.mktemp("measured"), devices=20) as running:
        site, at = running.site, now()
        made, _ = deploy(site, running.head, who="tess", now=at, reason="agreed")
        polled = {"first_seen": at, "last_seen": at, "sent": made.commit, "sent_at": at}
        serials = [Serial(f"009033{number:06x}") for number in range(2, 12)]
        site.inventory.save_sightings([Device(serial, settled=False, **polled) for serial in serials])
        done = {"confirmed": made.commit, "confirmed_at": at + timedelta(seconds=30), "settled": True}
        site.inventory.save_sightings([Device(serial, first_seen=at, last_seen=at, **done) for serial in serials[:4]])
        running.server.ready(made.commit)
        yield running


def test_a_deployment_has_a_page_that_says_how_far_it_has_come(measured: Scene) -> None:
    with logged_in(measured.server, "vera") as viewer:
        page = shown(viewer.get("/deployments/3").text)
        assert re.search(rf"{measured.head[:8]} went live {RECENTLY}, deployed by tess: “agreed”\.", page)
        assert "4 of 19 devices have confirmed it" in page
        assert re.search(r"Asked\s*10\D", page)
        assert re.search(r"Delivered\s*10\D", page)
        assert "Instead of" in page
        assert "4 devices run it, 10 were sent it last" in page
        links = unquote(viewer.get("/deployments/3").text)
        for words in ("deployment:asked", "deployment:delivered", f"never:{measured.head[:12]}"):
            assert f'href="/devices?q={words}"' in links
        found = viewer.get(f"/devices?q=never:{measured.head[:12]}").text
        assert "15 devices" in shown(found)


def test_each_row_of_the_list_says_what_became_of_a_deployment(measured: Scene) -> None:
    with logged_in(measured.server, "olga") as operator:
        page = operator.get("/deployments").text
        assert 'href="/deployments/3"' in page
        assert "21 % of 19" in shown(page)
        assert "no device counted" in shown(page)
        assert f"/commits/{measured.head}?against={measured.live}" in page
        earlier = shown(operator.get("/deployments/2").text)
        assert "No device was known when it was made" in earlier
        assert operator.get("/deployments/4").status_code == 404
        assert operator.get(f"/deployments/{10**30}").status_code == 404


def test_the_pages_of_a_device_and_a_commit_say_the_same(measured: Scene) -> None:
    with logged_in(measured.server, "vera") as viewer:
        for number, words in ((2, "confirmed"), (8, "delivered , and yet to confirm"), (15, "silent")):
            page = shown(viewer.get(f"/devices/00-90-33-00-00-{number:02x}").text)
            told = page.partition("This deployment")[2][:80]
            assert words.replace(" ,", ",") in told.replace(" ,", ",")
        assert "4 devices run it, 10 were sent it last" in shown(viewer.get(f"/commits/{measured.head}").text)


def test_how_long_something_was_live_is_said_in_words_that_fit_behind_for() -> None:
    assert [lasting(seconds) for seconds in (0.01, 0.3, 90.0)] == ["a moment", "0.3 s", "2 min"]
