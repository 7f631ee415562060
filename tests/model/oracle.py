"""Compare parameter tables with those that lavaan makes of the same texts."""

from __future__ import annotations

import collections
import json
import math
from pathlib import Path
from typing import Any

from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse

RELATIONS = ("==", "<", ">", ":=", "<=", ">=")
Key = tuple[Any, ...]


def number(x: Any) -> float | None:
    """Return a number rounded, or None."""
    try:
        v = float(x)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(v) else round(v, 9)


def determined(table: ParameterTable) -> set[Key]:
    """Return the places of moments of products of latent variables: lavaan frees them, here the factors decide."""
    rows = [r for r in table.rows if r.op == "~~" and r.rule == "follows from the factors of the product"]
    return {(*sorted((r.lhs, r.rhs)), r.block) for r in rows}


def rows_of_lavaan(t: dict[str, Any], given: set[Key]) -> tuple[collections.Counter[Key], set[Key]]:
    """Return lavaan's rows as a multiset, and their places."""
    t = {k: v if isinstance(v, list) else [v] for k, v in t.items()}
    out: collections.Counter[Key] = collections.Counter()
    keys = set()
    for i in range(len(t["lhs"])):
        if t["op"][i] in RELATIONS or t["exo"][i]:
            continue
        lhs, op, rhs = t["lhs"][i], t["op"][i], t["rhs"][i]
        if op == "~~" and lhs > rhs:
            lhs, rhs = rhs, lhs
        if op == "~~" and (lhs, rhs, t["block"][i]) in given:
            out[(lhs, op, rhs, t["block"][i], False, None, "")] += 1
            keys.add((lhs, op, rhs, t["block"][i]))
            continue
        free = bool(t["free"][i])
        out[(lhs, op, rhs, t["block"][i], free, None if free else number(t["ustart"][i]), t["label"][i] or "")] += 1
        keys.add((lhs, op, rhs, t["block"][i]))
    return out, keys


def rows_of_semlang(table: ParameterTable, keys: set[Key]) -> collections.Counter[Key]:
    """Return our rows as a multiset, without intercepts that lavaan leaves out."""
    out: collections.Counter[Key] = collections.Counter()
    for r in table.rows:
        if r.exo:
            continue
        lhs, rhs = r.lhs, r.rhs
        if r.op == "~~" and lhs > rhs:
            lhs, rhs = rhs, lhs
        if r.op == "~1" and (lhs, r.op, rhs, r.block) not in keys:
            continue
        out[(lhs, r.op, rhs, r.block, r.free > 0, None if r.free else number(r.ustart), r.label)] += 1
    return out


def texts(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of accepts.jsonl."""
    return [json.loads(line) for line in (folder / "lavaan" / "accepts.jsonl").read_text(encoding="utf-8").splitlines()]


def difference(d: dict[str, Any]) -> str | None:
    """Return how our table of a text differs from lavaan's, or None where it does not."""
    model, findings = parse(Source(d["syntax"]))
    errors = [f for f in findings if f.is_error]
    table, more = elaborate(model, n_groups=d.get("ngroups", 1)).answer if not errors else (None, ())
    if table is None:
        return "no table: " + "; ".join(f"{f.slug}: {f.message}" for f in (*errors, *more))
    t = d.get("partable")
    if not t or not isinstance(t, dict) or not t.get("lhs"):
        return None
    theirs, keys = rows_of_lavaan(t, determined(table))
    ours = rows_of_semlang(table, keys)
    if ours == theirs:
        return None
    return f"lavaan only: {list(theirs - ours)[:4]}; semlang only: {list(ours - theirs)[:4]}"
