"""Exploratory sets of latent variables (``efa("e")*f1 + efa("e")*f2 =~ ...``): what a rotation may turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from semlang.model.table import ParameterTable, Product, Row

RULE = "exploratory factor"
"""Rule of the rows that fix a set's orientation before it is rotated."""


@dataclass(frozen=True, slots=True)
class ExploratorySet:
    """The factors of one ``efa()`` name in one group.

    Parameters
    ----------
    name : str
    group : int
        From 1.
    factors : tuple of str
        Keys of the latent variables, in order of appearance.
    indicators : tuple of str
        Keys of what they measure, in order of appearance.
    """

    name: str
    group: int
    factors: tuple[str, ...]
    indicators: tuple[str, ...]


def exploratory_sets(table: ParameterTable) -> tuple[ExploratorySet, ...]:
    """Return the sets of two or more factors that are to be rotated, group by group.

    A set without a row of the rule `RULE` (loadings written as confirmatory, or ``auto.efa = false``) is none.

    Examples
    --------
    >>> from semlang.model.elaborate import elaborate
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> text = 'efa("e")*f1 + efa("e")*f2 =~ x1 + x2 + x3 + x4 + x5'
    >>> [s.factors for s in exploratory_sets(elaborate(parse(Source(text))[0]).answer[0])]
    [('f1', 'f2')]
    """
    found: dict[tuple[int, str], tuple[dict[str, None], dict[str, None]]] = {}
    oriented: set[tuple[int, str]] = set()
    for row in table.rows:
        if row.op == "=~" and row.efa:
            factors, indicators = found.setdefault((row.group, row.efa), ({}, {}))
            factors[row.source] = None
            indicators[row.target] = None
            if row.rule == RULE:
                oriented.add((row.group, row.efa))
    return tuple(
        ExploratorySet(name, group, tuple(factors), tuple(indicators))
        for (group, name), (factors, indicators) in found.items()
        if len(factors) > 1 and (group, name) in oriented
    )


def unrotatable(table: ParameterTable) -> Iterator[tuple[ExploratorySet, Row, str]]:
    """Yield the sets that no rotation leaves the same model: a row that breaks it, and why.

    Turning the factors mixes their loadings, paths and covariances; so whatever one factor of a set has the others must
    have too, and nothing of them may be fixed but to 0 for all.
    """
    for s in exploratory_sets(table):
        broken = _broken(table, s, leader(table, s) is None)
        if broken is not None:
            yield s, *broken


def leader(table: ParameterTable, s: ExploratorySet) -> ExploratorySet | None:
    """Return the set whose loadings, and so rotation, a set shares; None where it has its own.

    It is that of its name in the first group, or an earlier one of its group that has the same loadings by labels.
    """
    sets = exploratory_sets(table)
    for other in sets[: sets.index(s)]:
        same_name = other.name == s.name and other.group == 1
        mine, its = _loadings(table, s), _loadings(table, other)
        if same_name and {p for own in mine for p in own} & {p for own in its for p in own}:
            return other
        if other.group == s.group and mine == its:
            return other
    return None


def _loadings(table: ParameterTable, s: ExploratorySet) -> list[list[int]]:
    """Return the free loadings of each factor."""
    own = [r for r in table.rows if r.group == s.group and r.op == "=~" and r.efa == s.name and r.parameter >= 0]
    return [[r.parameter for r in own if r.source == factor] for factor in s.factors]


def _number(row: Row) -> float | None:
    return row.ustart if row.parameter < 0 else None


def _broken(table: ParameterTable, s: ExploratorySet, oriented: bool) -> tuple[Row, str] | None:
    loadings: dict[tuple[str, Product], list[Row]] = {}
    into: dict[tuple[str, str, Product], list[Row]] = {}
    beside: dict[str, list[Row]] = {}
    for row in table.rows:
        if row.group != s.group or row.exo:
            continue
        ends = [k in s.factors for k in (row.target, row.source)]
        if not any(ends) and not any(k in s.factors for k in row.moderators):
            continue
        if row.moderators or row.klass or row.quantity or row.threshold or row.category:
            return row, "no rotation is defined for this row"
        if row.op == "~~":
            if not all(ends):
                beside.setdefault(row.source if ends[0] else row.target, []).append(row)
            elif oriented and _number(row) != float(row.target == row.source):
                return row, "factors are rotated from unit variances and no covariances"
        elif all(ends):
            return row, "a path joins two factors of the set"
        elif ends[1]:
            loadings.setdefault((row.target, row.via), []).append(row)
        else:
            into.setdefault((row.op, row.source, row.via), []).append(row)
    for own in (*loadings.values(), *into.values(), *beside.values()):
        free = [row for row in own if row.parameter >= 0 or row.rule == RULE]
        zero = all(row.parameter < 0 and not row.ustart for row in own)
        if not zero and len(free) < len(s.factors):
            fixed = next((row for row in own if row not in free), own[0])
            return fixed, "the factors of the set don't share it freely"
    return None
