"""The verdict on a model's identification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semlang.checks.identification.constraints import NotAlgebraic
from semlang.checks.identification.counting import count_moments, count_parameters, n_moments
from semlang.checks.identification.directions import describe
from semlang.checks.identification.gold import has_gold_standard, with_gold_standards
from semlang.checks.identification.interactions import has_products, identify_products
from semlang.checks.identification.loci import LARGEST, loci
from semlang.checks.identification.moment_system import MomentSystem
from semlang.checks.identification.names import Names
from semlang.checks.identification.nominal import (
    as_comparisons,
    as_differences,
    designs_of_differences,
    has_nominal,
    has_sets,
)
from semlang.checks.identification.nullsets import STAYS, NullSet, null_sets
from semlang.checks.identification.rank import MomentMap, RankResult
from semlang.checks.identification.repairs import repairs
from semlang.checks.identification.report import (
    IDENTIFIED,
    NOT_IDENTIFIED,
    SHAPE_ONLY,
    UNDETERMINED,
    Identification,
    Reason,
)
from semlang.data.design import Design
from semlang.graph.build import build_graphs
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable

if TYPE_CHECKING:
    from semlang.checks.identification.information import InformationRank

PLAIN = 0.125
"""Part of the largest singular value from which the shape of a distribution determines parameters in usual samples."""


def identify(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design] | None = None,
    *,
    explain: bool = True,
    everything: bool = False,
) -> Identification:
    """Decide whether a model is identified, before any data are seen.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
        One a group.
    designs : sequence of Design, optional
        Data bound to the model, one a group; then the distinct covariate values and cluster sizes are used, else
        covariates count as continuous and clusters as large.
    explain : bool
        Whether to search repairs, loci and the structural rules (else the verdict alone).
    everything : bool
        Whether to search loci of large models too.

    Returns
    -------
    Identification

    References
    ----------
    Bekker, Merckens and Wansbeek (1994), Identification, Equivalent Models and Computer Algebra; Skrondal and
    Rabe-Hesketh (2004), ch. 5; Rothenberg (1971), Econometrica 39, theorem 1.
    """
    if designs is not None or not graphs:
        return _decide(table, graphs, designs, explain, everything)
    known, question = graphs[0].memo, ("identification", explain, everything)
    if question not in known:  # a check and a report ask the same
        known[question] = _decide(table, graphs, None, explain, everything)
    found: Identification = known[question]
    return found


def _decide(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design] | None,
    explain: bool,
    everything: bool,
) -> Identification:
    names = Names(table)
    moderated = _moderated(graphs)
    if moderated:
        return Identification(UNDETERMINED, moderated, n_free=table.n_parameters)
    try:
        if has_sets(table):
            table, designs = as_comparisons(table, designs)
            graphs = build_graphs(table)
        from semlang.checks.identification.mixtures import identify_mixture, is_mixture

        if is_mixture(graphs):
            return identify_mixture(table, graphs, names, designs, lambda t, g: identify(t, g, explain=False))
        if has_products(graphs):
            return identify_products(table, graphs, names)
        if has_nominal(table):
            table = as_differences(table)
            graphs = build_graphs(table)
            designs = None if designs is None else designs_of_differences(table, designs)
        if has_gold_standard(table):
            table = with_gold_standards(table)
            graphs = build_graphs(table)
            designs = None if designs is None else designs_of_differences(table, designs)
        if not table.n_parameters:
            return Identification(IDENTIFIED, "Nothing is free.", 0)
        unknown = _unsupported(table, graphs)
        if unknown:
            return Identification(UNDETERMINED, unknown, n_free=table.n_parameters)
        moments = MomentMap(table, graphs, designs)
    except ValueError as problem:
        return Identification(UNDETERMINED, f"{problem}.", n_free=table.n_parameters)
    try:
        found = moments.rank()
        if not found.full and not moments.complete:
            moments = MomentMap(table, graphs, designs, budget=1500)
            found = moments.rank()
    except NotAlgebraic as problem:
        return Identification(UNDETERMINED, f"{problem}.", n_free=table.n_parameters)
    return _Verdict(table, graphs, moments, names, found, explain, everything, designs is not None).report()


class _Verdict:
    def __init__(
        self,
        table: ParameterTable,
        graphs: Sequence[ModelGraph],
        moments: MomentMap,
        names: Names,
        found: RankResult,
        explain: bool,
        everything: bool,
        data: bool,
    ) -> None:
        self.table, self.graphs, self.moments, self.names = table, graphs, moments, names
        self.found, self.explain, self.everything, self.data = found, explain, everything, data
        self.notes: list[str] = []
        bounds = [r.text for r in table.relations if r.op != "=="]
        if bounds:
            self.notes.append(f"inequalities do not change local identification: {'; '.join(bounds[:3])}")

    def report(self) -> Identification:
        if self.found.full:
            return self._identified()
        if self.moments.exhaustive:
            return self._deficient(NOT_IDENTIFIED, self.found, self._why(self.found), law=False)
        law = self.moments.rank(law=True)
        if not law.full:
            return self._deficient(NOT_IDENTIFIED, law, self._why(law), law=True)
        from semlang.checks.identification.information import information_rank

        answer = information_rank(self.moments, self.found)
        if answer.full and answer.smallest >= PLAIN * answer.largest:
            return self._by_distribution(answer)
        if answer.full:
            why = (
                "Second moments do not determine the parameters; only the shape of the distribution does "
                f"(smallest singular value {answer.smallest:.1g} beside {answer.largest:.2g}), and no sample is large "
                "enough for that in practice."
            )
            return self._deficient(SHAPE_ONLY, self.found, why, law=False)
        if answer.deficient:
            why = "Neither second moments nor the shape of the distribution determine the parameters: " + answer.why
            return self._deficient(NOT_IDENTIFIED, self.found, why, law=False)
        return self._deficient(UNDETERMINED, self.found, answer.why, law=False)

    # ---------------------------------------------------------------- parts

    def _by_distribution(self, answer: InformationRank) -> Identification:
        """Return the verdict where probabilities say plainly what means and variances do not: zero inflation."""
        n = self._n_free
        why = (
            "Second moments do not determine the parameters, the probabilities of the values do (rank "
            f"{n}, smallest singular value {answer.smallest:.1g} beside {answer.largest:.2g})."
        )
        parameters = [p for p in range(self.found.n) if self.names.rows(p)]
        rules = tuple(Reason(self.names.triple(p), self.names.text(p), "rank of the information") for p in parameters)
        known = tuple(self.names.triple(p) for p in parameters)
        return Identification(
            IDENTIFIED, why, n, n, identified=known, rules=rules if self.explain else (), notes=tuple(self.notes)
        )

    @property
    def _n_free(self) -> int:
        return self.found.n - self.found.n_constraints

    def _df(self, found: RankResult) -> tuple[int | None, int | None]:
        """Return the number of moments, and how many are left; their rank can't be more, whatever the model."""
        total = None if self.data else n_moments(self.moments.blocks)
        rank = found.rank - found.n_constraints
        if total is not None and rank > total:
            raise ArithmeticError(f"{total} moments have rank {rank}: the arithmetic of this platform is wrong")
        return total, None if total is None else total - rank

    def _why(self, found: RankResult) -> str:
        missing = found.n - found.rank
        total, _ = self._df(found)
        free = self._n_free
        if total is not None and total < free:
            return f"There are {total} moments for {free} free parameters (counting rule)."
        ways = "one direction" if missing == 1 else f"{missing} directions"
        return (
            f"The Jacobian of what the data identify has rank {free - missing} for {free} free parameters: {ways} left."
        )

    def _identified(self) -> Identification:
        found = self.found
        total, df = self._df(found)
        only_if: tuple[str, ...] = ()
        rules: tuple[Reason, ...] = ()
        if self.explain:
            places = loci(self.moments, self.names, self.everything)
            if places is None:
                self.notes.append("loci where identification fails were not searched: the model is large")
            else:
                only_if = tuple(f"{self.names.text(p)} is not 0" for p in places)
            rules = self._rules()
        rank = found.rank - found.n_constraints
        why = f"The Jacobian of what the data identify has full rank {rank} at a generic point."
        return Identification(
            IDENTIFIED, why, self._n_free, found.rank - found.n_constraints, df, only_if,
            identified=tuple(self.names.triple(p) for p in range(found.n) if self.names.rows(p)),
            rules=rules, notes=tuple(self.notes), n_moments=total, counting=self._counting(),
        )  # fmt: skip

    def _directions(self, verdict: str, sets: Sequence[NullSet]) -> tuple[str, ...]:
        words = describe(self._system(), self.names, sets)
        if verdict == NOT_IDENTIFIED:
            return words
        return tuple(w.replace(STAYS, "means, variances and covariances stay as they are") for w in words)

    def _counting(self) -> dict[str, dict[str, int]]:
        """Return the table of moments and parameters."""
        moments = None if self.data else count_moments(self.moments.blocks)
        parameters = count_parameters(self.names, self.found.n)
        out = {"parameters": parameters} if moments is None else {"moments": moments, "parameters": parameters}
        return out | ({"constraints": {"equality constraints": n}} if (n := self.found.n_constraints) else {})

    def _system(self) -> MomentSystem | None:
        """Return the moments over the reals, where the model is small enough to say more of a direction."""
        return MomentSystem(self.table, self.graphs) if self.explain and self.found.n <= LARGEST else None

    def _rules(self) -> tuple[Reason, ...]:
        from semlang.checks.identification.explain import reasons

        return tuple(reasons(self.table, self.graphs, self.moments, self.names, self.found))

    def _deficient(self, verdict: str, found: RankResult, why: str, law: bool) -> Identification:
        moving = found.moving
        sets = null_sets(found.null, found.theta)
        total, df = self._df(found)
        mended = repairs(self.moments, self.names, found, law) if self.explain else []
        rules = self._rules() if self.explain else ()
        return Identification(
            verdict, why, self._n_free, found.rank - found.n_constraints, df,
            unidentified=tuple(self.names.triple(p) for p in moving if self.names.rows(p)),
            identified=tuple(
                self.names.triple(p) for p in range(found.n) if p not in moving and self.names.rows(p)
            ),
            sets=tuple(tuple(self.names.triple(p) for p in s.parameters) for s in sets),
            directions=self._directions(verdict, sets),
            counting=self._counting(),
            repairs=tuple(r.to_json(self.names) for r in mended),
            rules=rules, notes=tuple(self.notes), parameters=moving, n_moments=total,
            set_names=tuple(tuple(self.names.text(p) for p in s.parameters) for s in sets),
            identified_names=tuple(
                self.names.text(p) for p in range(found.n) if p not in moving and self.names.rows(p)
            ),
        )  # fmt: skip


def _moderated(graphs: Sequence[ModelGraph]) -> str:
    """Return which variance or covariance of latent variables depends on covariates, '' where none does."""
    for row in (row for graph in graphs for rows in graph.moderated.values() for row in rows):
        name = f"{row.lhs} {row.op} {row.rhs}".rstrip()
        return f"'{name}': a variance or covariance that depends on covariates."
    return ""


def _unsupported(table: ParameterTable, graphs: Sequence[ModelGraph]) -> str:
    """Return why the moments of a model are not known to the check, or ''."""
    from semlang.checks.identification.responses import margin

    for v in table.responses:
        if not margin(v).supported:
            return f"The moments of {v.kind.described} response ({v.name}) are not known to this check."
    for graph in graphs:
        for row in (*graph.quantities, *graph.thresholds):
            if row.source in table.variables and row.op != "|":
                return f"'{row.lhs} {row.op} {row.rhs}': a latent variable in a scale or threshold."
        for row in graph.others:
            what = "a product of latent variables" if ":" in row.source else "a term outside linear models"
            return f"'{row.lhs} {row.op} {row.rhs}' is {what}, whose moments are not known to this check."
    return ""
