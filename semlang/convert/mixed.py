"""Mixed models: the table of a single response as fixed part and random effects."""

from __future__ import annotations

from dataclasses import dataclass, field

from semlang.convert.converted import Findings
from semlang.model.table import ROWS, ParameterTable, Product, Row, Variable


@dataclass(frozen=True, slots=True)
class RandomPart:
    """Random effects of one cluster that covary: the covariates that they multiply."""

    cluster: str
    via: tuple[Product, ...]


@dataclass(slots=True)
class Mixed:
    """A mixed model of one response.

    Parameters
    ----------
    response : Variable
    fixed : list of Product
        Covariates of the fixed part, without the constant.
    constant : bool
        Whether there is a free intercept.
    offsets : list of (float, Product)
        What is added with a known coefficient.
    parts : list of RandomPart
        Highest level first.
    """

    response: Variable
    fixed: list[Product] = field(default_factory=list)
    constant: bool = False
    offsets: list[tuple[float, Product]] = field(default_factory=list)
    parts: list[RandomPart] = field(default_factory=list)


def read_mixed(table: ParameterTable, findings: Findings) -> Mixed | None:
    """Return the mixed model that a table is, or None (with findings) where it is none.

    Parameters
    ----------
    table : ParameterTable
    findings : Findings
        Extended by what a mixed model can't hold.
    """
    if len(table.responses) != 1:
        findings.impossible(
            f"a model of {len(table.responses)} responses", table.responses[1] if table.responses else None
        )
    if len(table.groups) > 1:
        findings.impossible("a model of several groups", help="let a factor of the group interact with the covariates")
    for v in table.latents:
        if not v.kind.continuous:
            findings.impossible(f"the {v.kind.name} variable '{v.name}'", v)
        elif v.measured:
            findings.impossible(f"the factor '{v.key}'", v)
    if findings.hopeless:
        return None
    out = Mixed(table.responses[0])
    effects: dict[str, Product] = {}
    for r in table.rows:
        _read(r, table, out, effects, findings)
    out.parts = _parts(table, effects, findings)
    return out


def _read(r: Row, table: ParameterTable, out: Mixed, effects: dict[str, Product], findings: Findings) -> None:
    y = out.response.key
    text = f"{r.lhs} {r.op} {r.rhs}".rstrip()
    if r.label and sum(1 for x in table.rows if x.label == r.label) > 1:
        findings.left_out(f"the equality of parameters labelled '{r.label}'", r)
    if r.lower is not None or r.upper is not None:
        findings.left_out(f"the bound of '{text}'", r)
    if r.quantity == "shape" and r.op == "~1" and r.free:
        return  # estimated beside the others in every program
    if r.quantity or r.threshold or r.klass or r.category or r.moderators:
        findings.left_out(f"'{text}'", r)
    elif r.op == "~~":
        role = {table.variables[k].role for k in (r.target, r.source)}
        if not r.free and (r.target == r.source or r.ustart):
            findings.left_out(f"the fixed value of '{text}'", r)
        if role == {"response", "latent"}:
            findings.left_out(f"'{text}'", r)
    elif r.target != y:
        if r.free or r.ustart:
            findings.left_out(f"'{text}', a covariate of a random effect", r, help="write a product: y ~ w:x")
    elif r.source:
        if r.free or r.ustart != 1 or r.source in effects:
            findings.left_out(f"the loading of the random effect '{r.rhs}'", r)
        if r.source not in effects:
            effects[r.source] = r.via
    elif r.op == "~1":
        out.constant = r.free > 0
        if not r.free and r.ustart:
            out.offsets.append((r.ustart, ()))
    elif r.free:
        out.fixed.append(r.via)
    elif r.ustart:
        out.offsets.append((r.ustart, r.via))


def _parts(table: ParameterTable, effects: dict[str, Product], findings: Findings) -> list[RandomPart]:
    """Join random effects that covary; each joined set must have all its covariances."""
    for v in table.latents:
        if v.role == "component":
            effects.setdefault(v.key, ())
    pairs = {frozenset((r.target, r.source)) for r in table.rows if r.op == "~~" and r.target != r.source and r.free}
    out: list[RandomPart] = []
    done: set[str] = set()
    for level in (*reversed(table.clusters), ROWS):
        own = [k for k in effects if table.variables[k].level == level]
        for k in own:
            if k in done:
                continue
            joined = [k]
            for a in joined:
                joined += [b for b in own if frozenset((a, b)) in pairs and b not in joined]
            done |= set(joined)
            missing = [(a, b) for i, a in enumerate(joined) for b in joined[i + 1 :] if frozenset((a, b)) not in pairs]
            if missing:
                a, b = missing[0]
                findings.left_out(f"that '{a}' and '{b}' are uncorrelated, while both covary with a third,")
            ordered = [x for x in own if x in joined]
            factor = next((x for x in ordered if any(c.function == "factor" for c in effects[x])), None)
            if factor is not None:
                findings.left_out(
                    f"how the effects '{factor}' of a factor's levels covary, which the data tell,",
                    help="give the data (a line data: or --data FILE): each level then has its own term",
                )
            out.append(RandomPart(level, tuple(effects[x] for x in ordered)))
    return out
