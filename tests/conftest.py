"""Fixtures of all tests."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

collect_ignore = ["benchmarks/peers"]
"""Scripts that compare whole fits with other programs."""


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Return the folder of reference results, which is no part of this repository; skip where it is not there.

    It is ``../shared`` beside the checkout, or what ``SEMLANG_SHARED`` names.
    """
    folder = Path(os.environ.get("SEMLANG_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"NOT TESTED against reference results: there is no folder {folder} (set SEMLANG_SHARED)")
    return folder


def _plain(name: str) -> str:
    """A name as all programs write it: no backticks, no cluster in brackets, factor levels as x=level."""
    name = re.sub(r"factor\((\w+)\)(\w+)", r"\1=\2", name.replace("`", ""))
    name = re.sub(r"\bI\((\w+\^\d)\)", r"\1", name)
    name = re.sub(r"\[[^\]]*\]", "", name)
    return ":".join(sorted(re.sub(r"[^0-9A-Za-z_.=|^]", "", part) for part in name.split(":")))


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    op, lhs, rhs = row["op"], _plain(row["lhs"]), _plain(row["rhs"] or "")
    if op == "~~":
        lhs, rhs = sorted((lhs, rhs))
    return op, lhs, "" if op == ":=" else rhs


def _differences(expected: dict[str, Any], result: dict[str, Any]) -> list[str]:
    rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in (*result["parameters"], *result["defined"]):
        rows.setdefault(_key(row), []).append(row)
    out = []
    for want in expected["parameters"]:
        found = rows.get(_key(want), [])
        if want.get("group") is not None:
            found = [r for r in found if str(r["group"]) == str(want["group"])]
        if want.get("class") is not None:
            found = [r for r in found if r.get("class") == want["class"]]
        level = want.get("level") or next(iter(re.findall(r"\[(\w+)\]", want["lhs"])), None)
        if len(found) > 1 and level:
            found = [r for r in found if level in (r["level"], *re.findall(r"\[(\w+)\]", r["lhs"]))]
        name = f"{want['lhs']} {want['op']} {want['rhs']} {want.get('group') or ''}"
        if len(found) != 1:
            out.append(f"{name}: {len(found)} rows")
            continue
        for what, tolerance in (("est", want["tol_est"]), ("se", want.get("tol_se", 0.0) * abs(want.get("se") or 0.0))):
            if want.get(what) is not None and not abs((found[0][what] or 0.0) - want[what]) <= tolerance:
                out.append(f"{name}: {what} {found[0][what]}, expected {want[what]} +- {tolerance}")
    return out


@pytest.fixture(scope="session")
def differences() -> Callable[[dict[str, Any], dict[str, Any]], list[str]]:
    """Compares the estimates and standard errors of a case with those of a fit's JSON, within the case's tolerances.

    The case states the tolerance of an estimate as it is, that of a standard error relative to it.
    """
    return _differences
