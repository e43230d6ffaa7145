"""What errors say that pages show, and what is told of notices that could not be sent."""

from __future__ import annotations

from gitupd.language.marks import marked

ENTRIES = (
    marked("%(text)s is no serial number; write twelve hexadecimal digits, such as 00-90-33-30-00-af"),
    marked("an argument holds a control character"),
    marked("argument 'type' is no model name"),
    marked("argument 'hwid' is no hardware id"),
    marked("argument 'ip' is no address"),
    marked("more than %(count)s environments"),
    marked("%(text)s is no place of a server; write HOST, HOST:PORT or HOST:PORT/DIRECTORY"),
    marked(
        "%(text)s is no time; write a day, %(day)s, a time, %(time)s, a month, %(month)s, yesterday, or 7d "
        "for seven days ago"
    ),
    marked("a name starts with a letter or digit, goes on with these or . _ - @, and has 64 of them at the most"),
    marked("a password has %(least)s to %(most)s characters; choose another one"),
    marked("this password is not UTF-8; choose another one, or another terminal"),
    marked("a token needs a title of 1 to %(most)s characters, such as: monitoring"),
    marked("%(text)s is no number of days from 1 to %(most)s; leave it empty for ever"),
    marked("there is no role %(text)s; choose %(roles)s"),
    marked("a saved search needs a name of 1 to %(most)s characters, such as: Berlin, missing"),
    marked("devices are not sorted by %(sort)s; choose %(sorts)s"),
    marked("name 1 to %(most)s columns, with commas between them, in %(longest)s characters"),
    marked("%(name)s is no column; columns are %(columns)s"),
    marked("%(week)s is no week, such as 2026-W49"),
    marked("there are %(most)s shared searches, and that is the most; remove one first"),
    marked("there are %(most)s saved searches of %(who)s, and that is the most; remove one first"),
    marked("the search %(name)s is gone meanwhile; save it anew"),
    marked("there is a shared search called %(name)s already; choose another name, or say that it is to be replaced"),
    marked(
        "there is a search of %(who)s called %(name)s already; choose another name, or say that it is to be replaced"
    ),
    marked("%(name)s is only %(role)s, and can have no token as %(more)s"),
    marked("there is no token %(id)s; see: gitupd users tokens NAME"),
    marked("there is nobody called %(name)s; see: gitupd users list"),
    marked("there is somebody called %(name)s already; choose another name"),
    marked(
        "%(name)s is the last administrator who can log in; make another one first: gitupd users role NAME "
        "administrator"
    ),
    marked("%(file)s is damaged; remove it, and a new one is made: everybody has to log in again"),
    marked("can't use %(file)s: %(error)s"),
)
"""What somebody entered can't be taken: :mod:`gitupd.core`, :mod:`gitupd.service`."""

CURES = (
    marked("write seen:15m, seen:1h-1d, seen:>30d, or days such as seen:2026-05-01..2026-05-07"),
    marked("did you mean %(name)s? It looks the same, but its accents are written otherwise (Unicode NFC and NFD)"),
    marked("did you mean %(name)s?"),
    marked("known: %(names)s"),
)
"""What to write instead."""

SEARCHES = (
    marked("%(count)s words are too many; up to %(most)s are looked for, with those behind commas"),
    marked("%(key)s is nothing to search by; keys are %(keys)s"),
    marked("type behind %(key)s what a line of the backup is to hold"),
    marked("%(value)s is no time to search by; %(cure)s"),
    marked("%(value)s is nothing to search by as %(key)s; write %(possible)s"),
    marked("%(key)s is not known here; answers to queries are known in lists of devices"),
    marked("more than %(count)s lines have that; look for something rarer"),
    marked("type what to look for, in one line"),
    marked("type no more than %(count)s characters to look for"),
    marked("the search was given up after %(seconds)s s; look for something rarer"),
)
"""What is wrong with a search: :mod:`gitupd.core.search`, :mod:`gitupd.service.backups`."""

