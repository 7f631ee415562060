"""How many threads a fit takes: the call, the text, SEMLANG_THREADS, the processors, in this order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.errors import FitError
from semlang.estimation import setting as module
from semlang.estimation.progress import available_threads


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame({"y": rng.normal(size=30), "x": rng.normal(size=30)})


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of threads that fits have taken."""
    seen: list[int] = []
    real = module.assemble

    def assemble(table, graphs, designs, constraints, quadrature, points, threads, **more):
        seen.append(threads)
        return real(table, graphs, designs, constraints, quadrature, points, threads, **more)

    monkeypatch.setattr(module, "assemble", assemble)
    return seen


def test_the_order(frame: pd.DataFrame, taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMLANG_THREADS", "3")
    Model("y ~ x").fit(frame)
    Model("options: threads = 2\ny ~ x").fit(frame)
    Model("options: threads = 2\ny ~ x").fit(frame, threads=1)
    monkeypatch.delenv("SEMLANG_THREADS")
    Model("y ~ x").fit(frame)
    assert taken == [3, 2, 1, available_threads()]


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_a_wrong_value_is_an_error(value: str, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMLANG_THREADS", value)
    with pytest.raises(FitError) as problem:
        Model("y ~ x").fit(frame)
    assert [d.slug for d in problem.value.diagnostics] == ["bad-option-value"]


def test_an_empty_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMLANG_THREADS", raising=False)
    processors = available_threads()
    monkeypatch.setenv("SEMLANG_THREADS", "")
    assert available_threads() == processors
