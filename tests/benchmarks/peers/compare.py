"""Whole fits beside those of other programs, on the same data, one thread, in one run: a table in Markdown.

``python tests/benchmarks/peers/compare.py [--data FOLDER] [WORK ...]``, as in docs/benchmarks.md.
Seconds are of processor time, from the text to the fit, the least of four runs, or one where that is long (peers: of
one). R packages and stepmix run here if they are installed, those that take minutes with ``--slow`` only. What
does not run takes its stated seconds (measured where lmer took `LMER` for ``linear``) times what lmer takes here over
that.
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

SLOW = {"ordinal": "ordinal"}
"""Packages of R that take minutes."""

LONG = 3.0
"""Seconds of a fit that is not repeated."""

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


def of_r(name: str, file: Path) -> tuple[float, float, str] | None:
    """Return seconds, log-likelihood and name of the R package, or None."""
    if shutil.which("Rscript") is None:
        return None
    command = ["Rscript", str(Path(__file__).parent / "peers.R"), str(file), name]
    words = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()[-4:]
    return (float(words[0]), float(words[1]), " ".join(words[2:])) if len(words) == 4 else None


def of_stepmix(data: pd.DataFrame) -> tuple[float, float, str] | None:
    """Return seconds, log-likelihood and name of stepmix, or None."""
    try:
        import stepmix
    except ImportError:
        return None
    y = data.to_numpy() - int(data.min().min())

    def fit() -> stepmix.StepMix:
        model = stepmix.StepMix(4, measurement="binary", random_state=1, verbose=0, progress_bar=0, max_iter=5000,
                                abs_tol=1e-10, rel_tol=0)  # fmt: skip
        return model.fit(y)

    seconds, model = least(fit, 1)
    return seconds, float(model.score(y)) * len(y), f"stepmix {stepmix.__version__}"


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
    name: str, work: Work, data: pd.DataFrame, scale: float, slow: bool = False
) -> tuple[float, float, str] | None:
    """Return seconds, log-likelihood and name of the peer, or None."""
    if work.peer == "stepmix":
        return of_stepmix(data)
    if work.peer == "R" and (slow or not work.stated):
        with tempfile.TemporaryDirectory() as folder:
            data.to_csv(Path(folder) / "data.csv", index=False)
            return of_r(name, Path(folder) / "data.csv")
    peer = SLOW.get(name, work.peer)
    return (work.stated * scale, np.nan, f"{peer} (rescaled)") if work.stated and scale else None


def line(name: str, work: Work, data: pd.DataFrame, scale: float, slow: bool) -> str:
    """Return a line of the table."""
    other = peer_of(name, work, data, scale, slow)
    options = dict(work.options)
    text = f"options: starts = {options.pop('starts')}\n{work.text}" if "starts" in options else work.text
    seconds, fit = least(lambda: semlang.Model(text).fit(data, threads=1, **options), 1)
    if seconds < LONG or fit.estimate.compiling > 0.0:
        again, fit = least(lambda: semlang.Model(text).fit(data, threads=1, **options))
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


def main(names: list[str], folder: Path | None, slow: bool) -> None:
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
        print(line(name, WORKS[name], data_of(WORKS[name], folder), scale, slow))
        sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--slow", action="store_true", help="run peers that take minutes, too")
    arguments = parser.parse_args()
    main(arguments.works or list(WORKS), arguments.data, arguments.slow)
