"""``semlang playground``: the live page as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from semlang.cli.output import Report, reporting


@click.command("playground")
@click.argument("folder", metavar="DIR")
@click.option(
    "--offline",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with Pyodide's files and numpy's wheel, to be a part of the site; else they come from their CDN.",
)
@reporting("playground")
def command(report: Report, folder: str, offline: Path | None) -> None:
    """Write the live page as a static site for any web server: models are checked, drawn and fitted in the browser."""
    from semlang.page.playground import UnusableRuntime, site_files, write_site

    try:
        files = site_files(offline)
        write_site(Path(folder), files)
    except UnusableRuntime as problem:
        raise click.UsageError(str(problem)) from None
    except OSError as problem:
        raise click.UsageError(f"'{folder}' can't be written: {problem.strerror}") from None
    size = sum(map(len, files.values()))
    report.finish(
        {"folder": folder, "files": sorted(files), "bytes": size},
        f"wrote {len(files)} files, {size / 1e6:.1f} MB, to {folder}",
    )
