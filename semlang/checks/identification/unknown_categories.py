"""Identification of ordinal models before data tell how many categories there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from semlang.checks.identification.report import UNDETERMINED, Identification
from semlang.model.table import ParameterTable

FEW, MANY = 2, 4
"""Numbers of categories that are tried: one threshold, and enough that every moment of more categories is there."""


def without_thresholds(table: ParameterTable) -> tuple[str, ...]:
    """Return the columns of the responses of threshold kinds whose thresholds only data would fill in."""
    if not table.options.get("auto.th", True):
        return ()
    have = {row.target for row in table.rows if row.threshold and row.op == "|"}
    return tuple(v.name for v in table.responses if v.kind.thresholds and v.key not in have)


def identify_unknown(columns: tuple[str, ...], verdict: Callable[[int], Identification]) -> Identification:
    """Return the verdict that holds however many categories the responses have.

    Each response has at least one free threshold, so a mean beside them is not identified, and an empty list of
    thresholds would say that it is.

    Parameters
    ----------
    columns : tuple of str
        The responses.
    verdict : callable
        Of the model in which each of them has a number of categories.
    """
    named = ", ".join(columns[:4]) + (", ..." if len(columns) > 4 else "")
    few = verdict(FEW)
    many = few if few.verdict == "identified" else verdict(MANY)
    if many.verdict == few.verdict:
        note = f"without data, {named} count as having two categories, a threshold each"
        return replace(few, notes=(*few.notes, note))
    why = (
        f"It depends on the number of categories of {named}: with two the model is {few.verdict}, with four it is "
        f"{many.verdict}. {few.why}"
    )
    return replace(few, verdict=UNDETERMINED, why=why)
