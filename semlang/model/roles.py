"""The parts that names play in one block: indicator, dependent, exogenous, terminal, ..."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from semlang.model.draft import Draft
from semlang.model.namespace import Namespace
from semlang.model.table import Covariate, Variable

Names = dict[str, None]
"""An ordered set of names."""


def _unique(names: Iterable[str]) -> Names:
    return dict.fromkeys(names)


@dataclass(slots=True)
class Roles:
    """Names of one block, as shown in its rows, by part; `key` maps them to variables.

    Parameters
    ----------
    latents : names
        Latent variables that stand on the left of ``=~`` or ``<~``, and their products.
    composites : names
        Those on the left of ``<~``.
    products : names
        Products of latent variables that stand on a right-hand side.
    effects : names
        Random effects whose first appearance is in this block, components of responses in non-level blocks included.
    responses : names
        Responses (and in level blocks components): indicators, dependents, exogenous ones, the rest.
    indicators, dependents, predictors : names
        Right sides of ``=~``; left sides of ``~``; right sides of ``~``.
    exogenous : names
        Responses that are only ever predictors and have no written moments (with ``fixed.x = false``).
    """

    latents: Names = field(default_factory=dict)
    composites: Names = field(default_factory=dict)
    products: Names = field(default_factory=dict)
    effects: Names = field(default_factory=dict)
    responses: Names = field(default_factory=dict)
    indicators: Names = field(default_factory=dict)
    dependents: Names = field(default_factory=dict)
    predictors: Names = field(default_factory=dict)
    exogenous: Names = field(default_factory=dict)
    composite_indicators: Names = field(default_factory=dict)
    efa: dict[str, str] = field(default_factory=dict)
    key: dict[str, str] = field(default_factory=dict)

    @property
    def exogenous_latents(self) -> Names:
        """Latent variables that nothing points at."""
        return _unique(x for x in self.latents if x not in self.indicators and x not in self.dependents)

    @property
    def terminal_latents(self) -> Names:
        """Dependent latent variables that neither predict nor indicate anything."""
        return _unique(x for x in self.latents if self._terminal(x))

    @property
    def terminal_responses(self) -> Names:
        """Dependent responses that neither predict nor indicate anything."""
        return _unique(x for x in self.responses if self._terminal(x))

    def _terminal(self, x: str) -> bool:
        return x in self.dependents and x not in self.indicators and x not in self.predictors


def assign_roles(rows: list[Draft], ns: Namespace, taken: set[str], fixed_x: bool) -> Roles:
    """Find the parts that names play in the rows of a block.

    Parameters
    ----------
    taken : set of str
        Keys of random effects that have their variance already (in another block of the group); extended.
    """
    roles = Roles()
    key = roles.key

    def note(shown: str, k: str) -> str:
        key.setdefault(shown, k)
        return shown

    def variable(k: str) -> Variable | None:
        return ns.variables.get(k)

    latents, composites, indicators, dependents, predictors, extra = [], [], [], [], [], []
    effects: list[str] = []
    exogenous: list[str] = []
    mentioned: set[str] = set()
    for r in rows:
        if r.op in ("=~", "<~"):
            shown = note(r.lhs, r.source if r.op == "=~" else r.target)
            latents.append(shown)
            if r.op == "<~":
                composites.append(shown)
                extra.append(note(r.rhs, r.source))
                predictors.append(r.rhs)
            else:
                indicators.append(note(_base(r.rhs, r), r.target))
            if r.efa:
                roles.efa[shown] = r.efa
        elif r.op == "~" and not r.threshold:
            if not r.quantity:
                dependents.append(note(_bare(r), r.target))
            else:
                extra.append(note(r.target, r.target))
            if r.source and not r.quantity:
                predictors.append(r.rhs)
                _source(r, ns, note, effects)
            elif r.source:
                _source(r, ns, note, effects)
            else:
                predictors.append(r.rhs)
                if r.level == 1:
                    extra += [note(x.column, x.column) for x in r.via if x.column in ns.split]
                c = r.via[0] if len(r.via) == 1 else None
                if isinstance(c, Covariate) and c.response and c.function == "identity" and r.rhs == c.column:
                    exogenous.append(note(r.rhs, c.column))
        elif r.op == "~~":
            for shown, k in ((r.lhs, r.target), (r.rhs, r.source)):
                extra.append(note(shown, k))
                mentioned.add(shown)
        elif r.op == "~1" and not r.quantity:
            extra.append(note(_bare(r), r.target))
            mentioned.add(_bare(r))
        elif r.op == "|" or r.quantity or r.threshold:
            extra.append(note(r.target if r.op != "|" else r.lhs, r.target))
            if r.source:
                _source(r, ns, note, effects)
    for component, response in ns.parts.items() if not any(r.level for r in rows) else ():
        extra.append(note(response, response))
        effects.append(note(component, component))
    roles.products = _unique(
        r.rhs
        for r in rows
        if r.is_regression
        and r.moderators
        and not r.via
        and all(_is_measured(ns, k) for k in (r.source, *r.moderators))
    )
    roles.latents = _unique([*latents, *roles.products])
    roles.composites = _unique(composites)
    roles.indicators, roles.dependents = _unique(indicators), _unique(dependents)
    roles.predictors = _unique(predictors)
    names = _unique([*indicators, *dependents, *exogenous, *extra])
    known = set(roles.latents)
    responses = []
    for x in names:
        v = variable(key[x])
        if v is None or x in known:
            continue
        if v.role == "response" or (v.role == "component" and x != v.key):
            responses.append(x)
        elif v.role in ("latent", "component"):
            effects.append(x)
    roles.responses = _unique(responses)
    roles.composite_indicators = _unique(r.rhs for r in rows if r.op == "<~")
    if not fixed_x:
        roles.exogenous = _unique(
            x
            for x in _unique(exogenous)
            if x not in roles.indicators and x not in roles.dependents and x not in known and x not in mentioned
        )
    fresh = []
    for x in _unique(effects):
        k = key[x]
        v = variable(k)
        if k not in taken and x not in known and v is not None and not (v.role == "latent" and v.measured):
            fresh.append(x)
            taken.add(k)
    roles.effects = _unique(fresh)
    return roles


def _is_measured(ns: Namespace, k: str) -> bool:
    v = ns.variables.get(k)
    return v is not None and v.measured


def _source(r: Draft, ns: Namespace, note: object, effects: list[str]) -> None:
    assert callable(note)
    for k in (r.source, *r.moderators):
        v = ns.variables.get(k)
        if v is None:
            continue
        shown = v.name if r.level > 0 and not r.rhs.startswith(k) and v.name in r.rhs.split(":") else k
        effects.append(note(shown, k))


def _bare(r: Draft) -> str:
    """Return the left side without a category."""
    suffix = f"@{r.category}"
    return r.lhs.removesuffix(suffix) if r.category else r.lhs


def _base(shown: str, r: Draft) -> str:
    """Return the measured variable of a right side: without covariates and category."""
    if r.via or r.moderators:
        shown = shown.split(":")[0]
    return shown.removesuffix(f"@{r.category}") if r.category else shown
