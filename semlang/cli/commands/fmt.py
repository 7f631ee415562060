"""``semlang fmt``: the canonical layout of model files."""

from __future__ import annotations

import difflib
import sys

import click

from semlang.cli.output import Report, reporting, source_of
from semlang.errors import SemlangError


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where a layout would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@reporting("fmt")
def command(report: Report, files: tuple[str, ...], only_check: bool, diff: bool) -> None:
    """Lay out models evenly: one statement a line, even spaces, comments kept. ``-`` prints the result."""
    from semlang.cli.mending import write_back
    from semlang.syntax.parser import parse
    from semlang.syntax.printer import format_text

    changed: list[str] = []
    shown: list[str] = []
    for file in files:
        try:
            source = source_of(file)
        except SemlangError as problem:
            report.add(problem.diagnostics)
            continue
        found = parse(source)[1]
        if any(d.is_error for d in found):
            report.add(d for d in found if d.is_error)
            if file == "-" and not (only_check or diff):
                shown.append(source.text)
            continue
        text = format_text(source)
        if text != source.text:
            changed.append(file)
        if diff:
            lines = difflib.unified_diff(
                source.text.splitlines(True), text.splitlines(True), source.name, f"{source.name} (laid out)"
            )
            shown.append("".join(lines))
        elif file == "-":
            shown.append("" if only_check else text)
        elif text != source.text and not only_check:
            try:
                write_back(file, text)
            except SemlangError as problem:
                report.add(problem.diagnostics)
                changed.remove(file)
    words = "".join(shown)
    if not report.as_json and "-" in files and not diff:
        sys.stdout.write(words)
        words = ""
    elif not diff and "-" not in files:
        verb = "would change" if only_check else "laid out"
        words = "\n".join(f"{verb}: {file}" for file in changed) or "nothing to change"
    result = {"files": list(files), "changed": changed, "text": words if diff or "-" in files else None}
    report.finish(result, words.rstrip("\n"), failed=bool(changed) and (only_check or diff))
