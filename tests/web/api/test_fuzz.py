"""Whatever is sent to the API, as described or not: its answers are as described, and none is a fault of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from support.fleets import fill
from support.histories import keep, uploads
from support.programs import operations
from support.serving import Server, serving
from support.visitors import add_key, add_person

from gitupd.core.backups.change import Volatile
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.comparison.kept import planned_now
from gitupd.service.creating import create_site
from gitupd.web.api.description import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemathesis import Case

EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
OWN = "fuzzer"
THERE = {"sn": "00-90-33-00-00-05", "name": "somebody", "revision": "latest"}
"""What there is, for chance would not find it."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, dict[str, Any]]]:
    """A server, the key of an administrator, who is not named by chance, and what else there is."""
    site, first = create_site(tmp_path_factory.mktemp("fuzz") / "site", who="test", now=now())
    fill(site, 20, now())
    keep(site, uploads(20, 2, now(), size=1_000), Volatile(()), site.config.head("main"))
    add_person(site, OWN, Role.ADMINISTRATOR)
    add_person(site, THERE["name"], Role.OPERATOR)
    key = add_key(site, OWN)
    files = {**template_files(), "snippets/all-all-all.txt": b"config add X /y z\n"}
    ahead = site.config.commit_files(files, "Next", "Ada <ada@example.org>")
    planned_now(site, first.commit, ahead, now)
    with serving(site.path, workers=2) as server:
        server.ready()
        yield server, key, {"base": first.commit, "head": ahead, "group": 1}
    site.close()


def sent(case: Case, server: Server, key: str, there: Mapping[str, Any], *, found: bool) -> None:
    """Send *case*; if *found*, about what is *there*. It spares what the test needs: its own token has the id 1."""
    parameters = case.path_parameters
    if found and case.method != "DELETE":
        parameters |= {name: value for name, value in {**THERE, **there}.items() if name in parameters}
    # Requests leaves out what has no value: nothing unfit arrives then.
    written = all(value not in (None, [], {}) for value in (case.query or {}).values())
    if parameters != {"token": 1} and written:
        case.call_and_validate(base_url=server.base, headers={"Authorization": f"Bearer {key}"}, checks=CHECKS)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    ("method", "path"), [operation[:2] for operation in operations()], ids=lambda text: text.removeprefix("/api/v1")
)
def test_answers_are_as_described(
    target: tuple[Server, str, dict[str, Any]], method: str, path: str, mode: GenerationMode
) -> None:
    operation: Any = openapi.from_dict(document())[path][method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: Case) -> None:
        sent(case, *target, found=mode is GenerationMode.POSITIVE)

    answers()
