"""What is wrong with policies, certificates and signers of a configuration."""

from __future__ import annotations

from gitupd.language.marks import marked

POLICIES = (
    marked("%(quoted)s lies beside update.php, where gitupd serves nothing but fw/{build}/"),
    marked("have a proxy serve it"),
    marked("%(key)s follows a master device, but there is none"),
    marked("add master: {url: ...}, or name a build"),
    marked("the list is longer than %(number)s characters"),
    marked("write fewer or shorter ones"),
    marked(
        "%(quoted)s is no regular expression: %(second)s repeats nothing in RE2; write {0,9} for up to nine "
        "times, 1,000 at the most, and [{] for the brace itself"
    ),
    marked("%(quoted)s is no regular expression: %(reason)s"),
    marked(
        "%(quoted)s is too large: a repetition counts as often as it repeats, a class of letters as often as "
        "it has ranges"
    ),
    marked(
        "%(quoted)s can't be used: %(operator)s looks around, or back, which can take for ever; write what "
        "is there instead"
    ),
    marked("%(quoted)s can't be replaced by %(second)s: %(reason)s"),
    marked("write groups as \\1"),
    marked("by HTTP no certificate is shown, so devices that poll so get nothing, and nobody sends them to HTTPS"),
    marked("add https: required"),
    marked("no network: %(quoted)s has host bits set"),
    marked("no network: %(quoted)s does not appear to be an IPv4 or IPv6 network"),
    marked("no network: %(reason)s"),
    marked("write a network such as 10.0.0.0/8, or one address"),
    marked("no file fits %(quoted)s"),
    marked("add the authority's certificates, or correct the path"),
    marked("this rule approves whatever anybody asks for"),
    marked("add identified_by: old-certificate, or a network that you trust"),
    marked("whoever reaches the server can make such a request in the name of a device"),
    marked("without a rule, nothing is signed by itself"),
    marked("add rules under approve, such as {identified_by: old-certificate}, or write signing: authority"),
    marked("rules have no effect with signing: %(signing)s, where people decide"),
    marked("write signing: automatic, or remove them"),
    marked("it has no effect with signing: %(signing)s, where another authority decides"),
    marked("a certificate would be renewed as soon as it is issued: renew_before and renew_spread take all of it"),
    marked("make valid_for longer, or the others shorter"),
    marked("whoever pushes a commit could have the audit forget who did it"),
    marked("keep it for 30d at the least, or for ever: 0"),
    marked("this freeze has no time, so that it would never end"),
    marked("add days, hours, from or until; for good: mode: manual"),
    marked("this freeze ends before it begins"),
    marked("put the earlier one into from"),
    marked("there is no day or time %(quoted)s"),
    marked("write a day as 2026-12-18, or a minute as 2026-12-18 16:00"),
)
"""What contradicts itself in ``policies/``: :mod:`gitupd.config.policies`, :mod:`gitupd.config.freezes`."""


SENSE = (
    marked("'vars create' with check: false, so that devices restart at every poll"),
    marked("set check: true in policies/delivery.yaml"),
    marked("%(braces)s is filled in by nobody"),
    marked("nothing is filled in there but #m and the like"),
    marked("a key of %(bits)s bits takes a device very long to make, and each connection long to open"),
    marked("write %(bits)s-bit"),
    marked("%(quoted)s is no signature that devices are known to make"),
    marked("write SHA256"),
    marked("%(quoted)s is no name of DNS"),
    marked("%(quoted)s is no IP address"),
    marked("%(quoted)s is no country: authorities sign codes of two letters only"),
    marked("write a code such as DE"),
    marked("devices are forgotten before they count as missing"),
    marked("make it longer than missing_after"),
    marked("%(quoted)s is what a clone calls a branch"),
    marked("fits every line, so that no version is ever kept but the first"),
    marked("write what is in those lines only"),
    marked("no class has the model %(quoted)s"),
)
"""What is hardly meant: :mod:`gitupd.config.sense`."""


