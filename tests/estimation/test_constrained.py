"""Nonlinear constraints: maxima, information and findings are those of the same model written without them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from semlang import Fit, FitError, Model
from semlang.estimation.constrained import maximise_constrained
from semlang.estimation.constraints import Nonlinear
from semlang.estimation.tangent import tangent_basis

INPUTS = Path(__file__).parent / "inputs"


def equal_standardised_lags(waves: int) -> str:
    """Random-intercept cross-lagged panel, lags between standardised variables equal at all waves."""
    times = range(1, waves + 1)
    lines = ["options: defaults = lavaan"]
    lines += [f"RI{v} =~ " + " + ".join(f"1*{v}{t}" for t in times) for v in "xy"]
    lines += [f"w{v}{t} =~ NA*{v}{t}" for t in times for v in "xy"]
    for s, t in pairwise(times):
        lines += [f"wx{t} ~ a*wx{s} + b*wy{s}", f"wy{t} ~ c*wx{s} + d*wy{s}", f"wx{t} ~~ rcov{t}*wy{t}",
                  f"wx{t} ~~ rvx{t}*wx{t}", f"wy{t} ~~ rvy{t}*wy{t}",
                  f"cor{t} := a*c + b*d + a*d*cor{s} + b*c*cor{s} + rcov{t}",
                  f"rvx{t} == 1 - (a*a + b*b + 2*a*b*cor{s})", f"rvy{t} == 1 - (c*c + d*d + 2*c*d*cor{s})"]  # fmt: skip
    lines += ["wx1 ~~ cor1*wy1", "wx1 ~~ 1*wx1", "wy1 ~~ 1*wy1", "RIx ~~ RIx + RIy", "RIy ~~ RIy"]
    return "\n".join([*lines, " + ".join(f"{v}{t}" for t in times for v in "xy") + " ~ 1"])


def powers(start: str) -> str:
    """The same with lags of intervals of other lengths: powers of one."""
    lines = ["options: defaults = lavaan"]
    lines += [f"RI{v} =~ " + " + ".join(f"1*{v}{t}" for t in range(1, 6)) for v in "xy"]
    lines += [f"w{v}{t} =~ 1*{v}{t}\nw{v}{t} ~~ w{v}{t}" for t in range(1, 6) for v in "xy"]
    for t in range(2, 6):
        own = start if t == 2 else ""
        lines += [f"wx{t} ~ {own}a{t}*wx{t - 1} + b*wy{t - 1}", f"wy{t} ~ c*wx{t - 1} + {own}d{t}*wy{t - 1}"]
    lines += [f"wx{t} ~~ wy{t}" for t in range(1, 6)] + ["RIx ~~ RIx + RIy", "RIy ~~ RIy"]
    lines += ["a3 == a2^2", "a4 == a2^1.5", "a5 == a2^(1/2)", "d3 == d2^2", "d4 == d2^1.5", "d5 == sqrt(d2)"]
    return "\n".join([*lines, " + ".join(f"{v}{t}" for t in range(1, 6) for v in "xy") + " ~ 1"])


def fit(text: str, data: str) -> Fit:
    return Model(text).fit(pd.read_csv(INPUTS / data))


def slugs(found: Fit) -> set[str]:
    return {d.slug for d in found.diagnostics if d.severity.name != "NOTE"}


# lavaan 0.6-14, missing = "ml", fixed.x, meanstructure, default starts, 2026-11-28
@pytest.mark.parametrize(
    ("waves", "data", "loglik", "a"),
    [
        (3, "waves3.csv", -2715.69, None),
        (4, "waves4_equal.csv", -3425.192386, 0.442),
        pytest.param(5, "waves5_equal.csv", -4622.57176, 0.408, marks=pytest.mark.slow),
    ],
)
def test_equal_standardised_lags_from_default_starts(waves: int, data: str, loglik: float, a: float | None) -> None:
    found = fit(equal_standardised_lags(waves), data)
    assert found.converged
    assert not slugs(found)
    assert found.loglik > loglik - 0.005  # the digits of the reference
    assert found.loglik < loglik + 0.005
    if a is not None:
        assert float(found.params.set_index("label").loc["a", "est"].iloc[0]) == pytest.approx(a, abs=6e-4)


@pytest.mark.parametrize(
    "text",
    [
        "f =~ NA*x1 + x2 + x3\nf ~~ v*f\nv^2 == 1",
        "f =~ NA*x1 + x2 + x3\nf ~~ v*f\nexp(v) == exp(1)",
        "f =~ NA*a*x1 + b*x2 + c*x3\na*b*c == 0.5",
        "f =~ NA*a*x1 + b*x2 + c*x3\na^2 + b^2 + c^2 == 1",
        # all loadings start at a saddle point
        "f =~ NA*start(0)*x1 + start(0)*x2 + start(0)*x3\nf ~~ v*f\nv^2 == 1",
    ],
)
def test_a_scale_set_by_a_nonlinear_constraint_is_a_scale(text: str) -> None:
    plain = fit("f =~ x1 + x2 + x3", "one_factor.csv")
    found = fit(text, "one_factor.csv")
    assert found.converged
    assert not slugs(found)
    assert ("^" not in text) or not found.diagnostics  # known to be identified, too
    assert found.loglik == pytest.approx(plain.loglik, abs=1e-5)

    def residuals(of: Fit) -> Any:
        rows = of.params[(of.params.op == "~~") & (of.params.lhs != "f")]
        return rows[["est", "se"]].to_numpy(dtype=float)

    np.testing.assert_allclose(residuals(found), residuals(plain), rtol=1e-3)  # the optimisers stop at 1e-7 of l


def test_standard_errors_are_those_of_the_model_written_by_substitution() -> None:
    """With a constraint that the data contradict: multipliers, and the curvature of the constraint, are not zero."""
    found = fit("f =~ NA*a*x1 + b*x2 + x3\nf ~~ 1*f\na == k*k\nb == k*k*k\nx1 ~~ k*x1", "one_factor.csv")
    squares = fit("f =~ NA*a*x1 + b*x2 + x3\nf ~~ 1*f\na == exp(2*log(k))\nb == exp(3*log(k))\nx1 ~~ k*x1",
                  "one_factor.csv")  # fmt: skip
    assert found.loglik == pytest.approx(squares.loglik, abs=1e-6)
    wanted = squares.params["se"].to_numpy(dtype=float)
    np.testing.assert_allclose(found.params["se"].to_numpy(dtype=float), wanted, rtol=1e-3)
    # the log-likelihood along k, all else at its maximum: three points of the profile give its curvature
    k, se = found.params.set_index("label").loc["k", ["est", "se"]].astype(float)

    def profile(value: float) -> float:
        return fit(f"f =~ {value**2}*x1 + {value**3}*x2 + x3\nf ~~ 1*f\nx1 ~~ {value}*x1", "one_factor.csv").loglik

    h = 0.2 * se
    curvature = (2 * profile(k) - profile(k + h) - profile(k - h)) / h**2
    assert se == pytest.approx(curvature**-0.5, rel=0.01)  # the profile is no parabola


@pytest.mark.parametrize(
    ("text", "data", "name"),
    [
        ("f =~ NA*x1 + a*x2 + b*x3\nf ~~ 1*f\nb == log(0 - a^2)", "one_factor.csv", "log(0-a^2)"),
        ("f =~ x1 + x2 + x3\nx1 ~~ v*x1\nx2 ~~ w*x2\nw == sqrt(v - 1e6)", "one_factor.csv", "sqrt(v-1"),
    ],
)
def test_a_constraint_without_a_value_is_named(text: str, data: str, name: str) -> None:
    with pytest.raises(FitError) as caught:
        fit(text, data)
    assert name in str(caught.value).replace(" ", "")


@pytest.mark.parametrize("start", ["start(0.5)*", ""])
def test_powers_with_and_without_start_values(start: str) -> None:
    """Lags start at 0, where a root has no slope: without start values at a point where all constraints hold."""
    found = fit(powers(start), "waves5.csv")
    assert found.converged
    assert found.loglik == pytest.approx(-4249.7834, abs=1e-3)  # lavaan's, 2026-11-28, ends 0.0003 below


@pytest.mark.parametrize(
    ("constraint", "path"),
    [
        ("b == sqrt(a)", lambda t: (t, np.sqrt(t))),
        ("a == 0.5*b^1.5", lambda t: (0.5 * t**1.5, t)),
        ("log(a) + log(b) == log(0.3)", lambda t: (t, 0.3 / t)),
    ],
)
def test_constraints_without_a_value_at_the_start(
    constraint: str, path: Callable[[float], tuple[float, float]]
) -> None:
    """Regressions start at 0; the maximum is that along the curve of the constraint."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=300)
    data = pd.DataFrame({"x": x, "y": 0.3 * x + rng.normal(size=300), "z": 0.5 * x + rng.normal(size=300)})
    text = "y ~ a*x\nz ~ b*x\ny ~~ 0*z\n"

    def minus(slopes: tuple[float, float]) -> float:
        rest = [data[v] - data[v].mean() - k * (x - x.mean()) for v, k in zip("yz", slopes, strict=True)]
        return sum(150 * np.log(np.mean(e**2)) for e in rest)

    best = minimize_scalar(lambda t: minus(path(t)), bounds=(0.01, 2.0), method="bounded", options={"xatol": 1e-10})
    found = Model(text + constraint).fit(data)
    assert found.converged
    assert found.loglik == pytest.approx(-best.fun - 300 * (np.log(2 * np.pi) + 1), abs=1e-5)


