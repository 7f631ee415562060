"""Completion: operators, kinds, directives, names of the model, columns of the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from semlang.editors.lsp.analysis import Analysis
from semlang.editors.lsp.context import OPERANDS, Context, context
from semlang.editors.lsp.hover import role
from semlang.editors.lsp.names import clusters, labels, loose_names, variables
from semlang.model.kinds import ALIASES, KINDS
from semlang.model.option_table import OPTIONS
from semlang.model.options import canonical
from semlang.syntax import ast
from semlang.syntax.scan import scan
from semlang.words.catalogue import ARGUMENTS, DIRECTIVES, FUNCTIONS, OPERATORS, QUANTITIES
from semlang.words.catalogue import KINDS as KIND_WORDS

_COLUMN_KEYS = ("cluster", "groups", "weights", "frequency", "reshape")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to type: the text, a word on it, its sort, and how many characters before the cursor it replaces."""

    text: str
    detail: str
    sort: str
    replaces: int


def complete(analysis: Analysis, offset: int) -> list[Suggestion]:
    """Return what may be typed at an offset, the likeliest first, each text once."""
    where = context(analysis.source.text, offset)
    if where is None:
        return []
    found = dict.fromkeys(_suggestions(analysis, where, offset))
    return list({s.text: s for s in reversed(found)}.values())[::-1]


def _suggestions(analysis: Analysis, where: Context, offset: int) -> Iterator[Suggestion]:
    size = len(where.prefix)
    if where.string:
        if where.key in ("data", "include"):
            yield from _files(analysis, where)
        return
    if where.key:
        yield from _values(analysis, where, size)
        return
    if where.begins_operator and not where.prefix and not where.has("open"):
        longer = [o for o in OPERATORS if o.startswith(where.run) and o != where.run]
        if where.before and where.before[0].kind in OPERANDS:
            yield from _operators(longer, len(where.run))
    last = where.before[-1] if where.before else None
    if last is None:
        yield from (Suggestion(f"{k}: ", meaning, "key", size) for k, (meaning, _) in DIRECTIVES.items())
        yield from _names(analysis, size, offset)
        yield from (Suggestion(f"{q}(", meaning, "function", size) for q, meaning in QUANTITIES.items())
    elif last.kind == "declares":
        yield from (Suggestion(k, KIND_WORDS[k], "kind", size) for k in (*KINDS, *ALIASES))
    elif where.has("declares"):
        yield from _arguments(analysis, where, size)
    elif last.text == "[":
        yield from _clusters(analysis, size)
    elif last.text == "@":
        yield from _classes(analysis, where)
    elif last.text in ("|", "||", "/") and where.brackets:
        yield from _clusters(analysis, size)
    elif last.kind in OPERANDS or last.kind == "close":
        if not where.prefix and not where.run and not where.brackets:
            yield from _operators(OPERATORS if not where.has("relation", "defines", "compares") else (), 0)
    else:
        yield from _names(analysis, size, offset)
        yield from (Suggestion(f"{f}(", meaning, "function", size) for f, meaning in FUNCTIONS.items())


def _operators(which: Iterable[str], replaces: int) -> Iterator[Suggestion]:
    for operator in which:
        meaning, example = OPERATORS[operator]
        yield Suggestion(operator, f"{meaning}:  {example}", "operator", replaces)


def _names(analysis: Analysis, size: int, offset: int) -> Iterator[Suggestion]:
    """Yield the names of the model, then labels, then columns that the model does not use yet."""
    roles: dict[str, str] = {}
    if analysis.table is not None:
        roles = {v.name: role(v) for v in analysis.table.variables.values()}
    known = variables(analysis.whole)
    token = analysis.token_at(offset)
    for name, places in known.items():
        if size and token is not None and all(token.start <= span.start < token.end for _, span in places):
            continue  # only what is being typed
        yield Suggestion(_written(name), roles.get(name, "covariate"), "name", size)
    for name in loose_names(analysis, offset):
        if name not in known and name not in labels(analysis.whole):
            yield Suggestion(_written(name), "name", "name", size)
    for name in labels(analysis.whole):
        yield Suggestion(name, "label", "label", size)
    for name in analysis.columns:
        if name not in known:
            yield Suggestion(_written(name), "column of the data", "column", size)


