"""A whole model in words."""

from __future__ import annotations

from collections import Counter

from semlang.model.table import ROWS, ParameterTable
from semlang.syntax import ast
from semlang.words.lists import joined
from semlang.words.statements import in_words


def overview(model: ast.Model, table: ParameterTable) -> list[str]:
    """Return what a model says: a sentence for each statement, and what the defaults add.

    Examples
    --------
    >>> from semlang.model.elaborate import elaborate
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> model, _ = parse(Source("f =~ x1 + x2 + x3"))
    >>> overview(model, elaborate(model).answer[0])[2:]
    ['Added by default: 3 residual variances, 1 variance and 3 intercepts.', 'The model has 9 free parameters.']
    """
    said = [_variables(table), *(in_words(s, table) for s in model.statements)]
    added = _added(table)
    if added:
        said.append(f"Added by default: {added}.")
    n = table.n_parameters
    count = f"{n or 'no'} free parameter{'' if n == 1 else 's'}"
    if any(c.function == "factor" for row in table.rows for c in row.via):
        said.append(f"The model has {count}, each factor counted once: its levels are in the data.")
    else:
        said.append(f"The model has {count}.")
    return said


def _variables(table: ParameterTable) -> str:
    """Return how many variables there are, and over what the latent ones vary."""
    parts = [_count(len(table.responses), "response")]
    levels = Counter(v.level for v in table.latents)
    for level in table.levels:
        if levels[level]:
            over = "the rows of the data" if level == ROWS else f"the units of {level}"
            parts.append(f"{_count(levels[level], 'latent variable')} that var{'ies' if levels[level] == 1 else 'y'} "
                         f"over {over}")  # fmt: skip
    groups = f", in {len(table.groups)} groups" if len(table.groups) > 1 else ""
    return f"A model of {joined(parts)}{groups}."


def _added(table: ParameterTable) -> str:
    """Return what the defaults add to the first group."""
    kinds: Counter[str] = Counter()
    for r in table.rows:
        if r.user == 1 or r.group > 1 or not r.free:
            continue
        if r.op == "~~":
            v = table.variables.get(r.target)
            residual = v is not None and (v.role == "response" or _has_causes(table, v.key))
            what = "variance" if r.target == r.source else "covariance"
            kinds[f"{'residual ' if residual else ''}{what}"] += 1
        elif r.op == "~1" and not r.quantity:
            v = table.variables.get(r.target)
            kinds["intercept" if v is None or v.role == "response" or _has_causes(table, v.key) else "mean"] += 1
        elif r.op == "|" and not r.quantity:
            kinds["threshold"] += 1
    return joined([_count(n, what) for what, n in kinds.items()]) if kinds else ""


def _has_causes(table: ParameterTable, key: str) -> bool:
    return any(
        r.op in ("~", "=~") and r.target == key and r.source != key and not r.quantity and not r.threshold
        for r in table.rows
    )


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
