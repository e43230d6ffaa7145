"""How shells are told what to offer, where click's own way would not do.

Click's script for Bash takes what it is told as words of the shell: it finds files by a ``*``, drops backslashes, and
puts what is chosen on the line as it is, so that the name of a device could have something executed. Bash takes ``:``,
``=`` and ``@`` for ends of words besides, which click is not told of. For fish, click cuts values at a comma.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, ClassVar

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import ShellComplete

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response line type value
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
%(complete_var)s=bash_complete "${1/#\\~\\//$HOME/}" 2>/dev/null)
    COMPREPLY=()
    while IFS= read -r line; do
        type=${line%%%%,*} value=${line#*,}
        case $type in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *[:=@,] ]] && compopt -o nospace 2>/dev/null ;;
        esac
    done <<< "$response"
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_BREAKS = ":=@"
_PLAIN = re.compile(r"[\w%+,./:=@-]")
_STEERS = frozenset("\"'\\$`!")


class Bash(BashComplete):
    """Bash from 4.4 on; ``complete`` is called once."""

    source_template: ClassVar[str] = _BASH
    _typed, _left, _quote = "", "", ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the arguments in front of the cursor, and the word at it, as they were before Bash divided them."""
        line, number = os.environ["COMP_WORDS"], int(os.environ["COMP_CWORD"])  # noqa: TID251 - click's protocol
        if "\n" not in line:  # somebody tries it by hand
            return super().get_completion_args()
        divided = line.split("\n")[: number + 1]
        divided += [""] * (number + 1 - len(divided))
        words, left = joined(divided)
        self._left, self._typed = left, words[-1]
        self._quote = divided[-1][:1] if divided[-1][:1] in ("'", '"') else ""
        args = [argument for word in words[1:-1] for argument in split_arg_string(word)[:1]]
        return args, next(iter(split_arg_string(self._typed)), "")

    def complete(self) -> str:
        """Return what the script is told, without what can't be put on the line."""
        args, incomplete = self.get_completion_args()
        items = self.get_completions(args, incomplete)
        return "\n".join(line for item in items if (line := self._line(item)) is not None)

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return the line for a value, which may be empty."""
        return self._line(item) or ""

    def _line(self, item: CompletionItem[str]) -> str | None:
        if item.type != "plain":
            return f"{item.type},"
        value = str(item.value)
        if self._left and not self._left.startswith("-"):
            if not value.lower().startswith(self._left.lower()):
                return None
            value = value[len(self._left) :]
        elif self._left.startswith("-") and value.startswith(self._left):
            value = value[len(self._left) :]
        if not value.isprintable():
            return None
        if self._quote:
            return None if _STEERS & set(value) else f"plain,{value}"
        return f"plain,{quoted(value)}"


def joined(divided: list[str]) -> tuple[list[str], str]:
    """Return the words of a line that Bash has divided, and what of the last one stands before what Bash will replace.

    ``env:ber`` comes as three words, of which the last is replaced. A break that stands alone joins its neighbours.
    """
    words, left, joins = [""], "", False
    for part in divided:
        is_break = bool(part) and not part.strip(_BREAKS)
        if (joins or is_break) and part and len(words) > 1:
            left = words[-1] + (part if is_break else "")
            words[-1] += part
        else:
            words.append(part)
            left = ""
        joins = is_break
    return words[1:], left


def quoted(value: str) -> str:
    """Return *value* as Bash reads it back as one word, and nothing else."""
    return "".join(letter if _PLAIN.fullmatch(letter) else f"\\{letter}" for letter in value)


class Fish(FishComplete):
    """Fish, whose values may hold commas."""

    source_template: ClassVar[str] = FishComplete.source_template.replace(
        'string split "," $', 'string split -m 1 "," $'
    )


SHELLS: Mapping[str, type[ShellComplete]] = {"bash": Bash, "zsh": ZshComplete, "fish": Fish}
"""How each shell is told, by its name."""


def register() -> None:
    """Have click tell the shells so."""
    for shell in SHELLS.values():
        add_completion_class(shell)
