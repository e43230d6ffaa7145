"""What is said of one device."""

from __future__ import annotations

from gitupd.language.marks import marked

STORIES = (
    marked("Called last"),
    marked("Known since then"),
    marked("Confirmed that it executed"),
    marked("Nothing changed for it, so it runs"),
    marked("Was sent %(what)s of"),
    marked("Showed a certificate with another key than before"),
    marked("Showed a certificate"),
    marked("Is called %(now)s, before %(was)s"),
    marked("Is called %(now)s"),
    marked("Moved to %(now)s from %(was)s"),
    marked("Moved to %(now)s"),
    marked("Came into phase %(now)s from %(was)s"),
    marked("Came into phase %(now)s"),
    marked("Called from an address that it had before"),
    marked("Called from %(now)s, before from %(was)s"),
    marked("Called from %(now)s"),
    marked("Called as %(now)s, before as %(was)s"),
    marked("Called as %(now)s"),
    marked("Is now of type %(now)s, before %(was)s"),
    marked("Is now of type %(now)s"),
    marked("Runs firmware %(now)s, before %(was)s"),
    marked("Runs firmware %(now)s"),
    marked("Runs boot code %(now)s, before %(was)s"),
    marked("Runs boot code %(now)s"),
    marked("Was told to load firmware %(now)s"),
    marked("Was told to load boot code %(now)s"),
    marked("Answered the query %(title)s"),
    marked("Uploaded its configuration"),
    marked("Uploaded its configuration: %(what)s"),
    marked("Uploaded its signing request"),
    marked("Is back at an earlier version"),
    marked("Is back at an earlier version: %(detail)s"),
    marked("Has something else than the version it went back to"),
    marked("Has something else than the version it went back to: %(detail)s"),
    marked("Did not go back to an earlier version"),
    marked("Did not go back to an earlier version: %(detail)s"),
    marked("Is not to go back to an earlier version any more"),
    marked("Is not to go back to an earlier version any more: %(detail)s"),
    marked("%(who)s asked that it goes back to an earlier version"),
    marked("Was told to fetch an earlier version"),
    marked("Fetched an earlier version"),
    marked("Was told to make a signing request"),
    marked("Was asked for its signing request"),
    marked("Has a signed certificate to fetch, by %(who)s"),
    marked("Was sent its certificate"),
    marked("Its certificate is at: %(stage)s. %(what)s"),
    marked("Its certificate is at: %(stage)s."),
    marked("%(who)s had certificate %(id)s signed by %(signer)s"),
    marked("%(added)s added, %(removed)s removed"),
    marked("%(added)s added"),
    marked("%(removed)s removed"),
)
"""What happened to a device: :mod:`gitupd.core.stories.happening`, :mod:`gitupd.service.stories.telling`."""

OUTLOOKS = (
    marked("Nothing happens: no commit is deployed."),
    marked("It has not polled here yet, so it is not known what it needs."),
    marked("It is refused: it gets nothing, and nothing of it is taken, unless somebody accepts it."),
    marked("It is in quarantine: it gets nothing, and nothing of it is taken, until somebody accepts it."),
    marked("It polls %(when)s. It has executed everything, so nothing else happens."),
    marked("It polls %(when)s. Then it %(what)s."),
    marked("every minute"),
    marked("every %(number)s min"),
    marked("every %(number)s s while phases remain"),
    marked(
        "loads %(what)s, restarts when it is idle and gets %(more)s for phase %(phase)s, between %(start)s and %(end)s"
    ),
    marked("loads %(what)s, restarts when it is idle and gets %(more)s for phase %(phase)s"),
    marked("loads %(what)s and restarts when it is idle, %(hours)s"),
    marked("loads %(what)s and restarts when it is idle"),
    marked("gets %(what)s for phase %(phase)s, between %(start)s and %(end)s"),
    marked("gets %(what)s for phase %(phase)s, at any hour"),
    marked("gets %(what)s for phase %(phase)s"),
    marked("goes back to an earlier version of its configuration, and gets all else with the poll after that"),
    marked("firmware %(build)s and boot code %(other)s"),
    marked("firmware %(build)s"),
    marked("boot code %(build)s"),
    marked("no snippets"),
    marked("at any hour"),
    marked("between %(start)s and %(end)s"),
)
"""What happens next: :mod:`gitupd.core.outlook`."""

SNIPPETS = (
    marked("every phase"),
    marked("every class"),
    marked("every environment"),
    marked("this very device"),
    marked("phase %(item)s"),
    marked("class %(item)s"),
    marked("environment %(item)s, implied by %(other)s"),
    marked("environment %(item)s"),
)
"""Why a device gets a snippet: :mod:`gitupd.core.script`."""

WARNINGS = (
    marked("Its update URL names the environment %(name)s, which does not exist."),
    marked("It calls with two hardware ids: %(one)s, and before that %(other)s. %(what)s"),
    marked("Two devices use one serial number, by turns."),
    marked("Perhaps two devices use one serial number."),
    marked(
        "It shows certificates with two keys by turns, %(one)s and %(other)s. Two devices use one identity: one of "
        "them is a clone."
    ),
    marked(
        "It shows a certificate with another key than before: %(one)s, before that %(other)s. If it was given no new "
        "certificate, another device uses its identity."
    ),
    marked("It calls from two places by turns: %(one)s and %(other)s. %(what)s"),
)
"""What is odd about a device: :mod:`gitupd.core.standing`."""

REMARKS = (
    marked("environment %(quoted)s does not exist, and is ignored"),
    marked("of %(number)s more names of environments none exists, and all are ignored"),
    marked("phase %(quoted)s does not exist; starting over with %(second)s"),
    marked("which firmware and boot code the master device runs is not known, so none is requested"),
    marked("which firmware the master device runs is not known, so none is requested"),
    marked("which boot code the master device runs is not known, so none is requested"),
    marked("a client certificate is required; %(fault)s"),
)
"""What a device is warned of in its script: :mod:`gitupd.core.plan`, :mod:`gitupd.core.firmware`."""
