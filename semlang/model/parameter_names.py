"""One spelling of a parameter's name, for everything that lists parameters."""

from __future__ import annotations

from collections import defaultdict

from semlang.model.table import ROWS, ParameterTable, Row

__all__ = ["level_of", "parameter_names", "parameters_by_name", "row_name", "tight", "written_label"]


def level_of(table: ParameterTable, row: Row) -> str:
    """Return the level that a row is reported at: ``rows`` or a cluster."""
    key = row.source if row.op == "=~" and row.source else row.target
    variable = table.variables.get(key)
    return variable.level if variable is not None else ROWS


def written_label(row: Row) -> str:
    """Return the label of a row, or '' where it has none or lavaan's automatic one (``.p7.``).

    Examples
    --------
    >>> written_label(Row(7, "f", "=~", "x2", label=".p2.")), written_label(Row(7, "f", "=~", "x2", label="a"))
    ('', 'a')
    """
    return "" if row.label.startswith(".p") and row.label.endswith(".") else row.label


def row_name(table: ParameterTable, row: Row, *, group: bool = True) -> str:
    """Return ``lhs op rhs`` and in brackets what else tells the row from others: level, group, class.

    Parameters
    ----------
    table : ParameterTable
    row : Row
    group : bool
        Name the group, where there are several.
    """
    statement = f"{row.lhs} ~1" if row.op == "~1" else f"{row.lhs} {row.op} {row.rhs}"
    level = level_of(table, row)
    place = [level] if level != ROWS and f"[{level}]" not in statement else []
    if group and len(table.groups) > 1:
        place.append(table.groups[row.group - 1])
    if row.klass:
        place.append(f"class {row.klass}")
        place += [f"{key}@{k}" for key, k in row.also]
    return f"{statement} ({', '.join(place)})" if place else statement


def parameter_names(table: ParameterTable) -> tuple[str, ...]:
    """Return the name of each parameter: its label, else ``lhs op rhs`` with level, group and class.

    A parameter that is the same in all groups has no group in its name. Where two rows of the text say the same, the
    later has its lavaan label (``.p7.``) behind it, so that no two parameters have one name.
    """
    rows: defaultdict[int, list[Row]] = defaultdict(list)
    for row in table.rows:
        if row.parameter >= 0:
            rows[row.parameter].append(row)
    names = [""] * table.n_parameters
    for parameter, held in rows.items():
        label = next((label for label in map(written_label, held) if label), "")
        everywhere = len({row.group for row in held}) == len(table.groups)
        names[parameter] = label or row_name(table, held[0], group=not everywhere)
    taken: set[str] = set()
    for parameter in sorted(rows):
        if names[parameter] in taken:
            names[parameter] += f" {rows[parameter][0].plabel}".rstrip()
        taken.add(names[parameter])
    return tuple(names)


def parameters_by_name(table: ParameterTable) -> dict[str, list[int]]:
    """Return the parameters that each name means; keys have no spaces (see `tight`).

    A key is a parameter's name, the name of one of its rows, or a row's ``lhs op rhs``, which means it at every level
    and in every group; the two sides of ``~~`` may be exchanged.
    """
    found: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for row in table.rows:
        if row.parameter < 0:
            continue
        means = {row.label, row.plabel, f"{row.lhs}{row.op}{row.rhs}", row_name(table, row)}
        if row.op == "~~":
            turned = row._replace(lhs=row.rhs, rhs=row.lhs)
            means |= {f"{row.rhs}~~{row.lhs}", row_name(table, turned)}
        for name in means - {""}:
            found[tight(name)][row.parameter] = None
    exact = {tight(name): [k] for k, name in enumerate(parameter_names(table)) if name}
    return {name: list(which) for name, which in found.items()} | exact


def tight(name: str) -> str:
    """Return a name without its spaces.

    Examples
    --------
    >>> tight("visual =~ x2 (Pasteur)")
    'visual=~x2(Pasteur)'
    """
    return "".join(name.split())
