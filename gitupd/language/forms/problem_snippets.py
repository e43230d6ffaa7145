"""What is wrong with snippets, templates and computed lines of a configuration."""

from __future__ import annotations

from gitupd.language.marks import marked

SCRIPTING = (
    marked("not Python: nested too deeply"),
    marked("not Python: invalid syntax"),
    marked("not Python: %(reason)s"),
    marked("%(number)s classes, where one is expected"),
    marked("define one class with pre(device), post(device) or standard(device)"),
    marked("class %(name)s has none of %(choices)s"),
)
"""Computed lines: :mod:`gitupd.config.loader`."""


SNIPPETS = (
    marked("not the name of a snippet"),
    marked("write phase-class-environment.txt, such as update-phone-default.txt"),
    marked("differs from %(path)s only in case"),
    marked("is for the same devices as %(path)s"),
    marked("keep one of the two"),
    marked("the templates are more than %(number)s MiB in all"),
    marked("write snippets without variables"),
)
"""Names of snippets, and how many there may be: :mod:`gitupd.config.snippets`."""


VARIABLES = (
    marked("the variable %(quoted)s is defined nowhere"),
    marked("define it in environments.yaml or devices.yaml"),
    marked("a device that is in %(listed)s alone has no %(quoted)s but by devices.yaml, and would get no script"),
    marked("define it there, or write what holds else: %(braces)s"),
    marked("this device has no %(quoted)s, and would get no script"),
    marked("define it in devices.yaml"),
)
"""Variables that templates mention: :mod:`gitupd.config.variables`."""


TEMPLATES = (
    marked("%(number)s bytes, more than %(some)s for a template"),
    marked("divide it, or write what has no variables into another snippet"),
    marked("not a template that Jinja reads: nested too deeply, or too large a number"),
    marked("not a template that Jinja reads: %(reason)s"),
    marked("not a template that Jinja reads"),
    marked("gitupd secrets edit says what"),
    marked("something that is not allowed in a template"),
    marked("a loop of this kind is not allowed in a template"),
    marked("write {%% for NAME in LIST %%}"),
    marked("range() of something else than whole numbers"),
    marked("write them out: range(1, 25)"),
    marked("range() as Python does not know it"),
    marked("write range(1, 25)"),
    marked("a loop over what is no list"),
    marked("lists are written [1, 2], range(1, 25), device.environments and device.classes"),
    marked("a list where a text is expected"),
    marked("join it: {{ device.environments | join('+') }}"),
    marked("nested too deeply"),
    marked("use {%% set NAME = … %%} for a part of it"),
    marked("%(quoted)s is no variable"),
    marked("write what of it: {{ device.serial }}"),
    marked("write what of it: {{ loop.index }}"),
    marked("%(quoted)s is a word of Jinja's own"),
    marked("give the variable another name"),
    marked("nothing of a device is called %(quoted)s"),
    marked("a part of a value that is not named by whole numbers"),
    marked("write [0] or [-6:]"),
    marked("%(quoted)s with something that is not written out"),
    marked("write a text or a number"),
    marked("the filter %(quoted)s is not allowed in a template"),
    marked("the test %(quoted)s is not allowed in a template"),
    marked("%(quoted)s with named arguments"),
    marked("write them without names"),
    marked("this may become longer than %(number)s characters"),
    marked("write less into one value"),
    marked("this is more work than a template may be"),
    marked("use fewer or shorter loops, or divide it"),
    marked("a control character in a text"),
    marked("write the line as it is to be, outside of braces"),
    marked("a number that is not whole, or too large"),
    marked("write it as a text"),
    marked("a call is not allowed in a template"),
    marked("a part of a value by its name is not allowed in a template"),
    marked("a mapping is not allowed in a template"),
    marked("'set' with a block is not allowed in a template"),
    marked("'set' of more than a name is not allowed in a template"),
    marked("'if' without 'else' is not allowed in a template"),
    marked("%(quoted)s is not allowed in a template"),
    marked("allowed are {{ values }}, filters, if, for and set; what needs more is for scripting.py"),
)
"""Templates: :mod:`gitupd.config.templates`, :mod:`gitupd.config.template_rules`."""


