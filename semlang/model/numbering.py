"""Numbering: blocks, plabels, free numbers, and one parameter for all rows of a label."""

from __future__ import annotations

from semlang.diagnostics import Diagnostic, error
from semlang.model.draft import Draft
from semlang.model.table import Row
from semlang.source import Source


def name_rows(rows: list[Draft]) -> None:
    """Give every row its plabel ``.p1.``, ``.p2.``, ..."""
    for i, r in enumerate(rows, 1):
        r.plabel = f".p{i}."


def share_labels(rows: list[Draft], source: Source, findings: list[Diagnostic]) -> dict[str, str]:
    """Spread fixed values over the rows of a label; return what a label stands for where it names another row.

    ``equal("f=~x1")`` and ``"f=~x1"*x2`` name the row ``f =~ x1``; with its label, or value, the two are one.
    """
    meaning: dict[str, str] = {}
    if not any(r.label for r in rows):
        return meaning
    by_name: dict[str, Draft] = {}
    for r in rows:
        by_name.setdefault(f"{r.lhs}{r.op}{r.rhs}", r)
    groups: dict[str, list[Draft]] = {}
    for r in rows:
        if r.label:
            groups.setdefault(r.label, []).append(r)
    for label, own in list(groups.items()):
        named = by_name.get(label.replace(" ", ""))
        if named is not None and named not in own:
            other = named.label or named.plabel
            meaning[label] = other
            groups.setdefault(other, [named]).extend(own)
    for label, own in groups.items():
        fixed = [r for r in own if not r.free and r.ustart is not None and not r.rv]
        values = {r.ustart for r in fixed}
        if len(values) == 1:
            for r in own:
                if r.free:
                    r.fix(fixed[0].ustart, f"equal to a fixed parameter by label '{label}'")
        elif len(values) > 1:
            findings.append(
                error(
                    "conflicting-label",
                    f"parameters labelled '{label}' are fixed at different values",
                    source,
                    fixed[1].span,
                    help="give one of them another label",
                )
            )
    return meaning


def number_rows(rows: list[Draft], meaning: dict[str, str]) -> tuple[tuple[Row, ...], int]:
    """Freeze the rows; return them and the length of the parameter vector.

    A phantom (``f =~ 0``, listed as ``f =~ f``) is no path: its ends stay empty.
    """
    index: dict[str, int] = {}
    out: list[Row] = []
    free = 0
    for i, r in enumerate(rows, 1):
        parameter = -1
        if r.free:
            free += 1
            key = r.label or r.plabel
            parameter = index.setdefault(meaning.get(key, key), len(index))
        phantom = r.op == "=~" and r.target == r.source
        out.append(
            Row(
                i,
                r.lhs,
                r.op,
                r.rhs,
                r.user,
                r.block,
                r.group,
                r.level,
                free if r.free else 0,
                r.ustart,
                r.exo,
                r.label,
                r.lower,
                r.upper,
                r.plabel,
                r.rule,
                parameter,
                r.span,
                "" if phantom else r.target,
                "" if phantom else r.source,
                r.via,
                r.quantity,
                r.threshold,
                r.category,
                r.klass,
                r.class_variable,
                r.moderators,
                r.efa,
                r.rv,
                r.also,
                r.replaces,
            )
        )
    return tuple(out), len(index)
