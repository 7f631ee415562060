"""``semlang warmup``: compile the numerical kernels once."""

from __future__ import annotations

import sys
import time

import click

from semlang.cli.output import Report, reporting


@click.command("warmup")
@reporting("warmup")
def command(report: Report) -> None:
    """Compile the numerical kernels now, so that the first fit need not."""
    from semlang.estimation.kernels.warmup import compile_all

    clock = time.perf_counter()

    def show(done: int, total: int, name: str) -> None:
        if sys.stderr.isatty():
            bar = "#" * (30 * done // max(total, 1))
            print(f"\r\x1b[K[{bar:<30}] {done}/{total} {name}", end="", file=sys.stderr, flush=True)

    compile_all(show)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    seconds = time.perf_counter() - clock
    report.finish({"seconds": round(seconds, 2)}, f"kernels ready after {seconds:.1f} s")
