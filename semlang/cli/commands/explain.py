"""``semlang explain``: the page of a finding, or a model in words."""

from __future__ import annotations

from pathlib import Path

import click

from semlang.cli.output import Report, model_and_data, reporting
from semlang.diagnostics import error


@click.command("explain")
@click.argument("what", metavar="SLUG|FILE")
@reporting("explain")
def command(report: Report, what: str) -> None:
    """Say what a finding means and what to type instead, or what a model says."""
    from semlang.cli.pages import known, page

    if what == "-" or "." in what or "/" in what or "\\" in what or Path(what).is_file():
        model, _ = model_and_data(report, what, None, None)
        sentences = model.explain().splitlines()
        report.finish({"sentences": sentences}, "\n".join(sentences))
    text = page(what)
    if text is not None:
        report.finish({"slug": what, "page": text}, text.rstrip())
    from semlang.syntax.nearest import nearest

    near = nearest(what, known())
    help_ = [f"did you mean '{near}'?"] if near else ["a file is given by its path, such as model.sem"]
    report.add([error("unknown-slug", f"no finding is called '{what}'", help=help_)])
    report.finish(failed=True)
