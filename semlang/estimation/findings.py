"""Findings about a fit: what went wrong, in terms of the model's parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.diagnostics import Diagnostic, error, warning
from semlang.estimation.border import SINGULAR, Singular
from semlang.estimation.moderation import Moderation
from semlang.estimation.separation import Separation
from semlang.model.table import ParameterTable, Row

__all__ = ["FindingsOfFit", "describe", "row_of"]

Floats = NDArray[np.float64]

_FAR = 15.0
"""A linear predictor beyond which probabilities don't move."""

NEARLY_SINGULAR = 1e-8
"""Smallest eigenvalue of the information with unit diagonal, at which directions are looked at: 10,000 times the
standard error that the other parameters, if they were known, would leave. Differences of gradients show no less."""

LITTLE = 1e-3
"""A gain in log-likelihood that no test and no digit of a summary shows."""

ZERO = 1e-7
"""A variance is at zero below this share of what it is a part of: optimisers end about 1e-9 from a border."""


def row_of(table: ParameterTable, parameter: int) -> Row:
    """Return the first row with a parameter."""
    return next(r for r in table.rows if r.parameter == parameter)


def describe(table: ParameterTable, parameter: int) -> str:
    """Return the row of a parameter as in the text, ``'visual =~ x2'``, with its class or group where it is of one."""
    row = row_of(table, parameter)
    text = f"{row.lhs} ~ 1" if row.op == "~1" else f"{row.lhs} {row.op} {row.rhs}"
    told = not row.klass or f"@{row.klass}" in row.rhs
    where = "" if told else f" in class {row.klass} of {row.class_variable}"
    if len(table.groups) > 1 and len({r.group for r in table.rows if r.parameter == parameter}) == 1:
        where += f" in group {table.groups[row.group - 1]}"
    return f"'{text}'{where}"


_OF_AN_EMPTY_CLASS = frozenset(
    {
        "flat-likelihood",
        "no-standard-errors",
        "not-converged",
        "probability-at-limit",
        "starts-disagree",
        "unbounded-likelihood",
    }
)
"""Findings that follow from a class without units."""


