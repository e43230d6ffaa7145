"""Pages that say who has signed a commit, and what happens to one that nobody has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.serving import serving
from support.signed_commits import keyring
from support.signing_office import Office, opened
from support.visitors import add_person, answer, logged_in, shown

from gitupd.core.people.person import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.visitors import Visitor

    from gitupd.core.snapshot import CommitId


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with keyring() as keys, opened(tmp_path_factory.mktemp("signed"), keys) as office:
        add_person(office.site, "ada", Role.ADMINISTRATOR)
        yield office


@pytest.fixture(scope="module")
def commits(office: Office) -> dict[str, CommitId]:
    """Commits by who has signed them, the last of which is at the head of the branch."""
    made = {"vera": office.commit(office.vera), "nobody": office.commit(None)}
    made["eve"] = office.commit(office.keys.ssh("eve"))
    office.push()
    return made


@pytest.fixture(scope="module")
def ada(office: Office, commits: dict[str, CommitId]) -> Iterator[Visitor]:
    assert commits
    with serving(office.site.path) as server, logged_in(server, "ada") as visitor:
        yield visitor


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("vera", "It is signed by vera@example.com."),
        ("nobody", "signature: it is not signed."),
        ("eve", "signature: it is signed by an unknown key, SHA256:"),
    ],
)
def test_a_commit_says_who_has_signed_it(ada: Visitor, commits: dict[str, CommitId], who: str, said: str) -> None:
    assert said in answer(ada.get(f"/commits/{commits[who]}").text)


def test_what_is_not_signed_is_not_deployed_by_a_page_whatever_one_says(
    ada: Visitor, office: Office, commits: dict[str, CommitId]
) -> None:
    head, path = commits["eve"], f"/deployments/deploy?rev={commits['eve']}"
    text = ada.get(path).text
    assert 'name="force"' not in text
    assert "can't be deployed from a page." in answer(text)
    for page in ("/deployments", f"/commits/{head}"):
        there = ada.get(page).text
        assert "/deployments/deploy?rev=" not in there, "no button that leads nowhere"
        assert "Have it signed and pushed again, or an administrator deploys it on the server's" in shown(there) or (
            "; have it signed and pushed again, or an administrator deploys it on the server's" in shown(there)
        )
    overview = shown(ada.get("/deployments").text)
    assert "refused: it is not signed as it has to be, so neither a page nor the API deploys it." in overview
    assert f"Commit {commits['nobody'][:12]} 'change' is not signed." in shown(text)
    assert "signed by vera@example.com" in shown(text)
    before = office.live
    forced = {"rev": head, "after": "1", "force": "yes", "reason": "I want it"}
    live = office.site.deployments.live()
    assert live is not None
    answered = ada.submit("/deployments/deploy", {**forced, "after": str(live.id)}, page="/deployments")
    assert answered.status_code == 409
    assert office.live == before
