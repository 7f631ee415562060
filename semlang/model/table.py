"""The parameter table: every parameter of the model, with all defaults made explicit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from semlang.model.kinds import Kind, limits
from semlang.source import Source, Span
from semlang.syntax import ast

ROWS = "rows"
"""Reserved name of the finest level."""


@dataclass(frozen=True, slots=True)
class Covariate:
    """A function of one column, a factor of a product of covariates.

    `function` is ``identity``, ``power`` (`argument` the exponent), ``log``, ``level`` (1 where the column, as text,
    equals `argument`, else 0), ``offset`` (with `argument` ``log`` that of the logarithm), ``factor`` (a factor whose
    levels are not known yet, for there are no data; `argument` its base) or ``inside`` (a product that the estimation
    centred and scaled). `response` tells that the column is a response of the model: its observed value.
    """

    column: str
    function: str = "identity"
    argument: float | str | None = None
    response: bool = False

    @property
    def is_column(self) -> bool:
        """Whether it is the column itself."""
        return self.function == "identity" or (self.function == "offset" and not self.argument)

    @property
    def name(self) -> str:
        """Name as in tables: ``x``, ``x^2``, ``log(x)``, ``x=level``.

        Examples
        --------
        >>> Covariate("x", "power", 2.0).name, Covariate("g", "level", "b").name
        ('x^2', 'g=b')
        """
        match self.function:
            case "power":
                return f"{self.column}^{self.argument:g}"
            case "level":
                return f"{self.column}={self.argument}"
            case "identity" | "inside":
                return self.column
            case "offset" if self.argument:
                return f"offset({self.argument}({self.column}))"
            case function:
                return f"{function}({self.column})"


Product = tuple[Covariate, ...]
"""A product of covariates; the empty product is the constant 1."""

COVARIANCE = "~~"
"""What the quantity of an addend of a covariance of latent variables begins with; the other end follows."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A latent variable or a response of the model.

    Parameters
    ----------
    key : str
        Unique name: the bare name at the level of rows (and for responses), else ``name[cluster]``.
    name, level : str
        Bare name; ``rows`` or the cluster whose units it varies over.
    role : str
        ``latent`` (stands on the left of ``=~``, is declared, or is a random effect), ``component``
        (``y[school]``, the part of response `y` that varies over schools) or ``response``.
    kind : Kind
        For latent variables ``normal``, ``class`` or ``masspoints``.
    arguments : mapping
        Arguments of the declaration: ``trials``, ``exposure``, ``level``, ...
    link : str
        Link of a response, else ''.
    measured : bool
        Whether it stands on the left of ``=~`` (else it is a random effect).
    response : str
        For a component, the key of its response.
    """

    key: str
    name: str
    level: str
    role: str
    kind: Kind
    link: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    measured: bool = False
    response: str = ""
    span: Span | None = None

    @property
    def is_normal(self) -> bool:
        """Whether it is a continuous latent variable."""
        return self.role != "response" and self.kind.name == "normal"

    @property
    def is_linear(self) -> bool:
        """Whether it is a gaussian response with identity link that is neither censored nor in an interval."""
        return self.is_gaussian and not (self.arguments.get("censored") or self.arguments.get("interval"))

    @property
    def is_gaussian(self) -> bool:
        """Whether it is a gaussian response with identity link, seen or censored."""
        return self.kind.name == "gaussian" and self.link in ("", "identity")

    @property
    def limit_columns(self) -> tuple[str, ...]:
        """Columns that hold limits of censoring, or the ends of an interval."""
        found = [limits(self.arguments.get(name)) or () for name in ("censored", "interval")]
        return tuple(x for pair in found for x in pair if isinstance(x, str))


class Row(NamedTuple):
    """One row of the table: lavaan's columns, the rule that made it, and what it means.

    Parameters
    ----------
    id, lhs, op, rhs, user, block, group, level, free, ustart, exo, label, lower, upper, plabel
        As in lavaan; `op` is ``~1`` for intercepts; `free` is 0 or the running number of the free row; `block`,
        `group` and `level` are lavaan's integers (0 for constraints and definitions, `level` 0 where there are no
        level blocks).
    rule : str
        The rule that made the row, e.g. ``written``, ``marker loading``, ``automatic variance``.
    parameter : int
        Index from 0 of the parameter vector (rows with one label share it), -1 for a fixed row.
    span : Span
        What in the text gave rise to it.
    target, source : str
        Keys of variables. ``~``, ``=~``, ``~1``: the path goes from `source` (a latent variable, or '' for a path from
        observed covariates or the constant) to `target`. ``~~``: the two ends. ``|``: `target` is the response.
    via : Product
        Covariates that multiply the path (empty for a constant): a slope has `source` '' and `via` (x,), a random
        slope `source` u and `via` (x,).
    quantity : str
        '' for the mean part of the linear predictor, or the distribution parameter that the row belongs to: ``sigma``,
        ``shape``, ``zero``, ``guess``, ``slip``. Of a latent variable ``sigma``, the log standard deviation of its
        disturbance, or ``~~g``, its covariance with g, where they depend on covariates.
    threshold : int
        Number from 1 of the threshold that the row is, or moves; else 0.
    category : str
        Category of a nominal response, or ''.
    klass : int
        Latent class for which the row holds, or 0; `class_variable` its key. Rows of a class add to those of all.
        Membership: the class whose logit the row belongs to, `class_variable` being the target; where the logit depends
        on another class variable, the class of that one, and `category` says which logit.
    moderators : tuple of str
        Keys of further latent variables that multiply the path: ``eta ~ f1:f2`` has source f1 and moderator f2.
    efa : str
        Set of the exploratory factor on the left, or ''.
    rv : str
        Key of the random slope that lavaan's ``rv()`` puts on the path, or ''.
    also : tuple of (str, int)
        Further class variables and the classes for which alone the row holds.
    replaces : bool
        Whether the row of a class stands in the place of that of all classes (lines of ``class:`` blocks).
    """

    id: int
    lhs: str
    op: str
    rhs: str
    user: int = 1
    block: int = 1
    group: int = 1
    level: int = 0
    free: int = 0
    ustart: float | None = None
    exo: int = 0
    label: str = ""
    lower: float | None = None
    upper: float | None = None
    plabel: str = ""
    rule: str = "written"
    parameter: int = -1
    span: Span | None = None
    target: str = ""
    source: str = ""
    via: Product = ()
    quantity: str = ""
    threshold: int = 0
    category: str = ""
    klass: int = 0
    class_variable: str = ""
    moderators: tuple[str, ...] = ()
    efa: str = ""
    rv: str = ""
    also: tuple[tuple[str, int], ...] = ()
    replaces: bool = False

    @property
    def joins(self) -> tuple[str, str] | None:
        """The ends of the covariance of latent variables that it is an addend of; None where it is none."""
        return (self.target, self.quantity.removeprefix(COVARIANCE)) if self.quantity.startswith(COVARIANCE) else None


@dataclass(frozen=True, slots=True)
class Relation:
    """A constraint ``left op right`` between parameters: op ``==``, ``<`` or ``>``; names are labels or plabels."""

    left: ast.Expression
    op: str
    right: ast.Expression
    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Defined:
    """A defined parameter ``name := expression`` of labels and other defined parameters."""

    name: str
    expression: ast.Expression
    text: str
    span: Span | None = None


@dataclass(frozen=True)
class Layout:
    """What ``layout:`` lines say of the drawing; names are spelt as in the text.

    Parameters
    ----------
    direction : str
        ``down``, ``right``, or '' where it is not said.
    rows, columns : tuple of tuples of names
        What stands side by side, from above; what stands one below the other, from the left.
    order : tuple of names
        From the left to the right, or from above where rows are drawn as columns.
    sides : mapping from name to 'above', 'below', 'left' or 'right'
    at : mapping from name to (x, y)
        Centres in points from the upper left corner, y growing downwards.
    """

    direction: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    columns: tuple[tuple[str, ...], ...] = ()
    order: tuple[str, ...] = ()
    sides: Mapping[str, str] = field(default_factory=dict)
    at: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class ParameterTable:
    """All rows of the model and what the rest of the program needs to know beside them.

    Parameters
    ----------
    rows : tuple of Row
    variables : mapping from key to Variable
        Latent variables, components and responses, in order of appearance.
    n_parameters : int
        Length of the parameter vector (labels merged).
    clusters : tuple of str
        Cluster columns, lowest first (``("person", "school")``); levels are ``("rows",) + clusters``.
    groups : tuple of str
        Labels of the groups in order (one empty label for a single group); `group_column` their column or ''.
    relations, defined
        Constraints and defined parameters.
    options : mapping
        Merged options: lavaan's and the engine's (``points``, ``rule``, ``se``, ``defaults``, ``std.lv``, ...).
    frequency, weights : mapping from level (``rows`` or a cluster) to column
    data : str
        File named by ``data:``, or ''.
    reshape : mapping
        Arguments of ``reshape:``, or empty.
    layout : Layout
        Hints for the drawing.
    """

    source: Source
    rows: tuple[Row, ...]
    variables: Mapping[str, Variable]
    n_parameters: int
    clusters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("",)
    group_column: str = ""
    relations: tuple[Relation, ...] = ()
    defined: tuple[Defined, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    frequency: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    reshape: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)

    @property
    def levels(self) -> tuple[str, ...]:
        """``rows`` and the clusters, lowest first."""
        return (ROWS, *self.clusters)

    @cached_property
    def responses(self) -> tuple[Variable, ...]:
        """The responses in order of appearance."""
        return tuple(v for v in self.variables.values() if v.role == "response")

    def responses_of(self, group: int) -> tuple[Variable, ...]:
        """The responses that have a row in a group, counted from 1, in order of appearance."""
        if len(self.groups) == 1:
            return self.responses
        own = {key for r in self.rows if r.group == group for key in (r.target, r.source)}
        return tuple(v for v in self.responses if v.key in own)

    @cached_property
    def latents(self) -> tuple[Variable, ...]:
        """Latent variables and components in order of appearance."""
        return tuple(v for v in self.variables.values() if v.role != "response")

    def columns(self) -> tuple[str, ...]:
        """Every data column that the model needs, in order of appearance."""
        return self._columns

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for v in self.responses:
            if "interval" not in v.arguments:
                found[v.name] = None
            if not v.arguments:
                continue
            for argument in ("trials", "exposure", "event", "entry", "set", "weight"):
                if isinstance(v.arguments.get(argument), str):
                    found[v.arguments[argument]] = None
            found.update(dict.fromkeys(v.limit_columns))
        for v in self.latents:
            if isinstance(v.arguments.get("observed"), str):
                found[v.arguments["observed"]] = None
        made = {v.name for v in self.responses if "interval" in v.arguments}
        for c in (c for row in self.rows for c in row.via):
            if c.column not in made:
                found[c.column] = None
        for column in (*self.clusters, self.group_column, *self.frequency.values(), *self.weights.values()):
            if column:
                found[column] = None
        return tuple(found)
