"""`python memory_kinds.py KIND ROWS` prints bytes: of the data, of the highest point of a fit, and of what comes after.

Text and data of each kind; the data are simulated.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Draw = Callable[[np.random.Generator, int], dict[str, np.ndarray]]


def ordinal(nu: np.ndarray) -> np.ndarray:
    return 1.0 + (nu > -1.0) + (nu > 0.2) + (nu > 1.0)


def binary(rng: np.random.Generator, nu: np.ndarray) -> np.ndarray:
    return (nu + rng.logistic(size=nu.size) > 0).astype(float)


def factors(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    first, other = rng.normal(size=(2, n))
    return first, 0.4 * first + 0.9 * other


def product(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    f, g = factors(rng, n)
    h = 0.5 * f + 0.4 * g + 0.3 * f * g + 0.7 * rng.normal(size=n)
    means = {"x": f, "w": g, "y": h}
    return {f"{k}{i}": m + 0.6 * rng.normal(size=n) for k, m in means.items() for i in (1, 2, 3)}


def quadratic(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    f = rng.normal(size=n)
    h = 0.5 * f + 0.3 * f**2 + 0.7 * rng.normal(size=n)
    return {f"{k}{i}": m + 0.6 * rng.normal(size=n) for k, m in {"x": f, "y": h}.items() for i in (1, 2, 3)}


def ordinal_product(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    f, g = factors(rng, n)
    out = {f"{k}{i}": ordinal(m + 0.6 * rng.normal(size=n)) for k, m in {"x": f, "w": g}.items() for i in (1, 2, 3)}
    return {**out, "y": 0.5 * f + 0.4 * g + 0.3 * f * g + 0.7 * rng.normal(size=n)}


def classes(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    a, b = rng.normal(size=(2, n))
    c = 0.8 * a - 0.4 * b + rng.logistic(size=n) > 0
    return {**{f"u{i}": binary(rng, np.where(c, 1.2, 0.1 * i - 1.0)) for i in range(1, 7)}, "a": a, "b": b}


def regressions_of_classes(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    a, b = rng.normal(size=(2, n))
    c = 0.8 * a + rng.logistic(size=n) > 0
    out = {f"y{i}": np.where(c, 1.5 + 0.8 * b, -1.0 - 0.3 * b) + rng.normal(size=n) for i in (1, 2, 3)}
    return {**out, "a": a, "b": b}


def mimic(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    a, b = rng.normal(size=(2, n))
    e = (rng.normal(size=n) > 0).astype(float)
    eta = 0.4 * a - 0.3 * b + 0.5 * e + rng.normal(size=n)
    out = {f"u{i}": binary(rng, 1.2 * eta - 0.3 * i) for i in (1, 2, 3)}
    return {**out, **{f"o{i}": ordinal(eta + 0.8 * rng.normal(size=n)) for i in (1, 2, 3)}, "a": a, "b": b, "e": e}


def location_and_scale(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    g = np.arange(n) // 5
    u, v = rng.normal(size=(2, n))
    x = rng.normal(size=n)
    return {"g": g, "x": x, "y": 1.0 + 0.5 * x + u[g] + np.exp(0.3 * v[g]) * rng.normal(size=n)}


def missing_predictor(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    x = rng.normal(size=n)
    m = binary(rng, 0.5 * x)
    y = 0.7 * m + 0.4 * x + rng.normal(size=n)
    return {"x": x, "y": y, "w": binary(rng, m + 0.3 * x), "m": np.where(rng.random(n) < 0.2, np.nan, m)}


def classes_of_groups(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    g = np.arange(n) // 10
    c, u = rng.random(n) < 0.4, 0.5 * rng.normal(size=n)
    return {"g": g, **{f"u{i}": binary(rng, np.where(c[g], 1.0, -1.0) + u[g] + 0.3 * i) for i in (1, 2, 3)}}


def long_items(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    p, item = np.arange(n) // 10, np.arange(n) % 10
    return {"p": p, "item": item, "y": binary(rng, rng.normal(size=n)[p] - 0.2 * item)}


def missing_values(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    f, g = factors(rng, n)
    out = {f"{k}{i}": m + 0.6 * rng.normal(size=n) for k, m in {"x": f, "w": g}.items() for i in (1, 2, 3)}
    return {k: np.where(rng.random(n) < 0.15, np.nan, y) for k, y in out.items()}


PRODUCT = "f =~ x1 + x2 + x3\ng =~ w1 + w2 + w3\n"
KINDS: dict[str, tuple[str, Draw]] = {
    "product of two factors": (PRODUCT + "h =~ y1 + y2 + y3\nh ~ f + g + f:g", product),
    "square of a factor": ("f =~ x1 + x2 + x3\nh =~ y1 + y2 + y3\nh ~ f + f:f", quadratic),
    "product of factors of ordinal items": (
        "x{1..3} :: ordinal(probit)\nw{1..3} :: ordinal(probit)\n" + PRODUCT + "y ~ f + g + f:g", ordinal_product
    ),
    "classes with covariates": ("u{1..6} :: binomial(logit)\nc :: class(3)\nu{1..6} ~ c\nc ~ a + b", classes),
    "regressions of classes": ("c :: class(2)\nc ~ a\ny{1..3} ~ c\ny{1..3} ~ c:b", regressions_of_classes),
    "factor with covariates": (
        "u{1..3} :: binomial(logit)\no{1..3} :: ordinal(logit)\nf =~ u1 + u2 + u3 + o1 + o2 + o3\nf ~ a + b + e", mimic
    ),
    "location and scale": ("cluster: g\ny ~ x + (1 | g)\nsigma(y) ~ (1 | g)", location_and_scale),
    "missing predictor": (
        "m :: binomial(logit)\nw :: binomial(logit)\nm ~ x\ny ~ m + x\nw ~ m + x", missing_predictor
    ),
    "classes of groups": ("cluster: g\nu{1..3} :: binomial(logit)\nc[g] :: class(2)\nc =~ u{1..3}", classes_of_groups),
    "long item responses": ("cluster: p\ny :: binomial(logit)\ny ~ 0 + factor(item) + (1 | p)", long_items),
    "factors with missing values": ("f =~ x1 + x2 + x3\ng =~ w1 + w2 + w3", missing_values),
}  # fmt: skip


def highest() -> int:
    """Return the highest number of bytes that this process has held since that was set back."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def main(kind: str, rows: int) -> None:
    import semlang as sl

    text, draw = KINDS[kind]
    data = pd.DataFrame(draw(np.random.default_rng(1), rows))
    sl.Model(text).fit(data.head(1000))
    Path("/proc/self/clear_refs").write_text("5")
    before = highest()
    fit = sl.Model(text).fit(data)
    peak = highest() - before
    if "class(" not in text and kind != "missing predictor":  # there are latent variables
        fit.scores()
    else:
        fit.predict()
    print(data.memory_usage(index=False).sum(), peak, highest() - before)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
