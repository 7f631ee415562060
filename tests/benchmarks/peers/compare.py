"""Whole fits beside those of other programs, on the same data, one thread, in one run: a table in Markdown.

``python tests/benchmarks/peers/compare.py [--data FOLDER] [--python PYTHON] [WORK ...]``, as in docs/benchmarks.md.
Seconds are of processor time, from the text to the fit, the least of eleven runs in one process (a process is slower
until its memory has been used), or one where that is long (peers: of one). Packages of R and of Python run here if they
are installed, those that take minutes with ``--slow`` only; those of Python may have an environment of their own, whose
interpreter is given. What does not run takes its stated seconds (measured where lmer took `LMER` for ``linear``) times
what lmer takes here over that.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from works import WORKS, Work

import semlang

SLOW = ("ordinal",)
"""Works whose package of R takes minutes."""

STATED = {"ordinal": "ordinal", "slope_tmb": "glmmTMB", "factors_semopy": "semopy"}
"""Packages whose seconds are stated."""

LONG = 3.0
"""Seconds of a fit that is not repeated."""

WARM = 10
"""Runs of a fit that is not long."""

LMER = 1.22
"""Seconds that lmer took for `linear` where the stated seconds were measured."""


def least(run: Callable[[], object], times: int = 3) -> tuple[float, object]:
    """Return the least processor time of some runs, and the last result."""
    seconds, result = np.inf, None
    for _ in range(times):
        begin = time.process_time()
        result = run()
        seconds = min(seconds, time.process_time() - begin)
    return seconds, result


def of_package(command: list[str], name: str, file: Path) -> tuple[float, float, str] | None:
    """Return seconds, log-likelihood and name of the package that a script runs, or None."""
    if shutil.which(command[0]) is None:
        return None
    run = subprocess.run([*command, str(file), name], capture_output=True, text=True, check=False)
    words = run.stdout.split()[-4:]
    return (float(words[0]), float(words[1]), " ".join(words[2:])) if not run.returncode and len(words) == 4 else None


def data_of(work: Work, folder: Path | None) -> pd.DataFrame:
    """Return the data of a folder, else simulated ones."""
    if folder is None or not work.file:
        return work.simulate()
    data = pd.read_csv(folder / f"{work.file}.csv")
    if work.prefix:
        data.columns = [f"{work.prefix}{j + 1}" for j in range(data.shape[1])]
        data = data - data.min().min()  # categories from 0
    return data


def peer_of(
    name: str, work: Work, data: pd.DataFrame, scale: float, slow: bool = False, python: str = sys.executable
) -> tuple[float, float, str] | None:
    """Return seconds, log-likelihood and name of the peer, or None."""
    folder = Path(__file__).parent
    commands: list[list[str]] = []
    if work.peer == "R" and (slow or name not in SLOW):
        commands = [["Rscript", str(folder / "peers.R")]]
    if work.peer == "Python":
        commands = [[each, str(folder / "peers.py")] for each in dict.fromkeys((sys.executable, python))]
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "data.csv"
        if commands:
            data.to_csv(file, index=False)
        for command in commands:
            found = of_package(command, name, file)
            if found is not None:
                return found
    peer = STATED.get(name, work.peer)
    return (work.stated * scale, np.nan, f"{peer} (rescaled)") if work.stated and scale else None


def line(name: str, work: Work, data: pd.DataFrame, scale: float, slow: bool, python: str) -> str:
    """Return a line of the table."""
    other = peer_of(name, work, data, scale, slow, python)
    options = dict(work.options)
    text = f"options: starts = {options.pop('starts')}\n{work.text}" if "starts" in options else work.text
    seconds, fit = least(lambda: semlang.Model(text).fit(data, threads=1, **options), 1)
    if seconds < LONG or fit.estimate.compiling > 0.0:
        again, fit = least(lambda: semlang.Model(text).fit(data, threads=1, **options), WARM)
        seconds = min(seconds, again)
    ratio = None if other is None else other[0] / seconds
    cells = [work.title, f"{seconds:.3f}", f"{fit.loglik:.3f}" + ("" if fit.converged else " (not converged)")]
    if work.peer:
        cells += ["not run", "", "", ""] if other is None else [
            other[2], f"{other[0]:.2f}", "" if np.isnan(other[1]) else f"{other[1]:.3f}", f"{ratio:.0f} x",
        ]  # fmt: skip
        cells += [f"{work.must:.0f} x" if work.must else "", f"{work.aim:.0f} x" if work.aim else ""]
        met = ratio is not None and work.must and ratio >= work.must
    else:
        cells += ["", "", "", "", f"{work.must:g} s", f"{work.aim:g} s"]
        met = seconds <= work.must
    cells.append("" if not work.must or (work.peer and ratio is None) else "yes" if met else "**no**")
    return "| " + " | ".join(cells) + " |"


def main(names: list[str], folder: Path | None, slow: bool, python: str) -> None:
    """Print the table, a line as it is found."""
    x, out = np.linspace(-3, 3, 1 << 20), np.empty(1 << 20)
    exp = least(lambda: np.exp(x, out=out), 20)[0] / x.size * 1e9
    linear = WORKS["linear"]
    lmer = peer_of("linear", linear, data_of(linear, folder), 0.0)
    scale = 0.0 if lmer is None else lmer[0] / LMER
    peers = "lmer not installed" if lmer is None else f"lmer {lmer[0]:.2f} s"
    machine = f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, one thread"
    print(f"{machine}; one exponential of numpy {exp:.2f} ns; {peers}.\n")
    print("| work | seconds | log-likelihood | peer | its seconds | its log-likelihood | ratio | must | aim | met |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        print(line(name, WORKS[name], data_of(WORKS[name], folder), scale, slow, python))
        sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--slow", action="store_true", help="run peers that take minutes, too")
    parser.add_argument("--python", default=sys.executable, help="interpreter of an environment with peers of Python")
    arguments = parser.parse_args()
    main(arguments.works or list(WORKS), arguments.data, arguments.slow, arguments.python)
