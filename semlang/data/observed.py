"""Latent variables that are known for some units: what their column says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns

__all__ = ["observed_values"]

Floats = NDArray[np.float64]


def observed_values(columns: Columns) -> dict[str, Floats]:
    """Return, by key of a latent variable with ``observed=``, its class from 1, or its value; NaN where not known.

    Classes are the sorted values of the column; where there are fewer values than classes, whole numbers from 1 name
    their classes.
    """
    found: dict[str, Floats] = {}
    for v in columns.table.latents:
        name = v.arguments.get("observed")
        if not isinstance(name, str) or name not in columns.frame.columns:
            continue
        if v.kind.name != "class":
            values = columns.numbers(name)
            if values is not None:
                found[v.key] = values
            continue
        names, codes = columns.levels(name)
        n = int(v.arguments.get("classes", 1))
        if len(names) > n:
            columns.blame(
                name,
                "more-classes-observed",
                f"'{name}' has {len(names)} values, but '{v.key}' has {n} classes",
                label=f"values are {', '.join(names[:6])}",
                help=f"write '{v.name} :: class({len(names)}, observed={name})', or mend the column",
            )
            continue
        numbered = len(names) < n and all(x.isdigit() and 1 <= int(x) <= n for x in names)
        number = np.array([int(x) if numbered else k for k, x in enumerate(names, 1)] + [0], dtype=np.float64)
        number[-1] = np.nan
        found[v.key] = number[codes]
    return found
