"""However many copies and units are in memory at once, everything that is said of the data is the same."""

from __future__ import annotations

import numpy as np
import pytest
from conditional_models import MODELS

from semlang.estimation.conditioning import leaf, partition
from semlang.estimation.conditioning.partition import Partition


def few_at_once(patch: pytest.MonkeyPatch, rows: int) -> None:
    """Let a run have so many rows, and one copy of them be in memory."""
    patch.setattr(leaf, "TOGETHER", 1)
    patch.setattr(partition, "RUN", 1)
    patch.setattr(partition, "SHORTEST", rows)


def said(at):
    posterior = at.member.posterior(at.x)
    moments = [a for m in posterior.levels.values() for a in (m.means, m.covariances)]
    return (
        *at.objective.value_and_gradient(at.z), at.objective.value_and_scores(at.z)[1], at.member.values(at.x),
        at.member.multiplicity, at.member.records, *posterior.classes.values(), *moments,
        *(size for size, _ in at.member.state_sizes(at.x).values()),
    )  # fmt: skip


@pytest.mark.parametrize("text", MODELS.values(), ids=MODELS)
def test_runs_say_what_the_whole_says(conditional, units, text, monkeypatch):
    whole = conditional(text, units, points=3)
    before = said(whole)
    few_at_once(monkeypatch, 60)
    parts = conditional(text, units, points=3)
    for a, b in zip(before, said(parts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * (1.0 + np.nanmax(np.abs(a), initial=0.0)))
    assert isinstance(parts.member, Partition) or whole.member.design.n_rows < units.shape[0]


@pytest.mark.parametrize("name", ["latent square", "classes under an effect", "thresholds of people"])
def test_runs_follow_the_points(conditional, units, name, monkeypatch):
    """More points, nodes moved again, and the information on known states."""
    found = []
    for few in (False, True):
        if few:
            few_at_once(monkeypatch, 60)
        at = conditional(MODELS[name], units, points=3)
        at.member.value(at.x)
        at.member.points = 5
        at.member.move(at.x)
        found.append((at.member.value(at.x), at.member.value_and_gradient(at.x)[1], at.member.information(at.x)))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * np.abs(a).max())
