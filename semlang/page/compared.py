"""Two models side by side: equivalent, nested or neither, and why."""

from __future__ import annotations

from typing import Any

from semlang.api import compare
from semlang.errors import SemlangError
from semlang.page.text_model import text_model
from semlang.source import Source


def compared(a: Source, b: Source) -> dict[str, Any]:
    """Return how two models stand to each other.

    Parameters
    ----------
    a, b : Source

    Returns
    -------
    dict
        As the result of ``semlang compare a b --json``; where one of them has no matrices ``relation`` is None and
        ``why`` says what is wrong with it.
    """
    models = []
    for name, source in (("a", a), ("b", b)):
        try:
            models.append(text_model(source))
        except SemlangError as problem:
            return {"relation": None, "why": f"{name}: {problem.diagnostics[0].message}"}
    try:
        return compare(*models).to_json()
    except SemlangError as problem:
        return {"relation": None, "why": problem.diagnostics[0].message}
