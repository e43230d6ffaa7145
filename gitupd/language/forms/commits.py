"""What is said of a commit."""

from __future__ import annotations

from gitupd.language.marks import marked, plural

COMMITS = (
    marked("by itself"),
    marked("by hand"),
    marked("deployed %(day)s by %(who)s"),
    marked("with %(commit)s"),
    marked("it is being looked at"),
    marked("%(hex)s is at the head of the branch"),
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
    marked(
        "%(some)s of %(what)s (%(share)s), of which none has called lately, would get another script; the brake is at "
        "%(limit)s"
    ),
    marked(
        "%(some)s of %(what)s (%(share)s), of which none has called lately, would restart; the brake is at %(limit)s"
    ),
    marked("%(what)s, of which none has called lately,"),
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
    marked("it can't be compared with the deployed commit: that takes longer than %(minutes)s min"),
    marked("it can't be compared with the deployed commit: that takes longer than %(seconds)s s"),
    marked("it can't be compared with the deployed commit: %(reason)s"),
    marked("scripting.py changes, and nobody can tell what it computes before somebody has deployed it"),
)
"""What speaks against a commit: :mod:`gitupd.core.deployments.brake`, :mod:`gitupd.service.deployments.gates`."""

GATES = (
    marked("its history has nothing in common with that of the deployed commit %(hex)s"),
    marked("its render tests take longer than %(seconds)s s"),
    marked("its render tests can't be run: %(error)s"),
    plural("%(number)s render test of it fails: %(first)s", "%(number)s render tests of it fail: %(first)s"),
    marked("whether commits have to be signed can't be told, for the deployed commit %(hex)s can't be read"),
    marked("what is new can't be told, for the deployed commit %(hex)s is not in the repository"),
    marked("it takes back what is deployed, for it does not build on commit %(hex)s, and nobody signs for that"),
    marked("it comes with more than %(count)s commits, whose signatures are not all looked at"),
    marked("commit %(hex)s %(subject)s %(flaw)s (%(grounds)s), %(key)s"),
    marked("commit %(hex)s %(subject)s %(flaw)s (%(grounds)s)"),
    marked("commit %(hex)s %(subject)s %(flaw)s, %(key)s"),
    marked("commit %(hex)s %(subject)s %(flaw)s"),
    marked("signers/revoked_keys lists it"),
    marked("%(place)s lets it sign for %(namespaces)s"),
    marked("its certificate: not before %(at)s UTC"),
    marked("its certificate: not after %(at)s UTC"),
    marked("%(place)s: not before %(at)s UTC"),
    marked("%(place)s: not after %(at)s UTC"),
    marked("%(count)s more commits are not signed as they have to be"),
    marked("its files are those of %(blocked)s"),
    marked("it builds on %(blocked)s, and does not revert what that did to %(listed)s"),
    marked("it builds on %(blocked)s"),
    marked("it does again what was rolled back with %(blocked)s, to %(listed)s"),
    marked("commit %(hex)s, which is blocked since it was rolled back (%(reason)s)"),
    marked("commit %(hex)s, which is blocked since it was rolled back"),
    marked("in %(path)s: %(concern)s"),
    plural("there is %(number)s warning more", "there are %(number)s warnings more"),
)
"""What gates say that hold a commit: :mod:`gitupd.service.deployments.gates`."""

CONCERNS = (
    marked("%(name)s is told of nothing here, for the settings of this site do not know it"),
    marked("no snippet at all, for %(devices)s"),
    marked("not run here, as the site does not allow it"),
    plural(
        "no phase %(name)s any more, in which %(number)s device is",
        "no phase %(name)s any more, in which %(number)s devices are",
    ),
    plural(
        "no environment %(name)s any more, in which %(number)s device is",
        "no environment %(name)s any more, in which %(number)s devices are",
    ),
    marked("HTTPS is required, but no address of this site speaks TLS to devices, and no proxy is trusted to"),
    marked("a client certificate is required, but no address of this site asks devices for one, nor does a proxy"),
    marked("a client certificate is required, but the site trusts no authority, so no device is identified"),
    marked("a rule asks for the old certificate, but no address of this site asks devices for one, nor a proxy"),
    marked("an authority elsewhere is to sign, and the settings of this site name none"),
    marked("the site's authority is to sign, and this site has none"),
    marked("%(file)s is not there, and %(devices)s would load it"),
    plural(
        "leaves out %(number)s commit that is deployed now, %(hex)s %(subject)s",
        "leaves out %(number)s commits that are deployed now, %(hex)s %(subject)s",
    ),
    marked("it no longer lists %(name)s, who has signed %(hex)s"),
)
"""What a commit means for the site: :mod:`gitupd.service.deployments.concerns`."""
