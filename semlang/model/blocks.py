"""Blocks: which statements hold for which group, level and class."""

from __future__ import annotations

from dataclasses import dataclass, field

from semlang.diagnostics import Diagnostic, Edit, error, warning
from semlang.model.declarations import Declared
from semlang.model.nearest import did_you_mean
from semlang.model.table import ROWS
from semlang.source import Source, Span
from semlang.syntax import ast

Scoped = ast.Formula | ast.Thresholds


@dataclass(frozen=True, slots=True)
class Entry:
    """A formula and the latent class that its block holds for (``("", 0)`` for all classes)."""

    statement: Scoped
    class_variable: str = ""
    klass: int = 0


@dataclass(slots=True)
class Block:
    """One block: a combination of group and level.

    `group` is the label of its header or None; `level` lavaan's number (0 without level blocks); `cluster` what new
    latent variables vary over.
    """

    group: str | None = None
    level: int = 0
    cluster: str = ROWS
    klass: str = ""
    entries: list[Entry] = field(default_factory=list)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks in order, the labels of ``group:`` headers, and a cluster that only a level block names."""

    blocks: tuple[Block, ...]
    groups: tuple[str, ...]
    assumed_cluster: str = ""


_WITHIN = ("1", "within", "rows")
_BETWEEN = ("2", "between")


def _levels(headers: list[ast.Header], clusters: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    """Map labels of level headers to lavaan's number and to what varies there."""
    labels = list(dict.fromkeys(h.label for h in headers))
    out: dict[str, tuple[int, str]] = {}
    for position, label in enumerate(labels):
        if label in clusters:
            out[label] = (2 + clusters.index(label), label)
        elif label.casefold() in _WITHIN:
            out[label] = (1, ROWS)
        elif label.casefold() in _BETWEEN and len(clusters) <= 1:
            out[label] = (2, clusters[0] if clusters else "between")
        elif label.isdigit() and 2 <= int(label) <= len(clusters) + 1:
            out[label] = (int(label), clusters[int(label) - 2])
        elif len(labels) == 2 and len(clusters) <= 1:
            other = clusters[0] if clusters else label
            out[label] = (1, ROWS) if position == 0 else (2, other)
    return out


def _lone(source: Source, headers: list[ast.Header]) -> list[Diagnostic]:
    """Return the error about the only block of its sort: a model of one group or block needs no header."""
    if len({h.label for h in headers}) != 1:
        return []
    h = headers[0]
    key = Span(h.span.start, h.span.start + len(h.kind))
    column = f"`{h.label}`" if not h.label.isidentifier() else h.label
    if h.kind == "group":
        help_ = [f"write 'groups: {column}' where {column} is the column that holds the groups", "else delete the line"]
    elif h.kind == "class":
        help_ = [f"declare the latent classes: 'c :: class({h.label if h.label.isdigit() else 2})'"]
    else:
        help_ = ["delete the line"]
    return [
        error(
            "lone-block",
            f"there is one '{h.kind}:' block alone, so there is nothing that it differs from",
            source,
            h.span,
            label="holds for all rows",
            help=help_,
            fix=[Edit(key, "groups")] if h.kind == "group" and not h.label.isdigit() else [],
        )
    ]


