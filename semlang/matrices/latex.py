"""The equations of a model in LaTeX, as they stand in papers on GLLAMM."""

from __future__ import annotations

from collections.abc import Callable

from semlang.matrices.gllamm import GllammMatrices
from semlang.matrices.matrix import Addend, Cell, Matrix
from semlang.matrices.naming import Naming
from semlang.matrices.symbols import distribution, indexed, label, name_text, numbers_text, under
from semlang.model.table import Product, Row, Variable

Mark = Callable[[Row, str], str]
"""Marks a term with the row of the table that it stands for."""


def latex(matrices: GllammMatrices, mark: Mark | None = None) -> str:
    """Return the equations in an ``aligned`` environment, without the delimiters of display mathematics.

    Responses and latent variables carry the indices of their units: with latent variables on rows, ``j`` is the row,
    ``k`` its cluster, and so on; else ``i`` is the row and ``j`` its cluster.

    Parameters
    ----------
    matrices : GllammMatrices
    mark : callable, optional
        Given a row and the LaTeX of its term, returns what stands in its place.
    """
    return _Writer(matrices, mark).document()


class _Writer:
    def __init__(self, matrices: GllammMatrices, mark: Mark | None) -> None:
        self.m = matrices
        self.mark = mark
        self.variables = matrices.graph.table.variables
        self.theta = matrices.theta
        self.names = Naming(matrices)
        self.units = self.names.units
        self.outermost = self.names.outermost
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
        return r" \, ".join(map(self.names.covariate, via)) or "1"

    def factors(self, addend: Addend) -> str:
        """Return the covariates, latent variables and classes that multiply a coefficient."""
        return r" \, ".join([*map(self.names.covariate, addend.via), *map(self.named, addend.beside)])

    def named(self, key: str) -> str:
        """Return a latent variable, or what has a name: a class, a product."""
        return self.latent(key) if key in self.number else name_text(key)

    def multiplied(self, product: str) -> str:
        """Return a product of covariates and latent variables from its name in a matrix."""
        return r" \, ".join(self.named(key) for key in product.split(":"))

    def coefficient(self, addend: Addend, symbol: str) -> str:
        """Return a number, the label, or the symbol of the place."""
        number = addend.number(self.theta)
        if number is not None:
            if number != number:
                return symbol
            return f"{number:.3f}" if addend.parameter >= 0 else f"{number:g}"
        if addend.row is not None and addend.row.label and not addend.row.label.startswith("."):
            return label(addend.row.label)
        return symbol

    def cell(self, cell: Cell, symbol: str) -> str:
        parts = []
        for n, addend in enumerate(cell):
            c = self.coefficient(addend, symbol + "'" * n)
            if addend.via or addend.beside:
                factors = self.factors(addend)
                c = factors if c == "1" else rf"{c} \, {factors}"
            signed = c.startswith("-")  # the sign may become that of the sum
            parts.append(c if self.mark is None or addend.row is None or signed else self.mark(addend.row, c))
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
        lines += self.membership()
        lines += self.distributions()
        body = " \\\\[1ex]\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def response_model(self) -> str:
        m = self.m
        nu = under([[self.response(r"\nu", k)] for k in m.responses], rf"\boldsymbol{{\nu}}_{{{self.outermost}}}")
        terms = []
        if m.X.cells:
            name = rf"\mathbf{{X}}_{{{self.outermost}}}"
            x = self.block(m.X, lambda i, j: "", name)
            if len(m.responses) > 1 and _is_identity(m.X):
                x = rf"\underbrace{{\mathbf{{I}}}}_{{{name}}}"
            terms.append(x + self.block(m.beta, lambda i, j: indexed(r"\beta", i), r"\boldsymbol{\beta}"))
        for key in m.eta:
            terms.append(self.latent(key) + self.loadings(key))
        terms += self.of_products(m.products[0], m.responses)
        terms += self.of_classes([c.E for c in m.classes.values()], m.responses, "e", r"\mathbf{E}")
        return f"{nu} &= " + (" + ".join(terms) or "0")

    def spread(self, matrix: Matrix, rows: tuple[str, ...]) -> Matrix:
        """Return a matrix with a row for each of `rows`; rows that are no response stay where they are."""
        index = {name: i for i, name in enumerate((*rows, *(r for r in matrix.rows if r not in rows)))}
        cells = {(index[matrix.rows[i]], j): cell for (i, j), cell in matrix.cells.items()}
        return Matrix(matrix.symbol, tuple(index), matrix.columns, cells, self.theta)

    def of_products(self, matrix: Matrix, rows: tuple[str, ...]) -> list[str]:
        """Return Omega p, nothing where there are no products."""
        if not matrix.cells:
            return []
        block = self.block(self.spread(matrix, rows), lambda i, j: indexed(r"\omega", i, j), r"\boldsymbol{\Omega}")
        return [block + under([[self.multiplied(p)] for p in matrix.columns], r"\mathbf{p}")]

    def of_classes(self, matrices: list[Matrix], rows: tuple[str, ...], letter: str, name: str) -> list[str]:
        """Return what classes add, a matrix times the vector of the class each."""
        out = []
        for n, (key, matrix) in enumerate(zip(self.m.classes, matrices, strict=True), 1):
            if matrix.cells:
                block = self.block(self.spread(matrix, rows), lambda i, j: indexed(letter, i, j), rf"{name}_{{{n}}}")
                out.append(block + self.klass(key, n))
        return out

    def klass(self, key: str, n: int) -> str:
        units, level = self.units[self.variables[key].level], self.m.level[key]
        return rf"\boldsymbol{{\eta}}_{{{'' if len(self.m.classes) == 1 else n}{units}}}^{{({level})}}"

    def membership(self) -> list[str]:
        """Return the multinomial logit of each class variable, whose values are the unit vectors e_c."""
        lines = []
        for n, (key, of) in enumerate(self.m.classes.items(), 1):
            varrho = of.varrho
            v = under([[name_text(name) if name != "1" else "1"] for name in varrho.rows], r"\mathbf{v}")
            matrix = self.block(varrho, lambda i, j: indexed(r"\varrho", i, j), r"\boldsymbol{\varrho}")
            above, below = (rf"\exp(\mathbf{{v}}' \boldsymbol{{\varrho}}^{{{k}}})" for k in "cd")
            fraction = rf"\frac{{{above}}}{{\sum_{{d}} {below}}}"
            lines.append(rf"\Pr({self.klass(key, n)} = \mathbf{{e}}_{{c}}) &= {fraction}, \quad {v}, \quad {matrix}")
        return lines

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
        terms += self.of_products(m.products[1], m.eta)
        terms += self.of_classes([c.A for c in m.classes.values()], m.eta, r"\alpha", r"\mathbf{A}")
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
        for v in map(self.variables.__getitem__, self.m.responses):
            groups.setdefault((v.kind.name, v.link), []).append(v)
        lines = []
        for (kind, link), members in groups.items():
            numbers = [self.m.responses.index(v.key) + 1 for v in members]
            several = len(self.m.responses) > 1
            response = "" if not several else "r" if len(numbers) > 1 else str(numbers[0])
            end = rf", \quad r = {numbers_text(numbers)}" if response == "r" else ""
            lines.append(distribution(kind, link, response, self.units[members[0].level]) + end)
        theta = self.m.Theta
        if theta.cells:
            free = sorted({tuple(sorted(place)) for place in theta.cells})
            parts = []
            for i, j in free:
                a, b = (self.m.responses.index(theta.rows[k]) + 1 for k in (i, j))
                symbol = indexed(r"\theta", b, a) if i != j else indexed(r"\theta", a)
                if i != j:
                    parts.append(rf"\operatorname{{cov}}(\epsilon_{{{a}}}, \epsilon_{{{b}}}) = {symbol}")
                (addend,) = theta.cells[i, j]
                if self.coefficient(addend, symbol) != symbol:
                    parts.append(f"{symbol} = {self.cell(theta.cells[i, j], symbol)}")
            if parts:
                lines.append("&" + r", \quad ".join(parts))
        if self.m.thresholds.cells:
            kappa = self.block(self.m.thresholds, lambda i, j: indexed(r"\kappa", i, j), r"\boldsymbol{\kappa}")
            lines.append("&" + kappa)
        for matrix in self.rest():
            letter = matrix.symbol if matrix.symbol == "e" else rf"\{matrix.symbol.split('(')[0]}"
            body = [[name_text(name), *cells] for name, cells in zip(matrix.rows, self.texts(matrix), strict=True)]
            head = ["", *(name_text(c) for c in matrix.columns)]
            lines.append("&" + under([head, *body], letter))
        return lines

    def rest(self) -> list[Matrix]:
        """Return what is written as a table: parameters of distributions, and what classes have of their own."""
        m = self.m
        found = [*m.mass_points, m.quantities, m.scales]
        found += [matrix for c in m.classes.values() for matrix in (c.kappa, c.alpha, c.Psi)]
        return [matrix for matrix in found if matrix.cells]

    def texts(self, matrix: Matrix) -> list[list[str]]:
        """Return the cells of a table; a symbol has the numbers of its place."""
        letter = {"e": "e", "pi": r"\pi"}.get(matrix.symbol, rf"\{matrix.symbol.split('(')[0].lower()}")
        return [
            [self.cell(matrix.cells.get((i, j), ()), indexed(letter, i + 1, j + 1)) for j in range(matrix.shape[1])]
            for i in range(matrix.shape[0])
        ]


def _is_identity(matrix: Matrix) -> bool:
    """Whether it is the unit matrix, which is not written out."""
    one = (Addend(-1, 1.0),)
    return matrix.shape[0] == matrix.shape[1] and dict(matrix.cells) == {(i, i): one for i in range(matrix.shape[0])}
