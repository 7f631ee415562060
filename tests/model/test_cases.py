"""Tables of the reference cases have a free row for every reported parameter, exactly once."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.ast import Directive
from semlang.syntax.parser import parse


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = _module(Path(__file__).with_name("cases.py"))


def _rows(table: ParameterTable) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for r in table.rows:
        if r.free:
            row = {"lhs": r.lhs, "op": r.op, "rhs": r.rhs, "group": table.groups[r.group - 1]}
            row["level"] = table.levels[r.level - 1] if r.level else ""
            rows.append(row | ({"class": r.klass} if r.klass else {}))
    return rows + [{"lhs": d.name, "op": ":=", "rhs": ""} for d in table.defined]


def _classes(expected: dict[str, Any]) -> dict[int, int]:
    """Number classes so that the reference class of the case is the last."""
    if "class_base" not in expected:
        return {}
    base = expected["class_base"]
    n = max(base, *(p.get("class", 1) for p in expected["parameters"]))
    order = [k for k in range(1, n + 1) if k != base] + [base]
    return {k: i for i, k in enumerate(order, 1)}


def test_every_reported_parameter_is_a_row(shared_folder: Path) -> None:
    folder = shared_folder / "reference"
    if not (folder / "cases").is_dir():
        pytest.skip("NOT TESTED against reference cases: no reference/cases")
    runner = _module(folder / "run_cases.py")
    csv.field_size_limit(1 << 24)
    wrong: dict[str, list[str]] = {}
    for case in sorted((folder / "cases").iterdir()):
        expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
        model, found = parse(Source((case / "model.sem").read_text(encoding="utf-8")))
        keys = {s.key: s for s in model.statements if isinstance(s, Directive)}
        group = str(keys["groups"].arguments[0].value) if "groups" in keys else ""
        table, more = elaborate(model, facts=cases.facts_of(folder / "data" / expected["data"], group)).answer
        problems = [f"{f.slug}: {f.message}" for f in (*found, *more) if f.is_error]
        if table is None:
            wrong[case.name] = problems
            continue
        known = runner.Table(_rows(table), expected.get("groups", []))
        for p in expected["parameters"]:
            hits = known.find(p, _classes(expected))
            if len(hits) != 1 and not (p.get("optional") and not hits):
                problems.append(f"{len(hits)} rows for {runner.show(p)}")
        if problems:
            wrong[case.name] = problems
    assert not wrong, wrong
