"""Covariates of which one is a linear combination of others, beside the intercept and in random effects, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from semlang.data.centring import About, about_origins, monomial, parts, powers
from semlang.diagnostics import Diagnostic, error
from semlang.model.table import Covariate, ParameterTable, Product, Row
from semlang.sums import count_by, sum_by

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semlang.data.design import Design

    Floats = NDArray[np.float64]

__all__ = ["check"]

TOLERANCE = 1e-7
"""Part of a covariate's standard deviation that must be left over, as in R's ``lm``; no unit or origin changes it."""

EPSILON = 8.0 * 2.0**-52
"""Relative error of a value that was computed in a few steps."""

ENOUGH = 20_000
"""Rows among which a relation is looked for first; it must hold in all."""


def check(table: ParameterTable, designs: Sequence[Design]) -> Iterable[Diagnostic]:
    """Find covariates whose coefficients, or random effects whose covariances, no data like these can tell apart.

    The columns of one linear predictor, in the order of the text, are each regressed on those before, all centred and
    scaled. What is left over must be more than rounding.
    """
    said: set[tuple[Product, ...]] = set()
    for group, design in enumerate(designs, 1):
        for what, response, rows in _predictors(table, group):
            for row, others in _dependent(design, response, rows):
                relation = (row.via, *(o.via for o, _ in others))
                if relation in said:
                    continue
                said.add(relation)
                name = _name(row.via)
                yield error(
                    "collinear-covariates",
                    f"'{name}' is a linear combination of {_few([_quoted(o.via) for o, _ in others])}{what}",
                    table.source,
                    row.span,
                    label=f"{name} = {_sum(others)}",
                    notes="their coefficients can't be told apart"
                    if not what
                    else "their covariances can't be told apart",
                    help=_instead(table, row),
                )


def _instead(table: ParameterTable, row: Row) -> str:
    """Say what to write; of a choice, where a factor times what is the same in a set is coded in full, its margin."""
    rest = [c.name for c in row.via if c.function != "level"]
    factors = [f"factor({c.column})" for c in row.via if c.function == "level"]
    target = table.variables.get(row.target)
    if target is not None and target.kind.sets and factors and rest:
        return f"with a reference level: {target.name} ~ 0*{':'.join(rest)} + {':'.join([*factors, *rest])}"
    return f"leave '{_name(row.via)}' out"


def _predictors(table: ParameterTable, group: int) -> Iterator[tuple[str, str, list[Row]]]:
    """Yield what is said of them, the response and the rows of each set of columns with coefficients of their own."""
    rows = [r for r in table.rows if r.group == group and not r.klass and not r.quantity and not r.category]
    leaves: dict[str, list[Row]] = {}
    for r in rows:
        if r.source and r.op in ("~", "=~"):
            leaves.setdefault(r.source, []).append(r)

    def predictor(key: str) -> str:
        """Return whose linear predictor a variable's covariates enter: its own, or that of which it is a part."""
        own = leaves.get(key, [])
        if table.variables[key].response:
            return table.variables[key].response
        if len(own) == 1 and own[0].parameter < 0 and not own[0].via and own[0].target in table.variables:
            return predictor(own[0].target)
        return key

    fixed: dict[str, list[Row]] = {}
    intercepts: dict[str, Row] = {}
    for r in rows:
        if r.parameter >= 0 and not r.source and r.target in table.variables and r.op in ("~", "~1"):
            fixed.setdefault(predictor(r.target), []).append(r)
        first = r.op == "|" and r.threshold == 1 and not r.via  # thresholds are intercepts
        if r.parameter >= 0 and not r.source and r.target in table.variables and (r.op == "~1" or first):
            intercepts.setdefault(predictor(r.target), r)
            if first:
                fixed.setdefault(r.target, []).insert(0, r)
    for key, found in fixed.items():  # a latent variable's mean is those of its indicators
        targets = [r.target for r in leaves.get(key, []) if r.target in table.variables]
        if key not in intercepts and targets and all(predictor(t) in intercepts for t in targets):
            found.insert(0, intercepts[predictor(targets[0])])
    yield from (("", key, found) for key, found in fixed.items())
    effects: dict[str, tuple[str, Row]] = {}
    for r in rows:
        if r.op == "~" and r.source in table.variables and r.target in table.variables and not r.moderators:
            v = table.variables[r.source]
            if not v.measured and v.kind.continuous:
                target = table.variables[r.target]
                effects.setdefault(r.source, (target.response or target.key, r))
    root = {key: key for key in effects}

    def find(key: str) -> str:
        while root[key] != key:
            key = root[key]
        return key

    for r in rows:
        if r.op == "~~" and r.target in effects and r.source in effects and r.parameter >= 0:
            root[find(r.target)] = find(r.source)
    joined: dict[tuple[str, str], list[Row]] = {}
    for key, (response, r) in effects.items():
        joined.setdefault((find(key), response), []).append(r)
    for (key, response), found in joined.items():
        yield f" in the random effects of {table.variables[key].level}", response, found


