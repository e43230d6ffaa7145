"""The page of notices, and the button that tries whether they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.ports import free_port
from support.serving import serving
from support.visitors import add_person, logged_in

from gitupd.core.notices.notice import Channel, Notice, NoticeKind
from gitupd.core.people.person import Role
from gitupd.service.clock import now

if TYPE_CHECKING:
    from gitupd.service.site import Site


def test_it_tells_who_is_told_and_tries_it(own_site: Site) -> None:
    chat = f"http://127.0.0.1:{free_port()}/secret-hook"
    with (own_site.path / "gitupd.toml").open("a") as settings:
        settings.write(f'\n[notify.to.operators]\nchat = "{chat}"\n')
    notice = Notice(NoticeKind.MISSING, "x", "1 device has not called: <b>Desk</b>", "/devices?q=missing")
    own_site.outbox.post([("operators", Channel.CHAT, notice, 0)], now())
    for role in (Role.ADMINISTRATOR, Role.OPERATOR, Role.VIEWER):
        add_person(own_site, role.value, role)
    with serving(own_site.path) as server:
        server.ready()
        with logged_in(server, Role.VIEWER.value) as viewer:
            assert viewer.get("/notices").status_code == 403
        with logged_in(server, Role.OPERATOR.value) as operator:
            page = operator.get("/notices").text
            assert "secret-hook" not in page
            assert "Send a test" not in page
            assert "&lt;b&gt;Desk&lt;/b&gt;" in page
            assert "no rule of policies/notify.yaml names it" in page
            assert operator.get("/notices?before=1").status_code == 200
        with logged_in(server, Role.ADMINISTRATOR.value) as administrator:
            assert "Send a test to operators" in administrator.get("/notices").text
            administrator.submit("/notices/test", {"name": "operators"}, page="/notices")
            assert "Chat to operators: it could not be sent" in administrator.get("/notices").text
            administrator.submit("/notices/test", {"name": "x"}, page="/notices")
            assert "Nothing was sent: the settings have no recipient" in administrator.get("/notices").text
