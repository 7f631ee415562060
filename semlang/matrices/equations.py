"""The equations of a model in LaTeX as a paper prints them: an index a unit, a line a kind of response."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from semlang.graph.model_graph import Path
from semlang.matrices.classes import class_variables
from semlang.matrices.gllamm import GllammMatrices
from semlang.matrices.naming import Naming
from semlang.matrices.symbols import distribution, indexed, label, number, numbers_text, quantity
from semlang.model.table import Product, Row, Variable

_WIDTH = 90
"""Characters, about, after which an equation goes on in the next line."""
_LISTED = 6
"""Disturbances of a level up to which their covariance matrix is written out."""


def equations(matrices: GllammMatrices) -> str:
    r"""Return the equations in an ``aligned`` environment, without the delimiters of display mathematics.

    Responses are numbered by ``r`` where there are several; responses whose equations differ by the index alone share
    a line. Covariates carry the indices of the units in which they are constant. With latent variables on rows ``j``
    is the row, ``k`` its cluster, and so on; else ``i`` is the row and ``j`` its cluster. Latent variables carry their
    level as a superscript where several levels have some. What the symbols stand for is said below the equations.

    Parameters
    ----------
    matrices : GllammMatrices
        With or without estimates, which stand in place of the symbols.

    References
    ----------
    Rabe-Hesketh, S., Skrondal, A., & Pickles, A. (2004). Generalized multilevel structural equation modeling.
    Psychometrika, 69(2), 167-190, equations 1 to 3.
    """
    body = " \\\\\n".join(_Equations(matrices).lines())
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


@dataclass(frozen=True)
class _Term:
    """An addend: `coefficient` x `factors`; `pattern` is the coefficient of response r, '' where there is none."""

    coefficient: str
    factors: str = ""
    pattern: str = ""

    @property
    def text(self) -> str:
        if self.factors and self.coefficient in ("1", "-1"):
            return self.coefficient[:-1] + self.factors
        return rf"{self.coefficient} \, {self.factors}" if self.factors else self.coefficient


@dataclass
class _Group:
    """Responses that share a line; `terms` of each, in one order."""

    numbers: list[int] = field(default_factory=list)
    terms: list[list[_Term]] = field(default_factory=list)


class _Equations:
    def __init__(self, matrices: GllammMatrices) -> None:
        self.m = matrices
        self.graph = matrices.graph
        self.variables = matrices.graph.table.variables
        self.names = Naming(matrices)
        self.classes = class_variables(self.graph)
        self.several = len(matrices.responses) > 1
        self.number = {key: n for n, key in enumerate(matrices.responses, 1)}

    def lines(self) -> Iterator[str]:
        yield from self._responses()
        for key in self.m.eta:
            yield from self._latent(key)
        yield from self._disturbances()
        for key in self.classes:
            yield from self._membership(key)
        yield from self._distributions()
        yield from self._quantities()
        yield from self._legend()

    # ------------------------------------------------------------------ terms

    def _coefficient(self, row: Row | None, parameter: int, value: float, symbol: str) -> str:
        """Return a number, the label, or the symbol of the place."""
        if parameter < 0:
            return f"{value:g}"
        if self.m.theta is not None:
            return number(float(self.m.theta[parameter]))
        if row is not None and row.label and not row.label.startswith("."):
            return label(row.label)
        return symbol

    def _factors(self, source: str, via: Product, moderators: Sequence[str] = (), classes: str = "") -> str:
        parts = [self.names.covariate(c) for c in via]
        parts += [self.names.latent(key) for key in (source, *moderators) if key]
        return r" \, ".join([*parts, classes] if classes else parts)

    def _fixed_part(self, path: Path) -> _Term:
        n = self.m.column(path)
        generic = r"\beta_{r}" if self.several and not path.via and n == self.number[path.target] else ""
        symbol = indexed(r"\beta", n)
        return self._term(path, symbol, generic)

    def _loading(self, path: Path, again: int) -> _Term:
        eta = self.names.eta(path.source)
        prime, r = "'" * again, self.number[path.target]
        symbol = indexed(r"\lambda" + prime, *((r,) if self.several else ()), *eta.numbers, level=eta.superscript)
        generic = r"\lambda" + prime + f"_{{r{''.join(map(str, eta.numbers))}}}"
        generic += f"^{{({eta.superscript})}}" if eta.superscript else ""
        return self._term(path, symbol, generic if self.several and not again else "")

    def _term(self, path: Path, symbol: str, generic: str) -> _Term:
        coefficient = self._coefficient(path.row, path.parameter, path.value, symbol)
        alike = coefficient == symbol or path.parameter < 0
        return _Term(coefficient, self._factors(path.source, path.via), generic if alike else "")

    def _class_terms(self, target: str, letter: str, index: str, rows: Iterable[Row]) -> Iterator[_Term]:
        """Return the addends of rows of classes: a symbol with the unit's class as index, or a class at a time."""
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault((row.class_variable, row.source, row.via, row.moderators, row.also), []).append(row)
        for n, members in enumerate(groups.values()):
            one = members[0]
            variable, name = one.class_variable, letter + "'" * n
            others = [self.names.indicator(k, c) for k, c in one.also]
            plain = all(r.parameter >= 0 and not r.label.strip(".") and not r.replaces for r in members)
            if plain and len(members) == self.names.classes(variable) and self.m.theta is None:
                pattern = f"{name}_{{%s{self.names.klass(variable)}}}"
                factors = self._factors(one.source, one.via, one.moderators, r" \, ".join(others))
                yield _Term(pattern % index, factors, pattern % "r" if self.several and index else "")
                continue
            for row in members:
                inside = [self.names.indicator(variable, row.klass)]
                symbol = f"{name}_{{{index}{row.klass}}}"
                coefficient = self._coefficient(row, row.parameter, row.ustart or 0.0, symbol)
                factors = self._factors(one.source, one.via, one.moderators, r" \, ".join(inside + others))
                if coefficient != "0":
                    yield _Term(coefficient, factors)

    def _others(self, target: str) -> list[Row]:
        return [row for row in self.graph.others if row.target == target and row.op in ("~", "~1", "=~", "<~")]

    # ------------------------------------------------------------------ linear predictors

    def _responses(self) -> Iterator[str]:
        """Return the linear predictors; responses are on one line where only the index differs."""
        groups: dict[tuple[object, ...], _Group] = {}
        for key in self.m.responses:
            terms = list(self._predictor(key))
            alone = not self.several or self.m.theta is not None or not all(t.pattern for t in terms)
            pattern = (self.variables[key].level, *((t.pattern, t.factors) for t in terms), key if alone else "")
            group = groups.setdefault(pattern, _Group())
            group.numbers.append(self.number[key])
            group.terms.append(terms)
        for group in groups.values():
            key = self.m.responses[group.numbers[0] - 1]
            if len(group.numbers) == 1:
                terms = [t for t in group.terms[0] if t.coefficient != "0"]
                yield _wrapped(f"{self.names.response('nu', key)} &= ", terms)
            else:
                yield from self._shared(group, key)

    def _shared(self, group: _Group, key: str) -> Iterator[str]:
        shown, given = [], []
        for place, first in enumerate(group.terms[0]):
            coefficients = [terms[place].coefficient for terms in group.terms]
            if len(set(coefficients)) == 1:
                shown.append(first)
                continue
            shown.append(_Term(first.pattern, first.factors))
            places = [first.pattern.replace("{r", f"{{{n}") for n in group.numbers]
            fixed = [(s, c) for s, c in zip(places, coefficients, strict=True) if re.fullmatch(r"-?[\d.e+]+", c)]
            if len(fixed) > 2:
                symbols, values = (", ".join(t) for t in zip(*fixed, strict=True))
                given.append(f"({symbols}) = ({values})")
            else:
                given += [f"{s} = {c}" for s, c in fixed]
        left = self.names.response("nu", key, "r")
        end = rf", \quad r = {numbers_text(group.numbers)}"
        yield _wrapped(f"{left} &= ", [t for t in shown if t.coefficient != "0"], end)
        if given:
            yield _listed(given)

    def _predictor(self, key: str) -> Iterator[_Term]:
        paths = self.graph.into(key)
        fixed = [p for p in paths if not p.source and not p.is_zero]
        yield from map(self._fixed_part, sorted(fixed, key=lambda p: bool(p.via)))
        index = str(self.number[key]) if self.several else ""
        replaced = self._others(key)
        yield from self._class_terms(key, "e", index, [row for row in replaced if row.class_variable])
        seen: dict[str, int] = {}
        for p in paths:
            written_zero = p.is_zero and p.kind == "loading" and not p.via
            if p.source in self.names.numbered and (not p.is_zero or written_zero):
                yield self._loading(p, seen.setdefault(p.source, 0))
                seen[p.source] += 1
        for n, row in enumerate(row for row in replaced if row.moderators and not row.class_variable):
            symbol = rf"\omega_{{{index}{'' if n == 0 and self.several else n + 1}}}"
            coefficient = self._coefficient(row, row.parameter, row.ustart or 0.0, symbol)
            if coefficient != "0":
                yield _Term(coefficient, self._factors(row.source, row.via, row.moderators))

    def _latent(self, key: str) -> Iterator[str]:
        """Return the regression of a latent variable; one without causes and mean has no line."""
        eta = self.names.eta(key)
        terms = []
        for p in self.graph.into(key):
            if p.is_zero:
                continue
            if p.source:
                i, j = self.m.eta.index(key) + 1, self.m.eta.index(p.source) + 1
                terms.append(self._term(p, indexed("b", i, j), ""))
            else:
                j = self.m.w.index(p.via) + 1
                symbol = indexed(r"\gamma", *((self.m.eta.index(key) + 1,) if len(self.m.eta) > 1 else ()), j)
                terms.append(self._term(p, symbol, ""))
        rows = [row for row in self._others(key) if not self.names.is_mass_point(key)]
        index = str(self.m.eta.index(key) + 1) if len(self.m.eta) > 1 else ""
        terms += self._class_terms(key, r"\alpha", index, [row for row in rows if row.class_variable])
        for n, row in enumerate(row for row in rows if row.moderators and not row.class_variable):
            symbol = rf"\omega_{{{index}{n or ''}}}" if index or n else r"\omega"
            coefficient = self._coefficient(row, row.parameter, row.ustart or 0.0, symbol)
            terms.append(_Term(coefficient, self._factors(row.source, row.via, row.moderators)))
        if terms:
            if self._varies(key):
                terms.append(_Term(eta.symbol(r"\zeta")))
            yield _wrapped(f"{eta.symbol()} &= ", terms)

    # ------------------------------------------------------------------ distributions

    def _varies(self, key: str) -> bool:
        return any(key in (c.a, c.b) and not c.is_zero for c in self.graph.covariances)

    def _disturbances(self) -> Iterator[str]:
        """Return the distributions of disturbances by level, and of mass points."""
        for key in self.m.eta:
            if self.names.is_mass_point(key):
                yield from self._mass_points(key)
        for psi in self.m.Psi.values():
            keys = [k for k in psi.rows if self._varies(k)]
            if not keys:
                continue
            place = {k: psi.rows.index(k) for k in keys}

            def cell(a: str, b: str, psi=psi, place=place) -> str:  # type: ignore[no-untyped-def]
                found = psi.cells.get((place[a], place[b]), ())
                moderated = bool(found) and found[0].moderated
                symbol = self._psi(a, b, self.names.units[self.variables[a].level] if moderated else "")
                if moderated:
                    return symbol
                return self._coefficient(found[0].row, found[0].parameter, found[0].value, symbol) if found else "0"

            def shown(key: str) -> str:
                """Return the latent variable itself where its disturbance is all of it."""
                plain = not any(not p.is_zero for p in self.graph.into(key)) and not self._others(key)
                return self.names.eta(key).symbol(r"\eta" if plain else r"\zeta")

            apart = all(cell(a, b) == "0" for a in keys for b in keys if a != b)
            if apart:
                yield _listed([rf"{shown(k)} \sim N(0, {cell(k, k)})" for k in keys])
            elif len(keys) <= _LISTED:
                vector = ", ".join(shown(k) for k in keys)
                body = r" \\ ".join(" & ".join(cell(a, b) for b in keys) for a in keys)
                matrix = rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
                yield rf"({vector})' &\sim N\Bigl(\mathbf{{0}}, {matrix}\Bigr)"
            else:
                yield _listed([rf"{shown(k)} \sim N(0, {cell(k, k)})" for k in keys])
                pairs = [(a, b) for i, a in enumerate(keys) for b in keys[:i] if cell(a, b) != "0"]
                yield _listed([rf"\operatorname{{cov}}({shown(b)}, {shown(a)}) = {cell(a, b)}" for a, b in pairs])

    def _psi(self, a: str, b: str, units: str = "") -> str:
        """Return the symbol of a variance or covariance; it has units where it depends on covariates."""
        rows = next(psi.rows for psi in self.m.Psi.values() if a in psi.rows)
        i, j = sorted((rows.index(a) + 1, rows.index(b) + 1), reverse=True)
        symbol = indexed(r"\psi", *((i, j) if len(rows) > 1 else ()))
        if units:
            symbol = f"{symbol[:-1]}{units}}}" if symbol.endswith("}") else f"{symbol}_{{{units}}}"
        superscript = self.names.eta(a).superscript
        return symbol + (f"^{{({superscript})}}" if superscript else "")

    def _mass_points(self, key: str) -> Iterator[str]:
        eta = self.names.eta(key)
        rows = [r for r in self.graph.others if r.target == key and r.class_variable == key and not r.quantity]
        place = eta.plain("e")
        places = [f"{place[:-1]}{r.klass}}}" if place.endswith("}") else f"{place}_{{{r.klass}}}" for r in rows]
        values = [
            "" if r.parameter < 0 and r.ustart is None else self._coefficient(r, r.parameter, r.ustart or 0.0, s)
            for r, s in zip(rows, places, strict=True)
        ]
        general = f"{place[:-1]}k}}" if place.endswith("}") else f"{place}_{{k}}"
        end = rf", \quad \textstyle\sum_k \pi_k {general} = 0" if "" in values else ""
        yield rf"\Pr({eta.symbol()} = {general}) &= \pi_k, \quad k = {numbers_text(range(1, len(rows) + 1))}{end}"
        given = [f"{s} = {v}" for s, v in zip(places, values, strict=True) if v not in ("", s)]
        if given:
            yield _listed(given)

    def _membership(self, key: str) -> Iterator[str]:
        """Return the multinomial logit of a class variable, the last class being the reference."""
        rows = [row for row in self.graph.others if row.target == key]
        c, last = self.names.klass(key), self.names.classes(key)
        letter = r"\varrho" + "'" * self.classes.index(key)
        logits: dict[int, list[_Term]] = {}
        order: dict[tuple[object, ...], int] = {}
        for row in sorted(rows, key=lambda row: bool(row.via or row.source)):
            of_other = bool(row.category)
            n = order.setdefault((row.via, row.source), len(order) + 1)
            k = int(row.category) if of_other else row.klass
            one = len({(r.via, r.source) for r in rows}) == 1
            numbers = ((k,) if one else (n, k)) + ((row.klass,) if of_other else ())
            coefficient = self._coefficient(row, row.parameter, row.ustart or 0.0, indexed(letter, *numbers))
            inside = self.names.indicator(row.class_variable, row.klass) if of_other else ""
            logits.setdefault(k, []).append(_Term(coefficient, self._factors(row.source, row.via, (), inside)))
        for k, terms in sorted(logits.items()):
            terms = [t for t in terms if t.coefficient != "0"]
            if k != last and terms:
                yield _wrapped(rf"\log\frac{{\Pr({c} = {k})}}{{\Pr({c} = {last})}} &= ", terms)

    def _distributions(self) -> Iterator[str]:
        """Return the distribution of each response given nu; alike ones share a line."""
        groups: dict[tuple[str, str, str, tuple[tuple[str, bool], ...]], list[Variable]] = {}
        modelled: dict[str, dict[str, bool]] = {}
        for row in (*self.graph.quantities, *self.graph.others):
            if row.quantity:
                of = modelled.setdefault(row.target, {})
                of[row.quantity] = of.get(row.quantity, False) or _varies(row)
        for v in map(self.variables.__getitem__, self.m.responses):
            extra = tuple(sorted(modelled.get(v.key, {}).items()))
            groups.setdefault((v.kind.name, v.link, v.level, extra), []).append(v)
        for (kind, link, _, extra), members in groups.items():
            numbers = [self.number[v.key] for v in members]
            response = "" if not self.several else "r" if len(numbers) > 1 else str(numbers[0])
            end = rf", \quad r = {numbers_text(numbers)}" if response == "r" else ""
            units = self.names.units[members[0].level]
            yield distribution(kind, link, response, units, dict(extra)) + end
        given = [*self._residuals(), *self._thresholds(), *self._scales()]
        if given:
            yield _listed(given)

    def _residuals(self) -> Iterator[str]:
        theta = self.m.Theta
        for i, j in sorted({(min(place), max(place)) for place in theta.cells}):
            a, b = (self.number[theta.rows[k]] for k in (i, j))
            symbol = (indexed(r"\theta", *({b, a} if i == j else (b, a)))) if self.several else r"\theta"
            addend = theta.cells[i, j][0]
            value = self._coefficient(addend.row, addend.parameter, addend.value, symbol)
            if i != j:
                left = rf"\operatorname{{cov}}(\epsilon_{{{a}}}, \epsilon_{{{b}}})"
                yield f"{left} = {symbol}" + (f" = {value}" if value != symbol else "")
            elif value != symbol:
                yield f"{symbol} = {value}"

    def _thresholds(self) -> Iterator[str]:
        moved: dict[tuple[str, int], list[_Term]] = {}
        products = [row for row in self.graph.others if row.threshold and row.moderators]
        for row in sorted([*self.graph.thresholds, *products], key=lambda row: row.op != "|"):
            r = (self.number[row.target],) if self.several else ()
            terms = moved.setdefault((row.target, row.threshold), [])
            letter = r"\kappa" if row.op == "|" else r"\delta" + "'" * max(len(terms) - 1, 0)
            symbol = indexed(letter, *r, row.threshold)
            coefficient = self._coefficient(row, row.parameter, row.ustart or 0.0, symbol)
            if row.op == "|" or coefficient != "0":
                terms.append(_Term(coefficient, self._factors(row.source, row.via, row.moderators)))
        for (key, s), terms in moved.items():
            symbol = indexed(r"\kappa", *((self.number[key],) if self.several else ()), s)
            if len(terms) == 1 and terms[0].text != symbol:
                yield f"{symbol} = {terms[0].text}"
            elif len(terms) > 1:
                first = terms[0].text.replace(r"\kappa_", r"\kappa^{0}_")
                yield f"{symbol} = " + _sum([_Term(first), *terms[1:]])

    def _scales(self) -> Iterator[str]:
        for row in self.graph.scales:
            if row.op == "~*~" and row.target in self.number:
                r = (self.number[row.target],) if self.several else ()
                symbol = indexed(r"\Delta", *r)
                yield f"{symbol} = {self._coefficient(row, row.parameter, row.ustart or 1.0, symbol)}"

    def _quantities(self) -> Iterator[str]:
        """Return linear predictors of further parameters of distributions."""
        places: dict[tuple[str, str], list[Row]] = {}
        for row in (*self.graph.quantities, *self.graph.others):
            if row.quantity and row.quantity != "mass":
                places.setdefault((row.quantity, row.target), []).append(row)
        for (name, key), rows in places.items():
            number = f"{self.number[key]}" if self.several and key in self.number else ""
            level = self.variables[key].level
            varies = any(map(_varies, rows))
            index = number + (self.names.units[level] if varies else "")
            left = quantity(name, index)
            if self.variables[key].is_normal:
                joins = rows[0].joins
                left = self._psi(*(joins or (key, key)), self.names.units[level])
                left = left if joins else rf"\tfrac{{1}}{{2}} \log {left}"
            plain = [row for row in rows if not row.class_variable]
            terms = []
            for n, row in enumerate(sorted(plain, key=lambda row: bool(row.via or row.source))):
                symbol = indexed(r"\alpha", *((int(number),) if number else ()), *((n + 1,) if varies else ()))
                coefficient = self._coefficient(row, row.parameter, row.ustart or 0.0, symbol)
                terms.append(_Term(coefficient, self._factors(row.source, row.via, row.moderators)))
            terms += self._class_terms(key, r"\alpha", number, [row for row in rows if row.class_variable])
            if varies or any(t.coefficient != symbol for t in terms):
                yield _wrapped(f"{left} &= ", terms)

    def _legend(self) -> Iterator[str]:
        entries = self.names.legend()
        if entries:
            yield "&" + r"\text{where }" + _listed(entries)[1:]


