"""What a climb costs, and that estimates do not depend on where it came from."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import begin, maximise

TEXT = "cluster: top/id\ny :: binomial(logit)\ny ~ x + (1 | top/id)"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """250 clusters of 3 clusters of 5."""
    rng = np.random.default_rng(12)
    ids, x = np.repeat(np.arange(750), 5), rng.normal(size=3750)
    nu = -0.3 + 0.6 * x + rng.normal(size=750)[ids] + 0.7 * rng.normal(size=250)[ids // 3]
    y = (nu + rng.logistic(size=x.size) > 0).astype(int)
    return pd.DataFrame({"top": ids // 3, "id": ids, "x": x, "y": y})


@pytest.fixture(scope="module")
def counted(data: pd.DataFrame) -> tuple[Counter[str], Objective, np.ndarray]:
    """Evaluations by kind of a fit with five points, the function that it maximised, and where it ended."""
    count: Counter[str] = Counter()
    seen: list[tuple[Objective, np.ndarray]] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("value", "value_and_gradient", "value_and_scores"):
            plain = getattr(Objective, name)

            def counting(self: Objective, z: np.ndarray, name: str = name, plain=plain):  # type: ignore[no-untyped-def]
                count[name] += 1
                seen.append((self, z.copy()))
                return plain(self, z)

            patch.setattr(Objective, name, counting)
        Model(TEXT).fit(data, points=5, threads=1)
    return count, *seen[-1]


def test_a_fit_takes_few_evaluations(counted: tuple[Counter[str], Objective, np.ndarray]) -> None:
    """Four parameters: four or five by Laplace, five or six with all points, four for curvature; two checks by values.

    The place where Laplace ends is evaluated once, scores are taken until a step is below a standard error.
    """
    count = counted[0]
    assert count["value"] <= 2
    assert count["value_and_scores"] <= 8
    assert sum(count.values()) <= 18


def test_a_climb_takes_what_is_known_where_it_begins(counted: tuple[Counter[str], Objective, np.ndarray]) -> None:
    _, objective, z = counted
    before = objective.evaluations
    begun = begin(objective, z)
    found = maximise(objective, z, begun=begun, limit=1, tolerance=1e-12)
    assert objective.evaluations - before == 1 + len(found.log)
    assert found.log[0].loglik >= begun.value


def test_gradients_do_not_see_from_where_modes_were_come_to(
    counted: tuple[Counter[str], Objective, np.ndarray],
) -> None:
    """Differences of gradients are 1e-4 of the scores' SD: they need eight digits where information is hardly any."""
    _, objective, z = counted
    scale = np.sqrt(np.square(objective.value_and_scores(z)[1]).sum(axis=0))
    found = []
    for side in (3.0, 0.3, -1.0):
        objective.value(z + side / scale)
        found.append(objective.value_and_gradient(z)[1] / scale)
    np.testing.assert_allclose(found, np.tile(found[0], (3, 1)), rtol=0.0, atol=1e-12)


def test_estimates_do_not_depend_on_the_start(data: pd.DataFrame) -> None:
    """The last Newton step is taken, too: the climb alone ends within 1e-4 standard errors."""
    fits = [Model(TEXT).fit(data, points=5, threads=1, start=s).estimate for s in (None, {"y ~ x": 1.5, "y ~1": -1.0})]
    assert fits[0].vcov is not None
    se = np.sqrt(np.diag(fits[0].vcov))
    np.testing.assert_allclose((fits[1].theta - fits[0].theta) / se, 0.0, atol=2e-6)
    assert fits[1].loglik == pytest.approx(fits[0].loglik, abs=1e-8)
