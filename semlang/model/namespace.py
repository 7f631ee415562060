"""Names: which are latent variables, components and responses; every other name is a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from semlang.diagnostics import Diagnostic, error
from semlang.model.blocks import Block, Blocks
from semlang.model.declarations import Declared
from semlang.model.facts import DataFacts
from semlang.model.kinds import KINDS
from semlang.model.scales import declared_categories, names_with_shared_thresholds
from semlang.model.table import ROWS, Variable
from semlang.source import Source, Span
from semlang.syntax import ast


@dataclass(frozen=True, slots=True)
class Ref:
    """What a name in a formula means.

    `role` is ``latent``, ``component``, ``response`` or ``column``; `key` that of the variable (or the column);
    `shown` the name in the table.
    """

    role: str
    key: str
    shown: str


@dataclass(slots=True)
class Namespace:
    """All variables of the model; `resolve` reads a name in a block.

    `latents` maps bare names to the levels that latent variables of that name have; `responses` maps names of
    responses to the levels of the blocks where they are modelled; `slopes` maps names in ``rv()`` to their
    level; `split` holds responses of higher levels that are covariates at level 1; `parts` maps components that
    stand as a term of their own response, ``y ~ x + y[school]``, to it; `sharing` holds responses that share
    thresholds with others.
    """

    source: Source
    declared: Declared
    findings: list[Diagnostic]
    variables: dict[str, Variable] = field(default_factory=dict)
    latents: dict[str, dict[str, Span]] = field(default_factory=dict)
    measured: set[tuple[str, str]] = field(default_factory=set)
    composites: set[tuple[str, str]] = field(default_factory=set)
    responses: dict[str, set[str]] = field(default_factory=dict)
    ordinal: set[str] = field(default_factory=set)
    columns: dict[str, Span] = field(default_factory=dict)
    facts: DataFacts | None = None
    reported: set[tuple[str, str]] = field(default_factory=set)
    levels: tuple[str, ...] = (ROWS,)
    slopes: dict[str, str] = field(default_factory=dict)
    split: set[str] = field(default_factory=set)
    parts: dict[str, str] = field(default_factory=dict)
    asked: set[tuple[str, str]] = field(default_factory=set)
    sharing: frozenset[str] = frozenset()

    def in_data(self, column: str) -> bool:
        """Return whether the data have a column; False where there are no data."""
        self.asked.add(("column", column))
        return self.facts is not None and column in self.facts.columns

    def levels_in_data(self, column: str) -> tuple[str, ...] | None:
        """Return the levels of a column of the data; None where there are no data, or no such column."""
        self.asked.add(("levels", column))
        return None if self.facts is None else self.facts.levels.get(column)

    def categories_of(self, v: Variable) -> tuple[str, ...] | None:
        """Return the categories of an ordinal response; None where neither text nor data tell.

        Those that a declaration or a Categorical lists, where thresholds are shared with another response; else those
        that the data have.
        """
        known = self.levels_in_data(v.name)
        if v.name in self.sharing:
            return declared_categories(v) or (self.facts.scale(v.name) if self.facts is not None else ()) or known
        return known

    def level_of(self, v: ast.Variable, block: Block) -> str | None:
        """Return the level of the latent variable that a name means in a block, or None where it is none."""
        levels = self.latents.get(v.name)
        if not levels:
            return None
        if v.level is not None:
            return v.level if v.level in levels else None
        if block.cluster in levels:
            return block.cluster
        if len(levels) == 1:
            return next(iter(levels))
        if ("ambiguous-name", v.name) not in self.reported:
            self.reported.add(("ambiguous-name", v.name))
            self.findings.append(
                error(
                    "ambiguous-name",
                    f"'{v.name}' may be " + " or ".join(latent_key(v.name, x) for x in levels),
                    self.source,
                    v.span,
                    help="write the bracket",
                )
            )
        return next(iter(levels))

    def resolve(self, v: ast.Variable, block: Block) -> Ref:
        """Return what a name means in a block, and make its variable."""
        level = self.level_of(v, block)
        if level is not None:
            key = latent_key(v.name, level)
            self._latent(v.name, level, v.span)
            plain = block.level > 0 and v.level is None
            return Ref("latent", key, v.name if plain else key)
        if v.name in self.responses:
            return self._response(v, block)
        if v.level is not None and v.level != ROWS and ("column-as-latent", v.name) not in self.reported:
            self.reported.add(("column-as-latent", v.name))
            self.findings.append(
                error(
                    "column-as-latent",
                    f"'{v.name}' is a column, and columns take no brackets",
                    self.source,
                    v.span,
                    help=(
                        f"write '{v.name}': its level is read off the data",
                        "a latent variable has its bracket where it is first used",
                    ),
                )
            )
        self.columns.setdefault(v.name, v.span)
        return Ref("column", v.name, v.name)

    def _latent(self, name: str, level: str, span: Span) -> None:
        key = latent_key(name, level)
        if key in self.variables:
            return
        d = self.declared.kinds.get(name)
        kind = d.kind if d is not None and d.kind.latent else KINDS["normal"]
        arguments = dict(d.arguments) if d is not None else {}
        if d is not None and d.joint:
            arguments["joint"] = d.joint
        measured = (name, level) in self.measured
        self.variables[key] = Variable(key, name, level, "latent", kind, "", arguments, measured, "", span)

    def make_latent(self, name: str, level: str, span: Span) -> str:
        """Make a latent variable that no formula names itself (of a bar or ``rv()``) and return its key."""
        self.latents.setdefault(name, {}).setdefault(level, span)
        self._latent(name, level, span)
        return latent_key(name, level)

    def _response(self, v: ast.Variable, block: Block) -> Ref:
        home = self.home(v.name)
        self.make_response(v.name, v.span)
        cluster = v.level if v.level is not None else block.cluster
        if cluster in (ROWS, home):
            return Ref("response", v.name, v.name)
        key = latent_key(v.name, cluster)
        if key not in self.variables:
            self.variables[key] = Variable(
                key, v.name, cluster, "component", KINDS["normal"], response=v.name, span=v.span
            )
        return Ref("component", key, key if v.level is not None or block.level == 0 else v.name)

    def make_response(self, name: str, span: Span) -> None:
        """Make the variable of a response."""
        if name in self.variables:
            return
        d = self.declared.kinds.get(name)
        if d is not None and not d.kind.latent:
            kind, link, arguments = d.kind, d.link, dict(d.arguments)
        elif name in self.ordinal:
            kind, link, arguments = KINDS["ordinal"], "probit", {}
        else:
            kind, link, arguments = KINDS["gaussian"], "identity", {}
        self.variables[name] = Variable(
            name, name, self.home(name), "response", kind, link, arguments, span=d.span if d else span
        )

    def home(self, name: str) -> str:
        """Return the level at which a response is measured."""
        d = self.declared.kinds.get(name)
        if d is not None and isinstance(d.arguments.get("level"), str):
            return str(d.arguments["level"])
        levels = self.responses.get(name, {ROWS})
        return ROWS if ROWS in levels or len(levels) != 1 else next(iter(levels))

    def is_class(self, key: str) -> bool:
        """Whether a key is that of a latent class variable."""
        return key in self.variables and self.variables[key].kind.name == "class"

    def n_classes(self, key: str) -> int:
        """Return the number of classes of a class variable."""
        return int(self.variables[key].arguments.get("classes", 1))

    def freeze(self, key: str, **changes: object) -> None:
        """Change fields of a variable."""
        self.variables[key] = replace(self.variables[key], **changes)  # type: ignore[arg-type]


def latent_key(name: str, level: str) -> str:
    """Return the key of a latent variable.

    Examples
    --------
    >>> latent_key("f", "rows"), latent_key("u", "school")
    ('f', 'u[school]')
    """
    return name if level == ROWS else f"{name}[{level}]"


def _variables(t: ast.Term | ast.RandomEffects) -> Iterator[ast.Variable]:
    if isinstance(t, ast.RandomEffects):
        for inner in t.terms:
            yield from _variables(inner)
        return
    for f in t.factors:
        yield f if isinstance(f, ast.Variable) else f.variable


def _modelled(s: ast.Formula | ast.Thresholds) -> Iterator[tuple[ast.Variable, bool]]:
    """Names in a place where a response may stand, and whether only a response (or latent variable) can stand there."""
    if isinstance(s, ast.Thresholds):
        for t in s.lhs:
            for v in _variables(t):
                yield v, True
        return
    if s.op == "=~":
        for r in s.rhs:
            first = next(_variables(r), None)
            if first is not None:
                yield first, True
        return
    if s.op == "|~":
        return
    for t in s.lhs:
        joined = _product(t)
        for v in (joined,) if joined else _variables(t):
            yield v, v.parameter is not None or v.category is not None
    if s.op == "~~":
        for r in s.rhs:
            joined = _product(r)
            for v in (joined,) if joined else _variables(r):
                yield v, False
    elif s.op == "<~":
        for r in s.rhs:
            for v in _variables(r):
                yield v, False


def _product(t: ast.Term | ast.RandomEffects) -> ast.Variable | None:
    """Return the name of a product of columns on the left side or in a covariance, as lavaan has them."""
    if (
        isinstance(t, ast.RandomEffects)
        or len(t.factors) < 2
        or not all(isinstance(f, ast.Variable) for f in t.factors)
    ):
        return None
    return ast.Variable(":".join(f.name for f in t.factors if isinstance(f, ast.Variable)), t.span)


product_name = _product


def survey(
    blocks: Blocks,
    declared: Declared,
    source: Source,
    findings: list[Diagnostic],
    facts: DataFacts | None,
    fixed_x: bool,
    clusters: tuple[str, ...],
) -> Namespace:
    """Find out which names are latent variables and which are responses.

    A name is a latent variable if it stands on the left of ``=~``, or has a bracket and is no response, or is declared
    so. A bracketed name is a component of a response if the bare name is declared as one, is measured by a latent
    variable, has thresholds, or was on a left side without bracket before.
    """
    ns = Namespace(source, declared, findings, facts=facts, levels=(ROWS, *clusters))
    entries = [(b, e.statement) for b in blocks.blocks for e in b.entries]
    ns.sharing = names_with_shared_thresholds(s for _, s in entries)
    bracketed: dict[str, dict[str, Span]] = {}
    bare: dict[str, int] = {}
    predictor: dict[str, int] = {}
    indicator: set[str] = set()
    for _, s in entries:
        terms = [*s.lhs, *(s.rhs if isinstance(s, ast.Formula) else (*s.thresholds, *(s.covariates or ())))]
        for t in terms:
            for v in _variables(t):
                if v.level is not None:
                    bracketed.setdefault(v.name, {}).setdefault(v.level, v.span)
                else:
                    predictor[v.name] = min(predictor.get(v.name, v.span.start), v.span.start)
        for v, sure in _modelled(s):
            if v.level is None:
                bare[v.name] = min(bare.get(v.name, v.span.start), v.span.start)
                if sure:
                    indicator.add(v.name)
    for b, s in entries:
        if isinstance(s, ast.Formula) and s.op in ("=~", "<~"):
            for t in s.lhs:
                for v in _variables(t):
                    known = bracketed.get(v.name, {})
                    first = min((x.start for x in known.values()), default=v.span.start)
                    level = v.level or b.cluster
                    if v.level is None and b.level == 0 and len(known) == 1 and first < bare.get(v.name, first + 1):
                        level = next(iter(known))
                    ns.latents.setdefault(v.name, {}).setdefault(level, v.span)
                    (ns.measured if s.op == "=~" else ns.composites).add((v.name, level))
                    ns.measured.add((v.name, level))
    if clusters:
        for _, s in entries:
            for t in (*s.lhs, *s.rhs) if isinstance(s, ast.Formula) else ():
                for m in t.modifiers if isinstance(t, ast.Term) else ():
                    if m.kind == "rv":
                        ns.slopes[str(m.values[0])] = clusters[0]
                        ns.latents.setdefault(str(m.values[0]), {}).setdefault(clusters[0], m.span)
                        ns.measured.add((str(m.values[0]), clusters[0]))
    for name, d in declared.kinds.items():
        if d.kind.latent:
            levels = {d.level: d.span} if d.level else bracketed.get(name, {ROWS: d.span})
            for x in levels:
                ns.latents.setdefault(name, {}).setdefault(x, d.span)
    for name, levels in bracketed.items():
        kind = declared.kind(name)
        is_response = (kind is not None and not kind.latent) or (
            name not in ns.latents
            and (name in indicator or bare.get(name, 1 << 60) < min(x.start for x in levels.values()))
        )
        first = min(x.start for x in levels.values())
        column = name not in ns.latents and (
            ns.in_data(name) or (name not in bare and predictor.get(name, first) < first)
        )
        if not is_response and not column:
            for x, span in levels.items():
                ns.latents.setdefault(name, {}).setdefault(x, span)
    for b, s in entries:
        for v, _ in _modelled(s):
            if ns.level_of(v._replace(level=None) if v.level not in ns.latents.get(v.name, {}) else v, b) is None:
                ns.responses.setdefault(v.name, set()).add(v.level or b.cluster)
                if isinstance(s, ast.Thresholds):
                    ns.ordinal.add(v.name)
    for name, d in declared.kinds.items():
        if not d.kind.latent and name in ns.responses:
            ns.responses[name].add(str(d.arguments.get("level", ROWS)))
    for b, s in entries:
        if b.level == 1 and isinstance(s, ast.Formula) and s.op == "~":
            for r in s.rhs:
                for v in _variables(r):
                    levels_of_v = ns.responses.get(v.name, {ROWS})
                    if ROWS not in levels_of_v and not declared.has_level(v.name):
                        ns.split.add(v.name)
                        levels_of_v.add(ROWS)
    if not fixed_x:
        for b, s in entries:
            if isinstance(s, ast.Formula) and s.op == "~":
                for r in s.rhs:
                    if isinstance(r, ast.Term) and len(r.factors) == 1 and isinstance(r.factors[0], ast.Variable):
                        v = r.factors[0]
                        if ns.level_of(v, b) is None and v.name not in ns.responses:
                            ns.responses.setdefault(v.name, set()).add(b.cluster)
    return ns
