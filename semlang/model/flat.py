"""The flat table: rows as written, before any default, with lavaan's columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semlang.diagnostics import Diagnostic
from semlang.model.blocks import cut
from semlang.model.declarations import declare
from semlang.model.draft import Draft
from semlang.model.facts import DataFacts
from semlang.model.namespace import survey
from semlang.model.options import from_directives, merge
from semlang.model.settings import read_directives
from semlang.model.written import write_rows
from semlang.syntax import ast

_SLOT = {"free": "fixed", "equal": "label"}


def _text(value: float | str | None) -> str:
    if value is None:
        return "NA"
    return f"{value:.15g}" if isinstance(value, int | float) else value


def _slots(row: Draft) -> Iterator[tuple[str, str]]:
    for m in row.given:
        if m.kinds is None:
            values = ["NA"] * len(m.values) if m.kind == "free" else [_text(v) for v in m.values]
            yield _SLOT.get(m.kind, m.kind), ";".join(values)
            continue
        for kind in dict.fromkeys(_SLOT.get(k, k) for k in m.kinds if k != "none"):
            said = [_text(v) if _SLOT.get(k, k) == kind else "" for k, v in zip(m.kinds, m.values, strict=True)]
            yield kind, ";".join(said)


def flat(model: ast.Model, facts: DataFacts | None = None) -> tuple[dict[str, Any], ...]:
    """Return the rows as written: lhs, op, rhs, block, fixed, start, lower, upper, label, efa, rv.

    Values are texts as in lavaan, one per group joined by ``;``; ``fixed`` is ``NA`` where the text frees a parameter,
    and '' where it says nothing.

    Examples
    --------
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> rows = flat(parse(Source("f =~ NA*x1 + a*x2"))[0])
    >>> [(r["lhs"], r["op"], r["rhs"], r["fixed"], r["label"]) for r in rows]
    [('f', '=~', 'x1', 'NA', ''), ('f', '=~', 'x2', '', 'a')]
    """
    findings: list[Diagnostic] = []
    options = merge(from_directives(model, []), {}, "sem", model.source, findings)
    declared = declare(model, findings)
    settings = read_directives(model, None, facts, findings)
    blocks = cut(model, settings.clusters, declared, findings)
    clusters = settings.clusters or ((blocks.assumed_cluster,) if blocks.assumed_cluster else ())
    ns = survey(blocks, declared, model.source, findings, facts, bool(options["fixed.x"]), clusters)
    out: list[dict[str, Any]] = []
    for number, block in enumerate(blocks.blocks, 1):
        for row in write_rows(ns, block):
            cells = dict.fromkeys(("fixed", "start", "lower", "upper", "label"), "") | {"efa": row.efa, "rv": row.rv}
            if not row.free and row.ustart is not None:
                cells["fixed"] = _text(row.ustart)
            cells |= {k: v for k, v in _slots(row) if k in cells}
            out.append({"lhs": row.lhs, "op": row.op, "rhs": row.rhs, "block": number} | cells)
    return tuple(out)
