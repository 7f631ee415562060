"""Apply the edits that findings carry: whole findings only, never over each other, never in another file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.errors import SemlangError
from semlang.source import Source
from semlang.writing import write_file

ROUNDS = 50
"""An edit may uncover the next finding; so often a text is looked at again."""


def mend(source: Source, check: Callable[[Source], Sequence[Diagnostic]]) -> tuple[Source, list[Diagnostic]]:
    """Return the text with edits applied, and the findings that they mended.

    Parameters
    ----------
    source : Source
    check : callable
        Gives the findings about a text. Where a round of edits adds to the errors of the syntax, it is taken back.
    """
    mended: list[Diagnostic] = []
    findings = check(source)
    for _ in range(ROUNDS):
        chosen = mendable(source, findings)
        if not chosen:
            break
        changed = Source(edited(source.text, [e for d in chosen for e in d.fix]), source.name)
        if _errors_of_syntax(changed) > _errors_of_syntax(source):
            break
        source, findings = changed, check(changed)
        mended += chosen
    return source, mended


def mendable(source: Source, findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the findings whose edits lie in this file, each with all of its edits clear of the others'."""
    chosen: list[Diagnostic] = []
    taken: list[Edit] = []
    for d in findings:
        own = d.fix
        if not own or d.source is None or d.source.text != source.text:
            continue
        if any(d.source.origin(e.span.start)[0].name != source.name for e in own):
            continue
        if not any(_overlap(a, b) for i, a in enumerate(own) for b in (*taken, *own[:i])):
            chosen.append(d)
            taken += own
    return chosen


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return a text with edits applied.

    Examples
    --------
    >>> from semlang.source import Span
    >>> edited("f =- x1 x2", [Edit(Span(2, 4), "=~"), Edit(Span(7, 7), " +")])
    'f =~ x1 + x2'
    """
    for e in sorted(edits, key=lambda e: e.span.start, reverse=True):
        text = text[: e.span.start] + e.text + text[e.span.end :]
    return text


def write_back(file: str, text: str) -> None:
    """Write a text to the file that it came from, with the line ends and the byte order mark that are there.

    Raises
    ------
    SemlangError
        Where the file can't be written, or is a pipe or a device, which does not hold what was read from it.
    """
    path = Path(file)
    if not path.is_file():
        problem = error(
            "unwritable-file", f"'{file}' is no regular file: there is nothing to write to",
            help="give the text as standard input: the result then goes to standard output",
        )  # fmt: skip
    else:
        found = write_file(path, as_written(text, path.read_bytes()))
        if found is None:
            return
        problem = found
    raise SemlangError([problem])


def as_written(text: str, original: bytes) -> bytes:
    """Return a text as bytes with the line endings and the byte order mark of the original.

    Examples
    --------
    >>> as_written("a\\nb\\n", b"c\\r\\n")
    b'a\\r\\nb\\r\\n'
    """
    if b"\r\n" in original:
        text = text.replace("\n", "\r\n")
    mark = b"\xef\xbb\xbf" if original.startswith(b"\xef\xbb\xbf") else b""
    return mark + text.encode("utf-8")


def _overlap(a: Edit, b: Edit) -> bool:
    first, second = sorted((a.span, b.span))
    return first.start == second.start or first.end > second.start


def _errors_of_syntax(source: Source) -> int:
    from semlang.syntax.parser import parse

    return sum(d.is_error for d in parse(source)[1])
