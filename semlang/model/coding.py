"""Codings of ``factor()`` in the terms of a formula: all levels, or all but the reference."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence

from semlang.syntax import ast

__all__ = ["Coding", "codings"]

Coding = frozenset[str]
"""Columns of a term's factors that are coded by all but the reference level."""


def codings(terms: Sequence[ast.Term | ast.RandomEffects], constant: bool) -> list[tuple[tuple[Coding, Coding], ...]]:
    """Return for each term its codings: which columns are coded in full, and which without the reference.

    A term stands for what its columns span. The product of k factors spans 2^k spaces of contrasts, one for each
    subset; those that terms of lower order (with the same covariates beside the factors) already span are left out,
    the others are joined again: a space S and the space S with one factor more are that factor in full. So the columns
    of a formula are never linearly dependent, and a factor whose margin is absent is coded in full (N. J. Smith's
    rule in patsy; R's where R's columns are independent).

    Parameters
    ----------
    terms : sequence of ast.Term or ast.RandomEffects
        The right-hand side.
    constant : bool
        Whether the predictor has an intercept.

    Returns
    -------
    list of tuple of (full, contrasts)
        A tuple for each term, in the order of `terms`; for a term without factors one pair of empty sets.
    """
    spanned: set[tuple[Hashable, Coding]] = {((), frozenset())} if constant else set()
    same: dict[tuple[Hashable, Coding], tuple[tuple[Coding, Coding], ...]] = {}
    found: dict[int, tuple[tuple[Coding, Coding], ...]] = {}

    def order(k: int) -> int:
        term = terms[k]
        return len(term.factors) if isinstance(term, ast.Term) else 0

    for k in sorted(range(len(terms)), key=order):
        term = terms[k]
        none: Coding = frozenset()
        if not isinstance(term, ast.Term) or not term.factors:
            found[k] = ((none, none),)
            continue
        names = tuple(
            dict.fromkeys(f.variable.name for f in term.factors if isinstance(f, ast.Transform) and _is_factor(f))
        )
        others = tuple(sorted(_key(f) for f in term.factors if not _is_factor(f)))
        term_key = (others, frozenset(names))
        if term_key in same:  # the term is written twice
            found[k] = same[term_key]
            continue
        spaces = [frozenset(s) for n in range(len(names) + 1) for s in itertools.combinations(names, n)]
        new = [s for s in spaces if (others, s) not in spanned]
        spanned |= {(others, s) for s in new}
        found[k] = same[term_key] = _joined(new) if names else ((none, none),)
    return [found[k] for k in range(len(terms))]


def _joined(spaces: Sequence[Coding]) -> tuple[tuple[Coding, Coding], ...]:
    """Join spaces that differ in one factor until none are left to join."""
    out: list[tuple[Coding, Coding]] = [(frozenset(), s) for s in spaces]
    while True:
        pair = next(
            ((a, b) for a in out for b in out if a[0] == b[0] and a[1] < b[1] and len(b[1]) == len(a[1]) + 1),
            None,
        )
        if pair is None:
            return tuple(out)
        small, large = pair
        at = out.index(small)
        out[at] = (small[0] | (large[1] - small[1]), small[1])
        out.remove(large)


def _is_factor(f: ast.Factor) -> bool:
    return isinstance(f, ast.Transform) and f.function == "factor"


def _key(f: ast.Factor) -> str:
    if isinstance(f, ast.Transform):
        return f"{f.function}({f.variable.name},{f.argument})"
    return f"{f.name}[{f.level}]@{f.category}"
