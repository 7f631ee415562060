"""The equations of a model in LaTeX, as they stand in papers on GLLAMM."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from semlang.matrices.gllamm import GllammMatrices
from semlang.matrices.matrix import Addend, Cell, Matrix
from semlang.model.table import ROWS, Product, Variable

_ESCAPES = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "^": r"\^{}", "~": r"\~{}",
}  # fmt: skip

_LINKS = {
    "identity": "", "log": r"\log", "logit": r"\operatorname{logit}", "probit": r"\Phi^{-1}",
    "cloglog": r"\operatorname{cloglog}", "loglog": r"\operatorname{loglog}", "cauchit": r"\operatorname{cauchit}",
    "reciprocal": r"\operatorname{inv}", "sqrt": r"\operatorname{sqrt}", "aft": r"\operatorname{aft}",
}  # fmt: skip


def latex(matrices: GllammMatrices) -> str:
    """Return the equations in an ``aligned`` environment, without the delimiters of display mathematics.

    Responses and latent variables carry the indices of their units: with latent variables on rows, ``j`` is the row,
    ``k`` its cluster, and so on; else ``i`` is the row and ``j`` its cluster.
    """
    return _Writer(matrices).document()


class _Writer:
    def __init__(self, matrices: GllammMatrices) -> None:
        self.m = matrices
        self.variables = matrices.graph.table.variables
        self.theta = matrices.theta
        first = matrices.level_numbers[ROWS]
        letters = "ijklmnopq"
        self.units = {
            level: "".join(letters[n - 1] for n in list(matrices.level_numbers.values())[height:])
            for height, (level, _) in enumerate(matrices.level_numbers.items())
        }
        self.outermost = letters[first + len(matrices.level_numbers) - 2]
        # number of each latent variable within its level
        self.number: dict[str, int] = {}
        for key in matrices.eta:
            same = [k for k in self.number if matrices.level[k] == matrices.level[key]]
            self.number[key] = len(same) + 1

    # ------------------------------------------------------------------ names

    def response(self, symbol: str, key: str) -> str:
        number = str(self.m.responses.index(key) + 1) if len(self.m.responses) > 1 else ""
        return f"{symbol}_{{{number}{self.units[self.variables[key].level]}}}"

    def latent(self, key: str, symbol: str = r"\eta") -> str:
        return f"{symbol}_{{{self.number[key]}{self.units[self.variables[key].level]}}}^{{({self.m.level[key]})}}"

    def product(self, via: Product) -> str:
        return r" \, ".join(rf"\mathit{{{escape(c.name)}}}" for c in via) or "1"

    def coefficient(self, addend: Addend, symbol: str) -> str:
        """Return a number, the label, or the symbol of the place."""
        number = addend.number(self.theta)
        if number is not None:
            return f"{number:.3f}" if addend.parameter >= 0 else f"{number:g}"
        if addend.row is not None and addend.row.label and not addend.row.label.startswith("."):
            return label(addend.row.label)
        return symbol

    def cell(self, cell: Cell, symbol: str) -> str:
        parts = []
        for n, addend in enumerate(cell):
            c = self.coefficient(addend, symbol + "'" * n)
            if addend.via:
                c = self.product(addend.via) if c == "1" else rf"{c} \, {self.product(addend.via)}"
            parts.append(c)
        return " + ".join(parts).replace("+ -", "- ") or "0"

    # ------------------------------------------------------------------ matrices

    def block(self, matrix: Matrix, symbol: Callable[[int, int], str], name: str) -> str:
        """Return a matrix; `symbol` names the parameter at row i and column j, counted from 1."""
        body = [
            [self.cell(matrix.cells.get((i, j), ()), symbol(i + 1, j + 1)) for j in range(matrix.shape[1])]
            for i in range(matrix.shape[0])
        ]
        return under(body, name)

    def document(self) -> str:
        lines = [self.response_model()]
        if self.m.eta:
            lines += [self.structural_model(), *self.disturbances()]
        lines += self.distributions()
        body = " \\\\[1ex]\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def response_model(self) -> str:
        m = self.m
        nu = under([[self.response(r"\nu", k)] for k in m.responses], rf"\boldsymbol{{\nu}}_{{{self.outermost}}}")
        terms = []
        if m.X.cells:
            x = self.block(m.X, lambda i, j: "", rf"\mathbf{{X}}_{{{self.outermost}}}")
            terms.append(x + self.block(m.beta, lambda i, j: indexed(r"\beta", i), r"\boldsymbol{\beta}"))
        for key in m.eta:
            terms.append(self.latent(key) + self.loadings(key))
        return f"{nu} &= " + (" + ".join(terms) or "0")

    def loadings(self, key: str) -> str:
        """Return Z lambda; a column of zeros where no response measures the latent variable."""
        n, level = self.number[key], self.m.level[key]
        alone = list(self.m.level.values()).count(level) == 1

        def symbol(i: int, j: int) -> str:
            return indexed(r"\lambda", *((i,) if alone else (i, n)), level=level)

        z = self.block(self.m.Z[key], lambda i, j: "", rf"\mathbf{{Z}}_{{{n}}}^{{({level})}}")
        return z + self.block(self.m.lambda_[key], symbol, rf"\boldsymbol{{\lambda}}_{{{n}}}^{{({level})}}")

    def structural_model(self) -> str:
        m = self.m
        eta = under([[self.latent(k)] for k in m.eta], r"\boldsymbol{\eta}")
        terms = []
        if m.B.cells:
            terms.append(self.block(m.B, lambda i, j: indexed("b", i, j), r"\mathbf{B}") + eta)
        if m.Gamma.cells:
            w = under([[self.product(via)] for via in m.w], r"\mathbf{w}")
            terms.append(self.block(m.Gamma, lambda i, j: indexed(r"\gamma", i, j), r"\boldsymbol{\Gamma}") + w)
        terms.append(under([[self.latent(k, r"\zeta")] for k in m.eta], r"\boldsymbol{\zeta}"))
        return f"{eta} &= " + " + ".join(terms)

    def disturbances(self) -> list[str]:
        lines = []
        for level, psi in self.m.Psi.items():
            number = self.m.level_numbers[level]
            zeta = rf"\boldsymbol{{\zeta}}^{{({number})}}"

            def symbol(i: int, j: int, level: int = number) -> str:
                return indexed(r"\psi", max(i, j), min(i, j), level=level)  # one symbol for a covariance

            matrix = self.block(psi, symbol, rf"\boldsymbol{{\Psi}}^{{({number})}}")
            zero = r"\mathbf{0}" if psi.shape[0] > 1 else "0"
            lines.append(rf"{zeta} &\sim N\Bigl({zero}, {matrix}\Bigr)")
        return lines

    # ------------------------------------------------------------------ responses

    def distributions(self) -> list[str]:
        """Return the distribution of each response given nu; alike ones share a line."""
        groups: dict[tuple[str, str], list[Variable]] = {}
        for v in self.m.graph.table.responses:
            groups.setdefault((v.kind.name, v.link), []).append(v)
        lines = []
        for (kind, link), members in groups.items():
            numbers = [self.m.responses.index(v.key) + 1 for v in members]
            several = len(self.m.responses) > 1
            index = ("r" if several else "") + self.units[members[0].level]
            lines.append(_distribution(kind, link, index) + (rf", \quad r = {_list(numbers)}" if several else ""))
        theta = self.m.Theta
        if theta.cells:
            free = sorted({tuple(sorted(place)) for place in theta.cells})
            parts = []
            for i, j in free:
                a, b = (self.m.responses.index(theta.rows[k]) + 1 for k in (i, j))
                symbol = indexed(r"\theta", b, a) if i != j else indexed(r"\theta", a)
                if i != j:
                    parts.append(rf"\operatorname{{cov}}(\epsilon_{{{a}}}, \epsilon_{{{b}}}) = {symbol}")
                value = self.cell(theta.cells[i, j], symbol)
                if value != symbol:
                    parts.append(f"{symbol} = {value}")
            if parts:
                lines.append("&" + r", \quad ".join(parts))
        if self.m.thresholds.cells:
            kappa = self.block(self.m.thresholds, lambda i, j: indexed(r"\kappa", i, j), r"\boldsymbol{\kappa}")
            lines.append("&" + kappa)
        return lines


def _distribution(kind: str, link: str, index: str) -> str:
    y, nu = rf"y_{{{index}}}", rf"\nu_{{{index}}}"
    g = _LINKS.get(link, rf"\operatorname{{{link}}}")
    theta = r"\theta_{r}" if index.startswith("r") else r"\theta"
    given = rf"{y} \mid \boldsymbol{{\eta}}"
    match kind:
        case "gaussian":
            mean = nu if not g else r"\mu_{" + index + "}"
            extra = "" if not g else rf", \quad {g}(\mu_{{{index}}}) = {nu}"
            return rf"{given} &\sim N({mean}, {theta}){extra}"
        case "binomial":
            return rf"{g}\bigl[\Pr({y} = 1 \mid \boldsymbol{{\eta}})\bigr] &= {nu}"
        case "poisson":
            return rf"{given} &\sim \operatorname{{Poisson}}(\mu_{{{index}}}), \quad {g}(\mu_{{{index}}}) = {nu}"
        case "ordinal":
            threshold = r"\kappa_{rs}" if index.startswith("r") else r"\kappa_{s}"
            return rf"{g}\bigl[\Pr({y} > s \mid \boldsymbol{{\eta}})\bigr] &= {nu} - {threshold}"
        case _:
            return rf"{given} &\sim \operatorname{{{kind}}}, \quad {g or 'E'}({y}) = {nu}"


def under(body: Sequence[Sequence[str]], name: str) -> str:
    r"""Return a matrix over its name.

    Examples
    --------
    >>> print(under([["1", "0"]], "B"))
    \underbrace{\begin{bmatrix} 1 & 0 \end{bmatrix}}_{B}
    """
    inside = r" \\ ".join(" & ".join(row) for row in body)
    return rf"\underbrace{{\begin{{bmatrix}} {inside} \end{{bmatrix}}}}_{{{name}}}"


def indexed(symbol: str, *indices: int, level: int | None = None) -> str:
    r"""Return a symbol with indices, with commas where one has two digits, and a level as superscript.

    Examples
    --------
    >>> indexed("b", 1, 2), indexed("b", 1, 12), indexed(r"\psi", 1, 1, level=2)
    ('b_{12}', 'b_{1,12}', '\\psi_{11}^{(2)}')
    """
    comma = "," if max(indices) > 9 else ""
    return f"{symbol}_{{{comma.join(map(str, indices))}}}" + (f"^{{({level})}}" if level else "")


def escape(text: str) -> str:
    """Return a name with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def label(text: str) -> str:
    """Return a label: one letter or a Greek letter's name with digits as an index, else upright.

    Examples
    --------
    >>> label("b1"), label("lambda"), label("cace")
    ('b_{1}', '\\\\lambda', '\\\\mathit{cace}')
    """
    stem = text.rstrip("0123456789")
    digits = text[len(stem) :]
    if stem in _GREEK:
        stem = "\\" + stem
    elif len(stem) != 1 or not stem.isalpha():
        return rf"\mathit{{{escape(text)}}}"
    return stem + (f"_{{{digits}}}" if digits else "")


def _list(numbers: Sequence[int]) -> str:
    """Return ``1, \\ldots, 5`` or the numbers."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return rf"{numbers[0]}, \ldots, {numbers[-1]}"
    return ", ".join(str(n) for n in numbers)


_GREEK = frozenset(
    {
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
        *("nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
    }
)

__all__ = ["escape", "indexed", "label", "latex", "under"]
