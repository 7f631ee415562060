"""``semlang doctor``: what is installed and works."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata

import click

from semlang import __version__
from semlang.cache import unusable
from semlang.cli.commands.table import layout
from semlang.cli.output import Report, reporting

NEEDED = (
    "lark",
    "networkx",
    "numpy",
    "scipy",
    "numba",
    "pandas",
    "graphviz",
    "click",
    "threadpoolctl",
)
OPTIONAL = {
    "pygraphviz": "draws diagrams without a system Graphviz",
    "pyarrow": "reads Parquet",
    "pyreadstat": "reads SPSS files",
}


@click.command("doctor")
@reporting("doctor")
def command(report: Report) -> None:
    """Show versions, what is missing and what it would be for."""
    from semlang.diagnostics import error, note

    packages = {name: _version(name) for name in (*NEEDED, *OPTIONAL)}
    dot = shutil.which("dot")
    for name in NEEDED:
        if packages[name] is None:
            report.add([error("missing-package", f"{name} is not installed", help=f"pip install {name}")])
    for name, use in OPTIONAL.items():
        if packages[name] is None and not (name == "pygraphviz" and dot):
            report.add([note("missing-package", f"{name} is not installed: it {use}", help=f"pip install {name}")])
    if packages["numba"]:
        from semlang.estimation.kernels.objects import kernel_folder, sources_hash
        from semlang.estimation.kernels.shipped import shipped_folder

        shipped = shipped_folder(sources_hash())
        carried = f"for {shipped.name}" if shipped is not None else "none"
        cache = str(kernel_folder() or "") or f"none, so kernels are compiled in every process: {unusable()}"
    else:
        cache = carried = "unknown"
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:
        processors = os.cpu_count() or 1
    facts = {
        "semlang": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": str(processors),
        "dot": dot or "none",
        "shipped kernels": carried,
        "kernel cache": cache,
    }
    lines = [[k, v] for k, v in facts.items()] + [[k, v or "missing"] for k, v in packages.items()]
    report.finish({**facts, "packages": packages}, layout(["", ""], lines).lstrip("\n"))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
