"""From lme4: a formula, or a call of lmer, glmer, lm or glm, as a text of this language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from semlang.convert.converted import Converted
from semlang.diagnostics import Diagnostic, error, note, warning
from semlang.source import Source

_CALL = re.compile(r"\b(?P<function>lmer|glmer(?:\.nb)?|glm(?:\.nb)?|lm|glmmTMB)\s*\(")
_NAME = r"(?:[A-Za-z.][\w.]*|`[^`]+`)"
_FAMILIES = {
    "binomial": ("binomial", "logit"),
    "poisson": ("poisson", "log"),
    "gaussian": ("gaussian", "identity"),
    "Gamma": ("gamma", "reciprocal"),
    "nbinom2": ("negbinomial", "log"),
}
_LINKS = {"inverse": "reciprocal"}
_SILENT = frozenset(("data", "formula", "control", "REML", "family", "nAGQ", "weights", "verbose", "na.action"))


@dataclass
class _Reading:
    """What is read of a call."""

    findings: list[Diagnostic] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    declaration: list[str] = field(default_factory=list)
    factors: list[str] = field(default_factory=list)

    def left_out(self, text: str, help: str = "") -> None:
        """Say that a part has no counterpart."""
        self.findings.append(warning("not-convertible", f"'{text}' is not read", help=help or ()))

    def differs(self, message: str) -> None:
        """Say that something is meant otherwise."""
        self.findings.append(note("converted-differently", message))


def from_lme4(text: str | Source) -> Converted:
    """Return a text that says what a formula of lme4, or R code with one call, says.

    Parameters
    ----------
    text : str or Source

    Examples
    --------
    >>> code = 'm <- glmer(cbind(r, n - r) ~ x * z + (1 | school/class), data = d, family = binomial, nAGQ = 9)'
    >>> print(from_lme4(code).text, end="")
    cluster: school/class
    options: points = 9
    r :: binomial(logit, trials=n)
    <BLANKLINE>
    r ~ x + z + x:z + (1 | school/class)
    """
    source = text if isinstance(text, Source) else Source(text.replace("\r\n", "\n"))
    code = re.sub(r"#[^\n]*", "", source.text)
    reading = _Reading()
    call = _CALL.search(code)
    function, arguments = "lmer", {"formula": " ".join(code.split())}
    if call is not None:
        function = call["function"]
        arguments = _arguments(code, call.end())
    formula = arguments.get("formula", "")
    if not re.fullmatch(r"[^~]+~[^~]+", formula):
        message = "there is no formula 'y ~ x + (1 | g)' in this text"
        return Converted("", (error("not-convertible", message, help="give a formula, or a call of lmer or glmer"),))
    left, _, right = (side.strip() for side in formula.partition("~"))
    kind, link = _family(reading, function, arguments.get("family", ""))
    y, more = _response(reading, left)
    terms = [t for sign, part in _split(right, "+-") for t in _term(reading, sign, part, y, link, more)]
    if kind != "gaussian" or link != "identity" or more:
        reading.declaration.append(f"{y} :: {kind}({', '.join([link, *more])})")
    head = []
    file = re.search(r"read\.csv2?\(\s*[\"']([^\"']+)[\"']", code)
    if file is not None and file[1] != "data.csv":  # written where a text names no data
        head.append(f'data: "{file[1]}"')
    if reading.clusters:
        head.append(f"cluster: {'/'.join(reading.clusters)}")
    if "weights" in arguments:
        if kind in ("binomial", "poisson"):
            head.append(f"frequency: {arguments['weights']}")
        else:
            reading.left_out(f"weights = {arguments['weights']}", "sampling weights: 'weights: rows = w'")
    if arguments.get("nAGQ", "").isdigit() and int(arguments["nAGQ"]) > 1:
        head.append(f"options: points = {arguments['nAGQ']}")
    if function == "lmer" and arguments.get("REML", "TRUE") not in ("FALSE", "F"):
        reading.differs("lmer maximises the restricted likelihood unless REML = FALSE; here it is the likelihood")
    for name in arguments.keys() - _SILENT:
        reading.left_out(f"{name} = {arguments[name]}")
    lines = [*head, *reading.declaration]
    body = f"{y} ~ {' + '.join(dict.fromkeys(terms)) or '1'}"
    return Converted("\n".join([*lines, *([""] if lines else []), body]) + "\n", tuple(reading.findings))


def _arguments(code: str, at: int) -> dict[str, str]:
    """Return the arguments of a call; the first two without a name are formula and data."""
    depth, end = 1, at
    while end < len(code) and depth:
        depth += (code[end] in "([{") - (code[end] in ")]}")
        end += 1
    out: dict[str, str] = {}
    for text in (p for _, p in _split(code[at : end - 1], ",")):
        named = re.match(r"\s*([\w.]+)\s*=(?!=)\s*(.*)", text, flags=re.DOTALL)
        if named is not None:
            out[named[1]] = " ".join(named[2].split())
        elif text.strip():
            free = next((n for n in ("formula", "data", "family") if n not in out), "...")
            out[free] = " ".join(text.split())
    return out


def _split(text: str, signs: str) -> list[tuple[str, str]]:
    """Cut a text at signs outside brackets and quotes; each part with the sign before it."""
    parts: list[tuple[str, str]] = []
    depth, start, sign, quote = 0, 0, signs[0], ""
    for k, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'`":
            quote = c
        elif c in signs and depth == 0:
            parts.append((sign, text[start:k].strip()))
            start, sign = k + 1, c
        depth += 0 if quote else (c in "([{") - (c in ")]}")
    return [p for p in [*parts, (sign, text[start:].strip())] if p[1]]


def _family(reading: _Reading, function: str, family: str) -> tuple[str, str]:
    if function.endswith(".nb"):
        return "negbinomial", "log"
    found = re.match(r"[\"']?(\w+)[\"']?(?:\(\s*(?:link\s*=\s*)?[\"']?(\w*)[\"']?\s*\))?$", family)
    if not family:
        return "gaussian", "identity"
    if found is None or found[1] not in _FAMILIES:
        reading.left_out(f"family = {family}")
        return "gaussian", "identity"
    kind, default = _FAMILIES[found[1]]
    return kind, _LINKS.get(found[2] or "", found[2] or default)


def _response(reading: _Reading, left: str) -> tuple[str, list[str]]:
    """Return the response, and arguments of its declaration."""
    pair = re.fullmatch(rf"cbind\(\s*({_NAME})\s*,\s*({_NAME}|\d+)\s*-\s*\1\s*\)", left)
    if pair is not None:
        return pair[1], [f"trials={pair[2]}"]
    success = re.fullmatch(rf"(?:as\.numeric|I|as\.integer)\(\s*({_NAME})\s*==\s*[\"']([^\"']*)[\"']\s*\)", left)
    if success is not None:
        return success[1], [f'success="{success[2]}"']
    if not re.fullmatch(_NAME, left):
        reading.left_out(left, "make a column of it in the data")
        names = re.findall(_NAME, re.sub(r"[\w.]+\(", "(", left))
        return names[0] if names else "y", []
    return left, []


def _term(reading: _Reading, sign: str, text: str, y: str, link: str, more: list[str]) -> Iterator[str]:
    """Yield the terms that one addend of R's formula stands for."""
    text = _unwrapped(text)
    if text in ("0", "1"):
        yield "0" if (text == "0") != (sign == "-") else "1"
        return
    if sign == "-":
        reading.left_out(f"- {text}", "leave the term out")
        return
    if bar := re.fullmatch(r"(.+?)\s*(\|\|?)\s*(.+)", text):
        yield from _bar(reading, bar[1], bar[2], bar[3], y, link)
        return
    exposure = re.fullmatch(rf"offset\(\s*log\(\s*({_NAME})\s*\)\s*\)", text)
    if exposure is not None and link == "log":
        more.append(f"exposure={exposure[1]}")
        return
    for product in _crossed(text):
        factors = [_factor(reading, f) for f in product]
        if None not in factors:
            yield ":".join(str(f) for f in factors)