def cut(
    model: ast.Model,
    clusters: tuple[str, ...],
    declared: Declared,
    findings: list[Diagnostic],
    group_column: str = "",
) -> Blocks:
    """Cut the statements into blocks.

    Formulas before the first ``group:`` or ``class:`` header hold for all blocks; before the first ``level:`` header of
    a text (or of a group) they are an error.
    """
    source: Source = model.source
    headers = [s for s in model.statements if isinstance(s, ast.Header)]
    group_headers = [h for h in headers if h.kind == "group"]
    level_headers = [h for h in headers if h.kind == "level"]
    known = _levels(level_headers, clusters)
    assumed = "" if clusters else next((c for _, c in known.values() if c != ROWS), "")
    class_variables = [k for k, v in declared.kinds.items() if v.kind.name == "class"]
    plain_classes = not class_variables
    numbered = any(h.kind == "block" or (h.kind == "class" and plain_classes) for h in headers)

    groups = tuple(dict.fromkeys(h.label for h in group_headers))
    if not group_column:
        findings += _lone(source, [h for h in headers if h.kind == "group"])
    findings += _lone(source, [h for h in headers if h.kind == "block" or (h.kind == "class" and plain_classes)])
    blocks: dict[tuple[str | None, str | None, str], Block] = {}
    common: list[Entry] = []
    group: str | None = None
    level: str | None = None
    klass = ""
    tag: tuple[str, int] = ("", 0)
    early: list[Span] = []
    inside: ast.Header | None = None  # a group header below a level header
    unknown: set[str] = set()

    def block() -> Block:
        key = (group, level, klass)
        if key not in blocks:
            number, cluster = known.get(level, (1, ROWS)) if level is not None else (0, ROWS)
            blocks[key] = Block(group, number, cluster, klass)
        return blocks[key]

    for s in model.statements:
        if isinstance(s, ast.Header):
            if s.kind == "group":
                if level is not None and group is None:
                    inside = s
                group, level, tag, klass = s.label, None, ("", 0), ""
                if not level_headers:
                    block()
            elif s.kind == "level":
                level, tag = s.label, ("", 0)
                if s.label not in known and s.label not in unknown:
                    unknown.add(s.label)
                    findings.append(
                        error(
                            "unknown-cluster",
                            f"'{s.label}' is no level of this model",
                            source,
                            s.span,
                            help=(
                                *did_you_mean(s.label, (ROWS, *clusters)),
                                "levels are " + ", ".join((ROWS, *clusters)),
                            ),
                        )
                    )
                block().span = s.span
            elif s.kind == "class" and not plain_classes:
                variable = s.variable or class_variables[0]
                if s.variable is None and len(class_variables) > 1:
                    findings.append(
                        error(
                            "ambiguous-class",
                            "several class variables: say which one",
                            source,
                            s.span,
                            help=f"write 'class {class_variables[0]}: {s.label}'",
                        )
                    )
                if variable not in class_variables:
                    findings.append(
                        error(
                            "unknown-class",
                            f"'{variable}' is no class variable",
                            source,
                            s.span,
                            help=did_you_mean(variable, class_variables),
                        )
                    )
                    continue
                n = declared.classes(variable)
                if not s.label.isdigit() or not 1 <= int(s.label) <= n:
                    findings.append(
                        error(
                            "unknown-class",
                            f"'{variable}' has no class {s.label}",
                            source,
                            s.span,
                            label=f"classes are 1 to {n}",
                        )
                    )
                    continue
                tag = (variable, int(s.label))
            elif s.kind == "class" or s.kind == "block":
                klass = f"{s.kind} {s.label}"
                block()
        elif isinstance(s, ast.Formula | ast.Thresholds):
            entry = Entry(s, *tag)
            if level_headers and level is None:
                early.append(s.span)
            elif (groups and group is None) or (numbered and not klass):
                common.append(entry)
            else:
                block().entries.append(entry)
    if early and inside is not None and early[0].start > inside.span.start:
        findings.append(
            error(
                "block-order",
                "'group:' stands inside a 'level:' block",
                source,
                inside.span,
                label="groups stand outside, levels inside",
                help=f"write 'group: {inside.label}' first, and 'level:' lines below it",
            )
        )
    elif early:
        findings.append(
            error(
                "formula-before-level",
                "a formula before the first level header belongs to no level",
                source,
                early[0],
                label="before 'level:'",
                help="move it below a 'level:' line",
            )
        )
    if not blocks:
        blocks[(None, None, "")] = Block()
    for b in blocks.values():
        b.entries[:0] = common
    if level_headers and len(known) == 1 and not unknown:
        findings.append(
            warning(
                "single-level-block",
                "only one level block: the other levels have no model",
                source,
                level_headers[0].span,
            )
        )
    if level_headers and not clusters:
        findings.append(
            warning(
                "level-without-cluster",
                "level blocks, but no cluster variable",
                source,
                level_headers[0].span,
                help="say which column holds the clusters: 'cluster: school'",
            )
        )
    ordered = list(blocks.values())
    if groups:
        order = {g: i for i, g in enumerate(groups)}
        ordered.sort(key=lambda b: order.get(b.group or "", -1))
    return Blocks(tuple(ordered), groups, assumed)
