"""The Python interface: `Model` and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semlang.checks.empty import empty
from semlang.data.named import as_warnings
from semlang.diagnostics import Diagnostic, ordered
from semlang.errors import DataError, ModelError
from semlang.model.unbroken import unbroken
from semlang.results.fitting import Fitting, Given
from semlang.results.simulating import Simulating
from semlang.shown import Latex
from semlang.source import Source
from semlang.syntax.ast import Declaration, Directive, Header
from semlang.syntax.file import MAX_BYTES, read_source, too_long
from semlang.syntax.whole import read_whole

if TYPE_CHECKING:
    import pandas as pd

    from semlang.checks.equivalence import Comparison, Equivalent
    from semlang.checks.identification import Identification
    from semlang.convert.converted import Converted
    from semlang.data.design import Design
    from semlang.matrices.gllamm import GllammMatrices
    from semlang.model.table import ParameterTable
    from semlang.results.comparison import FitComparison
    from semlang.results.fit import Fit


def read_model(path: str | Path, **options: Any) -> Model:
    """Read a model from a ``.sem`` file; `options` as in `Model`."""
    return Model(read_source(path), **options)


class Model(Fitting, Simulating):
    """A model: its text, parameter table, graph and matrices.

    Parameters
    ----------
    text : str
        The model in the semlang language.
    defaults : {'sem', 'cfa', 'growth', 'lavaan'}, optional
        Which automatic parameters are added; ``sem`` where neither this nor the text says.
    n_groups : int, optional
        Number of groups, where the text does not name a column.
    cluster : str or sequence of str, optional
        Cluster columns, outermost first, as in ``cluster: school/class``.
    **options
        Options of the text's ``options:`` line, with ``_`` for ``.``; they win over the text's.

    Raises
    ------
    ModelError
        Where the text has no parameter table; `diagnostics` lists every finding.

    Examples
    --------
    >>> model = Model("visual =~ x1 + x2 + x3")
    >>> model.table[["lhs", "op", "rhs", "free"]].head(3).to_string(index=False)
    '   lhs op rhs  free\\nvisual =~  x1     0\\nvisual =~  x2     1\\nvisual =~  x3     2'
    """

    def __init__(
        self,
        text: str | Source,
        *,
        defaults: str | None = None,
        n_groups: int | None = None,
        cluster: str | Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        if isinstance(text, str) and len(text) > 2 * MAX_BYTES:
            raise ModelError([too_long(len(text))])
        arguments = {
            "n_groups": n_groups,
            "cluster": cluster,
            "options": dict(options) | ({"defaults": defaults} if defaults else {}),
        }
        source = text if isinstance(text, Source) else Source(text.replace("\r\n", "\n"))
        if not self._read(source, arguments):
            raise ModelError(ordered(self.findings))

    def _read(self, source: Source, arguments: dict[str, Any]) -> bool:
        """Read a text and list what is wrong with it; return whether it has a table."""
        self.source, self._arguments = source, arguments
        self.ast, found = read_whole(source)
        self.findings: tuple[Diagnostic, ...] = found
        wrong = any(d.is_error for d in found)
        if all(isinstance(s, Directive | Declaration | Header) for s in self.ast.statements):
            if not wrong:
                self.findings = (*found, empty(source, bool(self.ast.statements)))
            if not wrong or not self.ast.statements:
                return False
        from semlang.model.elaborate import elaborate

        self._elaboration = elaborate(self.ast, **arguments)
        table, more = self._elaboration.answer
        self.findings = (*found, *(unbroken(self.ast, found, more) if wrong else more))
        if table is None and not any(d.is_error for d in self.findings):
            self.findings = (*self.findings, empty(source, True))
        if self._elaboration.table is not None:
            self.parameter_table = self._elaboration.table
        return table is not None and not wrong

    @classmethod
    def readable(cls, source: Source, **arguments: Any) -> tuple[Model, bool]:
        """Return what can be read of a text, with all findings about it, and whether it has a table.

        Where it has none, it may lack a `parameter_table`, or that is the table of what could be read.
        """
        model = cls.__new__(cls)
        stands = model._read(source, {"n_groups": None, "cluster": None, "options": {}} | arguments)
        return model, stands

    # ------------------------------------------------------------------ views

    @property
    def text(self) -> str:
        """The model as written."""
        return self.source.text

    @cached_property
    def table(self) -> pd.DataFrame:
        """Parameter table with lavaan's columns, defaults made explicit."""
        import pandas as pd

        from semlang.model.listing import table_rows

        return pd.DataFrame(table_rows(self.known.parameter_table))

    @cached_property
    def flat(self) -> pd.DataFrame:
        """The table as written, before defaults."""
        import pandas as pd

        from semlang.model.flat import flat

        return pd.DataFrame([dict(row) for row in flat(self.ast)])

    @property
    def graph(self) -> Any:
        """The networkx graph (of the first group)."""
        return self.known.graphs[0].graph

    @cached_property
    def matrices(self) -> GllammMatrices:
        """GLLAMM matrices (of the first group): beta, Lambda, B, Gamma, Psi, thresholds."""
        return self.group_matrices(0)

    def group_matrices(self, group: int) -> GllammMatrices:
        """Return the GLLAMM matrices of a group, counted from 0."""
        from semlang.matrices.gllamm import GllammMatrices

        self.known._refuse_errors()
        return GllammMatrices(self.known.graphs[group])

    def explain(self) -> str:
        """Return the model in words: a line for each statement, and what the defaults add."""
        from semlang.words.overview import overview

        return "\n".join(overview(self.ast, self.known.parameter_table))

    def equations(self, matrices: bool = False) -> str:
        """Return the model's equations as LaTeX, as a paper prints them; with several groups those of each.

        Parameters
        ----------
        matrices : bool
            Whether vectors and matrices are written out, as in papers on GLLAMM, in place of a line a response.
        """
        from semlang.matrices.symbols import escape

        labels = self.parameter_table.groups
        of_groups = [self.group_matrices(g) for g in range(len(labels))]
        found = [m.latex() if matrices else m.equations() for m in of_groups]
        if len(found) == 1:
            return Latex(found[0])
        parts = [rf"\text{{Group {escape(label)}}} \\" + f"\n{text}" for label, text in zip(labels, found, strict=True)]
        body = " \\\\[2ex]\n".join(parts)
        return Latex(f"\\begin{{gathered}}\n{body}\n\\end{{gathered}}")

    def identify(
        self, data: Any = None, *, designs: Sequence[Design] | None = None, simulate: bool = True
    ) -> Identification:
        """Decide whether the model is identified, and why.

        Parameters
        ----------
        data : DataFrame, path or anything that converts, optional
            The designs that the data have count: distinct values of covariates, sizes of clusters. Default: the data
            that the text names.
        designs : sequence of Design, optional
            What `bind` or `with_data` made of the data, in their place.
        simulate : bool
            Whether the scores of simulated units decide where moments do not.
        """
        from semlang.checks.identification import identify
        from semlang.checks.identification.unknown_categories import identify_unknown, without_thresholds
        from semlang.graph.condition import sought_numbers

        if sought_numbers(self.parameter_table):
            found = self._with_mass_points(2).identify(data, designs=designs, simulate=simulate)
            return replace(found, notes=(*found.notes, "mass points whose number is searched count as two"))
        model, designs = self._designed(data, designs)
        model._refuse_errors()
        unknown = without_thresholds(model.parameter_table)
        if unknown:
            found = identify_unknown(unknown, lambda n: self._identify_with(dict.fromkeys(unknown, n)))
        else:
            found = identify(model.parameter_table, model.graphs, designs)
        if found.verdict != "undetermined" or not simulate:
            return found
        try:
            from semlang.results.simulated_rank import FEW, identify_by_simulation, simulated_frame
        except ImportError as problem:  # a browser's Python, where nothing is compiled
            return replace(found, why=f"{found.why} Simulated units would decide; this Python lacks {problem.name}.")

        if designs is None:
            table = model._table_with(dict.fromkeys(unknown, FEW)) if unknown else model.parameter_table
            bare = copy(model)
            bare.__dict__.pop("known", None)
            try:
                model, designs, _ = bare.bind(simulated_frame(table))
            except (DataError, ModelError) as problem:
                reason = problem.diagnostics[0].message
                return replace(found, why=f"{found.why} Units to simulate could not be made ({reason}): give data.")
        return identify_by_simulation(model.parameter_table, model.graphs, designs, found)

    def _identify_with(self, categories: Mapping[str, int]) -> Identification:
        """Return the verdict on the model in which columns have numbers of categories."""
        from semlang.checks.identification import identify
        from semlang.graph.build import build_graphs

        table = self._table_with(categories)
        return identify(table, build_graphs(table))

    def _table_with(self, categories: Mapping[str, int]) -> ParameterTable:
        """Return the table in which columns have numbers of categories."""
        from semlang.model.elaborate import elaborate
        from semlang.model.facts import DataFacts

        levels = {name: tuple(map(str, range(n))) for name, n in categories.items()}
        table = elaborate(self.ast, **self._arguments, facts=DataFacts(self.parameter_table.columns(), levels)).table
        assert table is not None
        return table

    def equivalents(self) -> list[Equivalent]:
        """Return the equivalent models that one known move on the graph reaches."""
        from semlang.checks.equivalence import equivalents

        self.known._refuse_errors()
        return equivalents(self.known.parameter_table)

    def convert(self, target: str) -> Converted:
        """Return code for another program, and a finding for each thing that can't be said there.

        Parameters
        ----------
        target : {'lavaan', 'gllamm', 'gsem', 'mplus', 'lme4', 'mirt'}
        """
        from semlang.convert import convert

        return convert(self.known.parameter_table, target)

    # ------------------------------------------------------------------ checks

    def check(self, data: Any = None, *, read: bool = True) -> list[Diagnostic]:
        """Return all findings, those about the data among them.

        Parameters
        ----------
        data : DataFrame, path or anything that converts, optional
            Default: the data that the text names.
        read : bool
            Whether the data that the text names are read.
        """
        from semlang.checks.run import run_checks

        if data is None and not read:
            return ordered((*self.findings, *run_checks(self.parameter_table, self.graphs)))
        model, _, designs, found = self._attempt(data)
        checks = run_checks(model.parameter_table, model.graphs, designs)
        return ordered((*model.findings, *checks, *as_warnings(found)))

    # ------------------------------------------------------------------ pictures

    def draw(
        self,
        path: str | Path | None = None,
        *,
        group: int | str | None = None,
        against: Model | None = None,
        **options: Any,
    ) -> Any:
        """Draw the path diagram.

        Parameters
        ----------
        path : str or Path, optional
            File to write (svg, png, pdf, tex, mmd, dot or json by its ending); without it the diagram is returned, and
            shown in a notebook.
        group : int or str, optional
            Number from 1 or label of the group to draw; without it groups stand side by side.
        against : Model, optional
            Another model: arrows that it alone has are dotted, those that it lacks are thick.
        **options
            ``style`` ('gllamm', 'ram' or 'lisrel'), ``digits``, ``residuals``, ``covariances``, ``thresholds``,
            ``means``, ``direction``, ``layout``, ``at``, ``wrap``, ``colour``, ``greyscale``, ``dpi``: see
            `semlang.diagram.options.Options`.
        """
        from semlang.diagram.draw import draw

        other = None if against is None else (against.known.parameter_table, None)
        file = None if path is None else str(path)
        return draw(self.known.parameter_table, file, group=group, against=other, **options)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.text)}</pre>{self.table.to_html(index=False)}"

    def __repr__(self) -> str:
        t = self.__dict__.get("known", self).parameter_table
        counts = f"{len(t.responses)} responses, {len(t.latents)} latent variables, {t.n_parameters} free parameters"
        return f"<semlang.Model: {counts}>"


