"""Classes whose probabilities depend on continuous latent variables: their measurement, then what they depend on.

Where categorical responses that depend on one class variable of two classes alone satisfy Kruskal's condition, their
distribution determines the probabilities of the responses in each class (see `checks.latent_classes`). The matrix of
these has full column rank, so that the joint distribution of the classes of several units follows from that of their
responses. What the classes depend on is then identified where it would be were the classes seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from semlang.checks.identification.report import IDENTIFIED, Identification
from semlang.checks.latent_classes import latent_classes
from semlang.graph.build import build_graphs
from semlang.graph.model_graph import ModelGraph
from semlang.model.kinds import KINDS
from semlang.model.table import ROWS, ParameterTable

__all__ = ["identify_measured_classes"]

Identify = Callable[[ParameterTable, Sequence[ModelGraph]], Identification]


def identify_measured_classes(table: ParameterTable, identify: Identify) -> Identification | None:
    """Return the verdict; None where the model is not of this kind, or not identified by this argument.

    Parameters
    ----------
    identify : callable
        The verdict on a model without classes.
    """
    classes = [v for v in table.latents if v.kind.name == "class"]
    if len(classes) != 1 or table.groups != ("",) or table.relations:
        return None
    (c,) = classes
    others = {v.key for v in table.latents if v.key != c.key}
    measured = {r.target for r in table.rows if r.class_variable == c.key and r.target != c.key}
    if c.level != ROWS or c.arguments.get("observed") or int(c.arguments.get("classes", 0)) != 2 or not others:
        return None
    inside = [r for r in table.rows if r.target in measured]
    outside = [r for r in table.rows if r.target not in measured]
    if any(r.source in others for r in inside) or any(r.klass and r.target != c.key for r in outside):
        return None
    numbers = {p: n for n, p in enumerate(sorted({r.parameter for r in inside if r.parameter >= 0}))}
    if numbers.keys() & {r.parameter for r in outside}:
        return None
    own = replace(
        table,
        rows=tuple(r._replace(parameter=numbers.get(r.parameter, -1)) for r in inside),
        variables={k: v for k, v in table.variables.items() if k in measured or k == c.key},
        n_parameters=len(numbers),
        clusters=(),
    )
    if not latent_classes(own):
        return None
    left = {p: n for n, p in enumerate(sorted({r.parameter for r in outside if r.parameter >= 0}))}
    seen = replace(c, role="response", kind=KINDS["binomial"], link="logit", arguments={}, measured=False)
    rest = replace(
        table,
        rows=tuple(
            r._replace(parameter=left.get(r.parameter, -1), klass=0, class_variable="") for r in outside
        ),
        variables={k: seen if k == c.key else v for k, v in table.variables.items() if k not in measured},
        n_parameters=len(left),
    )  # fmt: skip
    found = identify(rest, build_graphs(rest))
    if found.verdict != IDENTIFIED:
        return None
    why = (
        f"The responses of {c.key} satisfy Kruskal's condition, so that its classes count as seen, up to labels; what "
        f"they depend on is then identified: {found.why}"
    )
    n = table.n_parameters
    return Identification(IDENTIFIED, why, n, n, only_if=found.only_if)
