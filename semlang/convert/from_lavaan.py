"""From lavaan: a model text and the arguments of its call as one self-contained text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from semlang.convert.converted import Converted
from semlang.diagnostics import Diagnostic, note, warning
from semlang.model.option_table import FUNCTIONS, OPTIONS, defaults
from semlang.model.options import canonical
from semlang.source import Source
from semlang.syntax.foreign import call_in_script, model_in_script
from semlang.syntax.parser import parse
from semlang.syntax.printer import format_text

_CALL = re.compile(r"\b(lavaan|sem|cfa|growth)\s*\(")
_SILENT = frozenset(
    (
        "model",
        "data",
        "meanstructure",
        "se",
        "auto.th",
        "auto.delta",
        "do.fit",
        "verbose",
        "warn",
        "std.ov.default",
        "test",
    )
)
_ML = frozenset(("ML", "default", "MLE"))


def from_lavaan(text: str | Source, **arguments: Any) -> Converted:
    """Return a ``.sem`` text that says what a lavaan text and call say.

    Parameters
    ----------
    text : str
        lavaan model syntax, or a script in R that holds one and a call. Where a comment in it holds the call, as
        code for lavaan has it, that is read too.
    **arguments
        Arguments of the call, with ``_`` for ``.``: ``defaults`` (``sem``, ``cfa``, ``growth``, ``lavaan``),
        ``std_lv``, ``group``, ``cluster``, ``ordered``, ``sampling_weights``, ...; they win over the comment.

    Examples
    --------
    >>> print(from_lavaan("f =~ x1+x2+x3", defaults="cfa", std_lv=True, group="school"), end="")
    options: defaults = cfa, std.lv = true
    groups: school
    <BLANKLINE>
    f =~ x1 + x2 + x3
    """
    source = text if isinstance(text, Source) else Source(text.replace("\r\n", "\n"))
    place = model_in_script(source.text)
    read = read_call(source.text)
    if place is not None:  # a script in R
        function, given = call_in_script(source.text, place)
        read = {"defaults": function or "sem"} | {name: _value(value) for name, value in given}
        source = Source(source.text[slice(*place)].strip("\n"), source.name)
    _, found = parse(source)
    call = read | {canonical(k): v for k, v in arguments.items() if v is not None}
    findings = list(found)
    head = _head(call, findings)
    body = _without_call(format_text(source)).lstrip("\n")
    return Converted("\n".join([*head, "", body]) if head else body, tuple(findings))


def read_call(text: str) -> dict[str, Any]:
    """Return the arguments of the first call in a comment.

    Examples
    --------
    >>> read_call('# fit <- cfa(model, data = d, std.lv = TRUE, ordered = c("a", "b"))')
    {'defaults': 'cfa', 'data': 'd', 'std.lv': True, 'ordered': ('a', 'b')}
    """
    for line in text.splitlines():
        comment = line.partition("#")[2]
        if found := _CALL.search(comment):
            out: dict[str, Any] = {"defaults": found[1]}
            for name, value in re.findall(
                r"([\w.]+)\s*=\s*(c\([^)]*\)|\"[^\"]*\"|'[^']*'|[^,()]+)", comment[found.end() :]
            ):
                out[name] = _value(value.strip())
            file = re.search(r'read\.csv\("([^"]+)"\)', text)
            return out | ({"file": file[1]} if file and file[1] != "data.csv" else {})
    return {}


def _value(text: str) -> Any:
    if text.startswith("c("):
        return tuple(_value(x.strip()) for x in text[2:-1].split(",") if x.strip())
    if text in ("TRUE", "T", "FALSE", "F"):
        return text[0] == "T"
    return text.strip("\"'")


def _without_call(text: str) -> str:
    """Drop the head that the conversion to lavaan writes."""
    lines = text.splitlines(keepends=True)
    if lines and lines[0].startswith("# lavaan: every parameter is explicit"):
        lines = lines[1:]
        while lines and lines[0].startswith("#   "):
            lines = lines[1:]
    return "".join(lines)


def _head(call: Mapping[str, Any], findings: list[Diagnostic]) -> list[str]:
    options: dict[str, Any] = {}
    lines: list[str] = []
    function = str(call.get("defaults", "sem"))
    if function != "sem":
        options["defaults"] = function
    known = defaults(function if function in FUNCTIONS else "sem") | {"defaults": "sem"}
    for name, value in call.items():
        match name:
            case "defaults" | "file":
                continue
            case "group":
                lines.append(f"groups: {value}")
            case "cluster":
                lines.append(f"cluster: {value}")
            case "sampling.weights":
                lines.append(f"weights: rows = {value}")
                findings.append(note("converted-differently", "weights are not rescaled here"))
            case "ordered":
                names = (value,) if isinstance(value, str) else value
                if names is True:
                    findings.append(warning("not-convertible", "'ordered = TRUE' does not name the responses"))
                elif names:
                    lines.append(f"{' + '.join(str(x) for x in names)} :: ordinal(probit)")
                    findings.append(
                        note("converted-differently", "ordinal responses are fitted by maximum likelihood here")
                    )
            case "missing" if value in ("ml", "fiml", "ML", "FIML"):
                continue
            case "missing":
                findings.append(
                    note("converted-differently", f"missing = {value}: here rows with missing responses are used")
                )
            case "estimator" if value not in _ML:
                findings.append(note("converted-differently", f"estimator = {value}: here it is maximum likelihood"))
            case "parameterization" if value == "theta":
                options[name] = value
            case _ if name in OPTIONS and name not in _SILENT and OPTIONS[name].allows(value):
                options[name] = value
            case _ if name not in _SILENT and name not in ("estimator", "parameterization"):
                findings.append(
                    warning("not-convertible", f"the argument '{name}' of lavaan's call has no counterpart")
                )
    out = [f'data: "{call["file"]}"'] if "file" in call else []
    if options:
        out.append("options: " + ", ".join(f"{k} = {_written(v)}" for k, v in options.items() if v != known.get(k)))
    out = [line for line in out if line != "options: "]
    return [*out, *lines]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(str(x) for x in value)}]"
    return str(value)
