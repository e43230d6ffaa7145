"""Lists in SQL, for SQLite and PostgreSQL: those that are kept as JSON, and values that are more than parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, bindparam, cast, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, TableValuedAlias
    from sqlalchemy.sql.compiler import SQLCompiler


class _ItemsOf(FunctionElement[Any]):
    """The items of a list that is JSON, as rows."""

    inherit_cache = True
    type = JSON()


@compiles(_ItemsOf, "sqlite")
def _in_sqlite(element: _ItemsOf, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **more)})"


@compiles(_ItemsOf, "postgresql")
def _in_postgresql(element: _ItemsOf, compiler: SQLCompiler, **more: Any) -> str:
    column = compiler.process(element.clauses, **more)
    return f"json_array_elements_text(CASE WHEN json_typeof({column}) = 'array' THEN {column} ELSE '[]' END)"


def items_of(column: ColumnElement[Any]) -> TableValuedAlias:
    """Return the items of a list of names, kept as JSON, as rows with a ``value``."""
    return _ItemsOf(column).table_valued("value")


def is_among(column: ColumnElement[Any], values: Sequence[str] | Sequence[int]) -> ColumnElement[bool]:
    """Whether a column has one of *values*, of which there may be more than parameters."""
    listed = items_of(bindparam(None, values, type_=JSON()))
    return column.in_(select(cast(listed.c.value, column.type)))
