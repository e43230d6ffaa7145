"""Secrets on pages: hidden from everybody until whoever may see them asks for them, which the audit keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.showcase import SECRETS, Scene
from support.visitors import Visitor, shown

from gitupd.core.people.audit import Kind

if TYPE_CHECKING:
    from gitupd.core.people.audit import AuditEntry

PREVIEW = "/preview?type=IP222&env=homeoffice&phase=update"
PATHS = (
    PREVIEW,
    "/configuration",
    "/configuration/file/snippets/update-phone-all.txt",
    "/configuration/file/environments.yaml",
)


def looks(scene: Scene) -> list[AuditEntry]:
    return list(scene.site.audit.entries(500, kind=Kind.SECRETS_SHOW))


@pytest.mark.parametrize("path", [*PATHS, "/commits/{live}"])
def test_a_page_hides_secrets_until_somebody_who_may_see_them_asks(
    scene: Scene, viewer: Visitor, operator: Visitor, path: str
) -> None:
    path = path.format(live=scene.live)
    before = len(looks(scene))
    page = operator.get(path).text
    assert not [secret for secret in SECRETS if secret in page]
    assert "Secrets are hidden as ***. Show them The audit will say that you did." in shown(page)
    more = f"{path}{'&' if '?' in path else '?'}secrets=show"
    for asked in (path, more):
        closed = viewer.get(asked).text
        assert not [secret for secret in SECRETS if secret in closed]
        assert "Show them" not in closed
    assert len(looks(scene)) == before, "nobody has seen any yet"
    opened = operator.get(more).text
    assert [secret for secret in SECRETS if secret in opened]
    assert "Secrets are shown, and the audit says so. Hide them" in shown(opened)
    entries = looks(scene)
    assert len(entries) == before + 1, "once for a page"
    assert (entries[0].who, entries[0].subject) == ("olga", path.partition("?")[0])


def test_a_page_that_refreshes_itself_is_not_told_again(scene: Scene, operator: Visitor) -> None:
    operator.get(f"{PREVIEW}&secrets=show")
    before = len(looks(scene))
    operator.get(f"{PREVIEW}&secrets=show", headers={"X-Refresh": "1"})
    assert len(looks(scene)) == before


def test_a_page_without_secrets_offers_nothing(operator: Visitor) -> None:
    assert "Secrets are" not in shown(operator.get("/deployments").text)


def test_programs_have_secrets_by_their_role_alone(scene: Scene, viewer: Visitor, operator: Visitor) -> None:
    before, path = len(looks(scene)), f"/api/v1{PREVIEW}"
    assert [secret for secret in SECRETS if secret in operator.get(path).text]
    assert not [secret for secret in SECRETS if secret in viewer.get(f"{path}").text]
    assert len(looks(scene)) == before