DEVICES = (
    marked("choose a number of codes from 1 to %(most)s"),
    marked("a code is good for 1 to %(most)s days"),
    marked("there are %(count)s open codes, and %(most)s at the most; revoke some first"),
    marked("no device %(device)s ever asked; its requests can be recorded once it has"),
    marked("requests of %(others)s are recorded at the moment, and more are not; stop one of these first"),
    marked("device %(device)s has no version %(revision)s; see: gitupd backups log %(serial)s"),
    marked("%(text)s is neither a version nor a time such as 2026-05-01T12:00"),
    marked("%(text)s is longer ago than a time can be"),
    marked("no restore of device %(device)s is open; see: gitupd backups restores"),
    marked("device %(device)s has fetched it already; ask for another version to take it back"),
    marked("version %(hex)s is not in the backup history any more"),
    marked("somebody else restores %(device)s at this moment; look, and try again"),
    marked("the backup history does not fit its index, nor can it be read: %(error)s"),
    marked(
        "the backup history in %(path)s was lost, of which the index knows %(versions)s; restore it from a "
        "copy or from a mirror, or give it up: gitupd backups begin-anew (%(error)s)"
    ),
    marked("unknown phase %(name)s; %(cure)s"),
    marked("unknown environment %(name)s; %(cure)s"),
    marked("unknown environment %(name)s"),
    marked("no class has the model %(name)s, which gets what is for all; %(cure)s"),
    marked("no class has the model %(name)s, which gets what is for all"),
    marked("a script of %(size)s bytes and %(count)s lines is more than a page can show; gitupd render prints it"),
    marked("there is no query %(name)s, only %(queries)s"),
    marked("the answer to the query %(name)s can't be used: %(error)s"),
)
"""What can't be done with a device: :mod:`gitupd.service`, :mod:`gitupd.store`."""

DEPLOYMENTS = (
    marked("%(setting)s of [upstream]: %(path)s is not one line of text"),
    marked("%(setting)s of [upstream]: there is no %(path)s; put it there"),
    marked(
        "%(setting)s of [upstream]: there is no %(path)s; %(command)s, and compare with what the host says "
        "that they are"
    ),
    marked("%(setting)s of [upstream]: there is no %(path)s; %(command)s"),
    marked("%(setting)s of [upstream]: %(path)s can't be read: %(error)s"),
    marked("nothing can be fetched into %(path)s: %(error)s"),
    marked("what was fetched can't be put into %(path)s: %(error)s"),
    marked("it sends more than largest, which is %(size)s MiB; see whether that is meant"),
    marked("it was given up"),
    marked("it took longer than %(seconds)s s"),
    marked("its process ended with %(code)s"),
    marked("its process can't be reached: %(error)s"),
    marked("a rollback needs a reason here, for policies/deploy.yaml says rollback_reason: required"),
    marked("commit %(hex)s is not blocked"),
    marked("another deployment came in between; see gitupd deployments, and try again"),
    marked("another deployment came in between"),
    marked("deployments were frozen meanwhile"),
    marked(
        "commit %(hex)s is blocked since it was rolled back (no reason given); lift that with: gitupd unblock"
        " %(command)s"
    ),
    marked(
        "commit %(hex)s is blocked since it was rolled back (%(reason)s); lift that with: gitupd unblock %(command)s"
    ),
    marked("commit %(hex)s is deployed already"),
    marked("commit %(hex)s is the one that is deployed"),
    marked("commit %(hex)s was never deployed; to deploy it: gitupd deploy %(command)s"),
    marked("%(who)s has made or pushed commit %(hex)s, or one that comes with it; somebody else has to approve it"),
    marked("a freeze needs a reason, for those who wait"),
    marked("the freeze would be over already; choose a later end"),
    marked("nobody has frozen deployments"),
    marked("the reason is longer than %(count)s characters"),
    marked("%(text)s is no time; write a day as 2026-12-18, or a minute as 2026-12-18 16:00"),
    marked("%(path)s follows no repository elsewhere; name one under [upstream] in gitupd.toml"),
    marked("commit %(hex)s of the upstream is not refused: nothing is; see: gitupd fetch"),
    marked("commit %(hex)s of the upstream is not refused: %(other)s is; see: gitupd fetch"),
    marked("say why, so that others understand it later"),
    marked("there is no branch %(branch)s there; policies/deploy.yaml names it"),
    marked("%(branch)s, in policies/deploy.yaml, is no name that a branch can have"),
    marked("another process has been fetching for long; try again later"),
    marked("nothing came for %(seconds)s s"),
    marked("git has fetched nothing, and does not say why"),
    marked("nothing is deployed yet, so nothing says whose certificates are good"),
)
"""What can't be deployed, or decided of a commit: :mod:`gitupd.service.deployments`, :mod:`gitupd.service.upstream`."""

