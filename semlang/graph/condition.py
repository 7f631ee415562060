"""Condition on latent variables: the table of the model in which their values are known.

Given its class, a unit's model has no class variable: rows of that class are ordinary rows. Given its node, a
continuous latent variable is a covariate. What is left is a table like any other, and so are graphs and reduced forms.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from semlang.model.kinds import KINDS
from semlang.model.replaced import place, takes_the_place
from semlang.model.table import Covariate, ParameterTable, Row, Variable

__all__ = [
    "Direction",
    "discrete_variables",
    "given_known",
    "given_nodes",
    "given_states",
    "given_values",
    "known_for_some",
    "membership",
    "moves_distribution",
    "n_states",
    "sought_numbers",
]

States = Mapping[str, int]
"""The state, from 1, of each discrete latent variable, by key."""


def discrete_variables(table: ParameterTable) -> dict[str, tuple[str, ...]]:
    """Return the discrete latent variables by the first of those that share their states.

    A class variable stands alone; variables with mass points that are declared together have one set of states.
    """
    found: dict[str, tuple[str, ...]] = {}
    for v in table.latents:
        if v.kind.discrete:
            joint = v.arguments.get("joint", (v.name,))
            first = next(x.key for x in table.latents if x.name == joint[0] and x.level == v.level)
            found[first] = (*found.get(first, ()), v.key)
    return found


def n_states(variable: Variable) -> int:
    """Return the number of classes or mass points."""
    return int(variable.arguments.get("classes", 2))


def sought_numbers(table: ParameterTable) -> tuple[str, ...]:
    """Return the keys of the variables whose number of mass points the fit seeks."""
    return tuple(v.key for v in table.latents if v.kind.name == "masspoints" and "classes" not in v.arguments)


def _holds(row: Row, states: States) -> bool:
    """Whether a row holds in the given states."""
    return all(states.get(key, k) == k for key, k in ((row.class_variable, row.klass), *row.also) if key)


def _in_states(table: ParameterTable, states: States) -> list[Row]:
    """Return the rows that hold; a row of a class block takes the place of the general one."""
    rows = [row for row in table.rows if _holds(row, states)]
    own = {place(r) for r in rows if takes_the_place(r)}
    still = {
        r.target for r in rows if r.op == "~~" and r.target == r.source and r.klass and r.parameter < 0 and not r.ustart
    }
    out = []
    for row in rows:
        if not row.klass and place(row) in own:
            continue
        moving = row.op == "~~" and row.target != row.source and not row.klass
        if moving and (row.target in still or row.source in still):
            continue  # what does not vary in the class does not covary
        out.append(row)
    return out


def given_states(table: ParameterTable, states: States) -> ParameterTable:
    """Return the model of units whose discrete latent variables are in the given states.

    A variable with mass points is a latent variable with the mean that its point is, and no variance.

    Parameters
    ----------
    table : ParameterTable
    states : mapping from key to int
        One for each discrete latent variable.

    Examples
    --------
    >>> from semlang.api import Model
    >>> table = Model("c :: class(2)\\ny ~ c + c:x").parameter_table
    >>> [(r.lhs, r.op, r.rhs, r.parameter) for r in given_states(table, {"c": 2}).rows]
    [('y', '~1', '', 1), ('y', '~', 'x', 3), ('y', '~~', 'y', 4)]
    """
    classes = {k for k in states if table.variables[k].kind.name == "class"}
    rows = [
        row._replace(klass=0, class_variable="", also=())
        for row in _in_states(table, states)
        if row.target not in classes and row.source not in classes and row.quantity != "mass"
    ]
    normal = KINDS["normal"]
    variables = {
        key: replace(v, kind=normal) if key in states else v for key, v in table.variables.items() if key not in classes
    }
    return replace(table, rows=tuple(rows), variables=variables)


def moves_distribution(table: ParameterTable, row: Row) -> bool:
    """Return whether a continuous latent variable moves a threshold or another parameter of a distribution by a row."""
    source = table.variables.get(row.source)
    return (
        bool(row.threshold or row.quantity)
        and source is not None
        and not (row.parameter < 0 and row.ustart == 0)
        and source.kind.name != "class"
    )


def given_values(table: ParameterTable, columns: Mapping[str, str]) -> ParameterTable:
    """Return the model in which thresholds and other parameters of distributions see latent variables as covariates.

    Parameters
    ----------
    table : ParameterTable
    columns : mapping from key of a latent variable to the name of its covariate
    """
    rows = []
    for row in table.rows:
        if moves_distribution(table, row):
            seen = tuple(Covariate(columns[k]) for k in (row.source, *row.moderators))
            row = row._replace(source="", moderators=(), via=(*seen, *row.via))
        rows.append(row)
    return replace(table, rows=tuple(rows))


def known_for_some(table: ParameterTable) -> tuple[str, ...]:
    """Return the keys of the continuous latent variables that a column knows for some units."""
    return tuple(v.key for v in table.latents if v.kind.continuous and v.arguments.get("observed"))


def given_known(table: ParameterTable, keys: Collection[str]) -> ParameterTable:
    """Return the model of units in which continuous latent variables are seen: they are responses, and predict as such.

    Parameters
    ----------
    table : ParameterTable
    keys : collection of str
    """
    rows = []
    for row in table.rows:
        factors = [k for k in (row.source, *row.moderators) if k]
        seen = [k for k in factors if k in keys]
        if seen and row.op != "~~":
            left = [k for k in factors if k not in keys]
            via = (*(Covariate(k, response=True) for k in seen), *row.via)
            op = "~" if row.op == "=~" else row.op
            row = row._replace(op=op, source=left[0] if left else "", moderators=tuple(left[1:]), via=via)
        rows.append(row)
    gaussian = KINDS["gaussian"]
    variables = {
        k: replace(v, role="response", kind=gaussian, link="identity", arguments={}, measured=False) if k in keys else v
        for k, v in table.variables.items()
    }
    return replace(table, rows=tuple(rows), variables=variables)


def membership(table: ParameterTable, key: str, states: States) -> ParameterTable:
    """Return the model of the logits of a discrete latent variable: one response ``c@k`` for each class but the last.

    Parameters
    ----------
    table : ParameterTable
    key : str
    states : mapping from key to int
        Of the other discrete latent variables.
    """
    variable = table.variables[key]
    own = [k for k in table.variables if k in states and k != key and table.variables[k].kind.name == "class"]
    names = {str(k): f"{key}@{k}" for k in range(1, n_states(variable))}
    rows: list[Row] = []
    mass = variable.kind.name == "masspoints"
    for row in table.rows:
        if row.target == key:
            if mass and row.quantity != "mass":
                continue
            category = row.category or str(row.klass)
            others = states if row.category else {k: s for k, s in states.items() if k != key}
            if _holds(row, others) and category in names:
                target = names[category]
                rows.append(row._replace(target=target, klass=0, class_variable="", also=(), category="", quantity=""))
    others = {k: s for k, s in states.items() if k != key}
    latent = {v.key for v in table.latents if v.key not in own and v.key != key}
    rows += [
        row._replace(klass=0, class_variable="", also=())
        for row in _in_states(table, others)
        if row.target in latent and row.source not in own and row.quantity != "mass"
    ]
    variables = {k: replace(v, kind=KINDS["normal"]) for k, v in table.variables.items() if k in latent}
    logit = KINDS["gaussian"]
    variables |= {
        name: Variable(name, name, variable.level, "response", logit, "identity", span=variable.span)
        for name in names.values()
    }
    return replace(table, rows=tuple(rows), variables=variables)


@dataclass(frozen=True)
class Direction:
    """One spherical coordinate v of continuous latent variables, whose nodes are a covariate.

    Parameters
    ----------
    key : str
        Key of the latent variable that it belongs to.
    column : str
        Name of the covariate.
    loadings : mapping from key to (parameter, value)
        Coefficients of the variables that move with it: a column of the factor F of Psi.
    """

    key: str
    column: str
    loadings: Mapping[str, tuple[int, float]]


def given_nodes(table: ParameterTable, group: int, directions: Sequence[Direction]) -> ParameterTable:
    """Return the model in which continuous latent variables are known up to what is known: zeta = F v, v a covariate.

    The variances and covariances of the variables with a direction of their own are left out; those of variables that
    only load on one (they covary with it) keep the last entry of their row of F as their variance's parameter. Products
    of latent variables become paths: with zeta_f known, f1:f2 is the sum over the addends of f1 of each times f2.

    Parameters
    ----------
    table : ParameterTable
        Without discrete latent variables.
    group : int
    directions : sequence of Direction
    """
    known = {d.key for d in directions}
    rows = [
        r for r in table.rows if not (r.op == "~~" and r.group == group and (r.target in known or r.source in known))
    ]
    for d in directions:
        via = (Covariate(d.column),)
        for key, (parameter, value) in d.loadings.items():
            if key not in table.variables:
                continue
            rows.append(
                Row(0, key, "~", d.column, group=group, ustart=value if parameter < 0 else None, parameter=parameter,
                    target=key, via=via, rule="node")
            )  # fmt: skip
    return _products_as_paths(replace(table, rows=tuple(rows)), group)


def _products_as_paths(table: ParameterTable, group: int) -> ParameterTable:
    """Let the product of latent variables be a latent variable of its own, with the paths that follow from one factor.

    Of f1:f2 with f1 = sum_p b_p w_p s_p, all of it known but the s_p, the paths are b_p w_p from s_p:f2, or from f2
    where the addend has no source.
    """
    rows = [r for r in table.rows if not (r.moderators and r.group == group)]
    products = [r for r in table.rows if r.moderators and r.group == group]
    if not products:
        return table
    variables = dict(table.variables)
    into: dict[str, list[Row]] = {}
    varying: set[str] = set()
    for r in rows:
        if (
            r.group == group
            and r.op in ("~", "=~", "~1")
            and not r.quantity
            and not r.threshold
            and r.target != r.source
        ):
            into.setdefault(r.target, []).append(r)
        if r.group == group and r.op == "~~" and r.target == r.source and (r.parameter >= 0 or r.ustart):
            varying.add(r.target)
    made: set[str] = set()

    def known(key: str) -> bool:
        return key not in varying and all(known(r.source) for r in into.get(key, ()) if r.source)

    def product(keys: tuple[str, ...]) -> str:
        """Return the key of a product; its rows are made where it is new."""
        if len(keys) == 1:
            return keys[0]
        name = "*".join(sorted(keys))
        if name not in made:
            made.add(name)
            first, *rest = sorted(keys, key=lambda k: (not known(k), k))
            level = min((variables[k].level for k in keys), key=table.levels.index)
            variables[name] = replace(variables[first], key=name, name=name, level=level, measured=False, arguments={})
            for r in into.get(first, ()):
                source = product((*((r.source,) if r.source else ()), *rest))
                rows.append(r._replace(lhs=name, op="~", rhs=source, target=name, source=source, rule="product"))
        return name

    for r in products:
        rows.append(r._replace(source=product((r.source, *r.moderators)), moderators=()))
    return replace(table, rows=tuple(rows), variables=variables)
