"""Equivalent models reached by known moves on the graph, each verified by its moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from semlang.checks.equivalence.compare import EQUIVALENT, compare
from semlang.checks.identification import identify
from semlang.graph.build import build_graphs
from semlang.graph.order import cyclic_parts
from semlang.model.table import Covariate, ParameterTable, Row

MOST = 60


@dataclass(frozen=True)
class Equivalent:
    """A model that no data can tell from the given one.

    Parameters
    ----------
    move : str
        What was changed, in words.
    rule : str
        ``reversed path``, ``covariance in place of a path`` or ``path in place of a covariance``.
    change : (str, str)
        The line before and after.
    table : ParameterTable
    """

    move: str
    rule: str
    change: tuple[str, str]
    table: ParameterTable

    def to_json(self) -> dict[str, Any]:
        """Return the move for the interface."""
        return {"move": self.move, "rule": self.rule, "before": self.change[0], "after": self.change[1]}


def equivalents(table: ParameterTable, verdict: bool = True) -> list[Equivalent]:
    """Return the equivalent models one move away.

    The moves are those of Stelzl (1986) and of the replacing rule of Lee and Hershberger (1990): a path between two
    variables is reversed or becomes a covariance of disturbances, a covariance becomes a path. For directed graphs
    without correlated disturbances these are the reversals of covered edges (Chickering 1995). Every model that is
    listed has been verified by `compare`.

    Parameters
    ----------
    table : ParameterTable
    verdict : bool
        Whether to leave out models that are not identified.

    References
    ----------
    Lee and Hershberger (1990), Multivariate Behavioral Research 25, 313-334.
    """
    if len(table.groups) > 1 or compare(table, table).relation != EQUIVALENT:
        return []
    out: list[Equivalent] = []
    for i, candidate in enumerate(_candidates(table)):
        if i >= MOST:
            break
        try:
            graphs = build_graphs(candidate.table)
            if any(cyclic_parts(g.causes) for g in graphs):
                continue
        except ValueError:
            continue
        if compare(table, candidate.table).relation != EQUIVALENT:
            continue
        if verdict and identify(candidate.table, graphs, explain=False).verdict == "not identified":
            continue
        out.append(candidate)
    return out


def _candidates(table: ParameterTable) -> Iterator[Equivalent]:
    for i, row in enumerate(table.rows):
        ends = _ends(table, row)
        if ends is None or row.parameter < 0:
            continue
        cause, effect = ends
        line = f"{row.lhs} {row.op} {row.rhs}"
        if row.op == "~":
            if not _covariance(table, cause, effect):
                after = f"{cause} ~~ {effect}"
                yield _edited(table, i, [_joint(row, cause, effect)], "covariance in place of a path", line, after)
            if table.variables[cause].level == table.variables[effect].level:
                after = f"{cause} ~ {effect}"
                yield _edited(table, i, [_path(table, row, effect, cause)], "reversed path", line, after)
        else:
            for a, b in ((cause, effect), (effect, cause)):
                new = _path(table, row, a, b)
                yield _edited(table, i, [new], "path in place of a covariance", line, f"{b} ~ {a}")


def _edited(table: ParameterTable, i: int, rows: list[Row], rule: str, before: str, after: str) -> Equivalent:
    new = replace(table, rows=(*table.rows[:i], *rows, *table.rows[i + 1 :]))
    return Equivalent(f"{before} becomes {after}", rule, (before, after), new)


def _ends(table: ParameterTable, row: Row) -> tuple[str, str] | None:
    """Return cause and effect of a path (or the ends of a covariance) between variables of the model."""
    if row.exo or row.klass or row.category or row.quantity or row.threshold or row.moderators:
        return None
    if row.op == "~~" and row.target != row.source and row.target in table.variables and row.source in table.variables:
        return row.source, row.target
    if row.op != "~" or row.target not in table.variables:
        return None
    if row.source and not row.via:
        return row.source, row.target
    if not row.source and len(row.via) == 1 and row.via[0].response and row.via[0].function == "identity":
        return row.via[0].column, row.target
    return None


def _covariance(table: ParameterTable, a: str, b: str) -> bool:
    return any({r.target, r.source} == {a, b} and r.op == "~~" for r in table.rows)


def _joint(row: Row, a: str, b: str) -> Row:
    return row._replace(lhs=a, op="~~", rhs=b, target=a, source=b, via=(), rule="moved")


def _path(table: ParameterTable, row: Row, cause: str, effect: str) -> Row:
    if table.variables[cause].role == "response":
        via = (Covariate(cause, response=True),)
        return row._replace(lhs=effect, op="~", rhs=cause, target=effect, source="", via=via, rule="moved")
    return row._replace(lhs=effect, op="~", rhs=cause, target=effect, source=cause, via=(), rule="moved")
