"""Columns that the model names: where it names them, and whether the data have them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.model.table import ParameterTable
from semlang.source import Span

if TYPE_CHECKING:
    import pandas as pd

_PLAIN = re.compile(r"[^\W\d][\w.]*")
_COMMENT = re.compile(r"[#!][^\n]*")


def spot(table: ParameterTable, column: str) -> Span | None:
    """Return where the text first names a column."""
    spans = []
    for v in table.responses:
        if v.span and (v.name == column or column in v.arguments.values()):
            spans.append(v.span)
    for row in table.rows:
        if row.span and any(c.column == column for c in row.via):
            spans.append(row.span)
    text = table.source.text
    name = re.compile(rf"(?<![\w.]){re.escape(column)}(?![\w.])")
    for span in sorted(spans):
        found = name.search(text, span.start, span.end)
        if found:
            return Span(*found.span())
    found = name.search(_COMMENT.sub(lambda m: " " * len(m[0]), text))
    return Span(*found.span()) if found else min(spans, default=None)


def needed(table: ParameterTable) -> tuple[str, ...]:
    """Return the columns that the data must have."""
    observed = [v.arguments["observed"] for v in table.latents if isinstance(v.arguments.get("observed"), str)]
    return tuple(dict.fromkeys((*table.columns(), *observed)))


def absent(table: ParameterTable, frame: pd.DataFrame) -> list[Diagnostic]:
    """Return a finding for every column that the data do not have, or one that says why none fits."""
    names = needed(table)
    products = {v.name for v in table.responses if ":" in v.name}
    there = set(frame.columns.tolist())
    names = tuple(dict.fromkeys(p for c in names for p in (c.split(":") if c in products - there else (c,))))
    missing = [c for c in names if c not in there]
    if not missing:
        return []
    alike = {c: like(c, frame.columns) for c in missing}
    if len(missing) == len(names) and not all(alike.values()):
        if _transposed(frame, names):
            return [transposed(frame, names)]
        if len(missing) > 2:
            return [_none_fits(table, frame, missing)]
    return [_unknown(table, frame, c) for c in missing]


def _transposed(frame: pd.DataFrame, names: tuple[str, ...]) -> bool:
    if len(frame.columns) <= len(frame):
        return False
    first = {str(v).strip() for v in frame.iloc[:, 0]} | {str(v) for v in frame.index}
    return any(n in first for n in names)


def transposed(frame: pd.DataFrame, names: tuple[str, ...]) -> Diagnostic:
    """Return the finding that rows and columns are exchanged."""
    return error(
        "transposed-data",
        "the data look transposed: the names of the model's variables stand in the first column",
        label=f"{len(frame)} rows and {len(frame.columns)} columns",
        help="rows are units and columns are variables: exchange them, for instance with frame.T",
    )


def _none_fits(table: ParameterTable, frame: pd.DataFrame, missing: list[str]) -> Diagnostic:
    columns = ", ".join(map(str, frame.columns[:6])) + (", ..." if len(frame.columns) > 6 else "")
    return error(
        "unknown-column",
        f"the data have none of the {len(missing)} columns that the model names",
        table.source,
        spot(table, missing[0]),
        label=f"there is no column '{missing[0]}'",
        notes=f"the columns of the data are {columns}",
        help="are these the right data?",
    )


def like(name: str, columns: Iterable[object]) -> str | None:
    """Return the one column that differs from a name by blanks, signs and capitals alone, if there is one.

    Examples
    --------
    >>> like("calm1", ["Calm 1", "Calm 2"])
    'Calm 1'
    """
    letters = [c for c in name.casefold() if c.isalnum()]
    found = [str(c) for c in columns if [x for x in str(c).casefold() if x.isalnum()] == letters]
    return found[0] if letters and len(found) == 1 else None


def _unknown(table: ParameterTable, frame: pd.DataFrame, column: str) -> Diagnostic:
    span = spot(table, column)
    columns = [str(c) for c in frame.columns]
    latent = [v.name for v in table.latents]
    same = like(column, columns)
    near = [same] if same is not None else difflib.get_close_matches(column, [*columns, *latent], 3)
    near = list(dict.fromkeys(n for n in near if n != column))
    fix: tuple[Edit, ...] = ()
    help: list[str] = []
    if column in frame.index.names:
        help = [f"'{column}' is the index of the frame: give frame.reset_index()"]
    elif column in table.clusters and not near:
        used = needed(table)
        few = [c for c in columns if c not in used and frame[c].nunique() < len(frame)] or ["school"]
        help = [f"name the column that holds the clusters:  cluster: {few[0]}"]
    elif near:
        shown = " or ".join(f"'{n}'" + ("" if n in columns else " (a latent variable)") for n in near)
        help = [f"did you mean {shown}?"]
        spelt = near[0] if _PLAIN.fullmatch(near[0]) else f"`{near[0]}`"
        if spelt != near[0]:
            help.append(f"a name with blanks or signs stands between backquotes: {spelt}")
        used = needed(table)
        only = same is not None or len([n for n in near if n not in used]) == 1
        if span and only and near[0] not in used and "`" not in near[0]:
            fix = (Edit(span, spelt),)
    elif any(v.name == column for v in table.responses):
        help = [f"if {column} is a latent variable, measure it ({column} =~ ...) or declare it: {column} :: normal"]
    return error(
        "unknown-column",
        f"the data have no column '{column}'",
        table.source,
        span,
        label="no such column",
        help=help,
        fix=fix,
    )
