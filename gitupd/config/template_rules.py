"""What is allowed in a template, and how much: for each value there is a bound on its length, and on its turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from jinja2 import nodes

from gitupd.config.schema import suggestion
from gitupd.core.secrets.template import FACTS, LISTS, MOST_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

FILTERS = ("d", "default", "first", "int", "join", "last", "length", "lower", "replace", "string", "trim", "upper",
           "urlencode")  # fmt: skip
TESTS = ("defined", "eq", "even", "in", "ne", "odd", "undefined")
_LOOP = ("first", "index", "index0", "last", "length")

MOST_STEPS = 100_000
"""How much work a template may be; a step is a node that is evaluated once, or 64 characters that it makes."""

_STEP = 64
_DEPTH = 40
_LONGEST = 64 * 2**10
_LONGEST_VALUE = 1000
_MOST_DIGITS = 18
_FLOAT_DIGITS = 310
_CODED = 12
"""How many characters one becomes that is percent-encoded: four bytes, each as ``%XX``."""

_OURS = {"device": "write what of it: {{ device.serial }}", "loop": "write what of it: {{ loop.index }}"}
_JINJAS = frozenset({"self", "super", "caller", "varargs", "kwargs", "range"})

Place: TypeAlias = nodes.Node


class NotAllowed(Exception):
    """Something in a template that is not allowed, at a line of it."""

    def __init__(self, place: Place, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.hint = place.lineno or 0, hint  # some have none


@dataclass(frozen=True, slots=True)
class _Shape:
    """How large a value is at the most: characters of a text or a number, or of each of so many items of a list."""

    size: int
    count: int | None = None


_SMALL = _Shape(20)


class Examination:
    """A template held against the rules; raises NotAllowed with the first that it breaks."""

    def __init__(self, tree: nodes.Template) -> None:
        self.lines: dict[str, int] = {}
        self.entangled: set[str] = set()
        self.facts: set[str] = set()
        self._guarded: set[str] = set()
        self._steps, self._turns, self._depth = 0, 1, 0
        self._locals: list[dict[str, _Shape]] = [{}]
        self._block(tree.body)

    @property
    def required(self) -> frozenset[str]:
        """The variables that it can't do without."""
        return frozenset(self.lines.keys() - self._guarded)

    # Statements

    def _block(self, body: Iterable[nodes.Node]) -> None:
        self._depth += 1
        self._locals.append({})
        for node in body:
            self._spend(node, 0)
            match node:
                case nodes.Output(nodes=parts):
                    for part in parts:
                        self._written(part)
                case nodes.If():
                    self._if(node)
                case nodes.For():
                    self._for(node)
                case nodes.Assign(target=nodes.Name(name=name), node=value):
                    self._allow_name(node, name)
                    self._locals[-1][name] = self._shape(value)
                case _:
                    raise _not_allowed(node)
        self._locals.pop()
        self._depth -= 1

    def _written(self, node: nodes.Expr) -> None:
        """Examine what is written into the script."""
        if isinstance(node, nodes.TemplateData):
            self._spend(node, len(node.data))
        elif isinstance(node, nodes.Concat):
            for part in node.nodes:
                self._written(part)
        elif (name := _plain(node)) is not None and self._local(name) is None:
            entangled = name in self.entangled
            self._text(node)
            if not entangled:
                self.entangled.discard(name)
        else:
            self._text(node)

    def _if(self, node: nodes.If) -> None:
        for branch in (node, *node.elif_):
            self._shape(branch.test)
            self._block(branch.body)
        self._block(node.else_)

    def _for(self, node: nodes.For) -> None:
        if node.recursive or not isinstance(node.target, nodes.Name):
            raise NotAllowed(node, "a loop of this kind is not allowed in a template", "write {% for NAME in LIST %}")
        self._allow_name(node, node.target.name)
        items = self._items(node.iter)
        self._block(node.else_)
        before, self._turns = self._turns, self._turns * max(1, items.count or 0)
        self._locals.append({node.target.name: _Shape(items.size), "loop": _SMALL})
        self._spend(node, 0)
        if node.test is not None:
            self._shape(node.test)
        self._block(node.body)
        self._locals.pop()
        self._turns = before

    def _items(self, node: nodes.Node) -> _Shape:
        """Return how many items a loop goes through at the most, and how large each is."""
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range":
            ends = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
            if any((node.kwargs, node.dyn_args, node.dyn_kwargs)) or [*map(type, ends)] != [int] * len(node.args):
                raise NotAllowed(node, "range() of something else than whole numbers", "write them out: range(1, 25)")
            try:
                return _Shape(_MOST_DIGITS, len(range(*ends)))
            except (TypeError, ValueError, OverflowError):
                raise NotAllowed(node, "range() as Python does not know it", "write range(1, 25)") from None
        shape = self._shape(node)
        if shape.count is None:
            hint = "lists are written [1, 2], range(1, 25), device.environments and device.classes"
            raise NotAllowed(node, "a loop over what is no list", hint)
        return shape

    # Expressions

    def _text(self, node: nodes.Expr) -> int:
        """Return how long the text of *node* is at the most, which is no list."""
        shape = self._shape(node)
        if shape.count is not None:
            raise NotAllowed(node, "a list where a text is expected", "join it: {{ device.environments | join('+') }}")
        return shape.size

    def _shape(self, node: nodes.Node) -> _Shape:
        self._depth += 1
        if self._depth > _DEPTH:
            raise NotAllowed(node, "nested too deeply", "use {% set NAME = … %} for a part of it")
        shape = self._shape_of(node)
        for _ in range(shape.count or 1):
            self._spend(node, shape.size)
        self._depth -= 1
        return shape

    def _shape_of(self, node: nodes.Node) -> _Shape:  # noqa: PLR0911 - one for each kind of expression
        match node:
            case nodes.Const(value=value):
                return _Shape(_constant(node, value))
            case nodes.Name(name=name):
                return self._name(node, name)
            case nodes.Getattr(node=nodes.Name(name="device"), attr=name) if self._local("device") is None:
                return self._fact(node, name)
            case nodes.Getattr(node=nodes.Name(name="loop"), attr=name) if self._local("loop") and name in _LOOP:
                return _SMALL
            case nodes.Getitem(node=value, arg=at):
                return self._part(node, value, at)
            case nodes.Filter(node=value) if value is not None:
                return self._filtered(node, value)
            case nodes.Test(node=value, name=name):
                if name in ("defined", "undefined") and isinstance(value, nodes.Name):
                    self._guarded.add(value.name)
                self._every(node, [value, *self._arguments(node, TESTS)])
                return _SMALL
            case nodes.CondExpr(test=test, expr1=one, expr2=other) if other is not None:
                self._shape(test)
                return _largest(self._shape(one), self._shape(other))
            case _:
                return self._combined(node)

    def _combined(self, node: nodes.Node) -> _Shape:
        """Return how large something is that is made of several values."""
        match node:
            case nodes.Compare(expr=value, ops=operands):
                self._every(node, [value, *(operand.expr for operand in operands)])
                return _SMALL
            case nodes.Not(node=value):
                self._shape(value)
                return _SMALL
            case nodes.And(left=left, right=right) | nodes.Or(left=left, right=right):
                return _largest(self._shape(left), self._shape(right))
            case nodes.Concat(nodes=parts):
                return _Shape(sum(map(self._text, parts)))
            case nodes.Add(left=left, right=right) | nodes.Sub(left=left, right=right):
                return _Shape(self._text(left) + self._text(right) + 1)
            case nodes.Neg(node=value):
                return _Shape(self._text(value) + 1)
            case nodes.List(items=items) | nodes.Tuple(items=items, ctx="load"):
                return _Shape(max(map(self._text, items), default=0), len(items))
            case _:
                raise _not_allowed(node)

    def _every(self, node: nodes.Node, values: Iterable[nodes.Expr]) -> None:
        """Examine *values* that are looked through to compare them."""
        for value in values:
            shape = self._shape(value)
            for _ in range(shape.count or 1):
                self._spend(node, shape.size)

    def _name(self, node: nodes.Name, name: str) -> _Shape:
        if (local := self._local(name)) is not None and name != "loop":
            return local
        self._allow_name(node, name)
        self.lines.setdefault(name, node.lineno)
        self.entangled.add(name)
        return _Shape(_LONGEST_VALUE)

    def _allow_name(self, node: nodes.Node, name: str) -> None:
        if name in _OURS:
            raise NotAllowed(node, f"{name!r} is no variable", _OURS[name])
        if name in _JINJAS:
            raise NotAllowed(node, f"{name!r} is a word of Jinja's own", "give the variable another name")

    def _local(self, name: str) -> _Shape | None:
        return next((scope[name] for scope in reversed(self._locals) if name in scope), None)

    def _fact(self, node: nodes.Node, name: str) -> _Shape:
        if name not in FACTS:
            raise NotAllowed(node, f"nothing of a device is called {name!r}", suggestion(name, FACTS))
        self.facts.add(name)
        return _Shape(FACTS[name], MOST_ITEMS if name in LISTS else None)

    def _part(self, node: nodes.Node, value: nodes.Expr, at: nodes.Expr) -> _Shape:
        """Return how large a letter, an item, or a stretch of *value* is."""
        ends = [at.start, at.stop, at.step] if isinstance(at, nodes.Slice) else [at]
        if not all(end is None or _is_whole(end) for end in ends):
            raise NotAllowed(node, "a part of a value that is not named by whole numbers", "write [0] or [-6:]")
        shape = self._shape(value)
        return shape if isinstance(at, nodes.Slice) else _Shape(shape.size)

    def _filtered(self, node: nodes.Filter, value: nodes.Expr) -> _Shape:
        arguments = self._arguments(node, FILTERS)
        if node.name in ("d", "default"):
            if isinstance(value, nodes.Name):
                self._guarded.add(value.name)
            return _largest(*map(self._shape, (value, *arguments)))
        texts = [argument.value for argument in arguments if isinstance(argument, nodes.Const)]
        if len(texts) != len(arguments):
            raise NotAllowed(node, f"{node.name!r} with something that is not written out", "write a text or a number")
        for argument in arguments:
            self._shape(argument)
        if node.name in ("first", "last", "length", "join"):
            shape = self._shape(value)
            if node.name == "join":
                return _Shape((shape.size + sum(len(str(text)) for text in texts)) * (shape.count or shape.size))
            return _SMALL if node.name == "length" else _Shape(shape.size)
        return _Shape(_grown(node.name, self._text(value), [str(text) for text in texts]))

    def _arguments(self, node: nodes.Filter | nodes.Test, allowed: tuple[str, ...]) -> list[nodes.Expr]:
        kind = "filter" if isinstance(node, nodes.Filter) else "test"
        if node.name not in allowed:
            raise NotAllowed(
                node, f"the {kind} {node.name!r} is not allowed in a template", suggestion(node.name, allowed)
            )
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise NotAllowed(node, f"{node.name!r} with named arguments", "write them without names")
        return list(node.args)

    def _spend(self, node: nodes.Node, size: int) -> None:
        """Count a node that is evaluated at each of its turns, and makes so many characters."""
        if size > _LONGEST:
            raise NotAllowed(node, f"this may become longer than {_LONGEST:,} characters", "write less into one value")
        self._steps += self._turns * (1 + size // _STEP)
        if self._steps > MOST_STEPS:
            raise NotAllowed(
                node, "this is more work than a template may be", "use fewer or shorter loops, or divide it"
            )


def _plain(node: nodes.Expr) -> str | None:
    """Return the variable that is written as it is, or percent-encoded; None if *node* is something else."""
    if isinstance(node, nodes.Filter) and node.name == "urlencode" and not node.args and node.node is not None:
        return _plain(node.node)
    return node.name if isinstance(node, nodes.Name) else None


def _constant(node: nodes.Node, value: object) -> int:
    if isinstance(value, str):
        if not value.isprintable():
            raise NotAllowed(node, "a control character in a text", "write the line as it is to be, outside of braces")
        return len(value)
    if isinstance(value, bool) or value is None:
        return _SMALL.size
    if isinstance(value, int) and abs(value) < 10**_MOST_DIGITS:
        return _MOST_DIGITS + 1
    raise NotAllowed(node, "a number that is not whole, or too large", "write it as a text")


def _is_whole(node: nodes.Expr) -> bool:
    value = node.node if isinstance(node, nodes.Neg) else node
    return isinstance(value, nodes.Const) and type(value.value) is int and value.value < _LONGEST


def _grown(name: str, size: int, texts: list[str]) -> int:
    """Return how long a text of *size* characters is at the most behind the filter called *name*."""
    match name:
        case "urlencode":
            return size * _CODED
        case "lower" | "upper":
            return size * 3  # of some letters three are made
        case "replace":
            return (size + 1) * (1 + max(map(len, texts), default=0))
        case "int":
            return size + _FLOAT_DIGITS
        case _:
            return size


def _largest(*shapes: _Shape) -> _Shape:
    counts = [shape.count for shape in shapes if shape.count is not None]
    return _Shape(max(shape.size for shape in shapes), max(counts, default=None))


def _not_allowed(node: nodes.Node) -> NotAllowed:
    what = _CALLED.get(type(node).__name__, f"{type(node).__name__.lower()!r}")
    hint = "allowed are {{ values }}, filters, if, for and set; what needs more is for scripting.py"
    return NotAllowed(node, f"{what} is not allowed in a template", hint)


_CALLED = {
    "Call": "a call",
    "Getattr": "a part of a value by its name",
    "Mul": "'*'",
    "Pow": "'**'",
    "Mod": "'%'",
    "Div": "'/'",
    "FloorDiv": "'//'",
    "Dict": "a mapping",
    "FromImport": "'import'",
    "CallBlock": "'call'",
    "FilterBlock": "'filter'",
    "AssignBlock": "'set' with a block",
    "Assign": "'set' of more than a name",
    "CondExpr": "'if' without 'else'",
    "Scope": "'autoescape'",
}
