"""Maximum likelihood estimates of a model: from data in one frame or in partitions to a fit."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from semlang.checks.empty import nothing_free
from semlang.data.bound import Bound
from semlang.data.named import named_path
from semlang.data.reading import may_be_partitioned, read_data
from semlang.diagnostics import Diagnostic, Severity, ordered
from semlang.errors import DataError, FitError, ModelError, NotConvergedWarning
from semlang.graph.condition import sought_numbers
from semlang.interrupts import held
from semlang.results.elsewhere import elsewhere
from semlang.syntax.ast import Declaration

if TYPE_CHECKING:
    import pandas as pd

    from semlang.data.design import Design
    from semlang.data.partitions.binding import BoundPartitions
    from semlang.estimation.outcome import Estimate
    from semlang.estimation.partitions.parts import Parts
    from semlang.estimation.planned import Plan
    from semlang.graph.model_graph import ModelGraph
    from semlang.results.fit import Fit

__all__ = ["Fitting", "Given"]

M = TypeVar("M", bound=Bound)

FORCED = ("not-identified",)
"""Errors that ``force`` overrides."""


@dataclass(frozen=True)
class Given(Generic[M]):
    """A model and the data of its fit.

    Parameters
    ----------
    model : Model
        With what the data say.
    frame : DataFrame
        Prepared for it; of data in partitions their first rows.
    designs : tuple of Design
        One a group.
    findings : tuple of Diagnostic
    parts : Parts or None
        All of the data, where they lie in partitions.
    """

    model: M
    frame: pd.DataFrame
    designs: tuple[Design, ...]
    findings: tuple[Diagnostic, ...]
    parts: Parts | None = None


class Fitting(Bound):
    """Methods of `semlang.Model` that estimate it."""

    @cached_property
    def graphs(self) -> tuple[ModelGraph, ...]:
        """One model graph a group."""
        from semlang.graph.build import build_graphs

        return tuple(build_graphs(self.parameter_table))

    def plan(
        self,
        data: Any = None,
        *,
        designs: Sequence[Design] | None = None,
        scheduler: str | None = None,
        points: int | None = None,
    ) -> Plan:
        """Return how the likelihood will be computed.

        `data`, `designs` are as in `identify`, `scheduler` and `points` as in `fit`.
        """
        from semlang.estimation.plan import plan

        found = self.partitioned_plan(data, scheduler, points) if designs is None else None
        if found is not None:
            return found
        model, designs = self._designed(data, designs)
        model._refuse_errors()
        return plan(model.parameter_table, model.graphs, designs, points)

    def partitioned_plan(
        self, data: Any = None, scheduler: str | None = None, points: int | None = None
    ) -> Plan | None:
        """Return the plan for data in partitions, None where they are one table; arguments as in `fit`."""
        from semlang.estimation.partitions.parts import of_all
        from semlang.estimation.plan import plan

        with self._partitions(data, scheduler, None) as found:
            if found is None:
                return None
            bound, parts = found
            model = bound.model
            model._refuse_errors()
            return of_all(plan(model.parameter_table, model.graphs, bound.designs, points), parts)

    def _refuse_errors(self) -> None:
        """Raise where direction or levels are wrong, so that there is no matrix to show."""
        from semlang.checks.run import structural_errors

        found = structural_errors(self.parameter_table, self.graphs)
        if found:
            raise ModelError(ordered(found))

    def fit(
        self,
        data: Any = None,
        *,
        points: int | None = None,
        se: str | None = None,
        start: Mapping[str, float] | None = None,
        cluster: str | None = None,
        threads: int | None = None,
        force: bool = False,
        progress: bool | Callable[[str], None] = False,
        checkpoint: str | Path | None = None,
        scheduler: str | None = None,
    ) -> Fit:
        """Estimate the model by maximum likelihood.

        Parameters
        ----------
        data : DataFrame, path or anything that converts, optional
            Default: the file that the text names.
        points : int, optional
            Exactly this number of quadrature points per dimension; default 7, raised until the log-likelihood settles.
        se : {'observed', 'robust', 'opg', 'none'}, optional
            Standard errors: observed information (the default, unless the text has ``options: se`` or weights, with
            which they are robust), sandwich, outer product of scores.
        start : mapping from label or ``lhs op rhs`` to float, optional
            Start values.
        cluster : str, optional
            Column of the units of robust standard errors, if coarser than the model's.
        threads : int, optional
            Default: ``options: threads``, else ``SEMLANG_THREADS``, else all processors that the process may use.
            Results do not depend on it.
        force : bool
            Estimate although the model is not identified.
        progress : bool or callable
            Show a line an iteration, or hand it to the callable.
        checkpoint : str or Path, optional
            File that the best point so far is written to every few seconds, and that a fit of the same model and data
            begins from. An interrupted fit (Ctrl-C) gives the best point so far, which has not converged, or the
            estimates without what was still to come, standard errors for instance. Where the number of mass points is
            sought there is a file for each: ``FILE.2``, ``FILE.3``.
        scheduler : str, optional
            Address of a scheduler of dask.distributed, whose workers hold the data and compute the sums, or ``local``
            for processes of this machine; needs the extra ``scale``. For data in partitions: a pattern of Parquet
            files, a list of them, or a DataFrame of dask.

        Raises
        ------
        DataError, FitError
            With all findings.
        """
        options: dict[str, Any] = {
            "points": points, "se": se, "start": start, "cluster": cluster, "threads": threads, "force": force,
            "progress": progress, "checkpoint": checkpoint,
        }  # fmt: skip
        if sought_numbers(self.parameter_table):
            from semlang.results.mass_points import with_enough_mass_points

            whole = self._in_one_table(data, scheduler)

            def fit_with(n: int) -> Fit:
                if checkpoint is not None:  # a number of mass points is a model of its own
                    options["checkpoint"] = f"{checkpoint}.{n}"
                return self._with_mass_points(n).fit(whole, **options)

            return with_enough_mass_points(fit_with)
        clock = time.perf_counter()
        with self._given(data, scheduler, threads) as given:
            result, findings = given.model._estimated(given, **options)
        if not result.converged:
            reasons = [d.message for d in result.diagnostics if d.slug == "not-converged"]
            warnings.warn(f"not converged: {'; '.join(reasons)}", NotConvergedWarning, stacklevel=2)
        with held() as late:
            fit = given.model._fit(given, result, time.perf_counter() - clock, findings)
        return fit.stopped() if late.came else fit

    def _in_one_table(self, data: Any, scheduler: str | None) -> Any:
        """Return data that may lie in partitions as one table, others as they are; refuse a scheduler."""
        named = data if data is not None else named_path(self.ast)
        if scheduler is None and (named is None or not may_be_partitioned(named)):
            return data
        with self._partitions(named, scheduler, None):
            frame, found = read_data(named)
        if frame is None:
            raise DataError(ordered(found))
        return frame

    @contextmanager
    def _given(self, data: Any, scheduler: str | None, threads: int | None) -> Iterator[Given[Self]]:
        """Return the data of a fit, in one frame or in partitions."""
        with self._partitions(data, scheduler, threads) as found:
            if found is None:
                yield Given(*self._bound(data))
            else:
                bound, parts = found
                yield Given(bound.model, bound.frame, bound.designs, bound.findings, parts)

    @contextmanager
    def _partitions(
        self, data: Any, scheduler: str | None, threads: int | None
    ) -> Iterator[tuple[BoundPartitions[Self], Parts] | None]:
        """Bind data in partitions; None where they are one table."""
        named = data if data is not None else named_path(self.ast)
        if scheduler is None and (named is None or not may_be_partitioned(named)):
            yield None
            return
        from semlang.data.partitions.binding import bind_partitions
        from semlang.data.partitions.opening import opened
        from semlang.estimation.partitions.parts import parts_of, refused
        from semlang.estimation.progress import available_threads

        clusters = self.parameter_table.clusters
        with opened(
            named, clusters[-1] if clusters else "", scheduler, threads or available_threads(),
            refused(self.parameter_table),
        ) as partitions:  # fmt: skip
            if partitions is None:
                yield None
                return
            bound = bind_partitions(self, partitions)
            yield bound, parts_of(bound, partitions.workers)

    def _estimated(
        self, given: Given[Self], *, points: int | None, se: str | None, start: Mapping[str, float] | None,
        cluster: str | None, threads: int | None, force: bool, progress: bool | Callable[[str], None],
        checkpoint: str | Path | None,
    ) -> tuple[Estimate, tuple[Diagnostic, ...]]:  # fmt: skip
        """Return the estimate and everything that was found on the way."""
        from semlang.checks.identification.curvature import Curvature
        from semlang.checks.identification.empirical import after_fit
        from semlang.checks.run import run_checks
        from semlang.estimation.estimate import estimate
        from semlang.model.standard_errors import standard_errors

        table, tell = self.parameter_table, _progress(progress)
        if tell is not None:
            tell("checking the model and the data")
        checks = run_checks(table, self.graphs, given.designs, fitting=True)
        broken = any(d.is_error for d in self.findings)  # a constraint on an unknown label has no value
        if not broken and any(d.slug == "identification-undetermined" for d in checks):
            from semlang.results.simulated_rank import decided

            checks = decided(checks, table, self.graphs, given.designs)
        if not table.n_parameters:
            checks = (*checks, nothing_free(table))
        stops = [d for d in (*self.findings, *checks) if d.is_error and not (force and d.slug in FORCED)]
        if stops:
            raise FitError(ordered((*self.findings, *checks, *given.findings)))
        if tell is not None:  # whoever waits reads first what may be wrong
            for d in ordered((*self.findings, *checks, *given.findings)):
                if d.severity is Severity.WARNING:
                    tell(f"warning[{d.slug}]: {d.message}")
        result = estimate(
            table,
            self.graphs,
            given.designs,
            points=points,
            se=se or standard_errors(table.options, bool(table.weights)),
            start=start,
            cluster=cluster,
            threads=threads or int(table.options.get("threads") or 0) or None,
            progress=tell,
            checkpoint=checkpoint,
            parts=given.parts,
            best_so_far=True,
        )
        with held() as late:
            theta, vcov = result.inside or (result.theta, result.vcov)
            inner = [p for p in range(table.n_parameters) if p not in result.border]
            vcov = None if vcov is None else vcov[inner][:, inner]
            after = after_fit(table, theta, Curvature.of_covariance(vcov), inner, result.slopes)
        if late.came:
            result = replace(result, interrupted=True)
        everything = ordered((*self.findings, *checks, *given.findings, *result.diagnostics, *after))
        if any(d.is_error and d.slug != "not-converged" for d in result.diagnostics):
            raise FitError(everything)
        return result, tuple(everything)

    def _with_mass_points(self, n: int) -> Self:
        """Return the model in which variables with ``masspoints()`` have n mass points."""
        from semlang.model.elaborate import elaborate
        from semlang.syntax.ast import Argument

        def numbered(s: Any) -> Any:
            if not isinstance(s, Declaration) or s.kind != "masspoints" or any(a.name is None for a in s.arguments):
                return s
            return s._replace(arguments=(Argument(None, n, s.kind_span), *s.arguments))

        new = copy(self)
        for cached in ("graphs", "table", "flat", "matrices", "known"):
            new.__dict__.pop(cached, None)
        new.ast = self.ast._replace(statements=tuple(numbered(s) for s in self.ast.statements))
        new._elaboration = elaborate(new.ast, **self._arguments)
        table, found = new._elaboration.answer
        if table is None:
            raise ModelError(ordered(found))
        new.parameter_table = table
        return new

    def _fit(self, given: Given[Self], result: Estimate, seconds: float, findings: tuple[Diagnostic, ...]) -> Fit:
        """Return the fit with what its later uses need: the model, the data, how these became designs."""
        from semlang.data.recipe import recipe
        from semlang.estimation.rotation import rotate
        from semlang.graph.build import build_graphs
        from semlang.model.parameter_names import parameter_names
        from semlang.results.fit import Fit
        from semlang.results.origin import Origin

        table = self.parameter_table
        rotated, shown = rotate(table, result)
        graphs = self.graphs if rotated is table else build_graphs(rotated)
        text, names = self.ast.source, parameter_names(table)
        asked = {column for _, column in self._elaboration.namespace.asked}
        kept, designs = recipe(rotated, given.frame, given.designs, asked), given.designs
        if given.parts is not None and not given.parts.whole:
            kept, designs = replace(kept, frame=elsewhere()), elsewhere()
        origin = Origin(text.text, text.name, self._arguments, kept, result, names)
        return Fit(rotated, shown, seconds, findings, graphs, designs, origin)


def _progress(progress: bool | Callable[[str], None]) -> Callable[[str], None] | None:
    if progress is True:
        import sys

        return lambda line: print(line, file=sys.stderr)
    return progress or None
