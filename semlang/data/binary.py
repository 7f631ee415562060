"""Binary and binomial responses."""

from __future__ import annotations

import difflib

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns, row_names
from semlang.data.levels import level_text
from semlang.model.table import Variable

Floats = NDArray[np.float64]


def binary_values(columns: Columns, v: Variable) -> tuple[Floats, tuple[str, ...]] | None:
    """Return 0, 1 or NaN for every row and the two categories; None where a finding says what is wrong.

    Numbers are 0 and 1, booleans false and true; two categories of any other sort need ``success=``.
    """
    name = v.name
    success = v.arguments.get("success")
    if success is None and columns.numeric(name):
        values = columns.numbers(name)
        if values is None:
            return None
        either = (values == 0) | (values == 1)
        if either.all() or (either | np.isnan(values)).all():
            return values, ("0", "1")
    names, codes = columns.levels(name)
    if success is None and names and set(names) <= {"False", "True"}:
        truth = np.array([float(n == "True") for n in names] + [np.nan])
        return truth[codes], ("False", "True")
    if not names:
        columns.blame(name, "empty-column", f"column '{name}' has no value", label="all rows are missing")
        return None
    if len(names) > 2:
        _too_many(columns, v, names)
        return None
    if success is None:
        _ask(columns, v, names)
        return None
    wanted = level_text(success)
    if wanted not in names:
        near = difflib.get_close_matches(wanted, names, 1, 0.0)
        columns.blame(
            name,
            "unknown-category",
            f"'{name}' never has the value '{wanted}'",
            label=f"its values are {' and '.join(names)}",
            help=f'write  {name} :: binomial({v.link}, success="{near[0]}")',
        )
        return None
    out = (codes == names.index(wanted)).astype(np.float64)
    out[codes < 0] = np.nan
    other = next((n for n in names if n != wanted), "")
    return out, (other, wanted)


def binomial_values(columns: Columns, v: Variable, trials: object) -> tuple[Floats, Floats] | None:
    """Return successes and numbers of trials; None where a finding says what is wrong."""
    y = columns.numbers(v.name)
    n: Floats | None
    if isinstance(trials, int | float):
        label, n = f"trials = {trials:g}", np.full(len(columns.frame), float(trials))
    else:
        label, n = str(trials), columns.numbers(str(trials))
    if y is None or n is None:
        return None
    with np.errstate(invalid="ignore"):
        broken = np.flatnonzero(((n < 0) | (n != np.floor(n))) & ~np.isnan(n))
        if broken.size:
            columns.blame(
                label if label in columns.frame else v.name,
                "bad-trials",
                f"the numbers of trials of '{v.name}' are not all counts",
                label=row_names(broken),
            )
            return None
        wrong = np.flatnonzero((y < 0) | (y != np.floor(y)) & ~np.isnan(y) | (y > n))
    if wrong.size:
        k = wrong[0]
        columns.blame(
            v.name,
            "bad-trials",
            f"'{v.name}' is not between 0 and its number of trials in some rows",
            label=f"{y[k]:g} of {n[k]:g} trials in {row_names(wrong)}",
            help="the response is the number of successes, and trials= the number of all trials",
        )
        return None
    return y, n.copy()


def _too_many(columns: Columns, v: Variable, names: tuple[str, ...]) -> None:
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    help = [f"with ordered categories: {v.name} :: ordinal({v.link if v.link != 'cauchit' else 'logit'})"]
    if columns.numeric(v.name):
        help.append(f"with numbers of successes: {v.name} :: binomial({v.link}, trials=n)")
    columns.blame(
        v.name,
        "not-binary",
        f"the binomial response '{v.name}' has more than two values",
        label=f"{len(names)} values: {shown}",
        help=help,
    )


def _ask(columns: Columns, v: Variable, names: tuple[str, ...]) -> None:
    write = f'write  {v.name} :: binomial({v.link}, success="{names[-1]}")'
    if columns.numeric(v.name):
        if len(names) == 1:
            columns.blame(
                v.name,
                "constant-response",
                f"the response '{v.name}' does not vary",
                label=f"all values are {names[0]}",
            )
            return
        columns.blame(
            v.name,
            "not-binary",
            f"the binomial response '{v.name}' is not coded 0 and 1",
            label=f"its values are {' and '.join(names)}",
            help=write.replace('"', ""),
        )
        return
    columns.blame(
        v.name,
        "no-success-category",
        f"it is not said which category of '{v.name}' is a success",
        label=f"its values are {' and '.join(names)}",
        help=write,
    )
