"""Model texts bound to frames."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from semlang.data.binding import bind
from semlang.data.design import Design
from semlang.data.facts import FrameFacts
from semlang.data.preparing import prepare
from semlang.data.reading import read_data
from semlang.diagnostics import Diagnostic
from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse

Bound = tuple[tuple[Design, ...], list[Diagnostic]]


def bind_text(text: str, frame: object) -> Bound:
    """Read, elaborate and bind; findings of all stages but notes of elaboration."""
    model, found = parse(Source(text))
    data, more = read_data(frame)
    if data is None:
        return (), [*found, *more]
    first, _ = elaborate(model).answer
    if first is not None:
        data, wrong = prepare(first, data)
        if data is None:
            return (), [*found, *wrong]
    table, elaborated = elaborate(model, facts=FrameFacts(data)).answer
    elaborated = [d for d in elaborated if d.is_error]
    if table is None or elaborated:
        return (), [*found, *elaborated]
    designs, bound = bind(table, data)
    return designs, [*found, *more, *bound]


@pytest.fixture
def bound() -> Callable[[str, pd.DataFrame], Bound]:
    return bind_text
