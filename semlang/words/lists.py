"""Lists, numbers and names in words."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.syntax import ast

LONGEST = 12


def joined(parts: Sequence[str]) -> str:
    """Return a list in words.

    Examples
    --------
    >>> joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(parts) > LONGEST:
        parts = [*parts[: LONGEST - 2], f"{len(parts) - LONGEST + 1} more", parts[-1]]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else "nothing"


def value(v: float | str | None) -> str:
    """Return a value as one writes it.

    Examples
    --------
    >>> value(1.0), value("a"), value(None)
    ('1', 'a', 'NA')
    """
    return "NA" if v is None else f"{v:.15g}" if isinstance(v, float) else str(v)


def variable(v: ast.Variable | ast.Transform) -> str:
    """Return a variable as it is written: ``u[school]``, ``c@2``, ``log(x)``."""
    if isinstance(v, ast.Transform):
        inner = variable(v.variable)
        if v.function == "offset" and v.argument:
            inner = f"{v.argument}({inner})"
        return f"{inner}^{value(v.argument)}" if v.function == "power" else f"{v.function}({inner})"
    level = f"[{v.level}]" if v.level else ""
    category = f"@{v.category}" if v.category else ""
    name = f"{v.name}{level}{category}"
    if v.threshold:
        name = f"{name}|{v.threshold}"
    return f"{v.parameter}({name})" if v.parameter else name


def product(factors: Sequence[ast.Variable | ast.Transform]) -> str:
    """Return a product as it is written: ``x1:x2``."""
    return ":".join(map(variable, factors))


def by_group(names: Sequence[str] | None, parts: Sequence[str]) -> str:
    """Return values that differ over groups.

    Examples
    --------
    >>> by_group(None, ["a", "b"]), by_group(("m", "f"), ["a", "b"]), by_group(None, ["a"])
    ('a in group 1 and b in group 2', 'a in m and b in f', 'a')
    """
    if len(parts) == 1 and not names:
        return parts[0]
    labels = names or [f"group {i}" for i in range(1, len(parts) + 1)]
    return joined([f"{part} in {label}" for part, label in zip(parts, labels)])
