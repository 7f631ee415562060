"""``semlang lsp``: the language server for editors."""

from __future__ import annotations

from importlib.util import find_spec

import click

from semlang.cli.output import Report, reporting
from semlang.diagnostics import error


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak over standard input and output (always so).")
@reporting("lsp")
def command(report: Report, stdio: bool) -> None:
    """Serve an editor over standard input and output: findings, hover, completion, definitions, formatting."""
    del stdio  # many editors add it unasked
    if find_spec("pygls") is None:
        report.add(
            [error("missing-extra", "the language server needs the package pygls", help='pip install "semlang[lsp]"')]
        )
        report.finish()
    from semlang.editors.lsp.server import make_server

    make_server().start_io()
