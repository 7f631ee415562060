"""EM from many starts at once, for classes whose responses are binary or nominal and free in every class.

All starts share the distinct response patterns Y (N, M), one column a category: with P the probabilities of the
categories, one step of S starts and K classes is two products of matrices,

    posterior ~ exp(Y log P' + log pi),   P ~ posterior' (w Y),   pi ~ w' posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.graph.condition import discrete_variables, n_states
from semlang.model.table import ROWS, ParameterTable, Row

__all__ = ["EMStart", "batch_em"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS = 2000
"""Most steps."""
STEADY = 1e-9
"""Change of the log-likelihood, over its size, below which a start has converged."""
HOPELESS = 60
"""Steps after which starts that are far below the best are left."""


@dataclass(frozen=True)
class EMStart:
    """Where one start led: parameters, and the log-likelihood (without covariates of membership)."""

    theta: Floats
    value: float


@dataclass(frozen=True)
class _Item:
    """A response: its key, categories, and the parameter of each (class, category), -1 for the reference."""

    key: str
    parameters: Ints


def batch_em(
    table: ParameterTable, designs: Sequence[Design], theta: Floats, starts: int, rng: np.random.Generator
) -> list[EMStart] | None:
    """Return where EM leads from random probabilities, best first; None where the model is not of this kind.

    Parameters
    ----------
    table : ParameterTable
    designs : sequence of Design
    theta : (P,) floats
        Values of all other parameters.
    starts : int
    rng : Generator
    """
    variables = discrete_variables(table)
    key = next(iter(variables), "")
    if (
        table.relations
        or len(designs) > 1
        or len(variables) != 1
        or table.variables[key].kind.name != "class"
        or table.clusters
    ):
        return None
    if len(table.latents) > 1 or designs[0].weights or table.variables[key].arguments.get("observed"):
        return None
    K = n_states(table.variables[key])
    items = _items(table, designs[0], K)
    logits = {r.klass: r.parameter for r in table.rows if r.target == key and r.op == "~1"}
    if items is None or len(logits) != K - 1 or min(logits.values(), default=0) < 0:
        return None
    design = designs[0].distinct[0]
    design, _ = _bare(design, {i.key: design.responses[i.key] for i in items}).distinct
    Y, owner, w = _patterns(items, design)
    value, P, pi = _em(Y, owner, w, K, starts, rng)
    out = []
    for s in np.argsort(-value):
        at = theta.copy()
        at[[logits[k] for k in range(1, K)]] = np.log(pi[s, :-1] / pi[s, -1])
        for n, item in enumerate(items):
            p = np.clip(P[s][:, owner == n], 1e-7, 1.0)
            reference = int(np.flatnonzero((item.parameters < 0).all(axis=0))[0])
            free = item.parameters >= 0
            at[item.parameters[free]] = np.log(p / p[:, [reference]])[free]
        out.append(EMStart(at, float(value[s])))
    return out


def _bare(design: Design, responses: dict[str, Floats]) -> Design:
    """Return a design with nothing but responses and frequencies, so that more of its rows are equal."""
    from semlang.data.covariates import ProductColumns

    columns = design.columns
    if isinstance(columns, ProductColumns):
        columns = columns.without_columns()
    return Design(design.n_rows, responses, columns, {}, design.row, frequency=design.frequency)


def _items(table: ParameterTable, design: Design, K: int) -> list[_Item] | None:
    """Return the responses, or None where one is not free in every class."""
    found = []
    used: set[int] = set()
    for v in table.responses:
        rows = [r for r in table.rows if r.target == v.key and r.op in ("~", "~1", "=~", "|", "~~")]
        if (
            v.kind.name == "binomial"
            and v.link == "logit"
            and v.key not in design.trials
            and not any(r.target == v.key and r.quantity for r in table.rows)
        ):
            names = ["0", "1"]
            place = {"": 1}
        elif v.kind.name == "multinomial":
            names = list(design.categories.get(v.key, ()))
            place = {name: k for k, name in enumerate(names)}
        else:
            return None
        parameters = np.full((K, len(names)), -1)
        for r in rows:
            if not _free(r, K) or r.category not in place:
                return None
            parameters[r.klass - 1, place[r.category]] = r.parameter
        given = (parameters >= 0).sum(axis=1)
        own = set(parameters[parameters >= 0].tolist())
        if (given != len(names) - 1).any() or len(own) != K * (len(names) - 1) or own & used:
            return None
        if not (parameters < 0).all(axis=0).any():
            return None
        used |= own
        found.append(_Item(v.key, parameters))
    return found


def _free(row: Row, K: int) -> bool:
    return (
        row.op == "~1" and 1 <= row.klass <= K and row.parameter >= 0 and not row.quantity and not row.also
        and row.lower is None and row.upper is None
    )  # fmt: skip


def _patterns(items: Sequence[_Item], design: Design) -> tuple[Floats, Ints, Floats]:
    """Return indicators of categories (N, M), the item of each column, and the frequencies."""
    columns, owner = [], []
    for n, item in enumerate(items):
        y = design.responses[item.key]
        for k in range(item.parameters.shape[1]):
            columns.append((y == k).astype(np.float64))
            owner.append(n)
    w = design.frequency.get(ROWS, np.ones(design.n_rows))
    return np.ascontiguousarray(np.array(columns).T), np.array(owner), w


def _em(
    Y: Floats, owner: Ints, w: Floats, K: int, starts: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return log-likelihoods (S,), probabilities of categories (S, K, M) and of classes (S, K)."""
    N, M = Y.shape
    members = np.equal.outer(np.arange(owner.max() + 1), owner).astype(np.float64)
    P = rng.uniform(0.1, 0.9, (starts, K, M))
    P /= (P @ members.T) @ members
    pi = np.full((starts, K), 1.0 / K)
    value = np.full(starts, -np.inf)
    alive = np.arange(starts)
    transposed, wY = np.ascontiguousarray(Y.T), Y * w[:, None]
    for step in range(STEPS):
        logs = np.log(np.maximum(P[alive], 1e-300))
        joint = (logs.reshape(-1, M) @ transposed).reshape(alive.size, K, N)  # sums over classes add lines
        joint += np.log(np.maximum(pi[alive], 1e-300))[:, :, None]
        largest = joint.max(axis=1)
        joint -= largest[:, None]
        np.exp(joint, out=joint)
        total = joint.sum(axis=1)
        new = (np.log(total) + largest) @ w
        joint /= total[:, None]
        counts = (joint.reshape(-1, N) @ wY).reshape(alive.size, K, M)
        size = joint @ w
        sums = (counts @ members.T) @ members
        P[alive] = np.where(sums > 0, counts / np.where(sums > 0, sums, 1.0), P[alive])
        pi[alive] = size / size.sum(axis=1, keepdims=True)
        steady = np.abs(new - value[alive]) < STEADY * (1.0 + np.abs(new))
        value[alive] = new
        keep = ~steady
        if step >= HOPELESS:
            keep &= value[alive] > value.max() - 25.0
        alive = alive[keep]
        if not alive.size:
            break
    return value, P, np.maximum(pi, 1e-12)