def _unwrapped(text: str) -> str:
    while text.startswith("(") and len(_split(text[1:-1] + " ", ")")) == 1 and text.endswith(")"):
        text = text[1:-1].strip()
    return text


def _crossed(text: str) -> list[list[str]]:
    """Return the products of ``a*b``: a, b and a:b."""
    parts = [[f for _, f in _split(p, ":")] for _, p in _split(text, "*")]
    out: list[list[str]] = []
    for size in range(1, len(parts) + 1):
        out += [[f for part in chosen for f in part] for chosen in combinations(parts, size)]
    return out


def _factor(reading: _Reading, text: str) -> str | None:
    """Return one factor of a product; None where it can't be said."""
    if re.fullmatch(_NAME, text):
        return text
    plain = re.fullmatch(rf"(?:as\.)?factor\(\s*({_NAME})\s*\)", text)
    if plain is not None:
        return f"factor({plain[1]})"
    if re.fullmatch(rf"(?:log|offset)\(\s*{_NAME}\s*\)|I\(\s*{_NAME}\s*\^\s*[\d.]+\s*\)", text):
        return text.replace(" ", "")
    level = re.fullmatch(rf"(?:as\.numeric|I|as\.integer)\(\s*({_NAME})\s*==\s*[\"']?([^\"')]*)[\"']?\s*\)", text)
    if level is not None:
        if level[1] not in reading.factors:
            reading.factors.append(level[1])
            reading.differs(f"indicators of '{level[1]}' are 'factor({level[1]})', whose reference is the first level")
        return f"factor({level[1]})"
    reading.left_out(text, "make a column of it in the data")
    return None


def _bar(reading: _Reading, inside: str, bar: str, groups: str, y: str, link: str) -> Iterator[str]:
    """Yield a bar; ``a:b`` are the units of b within those of a."""
    outer = re.split(r"\s*([/:])\s*", groups)
    names, signs = outer[::2], outer[1::2]
    if not all(re.fullmatch(_NAME, n) for n in names):
        reading.left_out(f"({inside} {bar} {groups})", "make a column of the clusters in the data")
        return
    names = ["rows" if n == "row_id" else n for n in names]
    if len(names) > 1 or reading.clusters:
        longer = names if len(names) >= len(reading.clusters) else reading.clusters
        shorter = names if longer is not names else reading.clusters
        if longer[: len(shorter)] != shorter and not set(shorter) <= set(longer) and "rows" not in names:
            reading.left_out(f"({inside} {bar} {groups})", "clusters that cross can't be estimated here")
            return
        reading.clusters = [n for n in longer if n != "rows"]
    elif names != ["rows"]:
        reading.clusters = list(names)
    shown = "/".join(names) if "/" in signs else names[-1]
    terms = [t for sign, part in _split(inside, "+-") for t in _term(reading, sign, part, y, link, [])]
    yield f"({' + '.join(dict.fromkeys(terms))} {bar} {shown})"
