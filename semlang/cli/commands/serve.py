"""``semlang serve``: the live page on this machine."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Any

import click

from semlang.cli.output import Report, reporting, source_of


@click.command("serve")
@click.argument("file", required=False)
@click.option("--data", metavar="FILE", help="Data: CSV, Parquet, Stata or SPSS; default: those that the text names.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; default: any that is free.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@reporting("serve")
def command(report: Report, file: str | None, data: str | None, port: int, no_browser: bool) -> None:
    """Show the live page: type a model and see what it means, fit it to your data. It listens to this machine alone."""
    from semlang.page.serve import Server

    text = None if file is None else source_of(file)
    try:
        server = Server(port, text.name if text is not None else "<text>")
    except OSError as problem:
        raise click.UsageError(
            f"port {port} can't be used: {problem.strerror}; leave --port out for one that is free"
        ) from None
    with server:
        if text is not None:
            server.session |= {"text": text.text, "name": text.name}
        path = data or (named_data(text) if text is not None else None)
        if path is not None:
            server.session["data"] = server.answering.answer(
                {"what": "data", "name": Path(path).name, "csv": csv_of(path)}
            )
        if report.as_json:
            import json

            print(json.dumps({"schema": "semlang.serve/1", "address": server.address}), flush=True)
        else:
            print(f"{server.address}\nStop it with Ctrl+C.", flush=True)
        if not no_browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
    report.finish()


def named_data(source: Any) -> str | None:
    """Return the path of the data that a text names, where there is such a file."""
    from semlang.api import Model
    from semlang.errors import SemlangError

    try:
        name = Model(source).parameter_table.data
    except SemlangError:
        return None
    path = Path(source.name).parent / name
    return str(path) if name and path.is_file() else None


def csv_of(path: str) -> str:
    """Return a data file as delimited text.

    Raises
    ------
    DataError
        Where it can't be read.
    """
    from semlang.data.reading import read_data
    from semlang.errors import DataError

    frame, found = read_data(path)
    if frame is None:
        raise DataError(found)
    return str(frame.to_csv(index=False))
