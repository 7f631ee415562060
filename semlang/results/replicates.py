"""Fits to many data sets that are drawn: on all processors, each with a seed of its own, resumable."""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError, SemlangError
from semlang.estimation.estimate import estimate
from semlang.estimation.progress import available_threads
from semlang.interrupts import blocked
from semlang.model.parameter_names import parameter_names
from semlang.model.table import ROWS
from semlang.results.simulate import Population

__all__ = ["Replicate", "Run", "replicates"]

Floats = NDArray[np.float64]

WORTH = 8.0
"""Seconds of work from which it is worth starting other processes."""


@dataclass(frozen=True)
class Replicate:
    """One data set's fit.

    Parameters
    ----------
    number : int
        From 0.
    theta : (P,) floats
    se : (P,) floats
        NaN where there is none.
    loglik : float
    defined : tuple of (float, float)
        Estimates and standard errors of defined parameters.
    problem : str
        Why the fit failed, '' where it converged.
    """

    number: int
    theta: Floats
    se: Floats
    loglik: float
    defined: tuple[tuple[float, float], ...]
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the replicate as a line of a file."""

        def plain(x: float) -> float | None:
            return float(x) if math.isfinite(x) else None

        return {
            "number": self.number, "theta": [plain(x) for x in self.theta], "se": [plain(x) for x in self.se],
            "loglik": plain(self.loglik), "defined": [[plain(a), plain(b)] for a, b in self.defined],
            "problem": self.problem,
        }  # fmt: skip

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Replicate:
        """Return the replicate of a line."""

        def numbers(values: list[float | None]) -> Floats:
            return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

        defined = tuple((float(a), float(b)) for a, b in (numbers(d) for d in line["defined"]))
        loglik = math.nan if line["loglik"] is None else line["loglik"]
        return cls(line["number"], numbers(line["theta"]), numbers(line["se"]), loglik, defined, line["problem"])


@dataclass(frozen=True)
class Run:
    """What is drawn and how it is fitted.

    Parameters
    ----------
    population : Population
    seed : int
    points : int or None
    resample : bool
        Draw units of the data with replacement, instead of responses from the model.
    fresh : callable, optional
        Returns a population with new covariates for each data set.
    """

    population: Population
    seed: int
    points: int | None
    resample: bool = False
    fresh: Callable[[np.random.Generator], Population] | None = None

    def one(self, number: int) -> Replicate:
        """Draw data set `number` and fit the model to it."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number,)))
        p = self.population if self.fresh is None else self.fresh(rng)
        table = p.table
        start = {n: float(v) for n, v in zip(parameter_names(table), p.theta, strict=True) if n}
        try:
            designs = self._resampled(rng) if self.resample else p.draw_designs(rng)
            found = estimate(table, p.graphs, designs, points=self.points, start=start, threads=1)
        except (SemlangError, np.linalg.LinAlgError) as problem:
            nothing = np.full(table.n_parameters, np.nan)
            why = problem.diagnostics[0].message if isinstance(problem, SemlangError) else str(problem)
            return Replicate(number, nothing, nothing, math.nan, ((math.nan, math.nan),) * len(table.defined), why)
        variance = np.full(table.n_parameters, np.nan) if found.vcov is None else np.diag(found.vcov)
        with np.errstate(invalid="ignore"):
            se = np.sqrt(variance)
        defined = tuple((d.est, d.se) for d in found.defined)
        problem_text = "" if found.converged else "the fit did not converge"
        return Replicate(number, found.theta, se, found.loglik, defined, problem_text)

    def _resampled(self, rng: np.random.Generator) -> tuple[Design, ...]:
        """Return designs in which each independent unit counts as often as it was drawn, in each group apart."""
        table = self.population.table
        top = table.clusters[-1] if table.clusters else ROWS
        out = []
        for design in self.population.designs:
            n = design.n_units(top)
            first = design.first_records(top)
            given = design.frequency[top][first] if top in design.frequency else np.ones(n)
            total = round(float(given.sum()))
            counts = rng.multinomial(total, given / given.sum()).astype(np.float64)
            by_row = counts if top == ROWS else counts[design.clusters[top]]
            out.append(replace(design, frequency=dict(design.frequency) | {top: by_row}))
        return tuple(out)

    @property
    def key(self) -> str:
        """A checksum of what determines the results."""
        p = self.population
        content = [p.table.source.text, p.theta.tolist(), self.seed, self.points, self.resample]
        content += [[d.n_rows, sorted((k, float(np.nansum(v))) for k, v in d.responses.items())] for d in p.designs]
        return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()


def replicates(
    run: Run, count: int, processes: int | None, file: Path | None, tell: Callable[[str], None] | None, title: str = ""
) -> list[Replicate]:
    """Return `count` replicates in order.

    Parameters
    ----------
    run : Run
    count : int
    processes : int, optional
        Default: all processors. Results do not depend on it.
    file : Path, optional
        Replicates are kept there, and not computed again.
    tell : callable, optional
        Takes a line that says how far it is.
    title : str

    Raises
    ------
    FitError
        ``other-run`` where the file holds the replicates of something else.
    """
    done = {} if file is None else _read(file, run.key)
    waiting = [k for k in range(count) if k not in done]
    begin = time.perf_counter()
    for step, replicate in enumerate(_compute(run, waiting, processes or available_threads()), 1):
        done[replicate.number] = replicate
        if file is not None:
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(replicate.to_json() | {"run": run.key}) + "\n")
        if tell is not None:
            left = (time.perf_counter() - begin) / step * (len(waiting) - step)
            bar = "#" * (20 * len(done) // count)
            tell(f"{title}[{bar:<20}] {len(done)} of {count}, {left:.0f} s left")
    return [done[k] for k in range(count)]


def _read(file: Path, key: str) -> dict[int, Replicate]:
    """Return the replicates of a run in a file; a last line that was cut is left out."""
    if not file.exists():
        return {}
    out: dict[int, Replicate] = {}
    for text in file.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
            mine, replicate = line["run"] == key, Replicate.from_json(line)
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
        if not mine:
            raise FitError(
                [error("other-run", f"'{file}' holds the results of another run",
                       help="name another file, or delete this one")]
            )  # fmt: skip
        out[replicate.number] = replicate
    return out


def _compute(run: Run, numbers: list[int], processes: int) -> Iterator[Replicate]:
    for k in numbers[:2]:
        begin = time.perf_counter()
        yield run.one(k)
    numbers = numbers[2:]
    if processes == 1 or not numbers or (time.perf_counter() - begin) * len(numbers) < WORTH:
        yield from map(run.one, numbers)
        return
    context = multiprocessing.get_context("spawn")
    content = pickle.dumps(run)
    there = set(multiprocessing.active_children())
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(content,)) as pool:
        with blocked():
            futures = [pool.submit(_work, k) for k in numbers]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:  # nobody waits for what is being computed
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - there:
                process.terminate()
            raise


_RUN: list[Run] = []


def _begin(content: bytes) -> None:
    _RUN[:] = [pickle.loads(content)]


def _work(number: int) -> Replicate:
    return _RUN[0].one(number)