def _dependent(design: Design, response: str, rows: Sequence[Row]) -> Iterator[tuple[Row, list[tuple[Row, float]]]]:
    """Yield rows whose column depends on those of rows before, with the relation's coefficients."""
    import numpy as np

    distinct = list({r.via: r for r in reversed(rows)}.values())[::-1]
    distinct.sort(key=lambda r: bool(r.via))
    if len(distinct) < 2 or any(r.via and r.via not in design.columns for r in distinct):
        return
    columns = {r.via: design.columns[r.via] for r in distinct if r.via}
    known = np.ones(design.n_rows, dtype=bool)
    for column in columns.values():
        known &= np.isfinite(column)
    if response in design.responses:
        known &= ~np.isnan(design.responses[response])
    places = np.flatnonzero(known)
    if places.size < 2:
        return
    few = places[:: max(places.size // ENOUGH, 1)]
    constant = any(not r.via for r in distinct)
    chosen = next((r.target for r in rows if r.target in design.sets and r.target not in design.terms), None)
    sets = None if chosen is None else design.sets[chosen]
    if chosen is not None and sets is not None:  # what is the same for all alternatives of a set is an intercept of it
        known &= np.isfinite(design.responses[chosen])
        places = np.flatnonzero(known)
        few = places[np.argsort(sets[places], kind="stable")][:ENOUGH]

    def less_origin(x: Floats, at: NDArray[np.int64]) -> Floats:
        if sets is not None:
            of = np.unique(sets[at], return_inverse=True)[1]
            return np.asarray(x - (sum_by(of, x) / count_by(of))[of])
        return np.asarray(x - x.mean()) if constant else x

    origins = _origins(design, [r.via for r in distinct], few)
    tolerance = max([TOLERANCE, *(_rounding(design.columns[(c,)][few]) for via in columns for c in powers(via))])
    basis = np.zeros((few.size, 0))
    before: list[Row] = [r for r in distinct if not r.via]
    for r in distinct:
        if not r.via:
            continue
        x = about_origins(design.columns, _about(r.via, origins))[few]
        centred = less_origin(x, few)
        size = float(np.sqrt((centred**2).mean()))
        if not size > EPSILON * float(np.abs(x).max()):
            continue  # constant: another finding
        rest = centred / size
        for _ in range(2):  # once more: the first leaves rounding
            rest = rest - basis @ (basis.T @ rest) / few.size
        left = float(np.sqrt((rest**2).mean()))
        if left > tolerance:
            basis = np.column_stack([basis, rest / left])
            before.append(r)
            continue
        found = _relation(columns, r, before, places, tolerance, less_origin)
        if found is not None:
            yield r, found


def _about(via: Product, origins: dict[Covariate, float]) -> About:
    return tuple((c, n, origins.get(c, 0.0)) for c, n in powers(via).items())


def _origins(design: Design, products: Sequence[Product], few: NDArray[np.int64]) -> dict[Covariate, float]:
    """Return the means of covariates about which products span what they span as they are."""
    written = {monomial(via) for via in products}
    origins = {c: float(design.columns[(c,)][few].mean()) for via in products for c in powers(via)}
    while origins:
        lost = {
            min(part.moved, key=lambda c: abs(origins[c]))
            for via in products
            if via
            for part in parts(_about(via, origins))
            if part.moved and part.monomial not in written
        }
        if not lost:
            break
        origins = {c: origin for c, origin in origins.items() if c not in lost}
    return origins


def _rounding(x: Floats) -> float:
    """Return what the rounding of a column's values is, in its standard deviations."""
    deviation = float(x.std())
    return EPSILON * float(abs(x).max()) / deviation if deviation > 0.0 else 0.0


def _relation(
    columns: dict[Product, Floats],
    row: Row,
    before: Sequence[Row],
    places: NDArray[np.int64],
    tolerance: float,
    less_origin: Callable[[Floats, NDArray[np.int64]], Floats],
) -> list[tuple[Row, float]] | None:
    """Return the coefficients of a relation that holds in all rows; None where it does not."""
    import numpy as np

    def centred(via: Product) -> tuple[Floats, float, float]:
        x = columns[via][places]
        mean = float(x.mean()) if constant else 0.0
        rest = less_origin(x, places)
        size = float(np.sqrt((rest**2).mean()))
        return rest / size, mean, size

    constant = any(not r.via for r in before)
    z, mean, size = centred(row.via)
    others = [r for r in before if r.via]
    parts = [centred(r.via) for r in others]
    X = np.column_stack([p[0] for p in parts]) if parts else np.zeros((places.size, 0))
    b = np.linalg.lstsq(X, z, rcond=1e-12)[0]
    if float(np.sqrt(((z - X @ b) ** 2).mean())) > tolerance:
        return None
    slopes = [float(c) * size / p[2] for c, p in zip(b, parts, strict=True)]
    out = [(r, c) for r, c, share in zip(others, slopes, b, strict=True) if abs(share) > TOLERANCE**0.5]
    level = mean - sum(c * p[1] for c, p in zip(slopes, parts, strict=True))
    if constant and abs(level) > TOLERANCE**0.5 * size:
        out.insert(0, (next(r for r in before if not r.via), level))
    return out


def _name(via: Product) -> str:
    return ":".join(c.name for c in via) or "1"


def _quoted(via: Product) -> str:
    return f"'{_name(via)}'" if via else "the intercept"


def _few(names: Sequence[str]) -> str:
    if len(names) > 4:
        return ", ".join(names[:4]) + f" and {len(names) - 4} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sum(parts: Sequence[tuple[Row, float]]) -> str:
    out = ""
    for row, c in parts[:4]:
        size = "" if row.via and abs(abs(c) - 1.0) < 1e-6 else f"{abs(c):.4g}"
        term = f"{size} {_name(row.via)}".strip() if row.via else size
        out += (f" {'-' if c < 0 else '+'} " if out else "-" if c < 0 else "") + term
    return out + (" + ..." if len(parts) > 4 else "")