CERTIFICATE_FILES = (
    marked("a private key, which everybody gets who may read the configuration"),
    marked("remove it, and replace the key: it stays in the history"),
    marked("no certificate, neither in PEM nor in DER"),
    marked("put the certificate of the authority here"),
    marked("what stands here %(fault)s"),
    marked("is larger than any certificate"),
    marked("is no certificate that can be read"),
    marked("put the authority's certificate here"),
    marked("the certificate %(name)s may not sign others, so it is no authority's"),
    marked("leave only those of the authority here"),
    marked("the certificate %(name)s is not valid before %(on)s"),
    marked("the certificate %(name)s has expired on %(on)s"),
    marked("put the authority's present certificate here"),
    marked("out of order: the certificate %(name)s is not followed by %(issuer)s, which has signed it"),
    marked("that one is in %(path)s; number the files from the issuing authority up"),
)
"""Files in ``certificates/``: :mod:`gitupd.config.sense`, :mod:`gitupd.service.certificates.chain`."""


SIGNERS = (
    marked("more than %(number)s files with OpenPGP keys"),
    marked("leave those of people who work on this configuration"),
    marked("require_signatures is on, and signers/ has no key: no commit could be deployed after this one"),
    marked("add signers/allowed_signers, or *.asc, or set require_signatures: false"),
    marked("a secret key, which everybody gets who may read the configuration"),
    marked("a binary list of revoked keys (KRL)"),
    marked("write the public keys themselves, one a line"),
    marked("no OpenPGP public key"),
    marked("no OpenPGP public key: it is damaged, or none at all"),
    marked("no OpenPGP public key: it is a secret key, which everybody gets who may read the configuration"),
    marked("write it by: gpg --export --armor vera@example.com"),
    marked("SSH keys are in signers/allowed_signers and signers/revoked_keys, OpenPGP keys in signers/NAME.asc"),
    marked("%(who)s may sign for %(namespaces)s, and not commits"),
    marked('write namespaces="git"'),
    marked("a weak key: RSA of %(number)s bits"),
    marked("replace it by: ssh-keygen -t ed25519"),
    marked("it expires before it is valid, so that it never counts"),
    marked("exchange the times"),
    marked("%(text)s is UTC here, and local time for ssh-keygen"),
    marked('write: vera@example.com namespaces="git" ssh-ed25519 AAAA…, as ssh-keygen(1) says below ALLOWED SIGNERS'),
    marked("write a public key on each line: ssh-ed25519 AAAA…"),
    marked("no name, or no key behind it"),
    marked("neither an option nor a kind of key that commits are signed with: %(quoted)s"),
    marked("%(key)s takes no value"),
    marked("%(key)s takes a value in quotation marks"),
    marked("%(key)s is there twice"),
    marked("no kind of key that commits are signed with: %(quoted)s"),
    marked("no %(kind)s key: it is damaged or cut off"),
    marked("no %(kind)s key: it is another kind, or damaged"),
    marked("an RSA key of %(number)s bits, too weak to count"),
    marked("%(quoted)s is no time; write 20261231Z, or 202612312359Z"),
    marked("the key of %(who)s expired on %(on)s"),
    marked("remove it, or give it longer"),
    marked("the key of %(who)s is revoked, and never counts"),
    marked("remove it, or export it anew"),
)
"""Who may sign commits: :mod:`gitupd.config.signers`, :mod:`gitupd.service.deployments.signing_keys`."""


SEALED = (
    marked("not encrypted by age, though its name says so"),
    marked("encrypt it by: gitupd secrets encrypt; and replace the secrets in it, for they stay in the history"),
    marked("encrypted to no key of a site, as far as can be seen: to a passphrase?"),
    marked("can't be decrypted: it is encrypted to other keys"),
    marked("can't be decrypted: it is damaged"),
    marked("can't be decrypted: %(reason)s"),
    marked("encrypt it to this site's key, which gitupd secrets recipients tells"),
    marked("more than %(number)s MiB, once it is decrypted"),
    marked("not as secrets are written"),
    marked("gitupd secrets edit says what is wrong"),
    marked("secrets in plain text, for everybody who may read the configuration"),
    marked(
        "encrypt it by: gitupd secrets encrypt --remove %(path)s; and replace what is in it, for it stays in "
        "the history"
    ),
    marked("the plain text of %(path)s"),
    marked("remove it; and replace what is in it, for it stays in the history"),
    marked("a private key of age, which opens all that is encrypted"),
    marked("%(quoted)s is a variable of environments.yaml or devices.yaml, too"),
    marked("keep one of them: which one counts should not depend on who asks"),
    marked("%(quoted)s is no recipient"),
    marked("write age1…, one a line"),
    marked("encrypted to %(number)s keys, and age-recipients.txt has %(some)s"),
    marked("encrypt it anew by: gitupd secrets encrypt"),
)
"""What is encrypted, or should be: :mod:`gitupd.config.sealed`."""
