"""Uploads are judged, and kept until they are committed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.offices import LINES, SERIAL, Office, dump

from gitupd.core.caller import Serial
from gitupd.errors import UnusableDatabase
from gitupd.service.backups.intake import Arrival
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

pytestmark = pytest.mark.usefixtures("sound_afterwards")


@pytest.mark.parametrize("content", [b"", b"<html>", b"config a\x00b"])
def test_what_is_no_configuration_is_not_kept_and_told(office: Office, content: bytes) -> None:
    for _ in range(3):
        assert office.upload(content).startswith("not kept: ")
    assert office.site.backup_inbox.count() == 0
    told = [message.text for message in office.site.inventory.device(SERIAL).messages]
    assert sum("its backup was not kept" in text for text in told) == 1, "not all the time"


@pytest.mark.parametrize("start", [b"  <html>", b"config a\x00b", b"\r\n"])
def test_what_is_no_configuration_is_not_kept_however_large_it_is(office: Office, start: bytes) -> None:
    assert office.upload_file(start + b" \r\n" * 200_000).startswith("not kept: ")
    assert office.site.backup_inbox.count() == 0


def test_an_implausibly_short_version_is_believed_when_it_repeats(office: Office) -> None:
    office.upload(dump(*LINES))
    assert "implausibly few" in office.upload(dump(*LINES[:50]))
    assert "implausibly few" in office.upload(dump(*LINES[:40]))
    assert office.upload(dump(*LINES[:40])) == "kept"
    office.upload(dump(*LINES))
    assert "implausibly few" in office.upload(dump(*LINES[:50]))
    assert office.upload(dump(*LINES)) == "nothing has changed"
    assert "implausibly few" in office.upload(dump(*LINES[:50])), "a good one in between starts anew"


def test_what_a_device_uploads_at_once_is_judged_one_after_the_other(office: Office) -> None:
    whole, few = dump(*LINES), dump(*LINES[:50])
    office.upload(whole)
    assert "implausibly few" in office.upload(few)
    at_once = [office.put(content) for content in (whole, few, few, whole, whole)]
    doubt = f"not kept: {len(few)} bytes are implausibly few; it is kept if it comes again"
    verdicts = [verdict for future in at_once for verdict in future.result(10)]
    assert verdicts == ["nothing has changed", doubt, "kept", "kept", "nothing has changed"]
    assert office.upload(few) == doubt, "it begins anew with what was kept last"
    assert office.commit() == 3
    assert [office.history().raw(each) for each in office.history().versions(SERIAL)] == [whole, few, whole]


def test_that_many_devices_uploaded_again_is_written_down_before_the_end(office: Office) -> None:
    serials = [Serial(f"0090330000{number:02x}") for number in range(5)]
    for serial in serials:
        office.upload(dump(*LINES), serial)
    later = now() + timedelta(hours=1)
    for verdicts in [office.put(dump(*LINES), serial, later) for serial in serials]:
        assert verdicts.result(10) == ["nothing has changed"]
    office.intake.stop()
    assert [head.seen for head in office.site.backup_inbox.heads(serials).values()] == [later] * 5


def test_a_large_version_lies_in_a_file_until_it_is_in_the_history(office: Office) -> None:
    large = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(100_000)))
    assert office.upload_file(large) == "kept"
    assert len(list(office.site.inbox_folder.iterdir())) == 1
    assert office.commit() == 1
    assert list(office.site.inbox_folder.iterdir()) == []
    assert office.history().raw(office.history().version(SERIAL)) == large
    assert office.upload_file(large) == "nothing has changed"
    assert office.upload_file(large.replace(b"/option 0", b"/option X", 1)) == "kept", "though they end alike"
    assert office.upload_file(large.replace(b"/option 1\r", b"/option Y\r", 1)) == "kept"
    assert office.commit() == 2
    assert [each.delta.changed for each in office.history().versions(SERIAL)] == [2, 1, 100_200]


def test_what_was_not_kept_leaves_no_file_though_it_came_with_what_could_not_be_told(office: Office) -> None:
    large = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(10_000)))
    path = office.site.inbox_folder / "incoming-1"
    path.write_bytes(large)
    whole = Arrival(SERIAL, now(), path, len(large), {}, office.intake.read(path))
    page = Arrival(SERIAL, now(), b"<html>", 6, {}, office.intake.read(b"<html>"))
    with office.site.database.connection() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    with pytest.raises(UnusableDatabase, match="disk is full"):
        office.intake.put([whole, page]).result(10)
    assert office.site.backup_inbox.count() == 0
    assert list(office.site.inbox_folder.iterdir()) == []


def test_what_counts_changes_with_the_policy(office: Office) -> None:
    volatile = dump(*LINES, "vars create MYAPP/COUNTER p 1")
    assert office.upload(volatile) == "kept"
    files = dict(office.site.config.files(office.site.config.resolve("main")))
    files["policies/backup.yaml"] = b"enabled: true\nignore: ['^vars create MYAPP/']\n"
    office.site.config.commit_files(files, "Counters don't count", "Ada <ada@example.org>")
    deploy(office.site, "main", who="test", now=now())
    office.follower.follow()
    assert office.upload(volatile) == "kept", "it is another version by the new policy"
    assert office.upload(dump(*LINES, "vars create MYAPP/COUNTER p 2")) == "nothing has changed"