LINT = (
    marked("a pointer of Git LFS, not the file itself"),
    marked("a pointer of git-annex, not the file itself"),
    marked("have it checked out as what it stands for"),
    marked("encrypted by git-crypt, and sent as it is"),
    marked("take it out of git-crypt"),
    marked("encrypted, signed or a key, and sent as it is"),
    marked("write the commands themselves"),
    marked("a web page"),
    marked("save what it shows"),
    marked("write commands"),
    marked("UTF-16, which devices do not read"),
    marked("not looked through for mistakes, as the snippets are more than %(number)s MiB in all"),
    marked("more than %(number)s warnings"),
    marked("only the first %(number)s are told"),
    marked("a byte order mark, which makes the first line unknown to devices"),
    marked("remove it; that changes the CHECK serial, so devices run their scripts once more"),
    marked("more than %(number)s bytes in one line, and nobody knows whether devices take that"),
    marked("write several commands"),
    marked("%(quoted)s inside a snippet"),
    marked("remove it: gitupd sends it behind all snippets"),
    marked("'mod cmd UP1 check' inside a snippet, so that devices leave out what they should execute"),
    marked("remove it: gitupd sends one, with a serial of its own"),
    marked("a carriage return inside a line"),
    marked("devices take it for the end of a line; end lines with LF or CR LF"),
    marked("a zero byte"),
    marked("no comment for devices"),
    marked("begin comments with #"),
    marked("unknown command %(quoted)s"),
    marked("devices do not go on with a command in the next line"),
    marked("write it in one line"),
    marked("{{ }} is filled in by nobody here"),
    marked("call it .txt.j2 to make it a template, or write what is to be sent"),
    marked("a comment behind a command, which belongs to it for devices"),
    marked("write it in a line of its own"),
    marked("%(quoted)s is cut off from its value by a blank"),
    marked("write a blank inside a value as + or %%20"),
    marked("a mark of a merge with conflicts"),
    marked("decide which lines count"),
    marked("a line of a patch"),
    marked("apply it, and remove what git or diff wrote around it"),
    marked("Ctrl-Z, the end of a file in DOS"),
    marked("the control character %(code)s"),
    marked("%(character)s (U+%(code)s), which belongs to the word for devices"),
    marked("write a blank, or remove it"),
    marked("%(character)s (U+%(code)s), as word processors write it"),
    marked("no device can ever get this: class %(quoted)s has no models, or uses other snippets"),
    marked("add models to the class, or remove the file"),
)
"""What is hardly meant in snippets: :mod:`gitupd.config.lint`."""


WORDS = (marked("write %(word)s"),)
"""What to write instead, in a single word, or not at all: several modules; the last that is tried."""


FAILURES = (
    marked("computed lines failed, so nothing is sent: %(fault)s"),
    marked("a template failed, so nothing is sent: %(fault)s"),
    marked("%(snippet)s can't be decrypted: it is encrypted to other keys"),
    marked("%(snippet)s can't be decrypted: it is damaged"),
    marked("%(snippet)s can't be decrypted: %(error)s"),
    marked("it becomes larger than %(number)s KiB"),
    marked("%(snippet)s: %(fault)s"),
    marked("what it does can't be done with these values (%(word)s)"),
    marked("a line of it becomes longer than %(number)s characters"),
    marked("%(quoted)s is not defined for this device"),
    marked("a value that is not there"),
    marked("a hardware id with a blank or a slash, or of that length, is not filled in"),
    marked("more than %(number)s %(word)s are not gone through"),
    marked("the value of %(quoted)s has a line break or another control character"),
    marked("this server does not run scripting.py; set scripting = true in gitupd.toml"),
    marked("what is remembered of the device can't be read"),
    marked("it did not get its turn within %(seconds)s s, so slow is it for other devices"),
    marked("it said something else than its answer"),
    marked("its answer is too long to be meant"),
    marked("it does not answer any more"),
    marked("no usable answer: %(reason)s"),
    marked("more lines than can be meant"),
    marked("It polled as no device does: %(error)s."),
    marked("Commit %(hex)s can't be read any more: %(error)s."),
    marked("It polled as no device does (%(error)s), so it is not known what it needs."),
    marked("it took longer than %(seconds)s s, or more memory than is allowed"),
    marked("this server does not run scripting.py"),
)
"""Why a device gets no script: :mod:`gitupd.core.situation`, templates that can't be filled in, computed lines."""