class FindingsOfFit:
    """Collects findings about one fit.

    Parameters
    ----------
    table : ParameterTable
    """

    def __init__(self, table: ParameterTable) -> None:
        self.table = table
        self.found: list[Diagnostic] = []
        self.trusted = True
        self.away = False
        self.bounded: set[int] = set()
        self._flat: list[int] = []

    def names(self, parameters: Sequence[int]) -> str:
        """Return parameters as text, at most four."""
        rows = [describe(self.table, p) for p in parameters]
        return ", ".join(rows[:4]) + (f" and {len(rows) - 4} more" if len(rows) > 4 else "")

    def _growing(self, parameters: Sequence[int]) -> str:
        return f"{self.names(parameters)} {'grows' if len(parameters) == 1 else 'grow'}"

    def add(self, finding: Diagnostic) -> None:
        """Keep a finding."""
        self.found.append(finding)

    def warn(self, slug: str, message: str, parameter: int | None = None, **more: str) -> None:
        """Keep a warning, at the row of a parameter where there is one."""
        row = row_of(self.table, parameter) if parameter is not None else None
        self.add(warning(slug, message, self.table.source if row else None, row.span if row else None, **more))

    def fail(self, slug: str, message: str, parameter: int | None = None, **more: str) -> None:
        """Keep an error, once a slug."""
        if any(d.slug == slug for d in self.found):
            return
        row = row_of(self.table, parameter) if parameter is not None else None
        self.add(error(slug, message, self.table.source if row else None, row.span if row else None, **more))

    def few_units(self, units: int, parameters: int) -> None:
        """More parameters than independent units."""
        if parameters > units:
            self.warn(
                "few-clusters",
                f"{parameters} parameters are estimated from {units} independent units",
                help="standard errors and tests rest on many units; take fewer parameters",
            )

    def curvature(self, curvature: Curvature, D: Floats, theta: Floats, units: Floats) -> None:
        """Flat directions of the likelihood at the estimate, and parameters that run off.

        A nearly singular information does not say by itself that a direction is flat: next to the border of a
        covariance matrix another one is steep beyond all measure. What counts is a standard error along the direction
        in units of the parameters.

        Parameters
        ----------
        curvature : Curvature
        D : (P, n) floats
            Derivatives of the parameters in the coordinates.
        theta, units : (P,) floats
            Estimates, and what one is worth, see `semlang.estimation.sizes.units_of_parameters`.
        """
        if curvature.exceeds(NEARLY_SINGULAR):
            return
        values, vectors = curvature.eigen
        direction = D @ (vectors[:, 0] / curvature.scale)
        rounding = values.size * np.finfo(float).eps * abs(float(values[-1]))
        step = np.abs(direction) / np.sqrt(max(float(values[0]), rounding))
        if not (step > np.maximum(units, np.abs(theta))).any():
            return
        share = np.abs(direction) / max(float(np.abs(direction).max(initial=0.0)), 1e-300)
        involved = [int(p) for p in np.argsort(-share) if share[p] > 0.1]
        if not involved:
            return
        far = [p for p in involved if abs(theta[p]) > _FAR and self._on_link_scale(p)]
        if far:
            self.unbounded(far)
        else:
            self._flat = involved
            self.warn(
                "flat-likelihood",
                f"the log-likelihood is flat along {self.names(involved)}",
                involved[0],
                help="these parameters can't be told apart, or not from these data: fix one of them or leave it out",
            )

    def alike_classes(self, starts: int) -> None:
        """Classes whose proportions do not matter do not differ: one start led to a saddle.

        Parameters
        ----------
        starts : int
            From how many the fit began; where several agree, the data may have no classes.
        """
        rows = (row_of(self.table, p) for p in self._flat)
        row = next((r for r in rows if self.table.variables[r.target].kind.name == "class"), None)
        if row is not None and starts == 1:
            self.fail(
                "not-converged",
                f"the classes of '{row.target}' do not differ where the only start led to: from equal start values no "
                "step tells them apart",
                row.parameter,
                help="take more starts (options: starts = 20), or start values that differ",
            )

    def empty_classes(self, sizes: Mapping[str, Sequence[float]], units: Mapping[str, float]) -> None:
        """Classes that less than half a unit belongs to: their parameters are anything."""
        for key, size in sizes.items():
            empty = [k for k, p in enumerate(size, 1) if p * units[key] < 0.5]
            if not empty:
                continue
            variable = self.table.variables[key]
            if variable.kind.name == "class":
                what = f"class {', '.join(map(str, empty))} of '{key}' has"
            else:  # mass points have no names: their numbers say nothing
                what = f"{len(empty)} of the mass points of '{key}' ha{'s' if len(empty) == 1 else 've'}"
            self.found[:] = [d for d in self.found if d.slug not in _OF_AN_EMPTY_CLASS]
            self.add(
                error(
                    "empty-class",
                    f"{what} no units at the maximum",
                    self.table.source,
                    variable.span,
                    help=f"the data do not support {len(size)}: write "
                    f"'{variable.name} :: {variable.kind.name}({len(size) - len(empty)})'",
                )
            )

    def limits(self, limits: Mapping[int, float], closed: Collection[int] = ()) -> None:
        """Probabilities that are estimated as 0 or 1, shapes without bound, and thresholds that meet the one before."""
        shapes = [p for p in sorted(limits) if row_of(self.table, p).quantity == "shape"]
        if shapes:
            self.warn(
                "no-overdispersion",
                f"counts vary no more than poisson ones: without bound are {self.names(shapes)}",
                shapes[0],
                help="declare them poisson: the other estimates are those of that model",
            )
        limits = {p: limit for p, limit in limits.items() if p not in shapes}
        if limits:
            first = min(limits)
            self.warn(
                "probability-at-limit",
                f"probabilities are estimated as 0 or 1: {self.names(sorted(limits))}",
                first,
                help="their logits are infinite and have no standard error; the others are those at the limit",
            )
        if closed:
            self.warn(
                "probability-at-limit",
                "probabilities of the categories below these thresholds are estimated as 0: "
                f"{self.names(sorted(closed))}",
                min(closed),
                help="they equal the thresholds before them, and do so in the model that standard errors are those of",
            )

    def running_off(self, x: Floats, se: Floats, sizes: Floats, reach: float) -> None:
        """Find estimates far out on the scale of a linear predictor, with standard errors as large as they are.

        Parameters
        ----------
        x, se : (P,) floats
            The optimiser's coordinates (roots of variances) and their standard errors.
        sizes : (P,) floats
            Root mean squares of the covariates that they multiply.
        reach : float
            How far out linear predictors are, see `semlang.estimation.reach`.
        """
        if reach < _FAR:
            return
        far = (np.abs(x) * sizes > _FAR) & (se > 0.5 * np.abs(x))
        found = [int(p) for p in np.flatnonzero(far) if self._on_link_scale(int(p))]
        if found:
            self.unbounded(found)

    def stopped(
        self,
        theta: Floats,
        decrement: float,
        reach: float,
        ridge: Sequence[int] = (),
        missed: tuple[str, float] = ("", 0.0),
    ) -> None:
        """The optimiser stopped before a maximum.

        Parameters
        ----------
        theta : (P,) floats
        decrement : float
        reach : float
            How far out linear predictors are.
        ridge : sequence of int
            Parameters along which hardly anything was left to gain.
        missed : str and float
            A constraint that does not hold, and by how much.
        """
        text, by = missed
        if text:
            self.fail(
                "not-converged",
                f"no values were found at which '{text}' holds and the data have a likelihood; the last miss it by "
                f"{by:.2g}",
                help="mend the constraint, or give start values at which it holds: start(0.5)*x",
            )
            return
        far = [] if reach < _FAR else [p for p in range(theta.size) if abs(theta[p]) > _FAR and self._on_link_scale(p)]
        if far:
            self.unbounded(sorted(far, key=lambda p: -abs(theta[p])))
            return
        if ridge:
            self.fail(
                "not-converged",
                f"the optimiser stopped on a ridge, where a step gains less than {LITTLE:g} of the log-likelihood: "
                f"these data hardly tell apart {self.names(ridge)}",
                ridge[0],
                help="fix one of them, or leave it out",
            )
            return
        self.fail(
            "not-converged",
            f"the optimiser stopped before the maximum (decrement {decrement:.2g})",
            help="give start values, or simplify the model",
        )

    def imprecise(self, reason: str, wrong: bool, asked: bool = False) -> None:
        """The log-likelihood at the estimate depends on the nodes.

        Parameters
        ----------
        reason : str
        wrong : bool
            By so much that nothing follows from it.
        asked : bool
            The user set the number of points.
        """
        self.trusted = self.trusted and not wrong
        if wrong and not asked:
            self.fail("not-converged", reason, help="set points yourself, give start values, or simplify the model")
        elif not any(d.slug == "points-not-settled" for d in self.found):
            self.warn(
                "points-not-settled", reason, help="take more points" + (", or leave the choice" if asked else "")
            )

    def running_away(self, parameters: Sequence[int], shown: bool) -> None:
        """A latent variable comes to decide a response alone.

        Parameters
        ----------
        parameters : sequence of int
            The one that grows first.
        shown : bool
            The likelihood does not fall further out; else it grew until no nodes show its likelihood.
        """
        self.away = True
        help = "leave out the response or the latent variable, or hold loadings equal: a*x1 + a*x2"
        name = self.names(parameters[:1])
        if shown:
            self.fail(
                "unbounded-likelihood",
                f"the likelihood does not fall as {name} grows without bound: the latent variable decides the response "
                "alone",
                parameters[0],
                help=help,
            )
            return
        self.trusted = False
        self.fail(
            "not-converged",
            f"{name} runs away: it grew until no affordable number of points shows the likelihood",
            parameters[0],
            help=help,
        )

    def singular(self, blocks: Sequence[Singular]) -> None:
        """Covariance matrices without full rank; two variables that correlate perfectly are found by themselves."""
        for block in blocks:
            if block.pairwise:
                continue
            own = [r for r in self.table.rows if r.parameter in block.parameters]
            named = {key for r in own for key in (r.source, r.target)}
            keys = [v.key for v in self.table.latents if v.key in named]
            self.warn(
                "singular-covariance",
                f"the covariance matrix of {', '.join(keys)} is estimated with rank {block.rank}, on the border of the "
                "parameter space",
                block.parameters[0],
                help="take fewer random effects, or leave out their covariances: (1 + x || g)",
            )

    def singular_somewhere(self, moderations: Sequence[Moderation], theta: Floats) -> None:
        """Covariance matrices that depend on covariates and are singular at some values of these."""
        for m in moderations:
            if m.size > 1 and m.smallest(theta)[0] < SINGULAR:
                rows = [r for r in self.table.rows if r.quantity and r.parameter in m.parameters]
                columns = dict.fromkeys(c.column for r in rows for c in r.via)
                keys = dict.fromkeys(key for r in rows for key in r.joins or (r.target,))
                self.warn(
                    "singular-covariance",
                    f"the covariance matrix of {', '.join(keys)} is singular at some values of {', '.join(columns)}: "
                    "the maximum is on the border of the parameter space",
                    rows[0].parameter,
                    help="let covariates move loadings in place of the covariance, or leave it constant",
                )

    def separated(self, found: Separation) -> None:
        """Combinations of covariates that separate responses: coefficients at infinity."""
        at = sorted(found.limits)
        if found.whole:
            self.fail(
                "unbounded-likelihood",
                f"the likelihood has no maximum: it keeps rising as {self._growing(at)} without bound, until all "
                f"responses of '{found.whole[0]}' have probability 1",
                at[0],
                help="a category is empty or a covariate separates the responses: merge categories or drop the term",
            )
            return
        rest = f"; these rows alone tell of {self.names(found.lost)}" if found.lost else ""
        what = "is at infinity: it separates" if len(at) == 1 else "are at infinity: together they separate"
        these = "one response, which has" if found.rows == 1 else f"{found.rows} responses, which have"
        these += " probability 1"
        if found.partly:
            some = "one response" if found.partly == 1 else f"{found.partly} responses"
            parts = f"{some}, some of whose values have probability 0"
            these = f"{these}, and {parts}" if found.rows else parts
        self.warn(
            "coefficient-at-infinity",
            f"{self.names(at)} {what} {these}{rest}",
            at[0],
            help="the other estimates are those at the limit; drop the term or merge categories for finite ones",
        )

    def unbounded(self, parameters: Sequence[int]) -> None:
        """Estimates without bound."""
        parameters = [p for p in parameters if p not in self.bounded]
        if not parameters:
            return
        if not self.trusted:
            self.fail(
                "not-converged",
                f"the approximate log-likelihood keeps rising as {self._growing(parameters)}; nodes at modes do not "
                "tell whether the exact one does",
                parameters[0],
                help="leave the number of points to the program, or take many more",
            )
            return
        self.fail(
            "unbounded-likelihood",
            f"the likelihood has no maximum: it keeps rising as {self._growing(parameters)} without bound",
            parameters[0],
            help="a category is empty, a covariate separates the responses or a latent variable decides one alone: "
            "merge categories, drop the term, or hold loadings equal: a*x1 + a*x2",
        )

    def _on_link_scale(self, p: int) -> bool:
        if all(v.kind.name == "gaussian" for v in self.table.responses):
            return False
        row = row_of(self.table, p)
        ends = [row.target]
        if row.op == "~~":
            ends = [r.target for r in self.table.rows if r.source == row.target and r.op in ("=~", "~")] or ends
        variables = [self.table.variables[e] for e in ends if e in self.table.variables]
        return not any(v.role == "response" and v.kind.name == "gaussian" for v in variables)

    def variances(self, theta: Floats, shares: Mapping[int, float], may_be_negative: bool) -> None:
        """Negative variances, or variances at zero.

        Parameters
        ----------
        theta : (P,) floats
        shares : mapping from parameter of a variance to float
            The variance over the squared size of its variable, see `semlang.estimation.sizes`.
        may_be_negative : bool
        """
        for row in self.table.rows:
            if row.op != "~~" or row.target != row.source or row.parameter not in shares:
                continue
            share = shares[row.parameter]
            if share < -ZERO and may_be_negative:
                self.warn(
                    "negative-variance",
                    f"the variance {self.names([row.parameter])} is estimated as {float(theta[row.parameter]):.4g}",
                    row.parameter,
                    help="the model may be wrong or the sample small; a bound keeps it at zero: lower(0)*",
                )
            elif abs(share) < ZERO:
                self.warn(
                    "variance-at-zero",
                    f"the variance {self.names([row.parameter])} is estimated as zero, on the border of the parameter "
                    "space",
                    row.parameter,
                    help="leave the latent variable out; tests of this variance are not chi-square",
                )
