"""Data from known parameters give these back, and intervals cover them, for every family and structure."""

from __future__ import annotations

import pytest
from study import STRUCTURES, recovery
from truths import LEFT, TRUTHS, studied

from semlang.estimation.kernels.families import ENTRIES


def test_every_family_has_a_truth() -> None:
    """A density without a row in `truths.TRUTHS` is not studied: give it one."""
    assert {e.family for e in ENTRIES} - set(LEFT) <= set(TRUTHS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("family", studied())
def test_estimates_and_intervals(family: str, structure: str) -> None:
    assert not recovery(family, structure).problems
