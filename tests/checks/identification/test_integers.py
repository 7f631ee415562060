"""The field's arithmetic does not depend on the integers that it is given, nor on those of the platform."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from semlang.api import Model
from semlang.checks.identification import field, identify
from semlang.checks.identification.field import P, echelon, inverses, kernel, matmul, rank
from semlang.sums import count_by, sum_by

PACKAGE = Path(__file__).parents[3] / "semlang"


@pytest.fixture
def elements() -> np.ndarray:
    return np.random.default_rng(3).integers(1, P, (6, 6)).astype(np.int64)


def test_narrow_integers_do_not_overflow(elements: np.ndarray) -> None:
    """Elements fit into 32 bits, their products do not."""
    narrow = elements.astype(np.int32)
    np.testing.assert_array_equal(inverses(narrow), inverses(elements))
    np.testing.assert_array_equal(inverses(narrow) * elements % P, np.ones((6, 6)))
    np.testing.assert_array_equal(matmul(narrow, narrow), matmul(elements, elements))
    np.testing.assert_array_equal(matmul(narrow[:2, :2], narrow[:2, :2]), matmul(elements[:2, :2], elements[:2, :2]))
    assert rank(narrow) == rank(elements) == 6
    singular = np.concatenate([narrow[:2], narrow[:2]])
    np.testing.assert_array_equal(echelon(singular)[0], echelon(singular.astype(np.int64))[0])
    assert not matmul(singular, kernel(singular)).any()


def test_products_are_those_of_exact_integers(elements: np.ndarray) -> None:
    exact = elements.astype(object) @ elements.astype(object) % P
    np.testing.assert_array_equal(matmul(elements, elements), exact.astype(np.int64))


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8, np.intp])
def test_sums_by_codes_of_any_width(kind: type) -> None:
    code = np.array([2, 0, 2], dtype=kind)
    assert sum_by(code, np.array([1.0, 2.0, 4.0]), 4).tolist() == [2.0, 0.0, 5.0, 0.0]
    assert count_by(code).tolist() == [1, 0, 2]
    assert count_by(code).dtype == np.int64


def test_counting_by_codes_has_one_place() -> None:
    found = [p.name for p in PACKAGE.rglob("*.py") if "np.bincount(" in p.read_text(encoding="utf-8")]
    assert found == ["sums.py"]


def test_arrays_of_integers_in_identification_say_their_width() -> None:
    """Where a literal becomes an array it has the platform's integers; that of ``inverses(np.array([2]))`` did."""
    bare = re.compile(r"np\.array\(\[-?\d[\d, ]*\]\)")
    for path in (PACKAGE / "checks").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert not bare.fullmatch(ast.unparse(node)), (path, node.lineno)


def test_a_rank_beyond_the_moments_is_never_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an overflow made of a probit model: 4 moments of rank 5."""
    model = Model("y1 + y2 :: binomial(probit)\nf =~ 1*y1 + 1*y2\nf ~~ f")
    right = identify(model.parameter_table, model.graphs)
    assert right.rank <= (right.n_moments or 0)
    module = importlib.import_module("semlang.checks.identification.identify")
    monkeypatch.setattr(module, "n_moments", lambda blocks: right.rank - 1)
    again = Model(model.source)  # what is known of a graph is kept with it
    with pytest.raises(ArithmeticError, match="moments have rank"):
        identify(again.parameter_table, again.graphs)
    assert field.P == 2**31 - 1


@pytest.mark.parametrize(
    ("text", "moments", "df"),
    [
        ("y | t1 ~ x", 2, 0),
        ("y | t1 + t2 ~ x\ny ~ z", 2 + 2 * 2, 1),
        ("o1 | t1 + t2\no2 | t1\no3 | t1\nf =~ o1 + o2 + o3\no1 | t1 ~ x\nf ~ x", 4 + (2 + 1 + 1) + 3, 2),
    ],
)
def test_covariates_of_thresholds_are_counted(text: str, moments: int, df: int) -> None:
    """The counting rule left them out: df -1, which the bound of the rank brought to light."""
    report = Model(text).identify()
    assert (report.n_moments, report.df) == (moments, df)


def test_a_model_without_free_parameters_is_identified() -> None:
    report = Model("f =~ 1*x1 + 1*x2\nf ~~ 1*f\nx1 ~~ 1*x1\nx2 ~~ 1*x2\nx1 ~ 0*1\nx2 ~ 0*1").identify()
    assert (report.verdict, report.n_free, report.rank) == ("identified", 0, 0)
