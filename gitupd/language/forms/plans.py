"""What is said of what a change does to the fleet."""

from __future__ import annotations

from gitupd.language.marks import marked, plural

PLANS = (
    marked("There is no device that anything could change for."),
    marked("Nothing changes for any of %(what)s."),
    marked("no device changes"),
    plural(
        "%(number)s of %(what)s gets something else: %(more)s.", "%(number)s of %(what)s get something else: %(more)s."
    ),
    marked("nothing follows from it beyond that"),
    marked("Of %(what)s it is not known what they say, for they never polled."),
    marked("%(what)s polled as no device does, and were left out."),
    plural("%(number)s device changes", "%(number)s devices change"),
    plural("%(number)s is shut out", "%(number)s are shut out"),
    plural("%(number)s is no longer let in", "%(number)s are no longer let in"),
    plural("%(number)s is let in", "%(number)s are let in"),
    plural("%(number)s is sent to HTTPS on port %(port)s", "%(number)s are sent to HTTPS on port %(port)s"),
    plural(
        "%(number)s lacks the client certificate that is required",
        "%(number)s lack the client certificate that is required",
    ),
    plural("%(number)s is to be given a certificate", "%(number)s are to be given a certificate"),
    plural("%(number)s gets nothing, for a failure", "%(number)s get nothing, for a failure"),
    plural("%(number)s gets nothing any more", "%(number)s get nothing any more"),
    plural("%(number)s gets nothing", "%(number)s get nothing"),
    plural("%(number)s loses most commands", "%(number)s lose most commands"),
    plural("%(number)s executes everything again", "%(number)s execute everything again"),
    plural("%(number)s executes everything at every poll", "%(number)s execute everything at every poll"),
    plural(
        "%(number)s has nothing to execute, after exactly this was executed before",
        "%(number)s have nothing to execute, after exactly this was executed before",
    ),
    plural("%(number)s loads another build", "%(number)s load another build"),
    plural("%(number)s loads %(builds)s", "%(number)s load %(builds)s"),
    plural("%(number)s restarts", "%(number)s restart"),
    plural("%(number)s of them finds no file of it", "%(number)s of them find no file of it"),
    plural(
        "%(number)s is told another address or pace for the next polls",
        "%(number)s are told another address or pace for the next polls",
    ),
)
"""What a change does: :mod:`gitupd.core.comparison`."""

GROUPS = (
    marked("%(devices)s: %(deeds)s"),
    plural("gets nothing: %(fault)s", "get nothing: %(fault)s"),
    plural("gets %(changes)s", "get %(changes)s"),
    marked("%(added)s more, %(removed)s less"),
    marked("%(added)s more"),
    marked("%(removed)s less"),
    marked("no line else"),
    plural("is no longer let in", "are no longer let in"),
    plural("is let in", "are let in"),
    plural("is sent to HTTPS on port %(port)s", "are sent to HTTPS on port %(port)s"),
    plural("lacks the client certificate that is required", "lack the client certificate that is required"),
    plural("is to be given a certificate", "are to be given a certificate"),
    plural("gets nothing any more", "get nothing any more"),
    plural(
        "loses most commands: %(after)s of %(before)s are left", "lose most commands: %(after)s of %(before)s are left"
    ),
    plural("counts as in phase %(after)s, and not %(before)s", "count as in phase %(after)s, and not %(before)s"),
    plural("goes on to phase %(after)s, and not to %(before)s", "go on to phase %(after)s, and not to %(before)s"),
    plural("goes on to phase %(before)s no more", "go on to phase %(before)s no more"),
    plural("goes on to phase %(after)s", "go on to phase %(after)s"),
    plural(
        "loads %(what)s (now %(now)s), which is not on this server",
        "load %(what)s (now %(now)s), which is not on this server",
    ),
    plural("loads %(what)s (now %(now)s)", "load %(what)s (now %(now)s)"),
    plural("does not load %(what)s any more", "do not load %(what)s any more"),
    plural("executes everything again", "execute everything again"),
    plural(
        "has nothing to execute, after exactly this was executed before",
        "have nothing to execute, after exactly this was executed before",
    ),
    plural("restarts when idle, for the new build", "restart when idle, for the new build"),
    plural("restarts when idle, for the sake of vars create", "restart when idle, for the sake of vars create"),
    plural("restarts when idle, as its script says", "restart when idle, as its script says"),
    plural("executes everything at every poll", "execute everything at every poll"),
    plural(
        "executes everything once, and no longer at every poll", "execute everything once, and no longer at every poll"
    ),
    plural("is told another address or pace for the next polls", "are told another address or pace for the next polls"),
)
"""What changes for devices of a group: :mod:`gitupd.core.comparison.wording`."""
