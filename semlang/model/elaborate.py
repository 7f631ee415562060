"""Elaborate: from the syntax tree to the parameter table, with all defaults made explicit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semlang.diagnostics import Diagnostic
from semlang.model.applied import apply_modifiers
from semlang.model.automatic import add_automatic
from semlang.model.blocks import Block, Blocks, cut
from semlang.model.category_findings import category_findings
from semlang.model.composites import resolve_composites
from semlang.model.constraints import read_constraints
from semlang.model.context import Context
from semlang.model.declarations import declare
from semlang.model.draft import Draft
from semlang.model.effects_coding import effects_coding, free_means
from semlang.model.facts import DataFacts
from semlang.model.flat import flat
from semlang.model.grouping import copy_rows, equal_over_groups, free_beside_equal, free_beside_shared, given_rows
from semlang.model.kind_findings import kind_findings
from semlang.model.latent_products import latent_products
from semlang.model.layout import with_layout
from semlang.model.level_findings import level_findings
from semlang.model.moderated import moderated_parameters
from semlang.model.name_findings import name_findings
from semlang.model.namespace import Namespace, survey
from semlang.model.numbering import name_rows, number_rows, share_labels
from semlang.model.option_findings import idle_options
from semlang.model.options import from_directives, merge
from semlang.model.ordinal import fix_ordinal_residuals
from semlang.model.product_indicators import read_product_indicators
from semlang.model.replaced import without_idle, without_replaced
from semlang.model.roles import Roles, assign_roles
from semlang.model.scale import set_scale
from semlang.model.scales import fit_to_scales
from semlang.model.settings import Settings, read_directives
from semlang.model.slope_findings import slope_findings
from semlang.model.table import ParameterTable
from semlang.model.written import write_rows
from semlang.source import Span
from semlang.syntax import ast

__all__ = ["Elaboration", "elaborate", "flat"]


@dataclass(frozen=True)
class Elaboration:
    """A parameter table, what is to be said of it, and what was asked of the data on the way.

    Parameters
    ----------
    model : ast.Model
    table : ParameterTable or None
        None where the text has no table.
    findings : tuple of Diagnostic
        All but those about names.
    names : tuple of Diagnostic
        Those about names, which know the columns of the data.
    namespace : Namespace
    mentioned : mapping from column to the place where a directive or a bracket names it
    """

    model: ast.Model
    table: ParameterTable | None
    findings: tuple[Diagnostic, ...]
    names: tuple[Diagnostic, ...]
    namespace: Namespace
    mentioned: Mapping[str, Span]

    @property
    def answer(self) -> tuple[ParameterTable | None, tuple[Diagnostic, ...]]:
        """The table, None where a finding denies it, and all findings."""
        found = (*self.findings, *self.names)
        stands = all(f.slug in TABLE_STANDS for f in found if f.is_error)
        return self.table if stands else None, found

    def with_facts(self, facts: DataFacts) -> Elaboration | None:
        """Return the same table with findings about these data; None where the data would have changed the table."""
        if self.table is None or self.namespace.facts is not None or facts.answers(self.namespace.asked):
            return None
        return replace(self, names=tuple(name_findings(self.model, self.table, self.namespace, facts, self.mentioned)))


def elaborate(
    model: ast.Model,
    *,
    defaults: str = "sem",
    n_groups: int | None = None,
    cluster: str | Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    facts: DataFacts | None = None,
) -> Elaboration:
    """Make the parameter table of a model, all defaults explicit, and say what is to be said of it.

    Parameters
    ----------
    model : ast.Model
    defaults : str
        lavaan's function whose automatic parameters are meant: ``sem``, ``cfa``, ``growth`` or ``lavaan``.
    n_groups : int, optional
        Number of groups, where neither ``group:`` blocks nor the data tell.
    cluster : str or sequence of str, optional
        Nesting, the outermost first (``"school/class"``); wins over the file.
    options : mapping, optional
        lavaan's options (``std_lv`` or ``std.lv``) and the engine's; they win over the file.
    facts : DataFacts, optional
        Columns and levels of the data.

    Examples
    --------
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> table, _ = elaborate(parse(Source("f =~ x1 + x2"))[0]).answer
    >>> [(r.lhs, r.op, r.rhs, r.rule) for r in table.rows if r.op == "=~"]
    [('f', '=~', 'x1', 'marker loading'), ('f', '=~', 'x2', 'written')]
    """
    findings: list[Diagnostic] = []
    said = from_directives(model, findings)
    merged = merge(said, options or {}, defaults, model.source, findings)
    written, declared = model, declare(model, findings)
    findings += latent_products(model, declared)
    model = read_product_indicators(model, declared, findings)
    findings += category_findings(model, declared)
    settings = read_directives(model, cluster, facts, findings)
    blocks = cut(model, settings.clusters, declared, findings, settings.group_column)
    clusters = settings.clusters or ((blocks.assumed_cluster,) if blocks.assumed_cluster else ())
    ns = survey(blocks, declared, model.source, findings, facts, bool(merged["fixed.x"]), clusters)
    labels = group_labels(model, blocks, settings, n_groups)

    rows, roles = _rows(blocks, ns, labels, merged)
    name_rows(rows)
    reported: set[tuple[str, str]] = set()
    for r in rows:
        apply_modifiers(r, labels, model.source, findings, reported)
    fix_ordinal_residuals(rows, ns, merged, findings)
    free_means(rows, merged)
    equal_over_groups(rows, roles, merged)
    free_beside_shared(rows)
    rows = fit_to_scales(given_rows(rows, labels, settings.group_column, ns), ns)
    rows = without_idle(without_replaced(rows, ns), ns)
    rows, halves = moderated_parameters(model, rows, ns, findings)
    meaning = share_labels(rows, model.source, findings)
    relations, defined = read_constraints(model, rows, findings, halves)
    relations += effects_coding(rows, merged)
    table_rows, n = number_rows(rows, meaning)
    table = ParameterTable(
        model.source,
        table_rows,
        dict(ns.variables),
        n,
        clusters,
        labels,
        settings.group_column,
        relations,
        defined,
        merged,
        settings.frequency,
        settings.weights,
        settings.data,
        settings.reshape,
    )
    if settings.group_column:
        ns.asked.add(("levels", settings.group_column))
    table = with_layout(resolve_composites(table), model, findings)
    findings += idle_options(table, said, any(own.efa for own in roles.values()))
    findings += kind_findings(table, ns)
    findings += slope_findings(table)
    findings += level_findings(table)
    names = name_findings(model, table, ns, facts, settings.spans)
    empty = not (table_rows or relations or defined)
    return Elaboration(written, None if empty else table, tuple(findings), tuple(names), ns, settings.spans)


TABLE_STANDS = frozenset(
    {"unknown-label", "data-defined-parameter", "too-many-covariances", "contradictory-constraints", "defined-label"}
)
"""Errors beside which a text still has a table."""


def group_labels(model: ast.Model, blocks: Blocks, settings: Settings, n_groups: int | None) -> tuple[str, ...]:
    """Return the labels of the groups: of ``group:`` blocks, of the data, or numbers."""
    if blocks.groups:
        return blocks.groups
    if settings.group_labels:
        return settings.group_labels
    if n_groups is not None:
        return tuple(str(g) for g in range(1, n_groups + 1)) if n_groups > 1 else ("",)
    named: dict[str, None] = {}
    longest = 1
    for m in _modifiers(model):
        longest = max(longest, len(m.values))
        named |= dict.fromkeys(m.groups or ())
    if named:
        return tuple(named)
    return tuple(str(g) for g in range(1, longest + 1)) if longest > 1 else ("",)


def _modifiers(model: ast.Model) -> list[ast.Modifier]:
    out: list[ast.Modifier] = []
    for s in model.statements:
        terms: tuple[ast.Term | ast.RandomEffects, ...] = ()
        if isinstance(s, ast.Formula):
            terms = (*s.lhs, *s.rhs)
        elif isinstance(s, ast.Thresholds):
            terms = (*s.lhs, *s.thresholds, *(s.covariates or ()))
        for t in terms:
            if isinstance(t, ast.Term):
                out += t.modifiers
    return out


def _rows(
    blocks: Blocks, ns: Namespace, labels: tuple[str, ...], options: Mapping[str, Any]
) -> tuple[list[Draft], dict[int, Roles]]:
    """Make the rows of all blocks and groups."""
    made: dict[int, tuple[list[Draft], Roles]] = {}
    seen: dict[str | None, tuple[set[str], set[str]]] = {}
    written = [write_rows(ns, block) for block in blocks.blocks]
    for i, (block, drafts) in enumerate(zip(blocks.blocks, written, strict=True)):
        taken, started = seen.setdefault(block.group, (set(), set()))
        made[i] = _complete(block, drafts, ns, options, taken, started)
    out: list[Draft] = []
    roles: dict[int, Roles] = {}
    number = 0
    for g, label in enumerate(labels, 1):
        for i, block in enumerate(blocks.blocks):
            if block.group not in (None, label):
                continue
            number += 1
            rows, own = made[i]
            if g < len(labels):
                rows = copy_rows(rows, g)
            for r in rows:
                r.group = g
            roles[number] = own
            if g > 1:
                free_beside_equal(rows, own, options)
            for r in rows:
                r.block = number
            out += rows
    return out, roles


def _complete(
    block: Block,
    drafts: list[Draft],
    ns: Namespace,
    options: Mapping[str, Any],
    taken: set[str],
    started: set[str],
) -> tuple[list[Draft], Roles]:
    """Add the automatic rows of a block and set the scale of its latent variables."""
    roles = assign_roles(drafts, ns, taken, bool(options["fixed.x"]))
    context = Context(drafts, roles, ns, options, block.level, block.cluster)
    rows = add_automatic(context)
    ns.findings.extend(context.refusals(ns.source))
    set_scale(context, rows, started)
    for r in rows:
        if r.user == 0 and r.level == 1 and r.lhs in ns.split:
            r.exo, r.rule = 1, "part of a covariate within clusters"
    return rows, roles
