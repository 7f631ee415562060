"""What every command shares: reading the model, the JSON envelope, words for people, the exit status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

import click

from semlang.diagnostics import Diagnostic, Severity, error, render
from semlang.errors import SemlangError
from semlang.source import Source

if TYPE_CHECKING:
    from semlang.api import Model
    from semlang.data.design import Design

FILE_PROBLEMS = frozenset(
    (
        "missing-file",
        "unreadable-file",
        "not-utf8",
        "missing-extra",
        "unwritable-file",
        "unknown-format",
        "unknown-slug",
        "unknown-style",
    )
)
"""Slugs of findings about files that can't be read or written, or wrong options (exit status 2)."""

SHOWN = 10
"""So many findings of one kind are shown to people."""

COLOURS = {"error": 31, "warning": 33, "note": 36}


class Report:
    """What a command has to say; `finish` prints it and leaves.

    Parameters
    ----------
    command : str
    as_json : bool
        Print one JSON object on standard output; words go to standard error.

    Attributes
    ----------
    shape : str
        A format of `semlang.cli.formats`, in which findings then go to standard output, and nothing else.
    """

    def __init__(self, command: str, as_json: bool) -> None:
        self.command = command
        self.as_json = as_json
        self.diagnostics: list[Diagnostic] = []
        self.shape = ""

    def add(self, findings: Iterable[Diagnostic]) -> None:
        """Keep findings to be shown at the end."""
        self.diagnostics += [d for d in findings if d not in self.diagnostics]

    def wrote(self, path: str, data: bytes) -> bool:
        """Write a file and return whether that was possible; if not it is a finding, and the result is still shown."""
        from semlang.writing import write_file

        problem = write_file(path, data)
        self.add([problem] if problem is not None else [])
        return problem is None

    def finish(self, result: Any = None, text: str = "", *, failed: bool = False) -> NoReturn:
        """Print findings and result; exit 1 where a finding is an error or `failed`, else 0."""
        wrong = failed or any(d.is_error for d in self.diagnostics)
        for finding in () if self.shape else capped(self.diagnostics):
            print(coloured(finding, sys.stderr) if isinstance(finding, Diagnostic) else finding, file=sys.stderr)
        if self.as_json:
            envelope = {
                "schema": f"semlang.{self.command}/1",
                "ok": not wrong,
                "diagnostics": [d.to_json() for d in self.diagnostics],
                "result": result,
            }
            print(json.dumps(envelope, ensure_ascii=False, allow_nan=False))
        elif self.shape:
            from semlang.cli.formats import FORMATS

            shown = FORMATS[self.shape](self.diagnostics)
            if shown:
                print(shown)
        elif text:
            print(text)
        unread = any(d.slug in FILE_PROBLEMS for d in self.diagnostics)
        sys.exit(2 if unread else 1 if wrong else 0)


def capped(findings: Iterable[Diagnostic]) -> list[Diagnostic | str]:
    """Return findings as they are shown to people: of each kind the first few, then a line that counts the others."""
    out: list[Diagnostic | str] = []
    seen: dict[tuple[Severity, str], int] = {}
    for d in findings:
        kind = (d.severity, d.slug)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= SHOWN:
            out.append(d)
    for (severity, slug), n in seen.items():
        if n > SHOWN:
            out.append(f"{severity.value}[{slug}]: and {n - SHOWN} more of this kind (--json lists all)")
    return out


def coloured(finding: Diagnostic, stream: Any) -> str:
    """Render a finding, with colour where the stream is a terminal and NO_COLOR is not set."""
    words = render(finding)
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return words
    head, _, rest = words.partition(":")
    return f"\x1b[1;{COLOURS[finding.severity.value]}m{head}\x1b[0m:{rest}"


def usage_error(arguments: list[str], message: str) -> None:
    """Print the JSON object of a command that was called wrongly."""
    name = next((a for a in arguments if not a.startswith("-")), "semlang")
    finding = error("usage", message)
    envelope = {
        "schema": f"semlang.{name}/1",
        "ok": False,
        "diagnostics": [finding.to_json()],
        "result": None,
    }
    print(json.dumps(envelope, ensure_ascii=False))


def source_of(file: str) -> Source:
    """Read a model file, or standard input for ``-``."""
    from semlang.syntax.file import decode, read_source, read_text

    return decode(read_text(sys.stdin.buffer), "<stdin>") if file == "-" else read_source(file)


def reporting(command: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the option ``--json`` and a `Report`; errors raised inside become findings."""

    def wrap(function: Callable[..., None]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
        @wraps(function)
        def run(*args: Any, as_json: bool, **options: Any) -> None:
            report = Report(command, as_json)
            try:
                function(report, *args, **options)
            except SemlangError as problem:
                report.add(problem.diagnostics)
                report.finish(failed=True)

        return run

    return wrap


def model_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every command on a model takes."""
    function = click.option("--data", metavar="FILE", help="Data: CSV, Parquet, Stata or SPSS; or a pattern of names.")(
        function
    )
    return click.option(
        "--defaults",
        type=click.Choice(["sem", "cfa", "growth", "lavaan"]),
        help="Which automatic parameters are added.",
    )(function)


def scheduler_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add the option for data in partitions."""
    return click.option(
        "--scheduler",
        metavar="ADDRESS|local",
        help="Workers of dask.distributed for data in partitions: --data 'parts/*.parquet'.",
    )(function)


def model_of(file: str, defaults: str | None = None) -> Model:
    """Return the model in a file."""
    from semlang.api import Model

    return Model(source_of(file), defaults=defaults)


def model_and_data(
    report: Report, file: str, data: str | None, defaults: str | None
) -> tuple[Model, tuple[Design, ...] | None]:
    """Return the model in a file with what its data say, and their designs: those given, else those that it names.

    Where the named data can't be read or do not fit, a finding says so, and the model is that of the text alone.
    """
    from semlang.data.named import not_read

    model, designs, found = model_of(file, defaults).with_data(data)
    report.add(not_read(found) if data is None else found)
    report.add(model.findings)
    return model, designs


def writable(path: str | None) -> None:
    """Refuse a target that can't be written, before the work is done whose result goes there.

    Raises
    ------
    SemlangError
    """
    from semlang.writing import unwritable

    problem = unwritable(path) if path is not None else None
    if problem is not None:
        raise SemlangError([problem])
