"""The texts of the reference folder: our models, what lavaan accepts, what lavaan rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semlang.diagnostics import render
from semlang.source import Source
from semlang.syntax.ast import Formula, Header, Model, Modifier, Term, Thresholds, Variable
from semlang.syntax.parser import parse


def test_all_reference_models_parse_without_findings(shared_folder: Path) -> None:
    paths = sorted((shared_folder / "reference" / "cases").glob("*/model.sem"))
    assert paths
    for path in paths:
        _, findings = parse(Source(path.read_text(encoding="utf-8"), str(path)))
        assert not findings, [render(f) for f in findings]


def test_texts_that_lavaan_accepts(accepts: list[dict[str, Any]]) -> None:
    for row in accepts:
        _, findings = parse(Source(row["syntax"]))
        errors = [render(f) for f in findings if f.is_error]
        if row["semlang"] in ("same", "different"):
            assert not errors, (row["syntax"], errors)
        if row["semlang"] == "reject":
            assert len(errors) == 1, row["syntax"]


def test_texts_that_lavaan_rejects(rejects: list[dict[str, Any]]) -> None:
    for row in rejects:
        _, findings = parse(Source(row["syntax"]))
        errors = [f for f in findings if f.is_error]
        if row["semlang"] == "extension":
            assert not errors, (row["syntax"], [render(f) for f in errors])
        if row["semlang"] == "reject":
            assert len(errors) == 1, (row["syntax"], [render(f) for f in errors])


def rows(model: Model) -> dict[tuple[str, str, str, int], dict[str, Any]]:
    """Return lavaan's flat table of a tree: one row for each pair, of equal rows the later modifiers hold."""
    block = 1 if not any(isinstance(s, Header) for s in model.statements) else 0
    found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    seen_group = False
    for statement in model.statements:
        if isinstance(statement, Header):
            group = statement.kind == "group"
            seen_group = seen_group or group
            nested = seen_group and any(isinstance(s, Header) and s.kind == "level" for s in model.statements)
            block += 0 if group and nested else 1
        pairs: list[tuple[Term, str, Any]] = []
        if isinstance(statement, Formula):
            pairs = [(a, statement.op, b) for a in statement.lhs for b in statement.rhs]
        elif isinstance(statement, Thresholds):
            pairs = [(a, "|", b) for a in statement.lhs for b in statement.thresholds]
        for left, op, right in pairs:
            lhs = name(left)
            rhs = name(right) if right.factors else ("" if op == "~" else lhs)
            row = found.setdefault((lhs, op if right.factors or op == "=~" else "~1", rhs, max(block, 1)), {})
            if not right.factors and (op == "=~" or right.constant == 0):
                row["fixed"] = (right.constant,)
            for modifier in (*left.modifiers, *right.modifiers):
                row[KIND.get(modifier.kind, modifier.kind)] = values(modifier)
    return found


KIND = {"free": "fixed", "equal": "label"}


def name(term: Term) -> str:
    assert all(isinstance(f, Variable) for f in term.factors)
    return ":".join(f.name for f in term.factors if isinstance(f, Variable))


def values(modifier: Modifier) -> tuple[Any, ...]:
    if modifier.kind == "label":
        return tuple("NA" if v is None else f"{v:g}" if isinstance(v, float) else v for v in modifier.values)
    return modifier.values


def parsed(text: str, kind: str) -> tuple[Any, ...] | None:
    """Return a cell of lavaan's flat table as our values."""
    if text == "":
        return None
    parts = [text] if kind in ("efa", "rv") else text.split(";")
    if kind in ("label", "efa", "rv"):
        return tuple(parts)
    return tuple(None if p == "NA" else float(p) for p in parts)


def test_flat_tables_are_those_of_lavaan(accepts: list[dict[str, Any]]) -> None:
    compared = 0
    for row in accepts:
        if row["semlang"] not in ("same", "warn") or "x2 x3" in row["syntax"] or "a;b" in row["syntax"]:
            continue
        model, _ = parse(Source(row["syntax"]))
        ours = rows(model)
        theirs = Counter((r["lhs"], r["op"], r["rhs"]) for r in row["flat"] if r["op"] != ":")
        assert sides(key[:3] for key in ours) == sides(theirs.elements()), row["syntax"]
        for r in row["flat"]:
            for kind in ("fixed", "start", "label", "lower", "upper", "efa", "rv"):
                key = (r["lhs"], r["op"], r["rhs"], r["block"])
                if r["op"] == ":" or kind not in r or key not in ours:
                    continue
                expected = parsed(r[kind], kind)
                if kind in ("lower", "upper") and ours[key].get(kind) is None:
                    continue  # from a constraint such as v > 0
                got = ours[key].get(kind)
                assert (got is None) == (expected is None), (row["syntax"], key, kind, got, expected)
                if expected is not None and got is not None:
                    assert all(
                        a == b or (isinstance(a, float) and abs(a - b) < 1e-12) for a, b in zip(got, expected)
                    ), (row["syntax"], key, kind, got, expected)
                compared += 1
    assert compared > 1000


def sides(rows: Iterable[tuple[str, str, str]]) -> Counter[tuple[str, str, str]]:
    """Count rows, whatever the order of the sides of a covariance."""
    return Counter((min(a, b), op, max(a, b)) if op == "~~" else (a, op, b) for a, op, b in rows)
