"""Where a fit comes from: what is needed to make its model and its designs again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semlang.data.recipe import Recipe
    from semlang.estimation.outcome import Estimate

__all__ = ["Origin"]


@dataclass(frozen=True)
class Origin:
    """The model and the data of a fit.

    Parameters
    ----------
    text, name : str
        The model's text, included files in their places, and the name by which findings refer to it.
    arguments : mapping
        Of `semlang.Model`: ``n_groups``, ``cluster``, ``options``.
    recipe : Recipe
        The data.
    estimate : Estimate
        Before exploratory factors were rotated.
    names : tuple of str
        Of its parameters.
    """

    text: str
    name: str
    arguments: Mapping[str, Any]
    recipe: Recipe
    estimate: Estimate
    names: tuple[str, ...]
