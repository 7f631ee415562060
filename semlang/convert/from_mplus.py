"""From Mplus: an input file as a text of this language; what can't be read is a finding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from semlang.convert.converted import Converted
from semlang.diagnostics import Diagnostic, note, warning
from semlang.source import Source, Span
from semlang.syntax.mplus import SECTIONS, numbered, statement

_SECTION = re.compile(
    rf"(?:^|(?<=;)|(?<=\n))\s*(?P<name>{'|'.join(sorted((s.replace(' ', r'[ ]+') for s in SECTIONS), key=len)[::-1])})"
    r"(?:[ ]+(?P<label>\w+))?\s*:",
    re.IGNORECASE,
)
_PART = re.compile(r"%\s*(?:(WITHIN|BETWEEN|OVERALL)|(\w+)\s*#\s*(\d+))\s*%", re.IGNORECASE)
_SET = re.compile(r"(\w+)\s*(?:=|\bARE\b|\bIS\b)\s*(.*)", re.IGNORECASE | re.DOTALL)
_QUIET = frozenset(
    ("missing", "usevariables", "idvariable", "within", "between", "type", "algorithm", "format", "names")
)
Slopes = dict[str, tuple[str, str]]
"""Random slopes: the response and the covariate of each."""
Term = tuple[str, str, str, str]
"""Left side, operator, modifiers with their signs, right side."""


@dataclass
class _File:
    """What an input file says, as far as it is read."""

    source: Source
    findings: list[Diagnostic] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    cluster: str = ""
    groups: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    link: str = "logit"
    new: set[str] = field(default_factory=set)
    body: list[str] = field(default_factory=list)

    def left_out(self, text: str, at: int, help: str = "") -> None:
        """Say that a statement has no counterpart."""
        shown = " ".join(text.split())
        start = self.source.text.find(text.strip().split("\n")[0], at)
        span = Span(start, start + len(text.strip().split("\n")[0])) if start >= 0 else None
        message = f"'{shown if len(shown) < 60 else shown[:57] + '...'}' is not read"
        self.findings.append(warning("not-convertible", message, self.source, span, help=help or ()))

    def differs(self, message: str) -> None:
        """Say once that something is meant otherwise."""
        found = note("converted-differently", message)
        if found not in self.findings:
            self.findings.append(found)

    def expand(self, first: str, last: str) -> Sequence[str]:
        """Return a list ``x1-x5``: by the order of NAMES where that has both ends."""
        lower = [n.lower() for n in self.names]
        if first.lower() in lower and last.lower() in lower:
            a, b = lower.index(first.lower()), lower.index(last.lower())
            if a <= b:
                return self.names[a : b + 1]
        return numbered(first, last)


def from_mplus(text: str | Source) -> Converted:
    """Return a text that says what an input file of Mplus, or its MODEL command alone, says.

    Mplus's defaults are those of ``sem``. Categorical variables are ordinal responses, fitted by maximum likelihood.

    Parameters
    ----------
    text : str or Source

    Examples
    --------
    >>> print(from_mplus("MODEL: f BY x1-x3; f@1; y ON f (b);").text, end="")
    f =~ x1 + x2 + x3
    f ~~ 1*f
    y ~ b*f
    """
    source = text if isinstance(text, Source) else Source(text.replace("\r\n", "\n"))
    clean = re.sub(r"![^\n]*", lambda m: " " * len(m[0]), source.text)
    file = _File(source)
    found = list(_SECTION.finditer(clean))
    parts = (
        [("MODEL", "", clean, 0)]
        if not found
        else [
            (re.sub(r"\s+", " ", m["name"]).upper(), m["label"] or "", clean[m.end() : n], m.end())
            for m, n in zip(found, [*(m.start() for m in found[1:]), len(clean)], strict=True)
        ]
    )
    for name, label, body, at in sorted(parts, key=lambda p: p[0] == "MODEL"):
        _read(file, name, label, body, at, [p for p in parts if p[0] == "MODEL"])
    declared = [line for kind, names in _kinds(file) for line in [f"{' + '.join(names)} :: {kind}"] if names]
    options = [f"options: {', '.join(file.options)}"] if file.options else []
    head = [*file.head, *options, *declared]
    lines = [*head, *([""] if head and file.body else []), *file.body]
    return Converted("\n".join(lines).strip("\n") + "\n", tuple(file.findings))


def _read(file: _File, name: str, label: str, body: str, at: int, models: list[tuple[str, str, str, int]]) -> None:
    match name:
        case "TITLE":
            file.head.insert(0, f"# {' '.join(body.strip(' ;').split())}")
        case "DATA" | "VARIABLE" | "ANALYSIS":
            for text in _statements(body):
                setting = _SET.match(text)
                if setting is None:
                    file.left_out(text, at)
                else:
                    _setting(file, setting[1].lower(), setting[2].strip(), text, at)
        case "MODEL" if label == models[0][1] and at == models[0][3]:
            file.body[:0] = _groups(file, models)
        case "MODEL":
            return
        case "MODEL CONSTRAINT":
            file.body += [line for text in _statements(body) for line in _constraint(file, text, at)]
        case "OUTPUT" | "SAVEDATA" | "PLOT":
            return
        case _:
            for text in _statements(body):
                file.left_out(text, at)


def _statements(body: str) -> list[str]:
    return [s.strip() for s in body.split(";") if s.strip()]


def _setting(file: _File, key: str, value: str, text: str, at: int) -> None:
    words = value.replace("=", " = ").split()
    match key:
        case "names":
            file.names = [n for word in words for n in _range(file, word)]
        case "file":
            path = value.strip("\"'")
            if path == "data.dat":  # written where a text names no data
                return
            file.head.append(f'data: "{path}"')
            file.differs(f"Mplus reads numbers without a header; here the first line of '{path}' names the columns")
        case "categorical" | "count" | "nominal":
            plain = re.sub(r"\(\s*\w+\s*\)", "", value)
            file.lists[key] = [n for word in plain.split() for n in _range(file, word)]
            marks = dict(re.findall(r"(\w+)\s*\(\s*(\w+)\s*\)", value))
            file.lists["negbinomial"] = [n for n, m in marks.items() if m.lower() == "nb"]
            file.lists["count"] = [n for n in file.lists.get("count", []) if n not in file.lists["negbinomial"]]
            for n, m in marks.items():
                if m.lower() != "nb":
                    file.left_out(f"{n} ({m})", at)
        case "cluster":
            file.cluster = words[-1]
            file.head.append(f"cluster: {'/'.join(words)}")
        case "grouping":
            column = words[0]
            file.groups = {label: number for number, label in re.findall(r"(-?\w+)\s*=\s*(\w+)", value)}
            file.head.append(f"groups: {column}")
        case "classes":
            file.head += [f"{n} :: class({k})" for n, k in re.findall(r"(\w+)\s*\(\s*(\d+)\s*\)", value)]
        case "weight" | "bweight" | "freqweight":
            level = "rows" if key == "weight" else file.cluster or "between"
            file.head.append(f"frequency: {value}" if key == "freqweight" else f"weights: {level} = {value}")
        case "link":
            file.link = value.lower()
        case "integration":
            number = re.search(r"\d+", value)
            file.options += [f"points = {number[0]}"] if number else []
        case "starts":
            file.options.append(f"starts = {words[0]}")
        case "estimator" if value.upper() in ("MLR", "MLF"):
            file.options.append(f"estimator = {value.upper()}")
        case "estimator" if value.upper() != "ML":
            file.differs(f"ESTIMATOR = {value}: here it is maximum likelihood")
        case _ if key not in _QUIET and key != "estimator":
            file.left_out(text, at)


def _range(file: _File, word: str) -> Sequence[str]:
    first, sign, last = word.partition("-")
    return file.expand(first, last) if sign and last else (word,)


def _kinds(file: _File) -> Iterator[tuple[str, list[str]]]:
    yield (
        f"ordinal({file.link if file.link in ('logit', 'probit', 'cloglog') else 'logit'})",
        file.lists.get("categorical", []),
    )
    yield "poisson(log)", file.lists.get("count", [])
    yield "negbinomial(log)", file.lists.get("negbinomial", [])
    yield "multinomial(logit)", file.lists.get("nominal", [])


# ---------------------------------------------------------------------- MODEL


def _groups(file: _File, models: list[tuple[str, str, str, int]]) -> list[str]:
    """Return the lines of all MODEL commands: the first holds for all groups, those with a label for one."""
    common = [m for m in models if not m[1]]
    lines = [line for _, _, body, at in common for line in _parts(file, body, at)]
    named = [m for m in models if m[1]]
    if not named:
        if file.groups or any(h.startswith("groups:") for h in file.head):
            file.options.append("group.equal = [loadings, intercepts]")
        return lines
    own = {label: list(_parts(file, body, at)) for _, label, body, at in named}
    mentioned = {_key(t) for group in own.values() for line in group for t in _terms(line)}
    shared = [_key(t) for line in lines for t in _terms(line) if t[1] in ("=~",) or (t[1] == "~" and t[3] == "1")]
    if any(key not in mentioned for key in shared):
        file.options.append("group.equal = [loadings, intercepts]")
        partial = sorted(f'"{"".join(key)}"' for key in mentioned if key[1] == "=~" or key[2] == "1")
        file.options += [f"group.partial = [{', '.join(partial)}]"] if partial else []
    out = []
    for label in dict.fromkeys((*file.groups, *own)):
        group = own.get(label, [])
        over = {_key(t) for line in group for t in _terms(line)}
        kept = [t for line in lines for t in _terms(line) if _key(t) not in over]
        out += [f"group: {file.groups.get(label, label)}", *(_joined([t]) for t in kept), *group]
    return out


def _terms(line: str) -> list[Term]:
    found = re.match(r"(.+?)\s+(=~|~~|~|\|)\s+(.+)", line)
    if found is None:
        return []
    return [
        (left, found[2], *re.fullmatch(r"(.*\*)?([^*]+)", right).groups(""))  # type: ignore[union-attr]
        for left in found[1].split(" + ")
        for right in found[3].split(" + ")
    ]


def _key(t: Term) -> tuple[str, str, str]:
    return t[0], t[1], t[3]


def _joined(terms: list[Term]) -> str:
    return f"{terms[0][0]} {terms[0][1]} {' + '.join(m + r for _, _, m, r in terms)}"


def _parts(file: _File, body: str, at: int) -> Iterator[str]:
    """Yield the lines of a MODEL command with its parts within, between, and by class."""
    pieces = _PART.split(body)
    slopes = {s: (y, x) for s, y, x in re.findall(r"(\w+)\s*\|\s*(\w+)\s+ON\s+(\w+)", body, flags=re.IGNORECASE)}
    yield from _lines(file, pieces[0], at, "", slopes)
    for word, variable, number, inside in zip(*(pieces[k::4] for k in range(1, 5)), strict=True):
        where = (word or "").upper()
        if where in ("WITHIN", "BETWEEN") and not slopes:
            yield "level: 1" if where == "WITHIN" else "level: 2"
        elif number:
            yield f"class {variable}: {number}"
        yield from _lines(file, inside, at, where, slopes)


def _lines(file: _File, body: str, at: int, where: str, slopes: Slopes) -> Iterator[str]:
    for text in _statements(body):
        lines = _line(file, text, where == "BETWEEN" and bool(slopes), slopes)
        if lines is None:
            file.left_out(text, at)
        else:
            yield from lines


def _line(file: _File, text: str, above: bool, slopes: Slopes) -> list[str] | None:
    """Return what one statement says; `above`: with brackets for what varies between clusters."""
    shape = re.fullmatch(r"(\w+)\s*\|\s*(\w+)\s+ON\s+(\w+)", text, flags=re.IGNORECASE)
    if shape is not None:
        return [f"{shape[2]} ~ {shape[1]}[{file.cluster}]:{shape[3]}"] if file.cluster else None
    if "|" in text:
        return _growth(file, text)
    if re.search(r"\b(XWITH|PON|PWITH|IND|VIA)\b", text, flags=re.IGNORECASE):
        return None
    if re.fullmatch(r"\[\s*\w+#\d+\s*\]", text):
        return []  # the logit of a class is free by default
    lines = statement(text, file.expand, bare=True)
    if lines is None or not above:
        return lines
    return [line for raw in lines for line in _between(file, raw, slopes)]


def _growth(file: _File, text: str) -> list[str] | None:
    """``i s q | y1@0 y2@1 y3@2``: growth factors."""
    left, _, right = text.partition("|")
    names = left.split()
    times = re.findall(r"(\w+)\s*@\s*(-?[\d.]+)", right)
    if not times or re.sub(r"(\w+)\s*@\s*(-?[\d.]+)", "", right).strip() or not all(n.isidentifier() for n in names):
        return None
    out = []
    for power, name in enumerate(names):
        out.append(f"{name} =~ {' + '.join(f'{float(t) ** power:g}*{y}' for y, t in times)}")
    out += [f"{y} ~ 0*1" for y, _ in times]
    return [*out, *(f"{name} ~ 1" for name in names)]


def _between(file: _File, line: str, slopes: Slopes) -> Iterator[str]:
    """Yield a line about the between part: means and covariates stay, other variables vary over the clusters."""
    c = file.cluster
    for left, op, modifiers, right in _terms(line):
        if op == "~" and right == "1":
            if left in slopes:
                y, x = slopes[left]
                if modifiers != "0*":
                    yield f"{y} ~ {modifiers}{x}"
            else:
                yield f"{left} ~ {modifiers}1"
        elif op == "~~":
            if modifiers != "0*" or left != right:
                yield f"{left}[{c}] ~~ {modifiers}{right}[{c}]"
        elif op == "~":
            yield f"{left}[{c}] ~ {modifiers}{right}" if left in slopes else f"{left} ~ {modifiers}{right}"
        else:
            yield f"{left}[{c}] {op} {modifiers}{right}"


def _constraint(file: _File, text: str, at: int) -> list[str]:
    new = re.fullmatch(r"NEW\s*\(([^)]*)\)", text, flags=re.IGNORECASE)
    if new is not None:
        file.new |= {re.sub(r"\*.*", "", n) for n in new[1].split()}
        return []
    found = re.fullmatch(r"(.+?)\s*(=|<|>)\s*(.+)", " ".join(text.split()))
    if found is None or re.match(r"(DO|PLOT|LOOP)\b", text, flags=re.IGNORECASE):
        file.left_out(text, at)
        return []
    left, sign, right = found[1].strip(), found[2], found[3].replace("**", "^")
    right = re.sub(r"\b(EXP|LOG|SQRT|ABS|SIN|COS|TAN)\(", lambda m: m[0].lower(), right)
    if sign == "=":
        return [f"{left} := {right}" if left in file.new else f"{left.replace('**', '^')} == {right}"]
    return [f"{left.replace('**', '^')} {sign} {right}"]
