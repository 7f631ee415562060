"""Whether an answer to an exercise of a lesson is right, and what it lacks."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from semlang.api import Model, compare
from semlang.errors import SemlangError
from semlang.page.text_model import text_model
from semlang.source import Source

LESSONS = Path(__file__).resolve().parent / "lessons" / "lessons.json"
Json = dict[str, Any]


@cache
def lessons() -> list[Json]:
    """Return the terms with their lessons, each with its exercises."""
    found: list[Json] = json.loads(LESSONS.read_text(encoding="utf-8"))
    return found


def checked(task: Json, answer: str) -> Json:
    """Return whether an answer is right, and why.

    Parameters
    ----------
    task : dict
        ``kind`` is ``draw`` (write the model of a diagram; `solution` is its text), ``identify`` (`start` is not
        identified, the answer must be, about the same variables) or ``equivalent`` (the answer must imply the same
        moments as `start`).
    answer : str
        A model.

    Returns
    -------
    dict
        ``right`` and ``why``.

    Examples
    --------
    >>> checked({"kind": "draw", "solution": "y ~ x + z"}, "y ~ x")
    {'right': False, 'why': 'the answer lacks y ~ z'}
    """
    try:
        given = text_model(Source(answer))
        wrong = [d.message for d in given.check() if d.is_error and d.slug != "not-identified"]
        if wrong:
            return _no(wrong[0])
        match task["kind"]:
            case "draw":
                return _same_rows(text_model(Source(task["solution"])), given)
            case "identify":
                return _identified(text_model(Source(task["start"])), given)
            case "equivalent":
                found = compare(text_model(Source(task["start"])), given)
                return {"right": found.relation == "equivalent", "why": found.why}
    except SemlangError as problem:
        return _no(problem.diagnostics[0].message)
    raise ValueError(f"there is no kind of exercise '{task['kind']}'")


def _no(why: str) -> Json:
    return {"right": False, "why": why}


def _same_rows(solution: Model, answer: Model) -> Json:
    """Compare what the models say of each row, whatever the order, the labels and the sides of ~~."""
    kinds = {v.key: (v.kind.name, v.link) for v in solution.parameter_table.responses}
    said = {v.key: (v.kind.name, v.link) for v in answer.parameter_table.responses}
    for name, (kind, link) in kinds.items():
        if name in said and said[name] != (kind, link):
            return _no(f"{name} should be {kind} with the link {link}")
    wanted, given = _rows(solution), _rows(answer)
    for rows, others, words in ((wanted, given, "the answer lacks"), (given, wanted, "too much is")):
        for row in rows:
            if row not in others:
                lhs, op, rhs, _ = row
                about = {o[3] for o in others if o[:3] == row[:3]}
                if about:
                    return _no(f"{lhs} {op} {rhs} should be {_state(next(o[3] for o in wanted if o[:3] == row[:3]))}")
                return _no(f"{words} {lhs} {op} {rhs}".rstrip())
    return {"right": True, "why": "the same rows"}


State = tuple[str, float] | tuple[str, tuple[str, ...]]


def _rows(model: Model) -> Counter[tuple[str, str, str, State]]:
    rows = model.parameter_table.rows
    sets: dict[int, list[str]] = {}
    for r in rows:
        if r.free:
            sets.setdefault(r.parameter, []).append(" ".join(_sides(r.lhs, r.op, r.rhs)))
    out: Counter[tuple[str, str, str, State]] = Counter()
    for r in rows:
        state: State = ("free", tuple(sorted(sets[r.parameter]))) if r.free else ("fixed", float(r.ustart or 0.0))
        if state != ("fixed", 0.0):
            out[(*_sides(r.lhs, r.op, r.rhs), state)] += 1
    return out


def _sides(lhs: str, op: str, rhs: str) -> tuple[str, str, str]:
    return (min(lhs, rhs), op, max(lhs, rhs)) if op == "~~" else (lhs, op, rhs)


def _state(state: State) -> str:
    kind, value = state
    if kind == "fixed":
        return f"fixed at {value:g}"
    assert isinstance(value, tuple)
    return "free" if len(value) == 1 else "equal: " + ", ".join(value)


def _identified(start: Model, answer: Model) -> Json:
    missing = [v for v in start.parameter_table.variables if v not in answer.parameter_table.variables]
    if missing:
        return _no(f"{missing[0]} should still be in the model")
    found = answer.identify(simulate=False)
    return {"right": found.verdict == "identified", "why": found.why}
