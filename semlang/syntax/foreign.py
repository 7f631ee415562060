"""Whole texts that are no model: a data file, an input file of Mplus, a script in R or Python that holds a model."""

from __future__ import annotations

import re

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.source import Source, Span

_ASSIGNED = re.compile(r"^[ \t]*[\w.]+[ \t]*(?:<-|=)[ \t]*(?:[\w.]+\()?", re.MULTILINE)
_QUOTED = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'|"([^"]*)"|\'([^\']*)\'', re.DOTALL)
_CALL = re.compile(
    r"(?:\b(?P<function>lavaan|sem|cfa|growth|Model)|\.fit)\s*\((?P<arguments>[^()]*(?:\([^()]*\)[^()]*)*)\)"
)
_MPLUS = re.compile(r"^[ \t]*(MODEL|VARIABLE|ANALYSIS)\s*:", re.MULTILINE | re.IGNORECASE)
_MPLUS_LINE = re.compile(
    r"\b(BY|ON|WITH|NAMES|ARE|CATEGORICAL|USEVARIABLES)\b|\[[^\]\n]+\]\s*;|@[\d.]+\s*;", re.IGNORECASE
)


def foreign(source: Source) -> Diagnostic | None:
    """Return the finding about a text that is as a whole something else than a model, or None.

    To be asked where a text has errors.
    """
    return _script(source) or _mplus(source) or _data(source)


def _data(source: Source) -> Diagnostic | None:
    """A data file in place of the model: every line has the same number of fields, and no line an operator."""
    lines = [line for line in source.text[:20_000].split("\n")[:40] if line.strip()]
    if len(lines) < 2 or any("~" in line or ":=" in line or "::" in line for line in lines):
        return None
    whole = lines[:-1] if len(source.text) > 20_000 else lines
    for separator in ",;\t":
        counts = {line.count(separator) for line in whole}
        if len(counts) == 1 and counts != {0}:
            names = [n.strip().strip('"') for n in lines[0].split(separator)]
            if not all(names):
                continue
            file = re.split(r"[/\\]", source.name)[-1]
            shown = names[:4] if len(names) > 1 else ["x1", "x2", "x3"]
            return error(
                "data-as-model",
                f"this is a data file of {len(names)} columns, not a model",
                source,
                Span(0, len(source.text.split("\n", 1)[0])),
                label="names of columns, it seems",
                help=[
                    f'write a model in a file of its own:  data: "{file}"',
                    f"and below it, say:  f =~ {' + '.join(shown)}",
                    f"semlang fit model.sem --data {file}",
                ],
            )
    return None


def model_in_script(text: str) -> tuple[int, int] | None:
    """Return where the one model lies that a script in R or Python holds in quotes, or None.

    Examples
    --------
    >>> text = "library(lavaan)\\nm <- ' f =~ x1 + x2 '\\nfit <- cfa(m, data = d)"
    >>> text[slice(*model_in_script(text))]
    ' f =~ x1 + x2 '
    """
    found = []
    at = 0
    while (head := _ASSIGNED.search(text, at)) is not None:
        quoted = _QUOTED.match(text, head.end())
        at = quoted.end() if quoted else head.end()
        if quoted is not None:
            k = next(k for k in range(1, 5) if quoted[k] is not None)
            if "~" in quoted[k]:
                found.append(quoted.span(k))
    return found[0] if len(found) == 1 else None


def call_in_script(text: str, model: tuple[int, int]) -> tuple[str, list[tuple[str, str]]]:
    """Return the function that is called with the model, '' where none is, and its named arguments."""
    around = text[: model[0]] + " " * (model[1] - model[0]) + text[model[1] :]
    found = _CALL.search(around)
    if found is None:
        return "", []
    pairs = re.findall(r"([\w.]+)\s*=\s*(c\([^)]*\)|\[[^\]]*\]|\"[^\"]*\"|'[^']*'|[^,()\[\]]+)", found["arguments"])
    return found["function"] or "", [(name, value.strip()) for name, value in pairs]


def header_lines(function: str, arguments: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return the lines that say here what the arguments of a call say, and the names of those that are left out.

    Examples
    --------
    >>> header_lines("growth", [("data", "d"), ("group", '"g"'), ("std.lv", "TRUE"), ("estimator", '"WLSMV"')])
    (['groups: g', 'options: defaults = growth, std.lv = true'], ['estimator'])
    """
    lines: list[str] = []
    options = [f"defaults = {function}"] if function in ("lavaan", "growth") else []
    left: list[str] = []
    for name, value in arguments:
        dotted, plain = name.replace("_", "."), value.strip("\"'")
        if name in ("data", "model", "model.syntax"):
            continue
        if name in ("group", "cluster"):
            lines.append(f"{'groups' if name == 'group' else 'cluster'}: {plain}")
        elif dotted == "sampling.weights":
            lines.append(f"weights: rows = {plain}")
        elif value in ("TRUE", "FALSE", "T", "F", "True", "False"):
            options.append(f"{dotted} = {'true' if value[0] == 'T' else 'false'}")
        elif dotted == "group.equal":
            inside = re.findall(r"[\"']([^\"']+)[\"']", value)
            options.append(f"{dotted} = [{', '.join(inside)}]")
        else:
            left.append(name)
    return [*lines, *([f"options: {', '.join(options)}"] if options else [])], left


def _script(source: Source) -> Diagnostic | None:
    text = source.text
    place = model_in_script(text)
    if place is None:
        return None
    head, left = header_lines(*call_in_script(text, place))
    body = text[slice(*place)]
    first = len(text) - len(text.lstrip())
    program = "Python" if '"""' in text or "'''" in text or re.search(r"^\s*import ", text, re.MULTILINE) else "R"
    help_ = ["a model file holds what stands between the quotes, and nothing else"]
    help_ += [f"arguments of the call are lines of the text:  {line}" for line in head]
    help_ += [f"'{name} = ' of the call is not read: see docs/options.md" for name in left]
    end = text.find("\n", first)
    new = "".join(f"{line}\n" for line in head) + body.strip("\n") + "\n"
    return error(
        "model-in-script",
        f"this is a script in {program}: the model is a text in it",
        source,
        Span(first, end if end > 0 else len(text)),
        label="the script begins here",
        help=help_,
        fix=[Edit(Span(0, len(text)), new)],
    )


def _mplus(source: Source) -> Diagnostic | None:
    found = _MPLUS.search(source.text)
    if found is None or not _MPLUS_LINE.search(source.text, found.end() if found[1].upper() == "MODEL" else 0):
        return None
    name = "FILE" if source.name.startswith("<") else source.name
    return error(
        "mplus-input",
        "this is an input file of Mplus",
        source,
        Span(found.start(1), found.end()),
        label="a command of Mplus",
        help=[f"semlang convert {name} --from mplus", "f BY x1 x2;  is  f =~ x1 + x2   here, and  y ON x;  is  y ~ x"],
    )
