"""How certain the estimates are: information at the maximum, what is at a border or a limit, covariance matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.data.partitions.opening import in_partitions
from semlang.diagnostics import Diagnostic, error
from semlang.errors import FitError
from semlang.estimation.assemble import multiplicity
from semlang.estimation.border import empty_columns
from semlang.estimation.climb import Climb
from semlang.estimation.conditioning.limits import at_limit
from semlang.estimation.covariance import covariance, singular
from semlang.estimation.optimize import Optimum, negative_hessian, steps_of
from semlang.estimation.reach import reach
from semlang.estimation.setting import Setting
from semlang.estimation.signs import reporting_signs
from semlang.estimation.sizes import sizes_of_covariates, units_of_covariances, units_of_parameters
from semlang.estimation.tangent import on_the_edge, tangent_basis

__all__ = ["Uncertainty", "refuse_cluster"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STUCK = 1e-8
"""A standard error below this share of a variance's unit is that of a factor of zero: its square does not move."""


def refuse_cluster(setting: Setting, se: str, cluster: str | None) -> None:
    """Refuse units of robust standard errors that there are not, before the time of a fit is spent.

    Raises
    ------
    FitError
        ``unknown-cluster``, ``not-in-partitions``.
    """
    if not cluster:
        return
    known = setting.table.clusters
    if cluster not in known:
        raise FitError([unknown_cluster(cluster)])
    if setting.partitions is not None and cluster != known[-1]:
        raise FitError([in_partitions(f"standard errors are by units of the highest cluster, {known[-1]}")])
    if se != "robust":
        setting.findings.warn(
            "option-without-effect",
            f"cluster = {cluster} changes nothing: it says which units robust standard errors are by",
            help="ask for robust standard errors: fit(se='robust'), --se robust",
        )


def unknown_cluster(name: str) -> Diagnostic:
    """Return the finding that robust standard errors can't be by units of a column."""
    return error("unknown-cluster", f"'{name}' is not a cluster of the model", help="name it in a line 'cluster:'")


