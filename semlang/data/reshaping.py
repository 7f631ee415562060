"""Long data made wide, as ``reshape: y = item, id = person`` asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from semlang.data.columns import row_names
from semlang.data.levels import level_text
from semlang.diagnostics import Diagnostic, error
from semlang.source import Source

if TYPE_CHECKING:
    import pandas as pd

_DONE = "semlang.reshaped"


def widen(
    frame: pd.DataFrame, reshape: Mapping[str, str], source: Source | None = None
) -> tuple[pd.DataFrame | None, tuple[Diagnostic, ...]]:
    """Return one row an identifier, with a column ``y_VALUE`` for each value of the item column.

    Parameters
    ----------
    frame : DataFrame
        One row for each pair of identifier and item.
    reshape : mapping
        ``id`` to the identifier, every other name to the column whose values tell its items apart.
    source : Source, optional
        The model text, for findings.

    Returns
    -------
    frame : DataFrame or None
        Rows in order of appearance; other columns are kept where they do not vary within the identifier. None where
        there is an error.
    findings : tuple of Diagnostic

    Examples
    --------
    >>> import pandas as pd
    >>> long = pd.DataFrame({"p": [1, 1, 2], "i": ["a", "b", "a"], "y": [1, 0, 1], "age": [7, 7, 8]})
    >>> widen(long, {"y": "i", "id": "p"})[0].to_dict("list")
    {'p': [1, 2], 'age': [7, 8], 'y_a': [1.0, 1.0], 'y_b': [0.0, nan]}
    """
    if not reshape or frame.attrs.get(_DONE):
        return frame, ()
    identifier = reshape.get("id", "")
    values = {y: item for y, item in reshape.items() if y != "id"}
    absent = [c for c in dict.fromkeys((identifier, *values, *values.values())) if c not in frame.columns]
    if absent or not values:
        what = f"the data have no column '{absent[0]}'" if absent else "reshape needs a column, as in  y = item"
        slug = "unknown-column" if absent else "bad-reshape"
        return None, (error(slug, f"{what}, which reshape names" if absent else what, source),)
    by = frame[identifier]
    if by.isna().any():
        rows = by.isna().to_numpy().nonzero()[0]
        return None, (
            error("missing-cluster", f"'{identifier}' is missing for some rows", source, label=row_names(rows)),
        )
    groups = frame.groupby(identifier, sort=False, observed=True)
    rest = [c for c in frame.columns if c not in (identifier, *values, *values.values())]
    kept = [c for c in rest if groups[c].nunique().max() <= 1]
    wide = groups[kept].first()
    for y, item in values.items():
        twice = frame.duplicated([identifier, item]).to_numpy() & frame[item].notna().to_numpy()
        if twice.any():
            return None, (
                error(
                    "duplicate-rows",
                    f"some pairs of '{identifier}' and '{item}' stand in more than one row",
                    source,
                    label=row_names(twice.nonzero()[0]),
                    help="leave one row of each pair",
                ),
            )
        parts = frame[frame[item].notna()].set_index([identifier, item])[y].unstack()  # noqa: PD010
        wide = wide.join(parts.rename(columns={c: f"{y}_{level_text(c)}" for c in parts.columns}))
    wide = wide.reset_index()
    wide.attrs[_DONE] = True
    return wide, ()
