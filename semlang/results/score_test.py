"""Score tests of parameters that a model leaves out, fixes or holds equal, one by one and together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.flat import flat
from semlang.model.table import Relation, Row
from semlang.results.candidates import candidates
from semlang.results.comparison import chi2_tail
from semlang.results.modification_indices import scores_of
from semlang.results.statements import relations_of, statements_of
from semlang.results.table import Table
from semlang.source import Source
from semlang.syntax import ast
from semlang.syntax.parser import parse

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["score_test"]


def score_test(fit: Fit, text: str) -> Table:
    """Test together what a text frees: ``f =~ x9; x7 ~~ x8`` adds parameters, ``a == b`` drops a constraint.

    Parameters
    ----------
    fit : Fit
    text : str
        Formulas of parameters that the model leaves out, fixes or shares (in every group and at every level where they
        are), and equations that stand in the model.

    Returns
    -------
    Table
        ``test statistic df p epc``: one line a parameter (where there are several) and the joint test.

    Raises
    ------
    FitError
        ``not-testable`` where a parameter is free already or can't be in the model, ``no-score-test``.
    """
    source, statements = statements_of(text)
    rows: list[Row] = []
    released: list[Relation] = []
    able = candidates(fit.table, fit.graphs)
    for s in statements:
        if isinstance(s, ast.Constraint):
            released += _released(fit, source.text[s.span.start : s.span.end])
        else:
            rows += _rows(able, source.text[s.span.start : s.span.end], source, s)
    found = scores_of(fit, rows, released=released)
    records = []
    n = len(found.u)
    names = [r.text for r in released] + [f"{r.lhs} {r.op} {r.rhs}".rstrip() + _place(fit, r) for r in rows]
    if n == len(names) and n > 1:
        for k, name in enumerate(names):
            answer = found.single(k)
            if answer is not None:
                epc = answer[1] if k >= len(released) else None
                records.append(
                    {"test": name, "statistic": answer[0], "df": 1, "p": chi2_tail(answer[0], 1), "epc": epc}
                )
    statistic, df, change = found.joint()
    if not df:
        raise FitError(
            [error("not-testable", "nothing can be tested: the parameters are not identified in this model", source)]
        )
    records.append(
        {"test": "all" if records else "; ".join(names), "statistic": statistic, "df": df,
         "p": chi2_tail(statistic, df), "epc": float(change[0]) if n == 1 and rows else None}
    )  # fmt: skip
    return Table.of(("test", "statistic", "df", "p", "epc"), records, (), "Score test")


def _rows(able: list[Row], statement: str, source: Source, s: ast.Statement) -> list[Row]:
    """Return the rows that a formula means."""
    tree, _ = parse(Source(statement))
    out: list[Row] = []
    for written in flat(tree):
        ends = {(written["lhs"], written["rhs"])}
        if written["op"] == "~~":
            ends.add((written["rhs"], written["lhs"]))
        here = [r for r in able if r.op == written["op"] and (r.lhs, r.rhs) in ends]
        if not here:
            raise FitError(
                [error("not-testable", f"'{written['lhs']} {written['op']} {written['rhs']}' can't be tested", source,
                       getattr(s, "span", None), label="it is free already, or has no place in the model",
                       help="fit.modification_indices() lists what can be tested")]
            )  # fmt: skip
        out += here
    return out


def _released(fit: Fit, statement: str) -> list[Relation]:
    """Return the constraints of the model that the equations of a statement are."""
    source, asked = relations_of(statement)
    out = []
    for r in asked:
        ways = {_tight(r.text), "==".join(reversed(_tight(r.text).split("==")))}
        known = next((own for own in fit.table.relations if own.op == "==" and _tight(own.text) in ways), None)
        if known is None:
            raise FitError(
                [error("not-testable", f"the model has no constraint '{r.text}'", source, r.span,
                       help="to test a further equation, write fit.wald(\"a == b\")")]
            )  # fmt: skip
        out.append(known)
    return out


def _tight(text: str) -> str:
    return "".join(text.split())


def _place(fit: Fit, row: Row) -> str:
    return f" ({fit.table.groups[row.group - 1]})" if fit.table.groups != ("",) else ""
