"""Statements of Mplus's MODEL command in this language: ``f BY x1-x3@1;``, ``y ON x (a);``, ``[f@0];``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

WORDS = {"BY": "=~", "ON": "~", "WITH": "~~"}
"""Words that join two lists of variables."""

SECTIONS = (
    "TITLE", "DATA", "VARIABLE", "DEFINE", "ANALYSIS", "MODEL", "MODEL CONSTRAINT", "MODEL INDIRECT", "MODEL TEST",
    "MODEL PRIORS", "MODEL POPULATION", "OUTPUT", "SAVEDATA", "PLOT", "MONTECARLO",
)  # fmt: skip
"""Commands of an input file."""

_ITEM = re.compile(
    r"\s*(?P<name>[A-Za-z_][\w.]*(?:[$#]\d+)?)(?:\s*-\s*(?P<last>[A-Za-z_][\w.]*(?:[$#]\d+)?))?"
    r"(?:\s*(?P<mark>[@*])\s*(?P<value>-?(?:\d+\.?\d*|\.\d+))?)?"
)
_LABELS = re.compile(r"\(([^()]*)\)")
_NUMBERED = re.compile(r"(.*?)(\d+)")

Expand = Callable[[str, str], Sequence[str]]
"""Gives the names of a list ``x1-x5``."""


@dataclass(frozen=True, slots=True)
class Item:
    """A variable with what stands behind it: ``@`` fixes, ``*`` frees or starts; a label."""

    name: str
    mark: str = ""
    value: str = ""
    label: str = ""

    def modified(self, *, free: bool = False) -> str:
        """Return the modifiers as they stand before a variable here.

        Parameters
        ----------
        free : bool
            Whether ``*`` has to free what is fixed by default: the first loading.
        """
        if self.mark == "@":
            return f"{self.value or '0'}*"
        out = "NA*" if self.mark == "*" and free else ""
        if self.label:
            out += f"{self.label}*"
        return out + (f"start({self.value})*" if self.mark == "*" and self.value else "")


def numbered(first: str, last: str) -> tuple[str, ...]:
    """Return ``x1`` to ``x5``; the two ends alone where they have no numbers.

    Examples
    --------
    >>> numbered("x1", "x3"), numbered("u$1", "u$3")
    (('x1', 'x2', 'x3'), ('u$1', 'u$2', 'u$3'))
    """
    a, b = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(last)
    if a is None or b is None or a[1].upper() != b[1].upper() or not int(a[2]) <= int(b[2]) <= int(a[2]) + 10_000:
        return first, last
    width = len(a[2]) if a[2].startswith("0") else 0
    return tuple(f"{a[1]}{k:0{width}d}" for k in range(int(a[2]), int(b[2]) + 1))


def items(text: str, expand: Expand = numbered) -> list[Item] | None:
    """Return the variables of a list, or None where it is none.

    Labels in brackets belong to all that stand on their line.

    Examples
    --------
    >>> [i.modified() + i.name for i in items("x1@1 x2-x3* (a)")]
    ['1*x1', 'a*x2', 'a*x3']
    """
    out: list[Item] = []
    parts, labels = _LABELS.split(text)[::2], _LABELS.findall(text)
    for part, label in zip(parts, [*labels, ""], strict=True):
        lines = [_items(line, expand) for line in part.split("\n")]
        for own in lines[:-1]:
            if own is None:
                return None
            out += own
        if lines[-1] is None:
            return None
        out += _labelled(lines[-1], label)
    return out


def _items(line: str, expand: Expand) -> list[Item] | None:
    """Return the variables on a line without labels."""
    out: list[Item] = []
    at = 0
    while at < len(line.rstrip()):
        found = _ITEM.match(line, at)
        if found is None:
            return None
        at = found.end()
        names = expand(found["name"], found["last"]) if found["last"] else (found["name"],)
        out += [Item(n, found["mark"] or "", found["value"] or "") for n in names]
    return out


def _labelled(own: list[Item], text: str) -> list[Item]:
    """Give a list's labels in order, or a single one to all that are not fixed; numbers become names."""
    names = [n for piece in text.replace(",", " ").split() for n in _several(piece)]
    names = [n if not n[:1].isdigit() else f"eq{n}" for n in names]
    if len(names) == 1:
        names *= len(own)
    return [
        i if i.mark == "@" or k >= len(names) else Item(i.name, i.mark, i.value, names[k]) for k, i in enumerate(own)
    ]


def _several_labels(text: str) -> list[str]:
    return [n for inside in _LABELS.findall(text) for piece in inside.split() for n in _several(piece)]


def _several(piece: str) -> Iterable[str]:
    first, sign, last = piece.partition("-")
    return numbered(first, last) if sign and last else (piece,)


def statement(text: str, expand: Expand = numbered, *, bare: bool = False) -> list[str] | None:
    """Return what a statement of MODEL says, in lines of this language; None where it is no such statement.

    Parameters
    ----------
    text : str
    expand : callable
        Gives the names of a list ``x1-x5``.
    bare : bool
        Whether names alone are taken as variances, as they are in an input file.

    Examples
    --------
    >>> statement("f BY x1@1 x2 x3*0.5 (a)"), statement("y1-y2 ON x")
    (['f =~ 1*x1 + a*x2 + a*start(0.5)*x3'], ['y1 + y2 ~ x'])
    >>> statement("[x1-x2@0 u$1]"), statement("f@1 x1 (v)"), statement("f ~ x")
    (['x1 ~ 0*1', 'x2 ~ 0*1', 'u | t1'], ['f ~~ 1*f', 'x1 ~~ v*x1'], None)
    """
    text = text.replace(";", " ").strip()
    if text.startswith("["):
        return _means(text, expand)
    found = re.fullmatch(r"(.+?)\s+(BY|ON|WITH)\s+(.+)", text, flags=re.IGNORECASE | re.DOTALL)
    if found is None:
        own = items(text, expand)
        if not own or not (bare or re.search(r"[@*(]", text)):
            return None
        return [f"{i.name} ~~ {i.modified()}{i.name}" for i in own]
    left, word, right = items(found[1], expand), found[2].upper(), items(found[3], expand)
    if not left or not right or any(i.mark or i.label for i in left):
        return None
    if len(left) > 1 and found[3].count("(") and len(_several_labels(found[3])) > 1:
        return None  # one label for each pair
    terms = [f"{i.modified(free=word == 'BY' and k == 0)}{_class(i.name)}" for k, i in enumerate(right)]
    return [f"{' + '.join(_class(i.name) for i in left)} {WORDS[word]} {' + '.join(terms)}"]


def _class(name: str) -> str:
    """Return ``c#1`` as ``c@1``."""
    return name.replace("#", "@")


def _means(text: str, expand: Expand) -> list[str] | None:
    inside = re.fullmatch(r"\[(.*)\]\s*(\([^()]*\))?", text, flags=re.DOTALL)
    own = items(f"{inside[1]} {inside[2] or ''}", expand) if inside else None
    if own is None:
        return None
    out = []
    for i in own:
        name, sign, number = i.name.partition("$")
        out.append(f"{name} | {i.modified()}t{number}" if sign else f"{_class(name)} ~ {i.modified()}1")
    return out