class Uncertainty:
    """The covariance matrix of the estimates at the end of a climb.

    Parameters
    ----------
    climb : Climb
    se : {'observed', 'robust', 'opg', 'none'}
    cluster : str or None
        Cluster whose units are independent in robust standard errors, if coarser than the model's.

    Attributes
    ----------
    limits : dict from parameter to +-inf
        Parameters whose estimates have no bound.
    closed : frozenset of int
        Thresholds that are where the ones before them are.
    """

    def __init__(self, climb: Climb, se: str, cluster: str | None) -> None:
        self.setting, self.objective, self.findings = climb.setting, climb.objective, climb.findings
        self.constraints = climb.constraints
        self.se, self.cluster = se, cluster
        self.limits: dict[int, float] = {}
        self.closed: frozenset[int] = frozenset()

    def run(self, best: Optimum, theta: Floats) -> tuple[Floats, Floats | None, Floats | None]:
        """Return the parameters in the frame, their covariance matrix, and the scores of the top-level units."""
        vcov: Floats | None = None
        z = best.z
        D = self.objective.jacobian_inside(z)
        by_unit = self.se in ("opg", "robust") and self.objective.by_unit
        of_units = self.objective.value_and_scores(z)[1] if by_unit else None
        if self.se != "none" and not self.findings.away:
            curvature = best.curvature
            if curvature is None and self.se != "opg":
                curvature = Curvature(negative_hessian(self.objective, z, steps_of(z, best.variances_for_steps)))
            active = self._active(z, curvature)
            empty = empty_columns(self.objective.parametrisation.blocks, self.objective.x(z))
            if len(empty):  # standard errors are those of the model of that rank
                rows = empty @ self.objective.basis
                active = rows if active is None else np.concatenate([active, rows])
            if curvature is not None:
                scales = self.objective.within.scales
                limits = at_limit(self.setting.table, self.objective.x(z), curvature.information, scales)
                self.limits, self.closed = limits.infinite, limits.closed
                if limits:
                    held = np.eye(z.size)[sorted(limits.directions)]
                    active = held if active is None else np.concatenate([active, held])
                basis = None if active is None else tangent_basis(active, curvature.scale)
                inside = curvature if basis is None else Curvature(basis.T @ curvature.information @ basis)
                self.findings.curvature(
                    inside, D if basis is None else D @ basis, theta, self._units_of_parameters(theta)
                )
                inverse = None if limits else inside.inverse(singular(self.objective))
                if inverse is not None:
                    se = self.objective.standard_errors(inverse if basis is None else basis @ inverse @ basis.T)
                    x = self.objective.x(z)
                    far = reach(self.objective.members, x)
                    graphs, _, designs = self.setting.parts
                    self.findings.running_off(x, se, sizes_of_covariates(graphs, designs, theta.size), far)
            units = self._units() if self.se == "robust" and self.objective.by_unit else None
            vcov = covariance(self.objective, z, self.se, curvature, D, units, active, of_units)
            if vcov is None:
                self.findings.warn(
                    "no-standard-errors", "standard errors could not be computed: the information is singular"
                )
            else:
                flat = self._on_border(theta, vcov, D)
                flat[sorted(self.limits)] = True
                vcov[flat], vcov[:, flat] = np.nan, np.nan
        signs = reporting_signs(self.setting.parts[0], theta)
        if (signs < 0).any():
            theta = theta * signs
            if vcov is not None:
                vcov = vcov * np.outer(signs, signs)
        if of_units is None:
            return theta, vcov, None
        return theta, vcov, of_units @ np.linalg.pinv(D) * signs  # s with s D = s_z (least squares)

    def _on_border(self, theta: Floats, vcov: Floats, D: Floats) -> NDArray[np.bool_]:
        """Return which (co)variances no coordinate moves: their factors are zero."""
        se = np.sqrt(np.maximum(np.diagonal(vcov), 0.0))
        own = (np.count_nonzero(D, axis=1) == 1) & (D == 1.0).any(axis=1)
        out = np.asarray(~D.any(axis=1))
        for p, unit in units_of_covariances(self.setting.parts[0], self.setting.parts[2], theta).items():
            out[p] |= not own[p] and se[p] < STUCK * unit
        return out

    def _units_of_parameters(self, theta: Floats) -> Floats:
        graphs, _, designs = self.setting.parts
        return units_of_parameters(graphs, designs, theta, units_of_covariances(graphs, designs, theta))

    def _active(self, z: Floats, curvature: Curvature | None) -> Floats | None:
        """Return the gradients (m, n) of the constraints that hold with equality."""
        if not self.constraints:
            return None
        theta, D = self.objective.theta(z), self.objective.jacobian(z)
        scale = np.ones(z.size) if curvature is None else curvature.scale
        rows = []
        for c in self.constraints:
            value, gradient = c.function(theta)
            if c.equality or on_the_edge(np.array([value]), (gradient @ D)[None], scale)[0]:
                rows.append(gradient @ D)
        return np.array(rows) if rows else None

    def _units(self) -> tuple[Ints, Floats]:
        """Return the units of the sandwich: that of each top-level unit, and how often each occurred."""
        top = self.cluster or (self.setting.table.clusters[-1] if self.setting.table.clusters else "")
        if not top:
            return np.arange(self.objective.multiplicity.size), self.objective.multiplicity
        codes, copies, offset = [], [], 0
        for member, design in zip(self.objective.members, self.setting.designs, strict=True):
            if top not in design.clusters:
                raise FitError([unknown_cluster(top)])
            codes.append(design.clusters[top][member.records] + offset)
            copies.append(multiplicity(top, design))
            offset += copies[-1].size
        return np.concatenate(codes), np.concatenate(copies)
