r"""Closed formulas of the parameters of small gaussian models, from their moments.

The moments are expanded as polynomials of the parameters. A parameter is solved

* as a ratio, where one moment is identically the parameter times another: lambda_2 = cov(y2, y3) / cov(y1, y3);
* as a root, where a product of two moments is identically its square times a third;
* from one moment that is linear in it, all else being solved before;
* with a second one, from two moments that are linear in both (Cramer's rule).

Each step is an identity of polynomials, so every formula is exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from semlang.checks.identification.moments import Block
from semlang.checks.identification.names import Names

Monomial = tuple[int, ...]
Number = int | Fraction
Polynomial = dict[Monomial, Number]

MOST_PARAMETERS, MOST_RESPONSES, MOST_TERMS = 24, 7, 60


@dataclass(frozen=True)
class Formula:
    """A parameter in terms of moments and parameters solved before it, as text and as LaTeX."""

    text: str
    latex: str


@dataclass(frozen=True)
class _Symbol:
    text: str
    latex: str


def formulas(block: Block, names: Names) -> dict[int, Formula]:
    """Return formulas by parameter, in the order in which they are derived; empty for models that are not small."""
    form = block.form
    if (
        form.n_parameters > MOST_PARAMETERS
        or len(form.responses) > MOST_RESPONSES
        or len(form.random_columns) > 1
        or form.quantities
        or form.thresholds
        or any(m.residual != "theta" for m in block.margins)
        or len(set(block.disturbance_levels) | set(block.response_levels)) > 1
    ):
        return {}
    means, covariances = _moments(block)
    if any(len(p) > MOST_TERMS for p in covariances.values()):
        return {}
    return _Solver(names, means, covariances).solve()


def _add(a: Polynomial, b: Polynomial, factor: int = 1) -> Polynomial:
    out = dict(a)
    for m, c in b.items():
        out[m] = out.get(m, 0) + factor * c
        if not out[m]:
            del out[m]
    return out


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    out: Polynomial = {}
    for (m, c), (n, d) in itertools.product(a.items(), b.items()):
        key = tuple(sorted(m + n))
        out[key] = out.get(key, 0) + c * d
        if not out[key]:
            del out[key]
    return out


def _one(p: int, value: float) -> Polynomial:
    if p >= 0:
        return {(p,): 1}
    exact = Fraction(repr(float(value)))
    return {(): exact.numerator if exact.denominator == 1 else exact} if exact else {}


def _moments(block: Block) -> tuple[dict[_Symbol, Polynomial], dict[_Symbol, Polynomial]]:
    form = block.form
    slots: list[Polynomial] = [{} for _ in range(form.n_slots)]
    slots[0] = {(): 1}
    for (to, frm, p), c in zip(form.program.tolist(), form.constants.tolist(), strict=True):
        slots[to] = _add(slots[to], _times(_one(p, c), slots[frm]))
    keys = form.responses
    means: dict[_Symbol, Polynomial] = {}
    for k, c, slot in form.mean_cells.tolist():
        x = ":".join(f.name for f in form.mean_columns[c])
        y = keys[k]
        symbol = (
            _Symbol(f"E({y})", rf"\mu_{{{_tex(y)}}}")
            if not x
            else _Symbol(f"slope({y} on {x})", rf"\pi_{{{_tex(y)},{_tex(x)}}}")
        )
        means[symbol] = slots[slot]
    if any(form.mean_columns):
        means = {
            (
                _Symbol(s.text.replace("E(", "intercept("), s.latex.replace("mu", "pi"))
                if s.text.startswith("E(")
                else s
            ): p
            for s, p in means.items()
        }
    n = len(form.disturbances)
    psi = [[{} for _ in range(n)] for _ in range(n)]  # type: list[list[Polynomial]]
    for i, j, p, v in _cells(form.psi):
        psi[i][j] = psi[j][i] = _one(p, v)
    loading: list[list[Polynomial]] = [[{} for _ in range(n)] for _ in keys]
    for k, _, j, slot in form.loading_cells.tolist():
        loading[k][j] = slots[slot]
    theta: dict[tuple[int, int], Polynomial] = {}
    for i, j, p, v in _cells(form.theta):
        theta[i, j] = theta[j, i] = _one(p, v)
    covariances: dict[_Symbol, Polynomial] = {}
    columns = [":".join(f.name for f in c) for c in form.mean_columns if c]
    given = " | covariates" if len(columns) > 2 else f" | {', '.join(columns)}" if columns else ""
    for i, a in enumerate(keys):
        for j in range(i + 1):
            total: Polynomial = dict(theta.get((i, j), {}))
            for r, s in itertools.product(range(n), range(n)):
                if loading[i][r] and loading[j][s] and psi[r][s]:
                    total = _add(total, _times(_times(loading[i][r], psi[r][s]), loading[j][s]))
            b = keys[j]
            text = f"var({a}{given})" if i == j else f"cov({b}, {a}{given})"
            covariances[_Symbol(text, rf"\sigma_{{{_tex(b)},{_tex(a)}}}")] = total
    return means, covariances


def _cells(cells: object) -> Iterator[tuple[int, int, int, float]]:
    from semlang.matrices.reduced import Cells

    assert isinstance(cells, Cells)
    yield from zip(cells.i.tolist(), cells.j.tolist(), cells.parameter.tolist(), cells.value.tolist(), strict=True)


class _Solver:
    def __init__(self, names: Names, means: dict[_Symbol, Polynomial], covariances: dict[_Symbol, Polynomial]) -> None:
        self.names, self.means, self.covariances = names, means, covariances
        self.known: dict[int, Formula] = {}
        self.parameters = sorted({p for poly in (*means.values(), *covariances.values()) for m in poly for p in m})
        self.symbols = {_frozen(p): s for s, p in covariances.items() if p}

    def solve(self) -> dict[int, Formula]:
        """Repeat the steps, the simplest first, until none adds a formula."""
        while any(step() for step in (self._ratios, self._linear, self._products, self._pairs)):
            pass
        return self.known

    @property
    def _open(self) -> list[int]:
        return [p for p in self.parameters if p not in self.known]

    def _ratios(self) -> bool:
        found = False
        for p in self._open:
            for symbol, poly in self.covariances.items():
                target = self.symbols.get(_frozen(_times({(p,): 1}, poly))) if len(poly) else None
                if target is not None:
                    self.known[p] = Formula(f"{target.text} / {symbol.text}", _frac(target.latex, symbol.latex))
                    found = True
                    break
        return found

    def _products(self) -> bool:
        """Solve p from m1 m2 = p^2 m3 (root) or m1 m2 = p m3."""
        items = [(s, p) for s, p in self.covariances.items() if p and len(p) <= 6]
        pairs: dict[frozenset[tuple[Monomial, Number]], tuple[_Symbol, _Symbol]] = {}
        for (s, a), (t, b) in itertools.combinations_with_replacement(items, 2):
            pairs.setdefault(_frozen(_times(a, b)), (s, t))
        for power, p in itertools.product((1, 2), self._open):
            for symbol, poly in items:
                hit = pairs.get(_frozen(_times({(p,) * power: 1}, poly)))
                if hit is None or symbol in hit:
                    continue
                text = f"{hit[0].text} {hit[1].text} / {symbol.text}"
                latex = _frac(f"{hit[0].latex} {hit[1].latex}", symbol.latex)
                if power == 2:
                    text, latex = f"sqrt({text}), up to sign", rf"\pm\sqrt{{{latex}}}"
                self.known[p] = Formula(text, latex)
                return True
        return False

    def _linear(self) -> bool:
        found = False
        simple_first = sorted(self.covariances.items(), key=lambda e: len(e[1]))
        for symbol, poly in (*self.means.items(), *simple_first):
            unknown = {p for m in poly for p in m} - set(self.known)
            if len(unknown) != 1:
                continue
            (p,) = unknown
            split = self._split(poly, p)
            if split is None:
                continue
            factor, rest = split
            top, top_latex = symbol.text, symbol.latex
            if rest:
                text, latex = self._text(rest)
                top, top_latex = f"{top} - {text}", f"{top_latex} - {latex}"
                if len(rest) > 1:
                    top, top_latex = f"{symbol.text} - ({text})", f"{symbol.latex} - ({latex})"
            self.known[p] = self._divide(top, top_latex, factor, bool(rest))
            found = True
        return found

    def _pairs(self) -> bool:
        """Solve two unknowns from two moments linear in both, whose coefficients are moments."""
        rows = []
        for symbol, poly in self.covariances.items():
            terms = self._linear_terms(poly)
            if terms is not None and len(terms) == 2:
                rows.append((symbol, terms))
        for (s, a), (t, b) in itertools.combinations(rows, 2):
            if set(a) != set(b):
                continue
            p, q = sorted(a)
            d = f"{a[p].text} {b[q].text} - {a[q].text} {b[p].text}"
            e = f"{a[p].latex} {b[q].latex} - {a[q].latex} {b[p].latex}"
            for this, other in ((p, q), (q, p)):
                sign = (s, b, t, a) if this == p else (t, a, s, b)
                top = f"{sign[0].text} {sign[1][other].text} - {sign[2].text} {sign[3][other].text}"
                top_latex = f"{sign[0].latex} {sign[1][other].latex} - {sign[2].latex} {sign[3][other].latex}"
                self.known[this] = Formula(f"({top}) / ({d})", _frac(top_latex, e))
            return True
        return False

    def _linear_terms(self, poly: Polynomial) -> dict[int, _Symbol] | None:
        """Write a moment as sum of unknown x moment, or return None."""
        unknown = [p for p in self._open if any(p in m for m in poly)]
        for pair in itertools.combinations(unknown, 2):
            parts: dict[int, Polynomial] = {p: {} for p in pair}
            for m, c in poly.items():
                owners = [p for p in pair if p in m]
                if len(owners) != 1 or m.count(owners[0]) != 1:
                    break
                rest = list(m)
                rest.remove(owners[0])
                parts[owners[0]][tuple(rest)] = c
            else:
                found = {p: self.symbols.get(_frozen(part)) for p, part in parts.items()}
                if all(found.values()):
                    return {p: s for p, s in found.items() if s is not None}
        return None

    def _split(self, poly: Polynomial, p: int) -> tuple[Polynomial, Polynomial] | None:
        factor: Polynomial = {}
        rest: Polynomial = {}
        for m, c in poly.items():
            match m.count(p):
                case 0:
                    rest[m] = c
                case 1:
                    left = list(m)
                    left.remove(p)
                    factor[tuple(left)] = c
                case _:
                    return None
        return factor, rest

    def _divide(self, top: str, top_latex: str, factor: Polynomial, compound: bool) -> Formula:
        if factor == {(): 1}:
            return Formula(top, top_latex)
        text, latex = self._text(factor)
        below = text if len(factor) == 1 and sum(map(len, factor)) == 1 else f"({text})"
        return Formula(f"({top}) / {below}" if compound else f"{top} / {below}", _frac(top_latex, latex))

    def _text(self, poly: Polynomial) -> tuple[str, str]:
        symbol = self.symbols.get(_frozen(poly))
        if symbol is not None and any(p not in self.known for m in poly for p in m):
            return symbol.text, symbol.latex
        texts, latexes = [], []
        for m, c in sorted(poly.items()):
            factors = [] if c == 1 and m else [str(c)]
            latex = list(factors)
            for p in dict.fromkeys(m):
                n = m.count(p)
                factors.append(f"[{self.names.text(p)}]" + (f"^{n}" if n > 1 else ""))
                latex.append(parameter_latex(self.names, p) + (f"^{n}" if n > 1 else ""))
            texts.append(" ".join(factors))
            latexes.append(" ".join(latex))
        return " + ".join(texts), " + ".join(latexes)


def _frozen(poly: Polynomial) -> frozenset[tuple[Monomial, Number]]:
    return frozenset(poly.items())


def _frac(top: str, bottom: str) -> str:
    return rf"\frac{{{top}}}{{{bottom}}}"


def _tex(name: str) -> str:
    return r"\mathrm{" + name.replace("_", r"\_") + "}"


def parameter_latex(names: Names, p: int) -> str:
    """Return a parameter's symbol: lambda, beta, psi, theta, alpha, tau with indices."""
    row = names.row(p)
    symbol, index = {
        "loading": (r"\lambda", (row.rhs, row.lhs)),
        "path": (r"\beta", (row.lhs, row.rhs)),
        "variance": (r"\psi", (row.lhs,)),
        "residual variance": (r"\theta", (row.lhs,)),
        "covariance": (r"\psi", (row.lhs, row.rhs)),
        "residual covariance": (r"\theta", (row.lhs, row.rhs)),
        "intercept": (r"\alpha", (row.lhs,)),
        "latent mean": (r"\alpha", (row.lhs,)),
        "threshold": (r"\tau", (row.lhs, row.rhs)),
        "quantity": (r"\delta", (row.lhs, row.rhs or "1")),
    }[names.role(p)]
    return f"{symbol}_{{{','.join(_tex(i) for i in index)}}}"
