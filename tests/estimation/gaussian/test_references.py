"""Maxima of the log-likelihood against other programs (see each case's own notes for program and version)."""

from __future__ import annotations

import csv
import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semlang.estimation.gaussian import Engine, Nested, OneLevel, TwoLevel, choose


def table(folder: Path, name: str) -> dict[str, list[str]]:
    with (folder / "reference" / "data" / name).open() as file:
        rows = list(csv.DictReader(file))
    return {k: [r[k] for r in rows] for k in rows[0]}


def numbers(column: list[str]) -> np.ndarray:
    return np.array([np.nan if v in ("", "NA") else float(v) for v in column])


def codes(column: list[str]) -> np.ndarray:
    return np.unique(column, return_inverse=True)[1]


def check(
    folder: Path, case: str, h: Any, engine: Engine, start: np.ndarray, rename: dict[str, tuple[str, ...]]
) -> None:
    """Compare the log-likelihood, the parameters named in `rename`, and their standard errors."""
    expected = json.loads((folder / "reference" / "cases" / case / "expected.json").read_text())
    theta, value, _ = h.maximise(engine, start)
    assert value == pytest.approx(expected["loglik"], abs=1e-4)
    errors = np.sqrt(np.diag(np.linalg.inv(-engine.hessian(theta))))
    known = {(p.get("level", ""), p["lhs"], p["op"], p["rhs"]): p for p in expected["parameters"]}
    compared = 0
    for name, estimate, error in zip(rename, theta, errors, strict=True):
        p = known[rename[name]] if rename[name] else None
        if p is None:
            continue
        assert estimate == pytest.approx(p["est"], abs=2e-3 * (p["se"] or 1.0)), name
        if p["se"] is not None:
            assert error == pytest.approx(p["se"], rel=2e-2 if case.startswith("lmm") else 1e-3), name
        compared += 1
    assert compared > 3


@pytest.mark.parametrize(
    ("case", "file", "engine"),
    [
        ("sem_hs_cfa3", "hs1939.csv", OneLevel),
        ("sem_hs_fiml", "hs1939_miss.csv", OneLevel),
        ("sem_hs_fiml", "hs1939_miss.csv", Nested),
    ],
)
def test_holzinger_swineford(
    by_hand: types.SimpleNamespace, shared_folder: Path, case: str, file: str, engine: type[Engine]
) -> None:
    data = table(shared_folder, file)
    y = np.array([numbers(data[f"x{i}"]) for i in range(1, 10)])
    m = by_hand.factor_model(9, 3, y)
    reduced = m.reduced()
    design = by_hand.design({f"y{i + 1}": y[i] for i in range(9)}, reduced=reduced)
    factors = {"f1": "visual", "f2": "textual", "f3": "speed"}

    def key(name: str) -> tuple[str, ...]:
        for op in ("=~", "~~", "~1"):
            if op in name:
                a, b = (factors.get(s, s.replace("y", "x")) for s in name.split(op))
                return ("", b, op, a) if op == "~~" and a in factors.values() and a != b else ("", a, op, b)
        raise AssertionError(name)

    e = engine(reduced, design)
    check(shared_folder, case, by_hand, e, e.start(m.theta0)[0], {n: key(n) for n in m.names})


def test_twolevel_factor_model(by_hand: types.SimpleNamespace, shared_folder: Path) -> None:
    data = table(shared_folder, "demo_twolevel.csv")
    m = by_hand.Model(["y1", "y2", "y3"], [("fw", "rows"), ("fb", "cluster")])
    rename: dict[str, tuple[str, ...]] = {}
    for i, y in enumerate(("y1", "y2", "y3")):
        m.path(y, "", f"{y}~1", 0.0).variance(y, y, f"{y}~~{y}", 1.0)
        for f in ("fw", "fb"):
            m.path(y, f, f"=~{y}" if i else 1.0, 1.0)
        rename |= {f"{y}~1": ("cluster", y, "~1", ""), f"{y}~~{y}": ("rows", y, "~~", y)}
        rename |= {f"=~{y}": ("rows", "fw", "=~", y)} if i else {}
    m.variance("fw", "fw", "fw").variance("fb", "fb", "fb")
    rename |= {"fw": ("rows", "fw", "~~", "fw"), "fb": ("cluster", "fb", "~~", "fb")}
    reduced = m.reduced()
    responses = {y: numbers(data[y]) for y in m.responses}
    design = by_hand.design(responses, None, {"cluster": codes(data["cluster"])}, reduced)
    assert choose(reduced, design) is TwoLevel
    ordered = {n: rename[n] for n in m.names}
    for engine in (TwoLevel, Nested):
        check(shared_folder, "sem_twolevel_vc", by_hand, engine(reduced, design), m.theta0, ordered)


