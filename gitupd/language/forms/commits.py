"""What is said of a commit."""

from __future__ import annotations

from gitupd.language.marks import marked

COMMITS = (
    marked("by itself"),
    marked("by hand"),
    marked("deployed %(day)s by %(who)s"),
    marked("with %(commit)s"),
    marked("it is being looked at"),
    marked("it was rolled back"),
    marked("it was rolled back: %(reason)s"),
    marked("it has %(what)s, the first at %(place)s"),
    marked("it was deployed before, and is not deployed again by itself"),
    marked("it waits for somebody to deploy it, approved by %(names)s"),
    marked("it waits for somebody to deploy it"),
    marked("it is deployed %(seconds)s s after it arrived, approved by %(names)s"),
    marked("it is deployed %(seconds)s s after it arrived"),
    marked("it is deployed by itself in time, approved by %(names)s"),
    marked("it is deployed by itself in time"),
    marked("it is to be deployed, approved by %(names)s"),
    marked("it is to be deployed"),
)
"""Why a commit is in its state: :mod:`gitupd.core.deployments.decision`."""

OBJECTIONS = (
    marked("%(who)s has frozen deployments until %(until)s: %(reason)s"),
    marked("%(who)s has frozen deployments: %(reason)s"),
    marked("deployments are frozen until %(until)s by the calendar: %(reason)s"),
    marked("deployments are frozen until %(until)s by the calendar"),
    marked("deployments are frozen by the calendar: %(reason)s"),
    marked("deployments are frozen by the calendar"),
    marked("it waits for the approval of a second person, and %(who)s has made or pushed part of it"),
    marked("it waits for the approval of a second person"),
    marked("somebody else approves it: %(command)s"),
    marked("%(some)s of %(what)s (%(share)s) would get another script; the brake is at %(limit)s"),
    marked("%(some)s of %(what)s (%(share)s) would restart; the brake is at %(limit)s"),
    marked("over %(percent)s"),
    marked("%(some)s of %(what)s would get no command of a snippet any more"),
    marked("%(some)s of %(what)s would get nothing, for no lines can be made for them"),
    marked("%(some)s of %(what)s would lose more than %(limit)s %% of their commands, up to %(most)s %%"),
    marked("%(some)s of %(what)s would lose more than %(limit)s %% of their commands"),
    marked("the phase %(name)s goes, in which %(some)s of %(what)s are"),
    marked("the environment %(name)s goes, in which %(some)s of %(what)s are"),
    marked("HTTPS becomes required, and %(some)s of %(what)s call without it"),
    marked("a client certificate becomes required, which %(some)s of %(what)s lack"),
    marked("it is being compared with the deployed commit, %(done)s of %(total)s devices are"),
    marked("it is being compared with the deployed commit"),
    marked("it can't be compared with the deployed commit: %(reason)s"),
    marked("scripting.py changes, and nobody can tell what it computes before somebody has deployed it"),
)
"""What speaks against a commit: :mod:`gitupd.core.deployments.brake`, :mod:`gitupd.service.deployments.gates`."""
