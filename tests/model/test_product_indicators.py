"""Products among indicators: columns of products as in lavaan, or loadings that a covariate multiplies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.errors import SemlangError


def frame(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    f, g = rng.normal(size=(2, n))
    data = {f"x{k}": f + rng.normal(size=n) for k in (1, 2, 3)} | {f"z{k}": g + rng.normal(size=n) for k in (1, 2, 3)}
    return pd.DataFrame(data | {"y": f + g + 0.4 * f * g + rng.normal(size=n)})


TEXT = "fx =~ x1 + x2 + x3\nfz =~ z1 + z2 + z3\nfxz =~ {products}\ny ~ fx + fz + fxz"


def test_products_are_columns_of_products() -> None:
    data = frame()
    made = data.assign(**{f"p{k}": data[f"x{k}"] * data[f"z{k}"] for k in (1, 2, 3)})
    fit = sl.Model(TEXT.format(products="x1:z1 + x2:z2 + x3:z3")).fit(data)
    other = sl.Model(TEXT.format(products="p1 + p2 + p3")).fit(made)
    assert fit.n_free == other.n_free
    assert fit.loglik == pytest.approx(other.loglik, abs=1e-6)
    assert [d.slug for d in fit.diagnostics].count("product-indicator") == 3


def test_the_order_of_a_product_does_not_matter() -> None:
    data = frame()
    one = sl.Model(TEXT.format(products="x1:z1 + x2:z2 + x3:z3")).fit(data)
    other = sl.Model(TEXT.format(products="z1:x1 + x2:z2 + z3:x3")).fit(data)
    assert one.loglik == pytest.approx(other.loglik, abs=1e-6)


@pytest.mark.parametrize("product", ["y2:w", "w:y2"])
def test_one_response_is_the_indicator_and_the_other_multiplies_its_loading(product: str) -> None:
    rows = sl.Model(f"f =~ y1 + y2 + y3 + {product}").parameter_table.rows
    row = next(r for r in rows if r.op == "=~" and r.via)
    assert (row.target, [c.column for c in row.via]) == ("y2", ["w"])


def test_a_missing_factor_of_a_product_is_a_missing_product() -> None:
    data = frame()
    data.loc[:9, "z1"] = np.nan
    made = data.assign(p=data["x1"] * data["z1"])
    one, other = sl.Model("x1:z1 ~ y").fit(data), sl.Model("p ~ y").fit(made)
    assert one.loglik == pytest.approx(other.loglik, abs=1e-9)


def test_an_absent_or_text_factor_is_a_finding() -> None:
    for data, slug in ((frame().drop(columns="z2"), "unknown-column"), (frame().assign(z2="a"), "text-column")):
        with pytest.raises(SemlangError) as caught:
            sl.Model(TEXT.format(products="x1:z1 + x2:z2")).fit(data)
        assert slug in {d.slug for d in caught.value.diagnostics}
