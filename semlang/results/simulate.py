"""Simulated responses: from the estimates of a fit, or from given values of a model's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import transformed
from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.distributions import censored, drawn, has_distribution, transform
from semlang.estimation.factors import semidefinite_factor
from semlang.estimation.member import Infeasible
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import causes_first
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import Linear
from semlang.model.table import ROWS, ParameterTable, Product, Variable
from semlang.results.ended import ended

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Population", "simulated"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_NONE = np.zeros(1)


class Drawn(NamedTuple):
    """Responses of a group by key (n_rows,), coded as in `Design.responses`; which durations ended with the event."""

    responses: dict[str, Floats]
    event: dict[str, Floats]


class Population:
    """A model with values for all parameters and a design: what data sets are drawn from.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
    designs : sequence of Design
    theta : (P,) floats
    generator : numpy Generator, optional

    Raises
    ------
    FitError
        ``not-simulated`` where a kind of response, or a covariance matrix, can't be drawn.
    """

    def __init__(
        self,
        table: ParameterTable,
        graphs: Sequence[ModelGraph],
        designs: Sequence[Design],
        theta: Floats,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.generator = np.random.default_rng() if generator is None else generator
        self.table, self.graphs, self.designs, self.theta = table, tuple(graphs), tuple(designs), theta
        if is_conditional(table):
            raise FitError([error("not-simulated", "models with classes or products are not simulated yet")])
        for v in table.responses:
            if not has_distribution(v):
                raise FitError(
                    [error("not-simulated", f"a {v.kind.name} response is not simulated yet", table.source, v.span)]
                )

    def draw(self, rng: np.random.Generator) -> list[Drawn]:
        """Return what is drawn of each group; no response is missing.

        A response of a higher level has its value in all rows of its unit.

        Raises
        ------
        FitError
            ``not-simulated`` where a mean is negative that has to be positive.
        """
        return [self._group(g, d, rng) for g, d in zip(self.graphs, self.designs, strict=True)]

    def draw_designs(self, rng: np.random.Generator) -> tuple[Design, ...]:
        """Return designs with responses drawn anew, missing where they were missing."""
        out = []
        for design, new in zip(self.designs, self.draw(rng), strict=True):
            responses = {k: np.where(np.isnan(y), np.nan, new.responses[k]) for k, y in design.responses.items()}
            limits = {k: censored(self.table.variables[k], y) for k, y in responses.items() if k in design.censored}
            out.append(replace(design, responses=responses, event=new.event, censored=limits))
        return tuple(out)

    def _group(self, graph: ModelGraph, design: Design, rng: np.random.Generator) -> Drawn:
        form = reduced_form(graph, lift=False)
        zeta = self._disturbances(
            design, [(z.key, z.level) for z in form.disturbances], form.psi.matrix(self.theta), rng
        )
        errors = self._errors(design, form.responses, form.theta.matrix(self.theta), rng)
        values: dict[str, Floats] = {}
        out = Drawn({}, dict(design.event))
        quantities: dict[str, dict[str, Sequence[Linear]]] = {}
        for (k, name), addends in form.quantities.items():
            quantities.setdefault(form.responses[k], {})[name] = addends
        for key in causes_first(graph.causes):
            variable = self.table.variables[key]
            names = design.categories.get(key, ())
            nominal = variable.kind.alternatives and not variable.kind.thresholds
            nu = np.zeros((len(names), design.n_rows) if nominal else design.n_rows)
            for p in graph.into(key):
                if not p.is_zero:
                    coefficient = self.theta[p.parameter] if p.parameter >= 0 else p.value
                    source = values[p.source] if p.source else 1.0
                    addend = coefficient * self._column(p.via, design, out.responses) * source
                    if nominal:
                        nu[[not p.category or p.category == c for c in names]] += addend
                    else:
                        nu = nu + addend
            if key in zeta:
                nu = nu + zeta[key]
            values[key] = nu
            if variable.role == "response":
                if key in design.exposure:
                    nu = nu + np.log(design.exposure[key])
                q = {
                    name: transform(name, self._sum(addends, design, out.responses))
                    for name, addends in quantities.get(key, {}).items()
                }
                cuts = None
                k = form.responses.index(key)
                if k in form.thresholds:
                    cuts = np.stack([self._sum(t, design, out.responses) for t in form.thresholds[k]])
                elif "sigma" not in q:
                    q["residual"] = errors.get(key, _NONE)
                for name, column in (("trials", design.trials), ("entry", design.entry)):
                    if key in column:
                        q[name] = np.nan_to_num(column[key], nan=1.0 if name == "trials" else 0.0)
                out.responses[key] = self._response(variable, nu, q, cuts, rng)
                if key in design.event:
                    out.responses[key], out.event[key] = ended(
                        out.responses[key], design.responses[key], design.event[key], rng
                    )
                if variable.level != ROWS and variable.level in design.clusters:
                    first = np.diff(design.clusters[variable.level], prepend=-1) != 0
                    out.responses[key] = out.responses[key][first][design.clusters[variable.level]]
                    if key in design.event:
                        out.event[key] = out.event[key][first][design.clusters[variable.level]]
        return out

    def _response(
        self, variable: Variable, nu: Floats, q: Mapping[str, Any], cuts: Floats | None, rng: np.random.Generator
    ) -> Floats:
        try:
            return drawn(variable, nu, q, cuts, rng)
        except ValueError:
            raise FitError(
                [error("not-simulated", f"the mean of '{variable.name}' is not positive in some rows",
                       self.table.source, variable.span, help="a log link keeps means positive")]
            ) from None  # fmt: skip

    def _disturbances(
        self, design: Design, names: list[tuple[str, str]], psi: Floats, rng: np.random.Generator
    ) -> dict[str, Floats]:
        out: dict[str, Floats] = {}
        for level in self.table.levels:
            members = [j for j, (_, at) in enumerate(names) if at == level]
            if not members:
                continue
            try:
                F = semidefinite_factor(psi[np.ix_(members, members)])
            except Infeasible as problem:
                raise FitError([error("not-simulated", f"at the level {level} {problem}")]) from None
            draws = rng.standard_normal((design.n_units(level), len(members))) @ F.T
            unit = slice(None) if level == ROWS else design.clusters[level]
            out.update({names[j][0]: draws[unit, n] for n, j in enumerate(members)})
        return out

    def _errors(
        self, design: Design, keys: Sequence[str], theta: Floats, rng: np.random.Generator
    ) -> dict[str, Floats]:
        members = np.flatnonzero(np.diag(theta) != 0)
        if not members.size:
            return {}
        try:
            F = semidefinite_factor(theta[np.ix_(members, members)])
        except Infeasible as problem:
            raise FitError([error("not-simulated", f"of the residuals {problem}")]) from None
        draws = rng.standard_normal((design.n_rows, members.size)) @ F.T
        return {keys[k]: draws[:, n] for n, k in enumerate(members.tolist())}

    def _column(self, via: Product, design: Design, responses: Mapping[str, Floats]) -> Any:
        """Return a product of covariates, responses among them as they were drawn."""
        if not any(c.response for c in via):
            return design.columns[via] if via else 1.0
        out: Any = 1.0
        for c in via:
            known = c.response and c.column in responses
            out = out * (transformed(responses[c.column], c) if known else design.columns[(c,)])
        return out

    def _sum(self, addends: Sequence[Linear], design: Design, responses: Mapping[str, Floats]) -> Floats:
        out = np.zeros(design.n_rows)
        for a in addends:
            value = self.theta[a.parameter] if a.parameter >= 0 else a.value
            out = out + value * self._column(a.via, design, responses)
        return out


def simulated(
    population: Population, frame: pd.DataFrame, rng: np.random.Generator, keep_missing: bool = True
) -> pd.DataFrame:
    """Return the frame with its responses drawn anew, in the values and types that they have there.

    Parameters
    ----------
    population : Population
    frame : DataFrame
        The rows that the designs count.
    rng : numpy Generator
    keep_missing : bool
        Leave responses missing that are missing in the frame.
    """
    import pandas as pd

    out = frame.copy()
    table = population.table
    values = {v.name: np.full(len(frame), np.nan) for v in table.responses}
    for design, new in zip(population.designs, population.draw(rng), strict=True):
        for v in table.responses:
            values[v.name][design.row] = new.responses[v.key]
            if v.key in new.event:
                events = out[str(v.arguments["event"])].to_numpy(dtype=np.float64, copy=True)
                events[design.row] = new.event[v.key]
                out[str(v.arguments["event"])] = events.astype(np.int64) if np.isfinite(events).all() else events
    for v in table.responses:
        categories = next((d.categories[v.key] for d in population.designs if v.key in d.categories), ())
        y = values[v.name]
        missing = np.isnan(y) | (frame[v.name].isna().to_numpy() if keep_missing else False)
        if categories and not set(categories) <= {"0", "1"}:
            texts = np.array(categories, dtype=object)[np.where(missing, 0, np.nan_to_num(y)).astype(np.int64)]
            if isinstance(frame[v.name].dtype, pd.CategoricalDtype):
                back = {str(c): c for c in frame[v.name].cat.categories}
                drawn_values = [None if m else back[t] for t, m in zip(texts, missing, strict=True)]
                out[v.name] = pd.Categorical(drawn_values, categories=frame[v.name].cat.categories,
                                             ordered=frame[v.name].cat.ordered)  # fmt: skip
                continue
            if pd.api.types.is_numeric_dtype(frame[v.name].dtype):
                y = np.array([float(t) for t in texts])
            else:
                texts[missing] = None
                out[v.name] = texts
                continue
        counted = v.kind.thresholds or v.kind.alternatives or v.kind.name in ("binomial", "poisson", "negbinomial")
        whole = counted and not missing.any() and (y == np.round(y)).all()
        out[v.name] = y.astype(np.int64) if whole else np.where(missing, np.nan, y)
    return out
