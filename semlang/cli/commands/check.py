"""``semlang check``: all findings about model files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from semlang.cli.output import Report, model_options, reporting, source_of
from semlang.diagnostics import Diagnostic, Severity
from semlang.errors import SemlangError
from semlang.source import Source


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@model_options
@click.option("--strict", is_flag=True, help="Warnings count as errors for the exit status.")
@click.option("--fix", is_flag=True, help="Write the edits that findings propose; '-' prints the text.")
@click.option(
    "--output-format",
    "shape",
    type=click.Choice(["full", "concise", "json", "github", "sarif"]),
    default="full",
    show_default=True,
    help="How findings are shown; all but 'full' go to standard output.",
)
@reporting("check")
def command(
    report: Report, files: tuple[str, ...], data: str | None, defaults: str | None, strict: bool, fix: bool, shape: str
) -> None:
    """List everything that is wrong with model files, with the place and what to type instead."""
    report.as_json = report.as_json or shape == "json"
    report.shape = "" if report.as_json or shape == "full" else shape

    def check(source: Source) -> Sequence[Diagnostic]:
        return findings(source, data, defaults)

    fixed: list[dict[str, Any]] = []
    texts: list[str] = []
    for file in files:
        try:
            source = source_of(file)
            if fix:
                source, mended = mended_file(file, source, check)
                fixed += [{"file": file, "slug": d.slug, "line": _line(d)} for d in mended]
                texts += [source.text] if file == "-" else []
            report.add(check(source))
        except SemlangError as problem:
            report.add(problem.diagnostics)
    counts = {s: sum(d.severity is s for d in report.diagnostics) for s in Severity}
    words = ", ".join(f"{n} {s.value}{'s' if n > 1 else ''}" for s, n in counts.items() if n) or "no findings"
    result = {"files": list(files), "errors": counts[Severity.ERROR], "warnings": counts[Severity.WARNING]}
    if fix:
        result |= {"fixed": fixed, "texts": texts}
        for f in fixed:
            print(f"fixed: {f['file']}:{f['line']}: {f['slug']}", file=sys.stderr)
        if texts and not report.as_json and not report.shape:
            sys.stdout.write("".join(texts))
            words = ""
    report.finish(result, words, failed=strict and counts[Severity.WARNING] > 0)


def findings(source: Source, data: str | None, defaults: str | None) -> Sequence[Diagnostic]:
    """Return all findings about a model text."""
    from semlang.analysis import analyse

    return analyse(source, data, options={"defaults": defaults} if defaults else {}).findings


def mended_file(file: str, source: Source, check: Any) -> tuple[Source, list[Diagnostic]]:
    """Apply edits to a text, and write its file where there is one."""
    from semlang.cli.mending import mend, write_back

    new, mended = mend(source, check)
    if mended and file != "-":
        write_back(file, new.text)
    return new, mended


def _line(finding: Diagnostic) -> int:
    assert finding.source is not None
    return finding.source.position(finding.fix[0].span.start)[0]
