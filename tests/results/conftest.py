"""Fits that several tests of results read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semlang as sl

ROOT = Path(__file__).parents[2]
HS = ROOT / "examples" / "holzinger-swineford" / "holzinger-swineford.csv"
POLDEM = ROOT / "examples" / "political-democracy" / "political-democracy.csv"

CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"
EQUAL = """ind60 =~ x1 + x2 + x3
dem60 =~ y1 + a*y2 + b*y3 + c*y4
dem65 =~ y5 + a*y6 + b*y7 + c*y8
dem60 ~ ind60
dem65 ~ ind60 + dem60
y1~~y5
y2~~y4 + y6
y3~~y7
y4~~y8
y6~~y8
"""


def holes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the data with x[i, j] missing where 7 i + 3 j is a multiple of 11, and all of row 4."""
    out = frame.copy()
    names = [f"x{j}" for j in range(1, 10)]
    i, j = np.meshgrid(np.arange(len(out)), np.arange(9), indexing="ij")
    out[names] = out[names].astype(float).mask(((7 * i + 3 * j) % 11 == 0) | (i == 4))
    return out


@pytest.fixture(scope="session")
def lavaan() -> dict[str, Any]:
    """Return lavaan's results; the file says which version and when."""
    text = (Path(__file__).parent / "lavaan_after_fit.json").read_text(encoding="utf-8")
    cases: dict[str, Any] = json.loads(text)["cases"]
    return cases


@pytest.fixture(scope="session")
def fits() -> dict[str, sl.Fit]:
    """Return the fits of lavaan's cases."""
    complete = pd.read_csv(HS)
    return {
        "complete": sl.Model(CFA).fit(complete, threads=1),
        "equal": sl.Model(EQUAL).fit(POLDEM, threads=1),
        "missing": sl.Model(CFA).fit(holes(complete), threads=1),
    }
