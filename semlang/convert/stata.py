"""What code for Stata shares: reading the data, computed columns, names that Stata takes."""

from __future__ import annotations

from semlang.convert.writing import plain
from semlang.model.table import Covariate, ParameterTable, Product


def stata_name(name: str) -> str:
    """Return a name that Stata takes for an observed variable: plain, 32 characters, not beginning with a capital.

    Examples
    --------
    >>> stata_name("Reaction.time")
    'reaction_time'
    """
    out = plain(name)[:32]
    return out[0].lower() + out[1:]


def latent_name(name: str) -> str:
    """Return a name that gsem takes for a latent variable: it begins with a capital.

    Examples
    --------
    >>> latent_name("ability"), latent_name("y.1")
    ('Ability', 'Y_1')
    """
    out = plain(name)[:32]
    return out[0].upper() + out[1:]


def read_lines(table: ParameterTable) -> list[str]:
    """Return the lines that read the data and rename columns that gsem would take for latent variables."""
    out = [f'import delimited "{table.data or "data.csv"}", clear case(preserve)']
    # import delimited has turned dots and other signs of the file's names into _ .
    return out + [f"rename {plain(c)} {stata_name(c)}" for c in table.columns() if plain(c) != stata_name(c)]


def text_columns(table: ParameterTable) -> frozenset[str]:
    """Return the columns whose levels are not all numbers."""
    levels = ((c.column, str(c.argument)) for r in table.rows for c in r.via if c.function == "level")
    return frozenset(column for column, level in levels if not _is_number(level))


def compute(column: str, via: Product, texts: frozenset[str] = frozenset()) -> str:
    """Return the statement that makes a column.

    Examples
    --------
    >>> compute("x_2", (Covariate("x", "power", 2.0),))
    'generate double x_2 = x^2'
    """
    return f"generate double {column} = {'*'.join(covariate(c, texts) for c in via)}"


def covariate(c: Covariate, texts: frozenset[str] = frozenset()) -> str:
    """Return a covariate as a Stata expression; `texts` are columns of strings."""
    name = stata_name(c.column)
    match c.function:
        case "power":
            return f"{name}^{c.argument:g}"
        case "log":
            return f"log({name})"
        case "offset" if c.argument == "log":
            return f"log({name})"
        case "level":
            return equals(name, str(c.argument), c.column in texts)
        case _:
            return name


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def equals(name: str, value: str, text: bool = False) -> str:
    """Return the comparison of a column with a value, which may be a number.

    Examples
    --------
    >>> equals("sex", "2"), equals("sex", "male")
    ('(sex == 2)', '(sex == "male")')
    """
    return f"({name} == {value})" if _is_number(value) and not text else f'({name} == "{value}")'
