"""Automatic parameters of discrete latent variables: logits of classes, locations and masses of mass points."""

from __future__ import annotations

from collections.abc import Iterator

from semlang.model.context import Context
from semlang.model.draft import Draft
from semlang.model.table import Variable

LAST_LOCATION = "the mean of the mass points is 0"
"""Rule of the location that follows from the others."""


def class_logits(c: Context) -> Iterator[Draft]:
    """Give a class variable one membership logit for each class but the last, and for each class it depends on."""
    for v in _discrete(c, "class"):
        n = c.ns.n_classes(v.key)
        for k in range(1, n):
            own = [r for r in c.of(v) if r.op == "~1" and r.category == str(k)]
            given = dict.fromkeys(r.class_variable for r in own)
            if any(r.also for r in own):  # one for each combination of classes
                continue
            lhs = v.key if n < 3 else f"{v.key}@{k}"
            for other in given:
                for j in range(1, c.ns.n_classes(other) + 1):
                    yield from c.make(
                        lhs, "~1", "", "class membership", target=v.key, klass=j, class_variable=other, category=str(k)
                    )
            if not given:
                yield from c.make(v.key, "~1", "", "class membership", target=v.key, klass=k, class_variable=v.key)


def mass_points(c: Context) -> Iterator[Draft]:
    """Give a variable with mass points its locations, and the logits of all masses but the last.

    Variables that are declared together have one set of masses, that of the first. The locations have mean 0, so that
    the last follows from the others, unless the intercept of what depends on them is dropped.
    """
    for v in _discrete(c, "masspoints"):
        n = int(v.arguments.get("classes", 2))
        free = _without_intercept(c, v.key)
        for k in range(1, n + 1):
            for row in c.make(v.key, "~1", "", "mass point", target=v.key, klass=k, class_variable=v.key):
                if k == n and not free:
                    row.fix(None, LAST_LOCATION)
                yield row
        if v.name == next(iter(v.arguments.get("joint", (v.name,)))):
            for k in range(1, n):
                yield from c.make(
                    f"mass({v.key})", "~1", "", "mass", target=v.key, klass=k, class_variable=v.key, quantity="mass"
                )


def _discrete(c: Context, kind: str) -> list[Variable]:
    """Return the variables of a kind that the rows so far name, in order of appearance."""
    keys = (k for r in c.rows for k in (r.class_variable, r.source, r.target, *r.moderators, *(x for x, _ in r.also)))
    found = (c.ns.variables.get(k) for k in dict.fromkeys(keys))
    return [v for v in found if v is not None and v.kind.name == kind]


def _without_intercept(c: Context, key: str) -> bool:
    """Whether what depends on mass points has its intercept dropped."""
    targets = {r.target for r in c.rows if r.is_regression and key in (r.source, *r.moderators)}
    return any(
        r.op == "~1" and r.target in targets and any(m.kind == "fixed" and 0.0 in m.values for m in r.given)
        for r in c.rows
    )