REPOSITORIES = (
    marked(
        "%(path)s is a Git repository that gitupd can't read: %(error)s; look at its file config, and what "
        "that says of extensions"
    ),
    marked("no branch %(name)s in %(path)s: there is no %(what_not)s"),
    marked("no branch %(name)s in %(path)s: %(error)s"),
    marked("can't compare %(hex)s and %(other)s in %(path)s: there is no %(what_not)s"),
    marked("can't compare %(hex)s and %(other)s in %(path)s: %(error)s"),
    marked("can't change commit %(hex)s in %(path)s: there is no %(what_not)s"),
    marked("can't change commit %(hex)s in %(path)s: %(error)s"),
    marked("can't move branch %(branch)s in %(path)s: there is no %(what_not)s"),
    marked("can't move branch %(branch)s in %(path)s: %(error)s"),
    marked("can't keep commits in %(path)s: there is no %(what_not)s"),
    marked("can't keep commits in %(path)s: %(error)s"),
    marked("commit %(hex)s"),
    marked("the history of %(name)s"),
    marked("the histories of %(name)s"),
    marked("the branches"),
    marked("%(path)s of commit %(hex)s"),
    marked("it broke off, with %(count)s bytes to come"),
    marked("No such file or directory"),
    marked("Permission denied"),
    marked("Is a directory"),
    marked("Connection refused"),
    marked("No space left on device"),
    marked("it took more than %(seconds)s seconds"),
    marked("no commit %(name)s in %(path)s: there is no %(what_not)s; its branches are %(names)s"),
    marked("no commit %(name)s in %(path)s: there is no %(what_not)s, which has no branch at all"),
    marked("no commit %(name)s in %(path)s: there is no %(what_not)s"),
    marked("no commit %(name)s in %(path)s: %(error)s"),
    marked("no branch %(name)s in %(path)s; its branches are %(names)s"),
    marked("no branch %(name)s in %(path)s, which has no branch at all"),
    marked("can't read %(object)s in %(path)s: there is no %(what_not)s"),
    marked("can't read %(object)s in %(path)s: %(error)s"),
    marked("branch %(branch)s was changed by somebody else meanwhile; try again"),
    marked("%(path)s names its objects by SHA-256; gitupd reads repositories that use SHA-1"),
    marked("%(path)s is no Git repository; restore it from a copy or from a mirror"),
    marked("%(path)s is no Git repository: %(error)s"),
    marked("git %(verb)s failed in %(path)s: %(error)s"),
    marked("git can't be run: %(error)s"),
    marked("git %(verb)s in %(path)s did nothing for %(seconds)s s"),
    marked("git %(verb)s in %(path)s was given up"),
    marked("%(name)s was ended from outside, by %(signal)s"),
    marked("another process has been at work in %(path)s for long"),
    marked("%(name)s is no file's content"),
    marked("%(name)s can't be read to its end"),
    marked("%(name)s can't be read: %(error)s"),
    marked("%(name)s can't be written: %(error)s"),
    marked("%(name)s can't be created: %(error)s"),
    marked("%(name)s can't be read"),
    marked("can't read %(path)s, which acme_key_file names: %(error)s"),
    marked("can't read %(path)s: %(error)s"),
    marked("can't write %(path)s: %(error)s"),
    marked("can't change %(path)s: %(error)s"),
    marked("the database %(name)s can't be used: %(error)s"),
    marked("the database can't be used at the moment"),
    marked("the process that makes plans can't go on; its database can't be used"),
)
"""What can't be read: :mod:`gitupd.store.git`, :mod:`gitupd.store.backups`, the database."""

