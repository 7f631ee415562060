"""Latent classes and mass points."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.checks.identification.names import Names
from semlang.checks.identification.report import UNDETERMINED, Identification
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable


def is_mixture(graphs: Sequence[ModelGraph]) -> bool:
    """Return whether a model has discrete latent variables."""
    return any(v.kind.name in ("class", "masspoints") for g in graphs for v in g.table.latents)


def identify_mixture(table: ParameterTable, graphs: Sequence[ModelGraph], names: Names) -> Identification:
    """Return the verdict on a model with discrete latent variables."""
    return Identification(UNDETERMINED, "Discrete latent variables are not decided yet.", n_free=table.n_parameters)
