"""The best point of a fit so far: for one that is interrupted, and on file for one that is to be resumed."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import Diagnostic, Severity, error
from semlang.errors import FitError
from semlang.model.parameter_names import parameter_names
from semlang.model.table import ParameterTable
from semlang.writing import unwritable, write_file

if TYPE_CHECKING:
    from semlang.estimation.objective import Objective

__all__ = ["Checkpoint"]

Floats = NDArray[np.float64]

VERSION = 3
"""Of the file: what its hash is of."""

SECONDS = 5.0
"""A checkpoint file is written at most this often."""


class Checkpoint:
    """Keeps the best point of the present stage of a fit, and writes it to a file.

    Log-likelihoods of different stages (numbers of nodes) are not compared: the first point of a new stage replaces
    the best one of the last.

    Parameters
    ----------
    table : ParameterTable
    designs : sequence of Design
    path : str or Path, optional

    Attributes
    ----------
    road : int
        Number of the coordinates in which the best point was found; from a file, those in which the fit goes on.

    Raises
    ------
    FitError
        ``unwritable-file``.
    """

    def __init__(self, table: ParameterTable, designs: Sequence[Design], path: str | Path | None = None) -> None:
        self.table = table
        self.path = None if path is None else Path(path)
        self.owner = _fingerprint(table, designs) if path is not None else ""
        problem = unwritable(path) if path is not None else None
        if problem is not None:
            raise FitError([problem])
        self.best: tuple[Objective, Floats, float] | None = None
        self.road = 0
        self._stage = -1
        self._written = time.monotonic()

    def saw(self, objective: Objective, z: Floats, value: float, stage: int) -> None:
        """Look at a point: an evaluation of the log-likelihood."""
        if not np.isfinite(value):
            return
        if self.best is None or stage != self._stage or value > self.best[2]:
            self.best, self._stage = (objective, z.copy(), value), stage
            if self.path is not None and time.monotonic() - self._written > SECONDS:
                self.write()

    def write(self) -> Diagnostic | None:
        """Write the best point, if there is one and a file for it; where that fails the fit goes on.

        Returns
        -------
        problem : Diagnostic or None
            A warning.
        """
        if self.path is None or self.best is None:
            return None
        objective, z, value = self.best
        values = dict(zip(parameter_names(self.table), objective.theta(z).tolist(), strict=True))
        content = {"version": VERSION, "of": self.owner, "road": self.road, "loglik": value, "parameters": values}
        problem = write_file(self.path, (json.dumps(content, indent=1) + "\n").encode())
        self._written = time.monotonic()
        return None if problem is None else replace(problem, severity=Severity.WARNING)

    def start(self) -> dict[str, float]:
        """Return the start values on file, none where there is no file.

        Raises
        ------
        FitError
            Where the file is no checkpoint, or one of another model or other data.
        """
        if self.path is None or not self.path.exists():
            return {}
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            version, owner, values = content["version"], content["of"], content["parameters"]
            found, road = {str(name): float(value) for name, value in values.items()}, int(content["road"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise FitError([_refused(self.path, "is no checkpoint of a fit")]) from None
        if version != VERSION:
            raise FitError([_refused(self.path, "was written by another version of semlang")])
        if not all(map(math.isfinite, found.values())):
            raise FitError([_refused(self.path, "has values that are no numbers")])
        if owner != self.owner:
            raise FitError([_refused(self.path, "is the checkpoint of another model or of other data")])
        self.road = road
        return found


def _refused(path: Path, what: str) -> Diagnostic:
    return error("unusable-checkpoint", f"'{path}' {what}", help="name another file, or delete this one")


def _fingerprint(table: ParameterTable, designs: Sequence[Design]) -> str:
    """Return a hash of the model and of its data: responses, covariates, units, weights."""
    digest = hashlib.sha256()
    for r in table.rows:
        digest.update(repr((r.lhs, r.op, r.rhs, r.group, r.klass, r.parameter, r.ustart, r.label)).encode())
    for v in table.variables.values():
        digest.update(repr((v.key, v.kind.name, v.link, v.level, sorted(map(repr, v.arguments.items())))).encode())
    for constraint in table.relations:
        digest.update(constraint.text.encode())
    for design in designs:
        digest.update(repr((design.n_rows, design.group)).encode())
        for name, held in design.each_row(lambda values: values).items():
            for key, values in sorted(held.items(), key=repr) if isinstance(held, Mapping) else ((name, held),):
                digest.update(repr((name, key)).encode())
                digest.update(np.ascontiguousarray(values).tobytes())
        for product in sorted(design.columns, key=repr):
            digest.update(repr(product).encode())
            digest.update(np.ascontiguousarray(design.columns[product]).tobytes())
    return digest.hexdigest()