def _varies(row: Row) -> bool:
    return bool(row.via or row.source or row.class_variable)


def _sum(terms: Sequence[_Term]) -> str:
    return " + ".join(t.text for t in terms).replace("+ -", "- ") or "0"


def _wrapped(left: str, terms: Sequence[_Term], end: str = "") -> str:
    """Return an equation, broken before an addend where it gets long."""
    lines: list[list[_Term]] = [[]]
    for t in terms:
        if lines[-1] and _length(_sum([*lines[-1], t])) > _WIDTH:
            lines.append([])
        lines[-1].append(t)
    first, *rest = [_sum(line) for line in lines]
    more = [r" \\" + "\n" + rf"&\quad {s}" if s.startswith("-") else r" \\" + "\n" + rf"&\quad + {s}" for s in rest]
    return left + first + "".join(more) + end


def _listed(parts: Sequence[str]) -> str:
    """Return equations side by side, on several lines where they are many."""
    lines: list[list[str]] = [[]]
    for part in parts:
        if lines[-1] and sum(_length(p) + 4 for p in lines[-1]) + _length(part) > _WIDTH:
            lines.append([])
        lines[-1].append(part)
    return (", \\\\\n").join("&" + r", \quad ".join(line) for line in lines)


def _length(text: str) -> int:
    """Return about how many characters are seen."""
    return len(re.sub(r"\\(text|mathit|mathbf|operatorname|boldsymbol)|\\[a-zA-Z]+|[{}^_\\ ,]", "", text)) + text.count(
        "\\"
    )
