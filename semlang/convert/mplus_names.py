"""Names, lists and computed columns as Mplus takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from semlang.convert.writing import number, plain
from semlang.model.table import Covariate, Product

LENGTH = 8
"""Characters of a name."""


class Names:
    """Short names, different ones for different variables, whatever their case.

    Examples
    --------
    >>> names = Names(["Reaction"])
    >>> names("Reaction"), names("reaction.time"), names("x")
    ('Reaction', 'reactio2', 'x')
    """

    def __init__(self, columns: Iterable[str] = ()) -> None:
        self.made: dict[str, str] = {}
        for c in columns:
            self(c)

    def __call__(self, name: str) -> str:
        """Return the short name of a variable."""
        if name not in self.made:
            taken = {x.casefold() for x in self.made.values()}
            short, n = plain(name)[:LENGTH], 1
            while short.casefold() in taken:
                n += 1
                short = f"{plain(name)[: LENGTH - len(str(n))]}{n}"
            self.made[name] = short
        return self.made[name]

    @property
    def changed(self) -> list[str]:
        """Names that are not as in the model: ``long.name -> longname``."""
        return [f"{k} -> {v}" for k, v in self.made.items() if k != v]


def compute(name: Callable[[str], str]) -> Callable[[str, Product], str]:
    """Return what writes a line of DEFINE."""

    def covariate(c: Covariate) -> str:
        column = name(c.column)
        match c.function:
            case "power" if isinstance(c.argument, int | float):
                return f"{column}**{number(c.argument)}"
            case "log":
                return f"LOG({column})"
            case "offset" if c.argument == "log":
                return f"LOG({column})"
            case "level":
                return f"({column} EQ {c.argument})"
            case _:
                return column

    return lambda column, via: f"{column} = {'*'.join(covariate(c) for c in via)};"


def listed(word: str, names: Iterable[str]) -> list[str]:
    """Return a list of names, wrapped below Mplus's 90 characters.

    Examples
    --------
    >>> listed("CLUSTER", ["school"])
    ['  CLUSTER = school;']
    """
    lines = [f"  {word} ="]
    for n in names:
        if len(lines[-1]) + len(n) > 80:
            lines.append("   ")
        lines[-1] += f" {n}"
    lines[-1] += ";"
    return lines