def load(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` or ``semlang fit -o`` wrote; it can do all that a fit can.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    FitError
        ``missing-file``, ``not-a-fit``, ``other-version``, ``edited-fit``.
    """
    from dataclasses import replace

    from semlang.estimation.plan import plan
    from semlang.results.stored import read_stored

    stored = read_stored(path)
    model = Model(Source(stored.text, stored.name), **stored.arguments)
    bound, frame, designs, _ = model._bound(stored.frame)
    table = bound.parameter_table
    planned = plan(table, bound.graphs, designs)
    if planned.method != stored.estimate.method:  # nodes that were not shared, or a number that was asked for
        planned = plan(table, bound.graphs, designs, stored.estimate.points)
    result = replace(stored.estimate, plan=planned)
    stored.check(table, result)
    return bound._fit(Given(bound, frame, designs, ()), result, stored.seconds, stored.findings)


def compare(a: Model | Fit, b: Model | Fit) -> Comparison | FitComparison:
    """Compare two models, or two fits to the same data.

    Parameters
    ----------
    a, b : both Model or both Fit

    Returns
    -------
    Comparison or FitComparison
        Models: equivalent, nested or neither, with the certificate. Fits: also the test that this allows.

    Examples
    --------
    >>> a, b = Model("y ~ x1 + x2"), Model("y ~ x1 + 0*x2")
    >>> compare(b, a).relation
    'a nested in b'
    """
    if isinstance(a, Model) and isinstance(b, Model):
        from semlang.checks.equivalence import compare as compare_tables

        a, b = a.known, b.known
        for model in (a, b):
            model._refuse_errors()
        return compare_tables(a.parameter_table, b.parameter_table, a.graphs, b.graphs)
    from semlang.results.comparison import compare_fits
    from semlang.results.fit import Fit

    if isinstance(a, Fit) and isinstance(b, Fit):
        return compare_fits(a, b)
    raise TypeError("compare() takes two models or two fits")


__all__ = ["Model", "compare", "load", "ordered", "read_model"]