def _written(name: str) -> str:
    """Return a name as it is typed: in backticks where it has other characters than names may have.

    Examples
    --------
    >>> _written("x1"), _written("my column")
    ('x1', '`my column`')
    """
    tokens = scan(name)
    return name if len(tokens) == 1 and tokens[0].kind == "name" else f"`{name}`"


def _clusters(analysis: Analysis, size: int) -> Iterator[Suggestion]:
    known = clusters(analysis)
    yield from (Suggestion(_written(c), "cluster", "cluster", size) for c in known)
    yield from (Suggestion(_written(c), "column of the data", "column", size) for c in analysis.columns)


def _classes(analysis: Analysis, where: Context) -> Iterator[Suggestion]:
    name = where.before[-2].text if len(where.before) > 1 else ""
    for s in analysis.model.statements:
        if isinstance(s, ast.Declaration) and s.kind == "class" and any(v.name == name for v in s.variables):
            for k in range(1, 1 + int(next((a.value for a in s.arguments if isinstance(a.value, float)), 0))):
                yield Suggestion(str(k), f"class {k} of {name}", "class", 0)


def _arguments(analysis: Analysis, where: Context, size: int) -> Iterator[Suggestion]:
    """Yield links and arguments inside the brackets of a kind; columns behind ``=``."""
    behind = next(i for i, t in enumerate(where.before) if t.kind == "declares") + 1
    kind = KINDS.get(ALIASES.get(where.before[behind].text, where.before[behind].text))
    if kind is None or not where.brackets:
        return
    if where.before[-1].text == "=":
        yield from (Suggestion(_written(c), "column of the data", "column", size) for c in analysis.columns)
    elif where.before[-1].text in ("(", ","):
        yield from (Suggestion(link, "link", "link", size) for link in kind.links)
        yield from (Suggestion(f"{a}=", ARGUMENTS[a], "argument", size) for a in kind.arguments)


def _values(analysis: Analysis, where: Context, size: int) -> Iterator[Suggestion]:
    """Yield what may stand behind the colon of a directive."""
    if where.key in _COLUMN_KEYS:
        yield from (Suggestion(_written(c), "column of the data", "column", size) for c in analysis.columns)
    elif where.key == "level":
        yield from (Suggestion(c, "cluster", "cluster", size) for c in (*clusters(analysis), "within", "between"))
    elif where.key == "options" and (where.before[-1].text == "=" or where.brackets):
        named = next((k for k in range(len(where.before) - 1, 0, -1) if where.before[k].text == "="), 1)
        option = OPTIONS.get(canonical(where.before[named - 1].text))
        words = () if option is None else ("true", "false") if option.kind == "switch" else option.values
        yield from (Suggestion(v, option.doc if option else "", "value", size) for v in words)
    elif where.key == "options":
        yield from (Suggestion(f"{o} = ", OPTIONS[o].doc, "option", size) for o in sorted(OPTIONS))


def _files(analysis: Analysis, where: Context) -> Iterator[Suggestion]:
    """Yield the files beside the model that a directive may name."""
    folder = Path(analysis.source.name).parent / where.prefix.rpartition("/")[0]
    endings = (".sem",) if where.key == "include" else (".csv", ".tsv", ".txt", ".dat", ".dta", ".sav", ".parquet")
    typed = where.prefix.rpartition("/")[2]
    try:
        entries = sorted(folder.iterdir())[:1000]
    except OSError:
        return
    for path in entries:
        if path.suffix.lower() in endings:
            yield Suggestion(path.name, "file", "file", len(typed))