CERTIFICATES = (
    marked(
        "the common name %(name)s must be among the alternative names, too; add it to request: {dns: [...]} "
        "of policies/certificates.yaml"
    ),
    marked("it refuses, with exit code %(code)s: %(said)s"),
    marked("it refuses, with exit code %(code)s"),
    marked("it was ended by signal %(code)s: %(said)s"),
    marked("it was ended by signal %(code)s"),
    marked("it puts it off: %(said)s"),
    marked("it puts it off"),
    marked("an authority that speaks ACME needs: pip install gitupd[acme] (%(error)s)"),
    marked("the device's request is refused: %(fault)s"),
    marked(
        "it has signed until %(until)s, and policies/certificates.yaml renews %(days)s days before: set "
        "renew_before to less"
    ),
    marked("what was given is no list of revoked certificates that can be read"),
    marked("what was given can't be read: %(error)s"),
    marked("it has a critical extension that is not understood, %(id)s"),
    marked("%(name)s is not valid before %(on)s; add the certificate of the one above it"),
    marked("%(name)s has expired on %(on)s; add the certificate of the one above it"),
    marked("that is no certificate: PEM, DER and PKCS #7 (.p7b) are understood"),
    marked("a certificate is not longer than %(size)s KiB"),
    marked("device %(device)s has uploaded no signing request; see: gitupd certificates list"),
    marked("device %(device)s has uploaded no signing request"),
    marked("no certificate was ever rolled out to %(device)s; see: gitupd certificates list"),
    marked("the certificate (%(subjects)s) is not for the key of the device's request"),
    marked("it is issued by %(issuer)s, and policies/certificates.yaml trusts %(names)s"),
    marked("it is valid from %(dates)s, not now"),
    marked("it is for %(subject)s, and the device has asked for %(asked)s"),
    marked("the device has asked for %(asked)s, which would be good for every device"),
    marked("its signature is not by the certificate of %(issuer)s that goes along"),
    marked("there are more than %(count)s certificates in the file"),
    marked("what was signed is refused: %(fault)s"),
    marked("its request is refused: %(fault)s"),
    marked("the signing request is refused: %(fault)s"),
    marked("the certificate is refused: %(fault)s"),
    marked("it is for %(name)s, which is another device"),
    marked("its extensions can't be read"),
    marked("it is for an authority"),
    marked("it is for signing certificates of others"),
    marked("the site has no authority; make one: gitupd certificates init"),
    marked("its request is not signed by the key that it is for"),
    marked("its key is too weak, or of another kind than RSA of 2048 bits or more, or EC"),
    marked("it has no common name; have it start over"),
    marked("it has more than one common name; have it start over"),
    marked("it is for %(name)s, which the policy does not have it ask for; have it start over"),
    marked(
        "the certificate would end on %(on)s, and be renewed as soon as it is there; make another authority "
        "(gitupd certificates init --again), or set renew_before lower"
    ),
    marked("its request can't be read"),
    marked("no certificate can be made of its request: %(error)s"),
    marked("the authority %(name)s is not valid before %(on)s"),
    marked("the authority %(name)s has expired on %(on)s"),
    marked("it has uploaded no signing request"),
    marked("it has uploaded another request since; look at that one"),
    marked("say why"),
    marked("what was signed is for another key"),
    marked("its request was signed before, as %(id)s; have it start over"),
    marked("its roll-out starts over when it polls next"),
    marked("its request was rejected (%(reason)s); have it start over"),
    marked("its request was signed already"),
    marked("the site's authority has signed no certificate with the serial number %(id)s"),
    marked("the authority that signed it is not here any more: SHA-256 %(id)s"),
    marked("requests are signed by hand; for the site's authority to sign, set signing: authority"),
    marked("an authority elsewhere signs, and none is set up: [signing] in gitupd.toml names a command, or acme"),
    marked("no authority of this site has signed the list of %(name)s; add the authority first"),
    marked("the list of %(name)s is older than the one that is there; take the latest"),
    marked("%(name)s names none; name one of the files: %(files)s"),
    marked("%(name)s names several; name one of the files: %(files)s"),
    marked("%(file)s holds %(count)s of them; to remove them all, name the file"),
    marked("what was given is larger than any certificate"),
    marked("what was given is no certificate that can be read"),
    marked("what was given has a damaged block of PEM"),
    marked("what was given is larger than %(number)s MiB"),
    marked("what was given has a critical extension that is not understood, %(id)s"),
    marked("what was given is neither a certificate nor a list of revoked certificates, in PEM or DER"),
    marked("%(path)s holds as many files as it may; remove some that are not needed"),
    marked("%(name)s has a critical extension that is not understood, %(id)s; add the certificate of the one above it"),
    marked("%(name)s may not sign others; add the certificate of the one above it"),
    marked("it wants a proof of the name %(name)s that gitupd can't give: %(kinds_of_proof)s, and not http-01"),
    marked("the key of the account is none of an elliptic curve"),
    marked("it does not issue the certificate: %(error)s"),
    marked("it found no proof of a name: %(error)s"),
    marked("it has not decided within %(seconds)s seconds"),
    marked("it has signed, but: %(error)s"),
    marked("it has signed, but %(error)s"),
    marked("it does not answer as it should: %(error)s"),
    marked("the key of the account can't be read: %(error)s"),
    marked("it says that it has signed, but: %(error)s"),
    marked("the server is stopped"),
    marked("it takes longer than %(seconds)s seconds"),
    marked("it prints more than any certificate has"),
    marked("it can't be started: %(error)s"),
)
"""What can't be done with certificates: :mod:`gitupd.service.certificates`, :mod:`gitupd.store.certificates`."""

SENDING = (
    marked("it was answered with status %(status)s"),
    marked("%(path)s is empty; put the secret there"),
    marked("there is no mail server: smtp in [notify] names it"),
    marked("the mail server refused %(names)s"),
    marked("it could not be sent: %(error)s"),
    marked("%(path)s: what is behind whsec_ is not Base64"),
    marked("the mail server %(address)s did not take it: %(error)s"),
    marked("%(name)s is no name of a host, or smtp_user or the password has letters beyond ASCII"),
    marked("the settings have no recipient %(name)s in [notify.to]; known: %(names)s"),
    marked("the settings have no such recipient any more"),
)
"""Why a notice could not be sent: :mod:`gitupd.service.notices`."""