class Quadratic:
    """-z'Az/2 + b'z, as an objective whose parameters are its coordinates."""

    exact = True
    by_unit = True
    multiplicity = np.ones(2)

    def __init__(self, A: Any, b: Any) -> None:
        self.A, self.b = np.array(A, dtype=float), np.array(b, dtype=float)

    def value(self, z: Any) -> float:
        return float(-0.5 * z @ self.A @ z + self.b @ z)

    def value_and_gradient(self, z: Any) -> tuple[float, Any]:
        return self.value(z), self.b - self.A @ z

    def value_and_scores(self, z: Any) -> tuple[float, Any]:
        return self.value(z), np.tile((self.b - self.A @ z) / 2, (2, 1))

    def hessian(self, z: Any) -> Any:
        return -self.A

    def theta(self, z: Any) -> Any:
        return z

    def jacobian(self, z: Any) -> Any:
        return np.eye(z.size)


CIRCLE = Nonlinear(True, lambda z: (float(z @ z - 1.0), 2.0 * z), "z'z == 1")


@pytest.mark.parametrize("start", [(0.0, 1.0), (0.0, -1.0), (0.0, 3.0), (1e-9, 0.2)])
def test_the_lowest_point_on_a_circle_is_no_maximum(start: tuple[float, float]) -> None:
    """Where it starts the gradient along the circle is zero; the highest points are (1, 0) and (-1, 0)."""
    found = maximise_constrained(Quadratic([[1.0, 0.0], [0.0, 4.0]], [0.0, 0.0]), np.array(start), [CIRCLE])  # type: ignore[arg-type]
    assert found.converged
    np.testing.assert_allclose(np.abs(found.z), [1.0, 0.0], atol=1e-4)
    # on the circle l(t) = -(cos^2 t + 4 sin^2 t)/2 has second derivative -3 at t = 0
    assert found.curvature is not None
    basis = tangent_basis(2.0 * found.z[None])
    basis = basis / np.linalg.norm(basis)
    assert (basis.T @ found.curvature.information @ basis).item() == pytest.approx(3.0, rel=1e-4)


