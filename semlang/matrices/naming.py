"""Symbols of a model's variables: responses, latent variables and covariates with the indices of their units."""

from __future__ import annotations

import re
from dataclasses import dataclass

from semlang.matrices.classes import class_variables
from semlang.matrices.gllamm import GllammMatrices
from semlang.matrices.symbols import escape, name_text
from semlang.model.table import ROWS, Covariate

_LETTERS = "ijklmnopq"


@dataclass(frozen=True)
class Eta:
    """The symbol of a latent variable.

    Parameters
    ----------
    numbers : tuple of int
        Its number within its level, empty where it is the only one.
    units : str
        Indices of the units that it varies over.
    superscript : int or None
        GLLAMM's number of its level, where several levels have latent variables.
    """

    numbers: tuple[int, ...]
    units: str
    superscript: int | None

    def symbol(self, letter: str = r"\eta") -> str:
        """Return it with its units."""
        index = "".join(map(str, self.numbers)) + self.units
        return f"{letter}_{{{index}}}" + (f"^{{({self.superscript})}}" if self.superscript else "")

    def plain(self, letter: str) -> str:
        """Return a letter with its number alone."""
        index = "".join(map(str, self.numbers))
        return f"{letter}_{{{index}}}" if index else letter


class Naming:
    """Symbols of the variables of one group's model.

    Parameters
    ----------
    matrices : GllammMatrices
    """

    def __init__(self, matrices: GllammMatrices) -> None:
        self.m = matrices
        self.graph = matrices.graph
        self.variables = matrices.graph.table.variables
        first = matrices.level_numbers[ROWS]
        numbers = list(matrices.level_numbers.values())
        self.units = {
            level: "".join(_LETTERS[n - 1] for n in numbers[height:])
            for height, level in enumerate(matrices.level_numbers)
        }
        self.outermost = _LETTERS[first + len(numbers) - 2]
        self.numbered: dict[str, Eta] = {}
        levels = {matrices.level[key] for key in matrices.eta}
        for key in matrices.eta:
            same = [k for k in matrices.eta if matrices.level[k] == matrices.level[key]]
            alone = len(same) == 1 and (len(levels) == 1 or len(matrices.eta) == 1)
            several = len(levels) > 1
            self.numbered[key] = Eta(
                () if alone else (same.index(key) + 1,),
                self.units[self.variables[key].level],
                matrices.level[key] if several else None,
            )
        self._heights = self._covariate_heights()

    def eta(self, key: str) -> Eta:
        """Return the symbol of a continuous latent variable."""
        return self.numbered[key]

    def latent(self, key: str) -> str:
        """Return a latent variable, or a response that stands among the causes, with its units."""
        return self.numbered[key].symbol() if key in self.numbered else self.response("y", key)

    def response(self, letter: str, key: str, number: str = "") -> str:
        """Return a response or its linear predictor, with its number (or `number`) where there are several."""
        letter = {"nu": r"\nu"}.get(letter, letter)
        if len(self.m.responses) > 1 and not number:
            number = str(self.m.responses.index(key) + 1)
        return f"{letter}_{{{number}{self.units[self.variables[key].level]}}}"

    def covariate(self, covariate: Covariate) -> str:
        """Return a covariate with the indices of the units in which it is constant."""
        if covariate.response:
            name = self.response("y", covariate.column) if covariate.column in self.m.responses else covariate.column
        else:
            name = self._column(covariate.column if covariate.function in ("power", "log") else covariate.name)
            height = self._heights.get(covariate.column, 0)
            name = name % list(self.units.values())[height]
        match covariate.function:
            case "power":
                return f"{name}^{{{covariate.argument:g}}}"
            case "log":
                return rf"\log {name}"
            case _:
                return name

    @staticmethod
    def _column(name: str) -> str:
        """Return a column's symbol with a place for the indices: x, x1 and the like are letters, others names."""
        short = re.fullmatch(r"([qstuvwxz])(\d{0,2})", name)
        if short:
            return f"{short[1]}_{{{short[2]}%s}}"
        return name_text(name).replace("%", "%%") + "_{%s}"

    def klass(self, key: str) -> str:
        """Return a class variable with its units."""
        keys = class_variables(self.graph)
        number = str(keys.index(key) + 1) if len(keys) > 1 else ""
        return f"c_{{{number}{self.units[self.variables[key].level]}}}"

    def classes(self, key: str) -> int:
        """Return the number of classes of a class variable."""
        return int(self.variables[key].arguments.get("classes", 1) or 1)

    def indicator(self, key: str, klass: int) -> str:
        """Return the indicator of a class."""
        return rf"\mathbf{{1}}[{self.klass(key)} = {klass}]"

    def is_mass_point(self, key: str) -> bool:
        """Whether a latent variable's distribution is discrete."""
        return self.variables[key].kind.name == "masspoints"

    def legend(self) -> list[str]:
        """Return ``symbol: name`` of units, responses and latent variables whose symbols are not their names."""
        out = []
        keys = self.m.responses
        if len(keys) > 1:
            for units in dict.fromkeys(self.units[self.variables[k].level] for k in keys):
                names = _runs([(n, k) for n, k in enumerate(keys, 1) if self.units[self.variables[k].level] == units])
                out += [rf"y_{{r{units}}}\text{{ are }} " + names[0], *names[1:]]
        elif keys[0] != "y":
            out.append(rf"{self.response('y', keys[0])}\text{{ is {escape(keys[0])}}}")
        for key, eta in self.numbered.items():
            out.append(rf"{eta.symbol()}\text{{ is {escape(key)}}}")
        for key in class_variables(self.graph):
            out.append(rf"{self.klass(key)}\text{{ is the class of {escape(key)}}}")
        units = self.units[ROWS]
        for letter, level in zip(units, self.units, strict=True):
            if level == ROWS:
                out.append(rf"{letter}\text{{ numbers rows}}")
            else:
                out.append(rf"{letter}\text{{ numbers units of {escape(level)}}}")
        return out

    def _covariate_heights(self) -> dict[str, int]:
        """Return the highest level at which each covariate acts: there it is constant within units."""
        found: dict[str, int] = {}
        graph = self.graph
        rows = [*graph.thresholds, *graph.quantities, *graph.others]
        for target, via in [(p.target, p.via) for p in graph.paths] + [(r.target, r.via) for r in rows]:
            for c in via:
                found[c.column] = max(found.get(c.column, 0), graph.height(target))
        return found


def _runs(numbered: list[tuple[int, str]]) -> list[str]:
    """Return ``number: name``, with dots where four or more names go on by one, like item1, item2, ..."""
    runs: list[list[tuple[int, str]]] = []
    for n, name in numbered:
        if runs and (last := runs[-1][-1]) and n == last[0] + 1 and name == _next(last[1]):
            runs[-1].append((n, name))
        else:
            runs.append([(n, name)])
    out = []
    for run in runs:
        (a, first), (b, last_name) = run[0], run[-1]
        if len(run) > 3:
            out.append(rf"{a}, \ldots, {b}: \text{{{escape(first)}}}, \ldots, \text{{{escape(last_name)}}}")
        else:
            out += [rf"{n}: \text{{{escape(name)}}}" for n, name in run]
    return out


def _next(name: str) -> str:
    """Return the name with its last number one higher, '' where it ends with none."""
    digits = re.search(r"\d+$", name)
    return f"{name[: digits.start()]}{int(digits[0]) + 1:0{len(digits[0])}d}" if digits else ""
