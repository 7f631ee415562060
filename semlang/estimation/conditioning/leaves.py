"""What is left of the model in each configuration, and the logits of the discrete variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from semlang.estimation.conditioning.conditions import Conditions, Configuration, prefix
from semlang.estimation.conditioning.derived import Derived
from semlang.estimation.factors import Factorisation, blocks_of
from semlang.graph.build import build_graph
from semlang.graph.condition import Direction, given_nodes, membership
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable

__all__ = ["LeafModel", "directions_of", "leaf_model", "membership_forms"]


@dataclass(frozen=True)
class LeafModel:
    """The model of one configuration with its continuous variables known by nodes.

    Parameters
    ----------
    table : ParameterTable
    form : ReducedForm
    factored : tuple of bool
        Which blocks of Psi have factor coordinates.
    directions : tuple of Direction
    """

    table: ParameterTable
    form: ReducedForm
    factored: tuple[bool, ...]
    directions: tuple[Direction, ...]


def directions_of(
    c: Configuration, known: set[str], factored: tuple[bool, ...], derived: Derived
) -> tuple[Direction, ...]:
    """Return the spherical coordinates of the known variables, and what loads on them.

    In a block with factor coordinates the entries of F are the optimiser's coordinates; in others they are derived.
    """
    out = []
    factorisation = Factorisation(c.form, factored)
    for block, flag in zip(blocks_of(c.form.psi), factored, strict=True):
        n = prefix(block, c.form, known)
        if not n:
            continue
        n = n if flag else len(block.members)
        keys = [c.form.disturbances[j].key for j in block.members]
        constant = bool((block.parameter < 0).all())
        F = factorisation.evaluate(np.zeros(derived.n))[0] if constant else None
        for d in range(n):
            loadings = {}
            for i in range(d, len(keys)):
                a, b = block.members[i], block.members[d]
                if flag:
                    loadings[keys[i]] = (int(block.parameter[i, d]), 0.0)
                elif F is not None:
                    loadings[keys[i]] = (-1, float(F[a, b]))
                else:
                    loadings[keys[i]] = (derived.entry(factorisation, a, b), 0.0)
            out.append(Direction(keys[d], f"node({keys[d]})", loadings))
    return tuple(out)


def leaf_model(c: Configuration, directions: tuple[Direction, ...], factored: tuple[bool, ...], size: int) -> LeafModel:
    """Return the model of a configuration given the nodes of its directions.

    Parameters
    ----------
    size : int
        Number of all coordinates, derived ones among them.
    """
    table = given_nodes(replace(c.table, n_parameters=size), c.graph.group, directions)
    form = reduced_form(build_graph(table, c.graph.group), lift=False)
    flags = {
        c.form.disturbances[j].key: flag
        for block, flag in zip(blocks_of(c.form.psi), factored, strict=True)
        for j in block.members
    }
    own = tuple(flags[form.disturbances[b.members[0]].key] for b in blocks_of(form.psi))
    return LeafModel(table, form, own, directions)


def membership_forms(
    table: ParameterTable, group: int, conditions: Conditions, models: Sequence[LeafModel], size: int
) -> dict[str, dict[tuple[int, ...], ReducedForm]]:
    """Return the reduced forms of the logits of each discrete variable by configuration of the variables it depends on.

    A configuration has -1 for the variable itself and for those that its logits do not depend on.
    """
    out: dict[str, dict[tuple[int, ...], ReducedForm]] = {}
    by_index = {c.index: (c, m) for c, m in zip(conditions.configurations, models, strict=True)}
    for key in (conditions.discrete[a] for a in conditions.classes):
        on = sorted(
            conditions.discrete.index(v)
            for row in table.rows
            if row.target == key and row.group == group
            for v, _ in ((row.class_variable, row.klass), *row.also)
            if v in conditions.discrete and v != key
        )
        on = list(dict.fromkeys(on))
        forms: dict[tuple[int, ...], ReducedForm] = {}
        for chosen in product(*(range(conditions.sizes[a]) for a in on)):
            index = [-1] * len(conditions.discrete)
            for a, i in zip(on, chosen, strict=True):
                index[a] = i
            c, model = by_index[tuple(max(i, 0) for i in index)]
            given = membership(table, key, c.states)
            given = given_nodes(replace(given, n_parameters=size), group, model.directions)
            forms[tuple(index)] = reduced_form(build_graph(given, group), lift=False)
        out[key] = forms
    return out