def test_a_constraint_that_can_not_hold_has_not_converged() -> None:
    never = Nonlinear(True, lambda z: (float(z @ z + 1.0), 2.0 * z), "z'z == -1")
    found = maximise_constrained(Quadratic(np.eye(2), [1.0, 0.0]), np.array([0.5, 0.5]), [never])  # type: ignore[arg-type]
    assert not found.converged


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_tangent_does_not_depend_on_units(unit: float) -> None:
    active = np.array([[1.0, 2.0 * unit, 0.0], [2.0, 4.0 * unit, 0.0], [0.0, unit, -1.0]])
    basis = tangent_basis(active, np.array([1.0, unit, 1.0]))
    assert basis.shape == (3, 1)
    np.testing.assert_allclose(basis[:, 0] / basis[2, 0], [-2.0, 1.0 / unit, 1.0], rtol=1e-12)


@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e-6])
def test_inequalities_are_active_in_standard_errors(unit: float) -> None:
    """Bounds that the estimate does not touch change nothing, however small the unit makes its distance from them."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=200)
    data = pd.DataFrame({"x": x, "y": unit * (0.6 * x + rng.normal(size=200))})
    free, bounded = (Model("y ~ a*x\ny ~~ v*y" + more).fit(data) for more in ("", "\nv > 0\na > 0\na*v > 0\nv < 1e6"))
    assert bounded.loglik == pytest.approx(free.loglik, abs=1e-6)
    assert bounded.params.se.to_numpy() == pytest.approx(free.params.se.to_numpy(), rel=1e-3)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@pytest.mark.parametrize(
    "constraint",
    ["v1 > 1.5*v2", "v1^2 == 1.2*v2*v2", "v1 == 1.2*v2", "v1*v2 < 0.9*v3^2", "sqrt(v1) + sqrt(v2) == 2.1*sqrt(v3)"],
)
def test_units_of_constrained_variances(constraint: str, unit: float) -> None:
    """The constraints are homogeneous: they mean the same in every unit."""
    data = pd.read_csv(INPUTS / "one_factor.csv")[["x1", "x2", "x3"]]
    text = "f =~ x1 + x2 + x3\nx1 ~~ v1*x1\nx2 ~~ v2*x2\nx3 ~~ v3*x3\n" + constraint
    one, other = Model(text).fit(data), Model(text).fit(data * unit)
    assert one.converged
    assert other.converged
    assert other.loglik + data.size * np.log(unit) == pytest.approx(one.loglik, abs=1e-5)
    z, w = ((f.params.est / f.params.se).to_numpy(dtype=float) for f in (one, other))
    np.testing.assert_allclose(w, z, rtol=1e-3)  # the optimisers stop at 1e-7 of l
    assert slugs(one) == slugs(other)
