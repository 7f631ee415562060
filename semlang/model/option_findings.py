"""Findings about options: none is ignored, and none taken for another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.nearest import did_you_mean
from semlang.model.option_table import ELSEWHERE, OPTIONS, Option, several
from semlang.model.table import ParameterTable
from semlang.source import Source, Span


def option_findings(given: Mapping[str, Any], spans: Mapping[str, Span], source: Source) -> Iterator[Diagnostic]:
    """Yield what is wrong with options that the text or the call gives.

    Parameters
    ----------
    given : mapping
        By lavaan's name. lavaan's other estimators, expected information and least squares are none of them silently
        replaced by maximum likelihood.
    spans : mapping
        Where the text gives them.

    Examples
    --------
    >>> [d.message for d in option_findings({"rotation": "geomim"}, {}, Source(""))]
    ["rotation knows no 'geomim'"]
    """
    for name, value in given.items():
        span = spans.get(name)
        if name in ELSEWHERE:
            if value not in (None, False) and (name, value) != ("conditional.x", True):
                shown = value if isinstance(value, str) and value.isidentifier() else "COLUMN"
                instead = ELSEWHERE[name].format(value=shown)
                yield error("unknown-option", f"'{name}' is not an option here", source, span, help=instead)
        elif name not in OPTIONS:
            near = did_you_mean(name, OPTIONS)
            known = "semlang's options are listed in docs/options.md"
            yield error("unknown-option", f"no option is called '{name}'", source, span, help=near or known)
        elif value is not None:
            yield from _value(OPTIONS[name], value, source, span)


def _value(o: Option, value: Any, source: Source, span: Span | None) -> Iterator[Diagnostic]:
    if o.allows(value):
        if o.inert and bool(value) != o.default:
            yield without_effect(f"'{o.name} = {str(value).lower()}'", o.inert, source, span)
    elif o.name == "defaults":
        yield error(
            "unknown-defaults",
            f"no set of defaults is called '{value}'",
            source,
            span,
            help=(*did_you_mean(str(value), o.values), "sem, cfa, growth and lavaan are known"),
        )
    elif o.kind in ("word", "words"):
        known = [k for k in o.values if k != "default"]
        words = several(value) if o.kind == "words" and isinstance(value, str | list | tuple) else (value,)
        for word in (w for w in words if o.spelling(w) is None):
            yield error(
                "unknown-option",
                f"{o.name} knows no '{word}'",
                source,
                span,
                help=(
                    *did_you_mean(str(word), o.values),
                    f"{', '.join(known)} {'are' if len(known) > 1 else 'is'} known",
                ),
            )
    else:
        yield error(
            "bad-option-value",
            f"{o.name} is {o.allowed}, not '{value}'",
            source,
            span,
            help='in Python: marker={"f": "x2"}'
            if o.kind == "mapping"
            else f"write for example  {o.name} = {o.example}",
        )


def without_effect(what: str, why: str, source: Source, span: Span | None) -> Diagnostic:
    """Return the warning about an option that changes nothing."""
    return warning(
        "option-without-effect",
        f"{what} changes nothing: {why}",
        source,
        span,
        label="no effect",
        help="leave the option out",
    )


def idle_options(
    table: ParameterTable, written: Mapping[str, tuple[Any, Span]], exploratory: bool
) -> Iterator[Diagnostic]:
    """Yield what is to be said of options of the text that apply to nothing in this model.

    Parameters
    ----------
    table : ParameterTable
    written : mapping
        What the text says, with places.
    exploratory : bool
        Whether there are exploratory factors.
    """
    source, options = table.source, table.options
    single = len(table.groups) == 1 and not table.group_column
    for name, (_, span) in written.items():
        if name in ("group.equal", "group.partial") and options[name] and single:
            yield without_effect(f"'{name}'", "the model has one group", source, span)
        elif name == "group.partial" and options[name]:
            if not options["group.equal"]:
                yield without_effect("'group.partial'", "nothing is equal by 'group.equal'", source, span)
                continue
            rows = {f"{r.lhs}{r.op}{r.rhs}" for r in table.rows}
            for text in (t for t in options[name] if t.replace(" ", "") not in rows):
                yield error(
                    "bad-option-value",
                    f"group.partial names '{text}', which is no parameter of the model",
                    source,
                    span,
                    help=did_you_mean(text.replace(" ", ""), rows) or 'write it as in the table: ["f=~x1", "x1~1"]',
                )
        elif name.partition(".")[0] in ("rotation", "geomin", "oblimin", "promax") and not exploratory:
            yield without_effect(f"'{name}'", "the model has no exploratory factors", source, span)