def test_twolevel_cfa(by_hand: types.SimpleNamespace, shared_folder: Path) -> None:
    """lavaan with marker y4: the higher of two maxima."""
    data = table(shared_folder, "demo_twolevel.csv")
    names = [f"y{i}" for i in range(1, 7)]
    m = by_hand.Model(names, [("fw", "rows"), *((f"c{y}", "cluster") for y in names), ("fb", "cluster")])
    for y in names:
        m.path(y, "", f"{y}~1", 0.0).variance(y, y, f"w{y}", 1.0).variance(f"c{y}", f"c{y}", f"b{y}", 0.1)
        m.path(y, f"c{y}", 1.0).path(y, "fw", 1.0 if y == "y1" else f"lw{y}", 1.0)
        m.path(f"c{y}", "fb", 1.0 if y == "y4" else f"lb{y}", 1.0)
    m.variance("fw", "fw", "fw").variance("fb", "fb", "fb", 0.5)
    reduced = m.reduced()
    responses = {y: numbers(data[y]) for y in names}
    design = by_hand.design(responses, None, {"cluster": codes(data["cluster"])}, reduced)
    value = by_hand.maximise(TwoLevel(reduced, design), m.theta0)[1]
    assert value == pytest.approx(-24121.65879156, abs=1e-4)


def test_sleepstudy(by_hand: types.SimpleNamespace, shared_folder: Path) -> None:
    data = table(shared_folder, "sleepstudy.csv")
    m = by_hand.Model(["y"], [("u1", "Subject"), ("u0", "Subject")])
    days = by_hand.column("Days")
    m.path("y", "", "a", 250.0).path("y", "", "b", 10.0, days).path("y", "u0", 1.0).path("y", "u1", 1.0, via=days)
    m.variance("u0", "u0", "v0", 400.0).variance("u1", "u1", "v1", 40.0).variance("u1", "u0", "c", 0.0)
    m.variance("y", "y", "s", 700.0)
    one, slope = "Reaction.1[Subject]", "Reaction.Days[Subject]"
    rename = {
        "a": ("", "Reaction", "~1", ""),
        "b": ("", "Reaction", "~", "Days"),
        "v0": ("", one, "~~", one),
        "v1": ("", slope, "~~", slope),
        "c": ("", one, "~~", slope),
        "s": ("", "Reaction", "~~", "Reaction"),
    }
    reduced = m.reduced()
    columns = {"Days": numbers(data["Days"])}
    design = by_hand.design({"y": numbers(data["Reaction"])}, columns, {"Subject": codes(data["Subject"])}, reduced)
    assert choose(reduced, design) is Nested
    check(shared_folder, "lmm_sleepstudy", by_hand, Nested(reduced, design), m.theta0, rename)


def test_egsingle(by_hand: types.SimpleNamespace, shared_folder: Path) -> None:
    """Three levels with slopes at both."""
    data = table(shared_folder, "egsingle.csv")
    year = by_hand.column("year")
    m = by_hand.Model(["y"], [("c1", "child"), ("c0", "child"), ("s1", "school"), ("s0", "school")])
    m.path("y", "", "a", 0.0).path("y", "", "b", 0.5, year).path("y", "", "f", 0.0, by_hand.column("male"))
    rename: dict[str, tuple[str, ...]] = {
        "a": ("", "math", "~1", ""),
        "b": ("", "math", "~", "year"),
        "f": ("", "math", "~", "female=Male"),
    }
    for u, unit in (("c", "childid"), ("s", "schoolid")):
        m.path("y", f"{u}0", 1.0).path("y", f"{u}1", 1.0, via=year)
        m.variance(f"{u}0", f"{u}0", f"{u}00", 0.5).variance(f"{u}1", f"{u}1", f"{u}11", 0.05)
        m.variance(f"{u}1", f"{u}0", f"{u}10", 0.0)
        one, slope = f"math.1[{unit}]", f"math.year[{unit}]"
        rename |= {
            f"{u}00": ("", one, "~~", one),
            f"{u}11": ("", slope, "~~", slope),
            f"{u}10": ("", one, "~~", slope),
        }
    m.variance("y", "y", "e", 0.5)
    rename["e"] = ("", "math", "~~", "math")
    reduced = m.reduced()
    columns = {
        "year": numbers(data["year"]),
        "male": np.array([v == "Male" for v in data["female"]], dtype=float),
    }
    clusters = {"child": codes(data["childid"]), "school": codes(data["schoolid"])}
    design = by_hand.design({"y": numbers(data["math"])}, columns, clusters, reduced)
    ordered = {n: rename[n] for n in m.names}
    check(shared_folder, "lmm_egsingle", by_hand, Nested(reduced, design), m.theta0, ordered)
