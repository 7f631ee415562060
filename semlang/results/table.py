"""A table of results: made once, shown as a data frame, text, HTML, LaTeX, Markdown or JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from semlang.results.summary import number, probability

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table"]

PROBABILITIES = frozenset({"p", "pvalue", "p.value"})
"""Columns that hold p values: they are never printed as zero."""

WHOLE = frozenset({"df", "n", "free"})
"""Columns of counts: printed without decimals where they are whole."""

_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "&": r"\&", "%": r"\%",
    "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "|": r"\textbar{}", "<": r"\textless{}",
    ">": r"\textgreater{}",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows under named columns, and notes below them.

    Parameters
    ----------
    columns : tuple of str
    rows : tuple of tuple
        One entry a column; None and NaN stand for nothing.
    notes : tuple of str
        What a reader needs to know beside the numbers.
    title : str

    Examples
    --------
    >>> print(Table(("lhs", "est", "p"), (("x1", 0.5, 1e-9), ("x2", None, None)), ("a note",)).text())
    lhs     est       p
    x1   0.5000  <0.001
    x2
    note: a note
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()
    title: str = ""

    @classmethod
    def of(
        cls, columns: Sequence[str], records: Sequence[Mapping[str, Any]], notes: Sequence[str] = (), title: str = ""
    ) -> Table:
        """Make from one mapping a row; what a mapping has not is None."""
        rows = tuple(tuple(r.get(c) for c in columns) for r in records)
        return cls(tuple(columns), rows, tuple(notes), title)

    def frame(self) -> pd.DataFrame:
        """Return a DataFrame; its ``attrs["notes"]`` are the notes."""
        import pandas as pd

        out = pd.DataFrame(list(self.rows), columns=list(self.columns))
        for name in self.columns:
            kept = [v for v in out[name] if v is not None]
            if kept and all(isinstance(v, float) or (isinstance(v, int) and not isinstance(v, bool)) for v in kept):
                whole = len(kept) == len(out) and all(isinstance(v, int) for v in kept)
                out[name] = out[name].astype(int if whole else float)
        out.attrs["notes"] = list(self.notes)
        return out

    def records(self) -> list[dict[str, Any]]:
        """Return one dictionary a row, for JSON: what is not finite is None."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]

    def json(self) -> dict[str, Any]:
        """Return columns, rows and notes as JSON has them."""
        return {"columns": list(self.columns), "rows": self.records(), "notes": list(self.notes)}

    def shown(self) -> list[list[str]]:
        """Return the entries as they are printed."""
        return [[cell(value, name) for value, name in zip(row, self.columns, strict=True)] for row in self.rows]

    def printed(self) -> Table:
        """Return the table without columns that say nothing: one group, one level."""
        mute = [
            k
            for k, name in enumerate(self.columns)
            if (name == "group" and all(not row[k] for row in self.rows))
            or (name == "level" and all(row[k] in ("rows", "") for row in self.rows))
        ]
        if not mute:
            return self
        kept = [k for k in range(len(self.columns)) if k not in mute]
        rows = tuple(tuple(row[k] for k in kept) for row in self.rows)
        return Table(tuple(self.columns[k] for k in kept), rows, self.notes, self.title)

    def text(self) -> str:
        """Return the table as text of fixed width."""
        self = self.printed()
        body = self.shown()
        wide = [max([len(c), *(len(r[k]) for r in body)]) for k, c in enumerate(self.columns)]
        right = [self._numeric(k) for k in range(len(self.columns))]
        out = [self.title] if self.title else []
        for line in [list(self.columns), *body]:
            cells = (s.rjust(w) if r else s.ljust(w) for s, w, r in zip(line, wide, right, strict=True))
            out.append("  ".join(cells).rstrip())
        return "\n".join([*out, *(f"note: {n}" for n in self.notes)])

    def html(self) -> str:
        """Return an HTML table."""
        self = self.printed()
        out = ["<table>", f"<caption>{escape(self.title)}</caption>"] if self.title else ["<table>"]
        out.append("<thead><tr>" + "".join(f"<th>{escape(c)}</th>" for c in self.columns) + "</tr></thead><tbody>")
        right = [' class="number"' if self._numeric(k) else "" for k in range(len(self.columns))]
        for line in self.shown():
            out.append("<tr>" + "".join(f"<td{r}>{escape(s)}</td>" for s, r in zip(line, right, strict=True)) + "</tr>")
        out.append("</tbody></table>")
        return "\n".join([*out, *(f"<p>note: {escape(n)}</p>" for n in self.notes)])

    def markdown(self) -> str:
        """Return a Markdown table."""
        self = self.printed()
        right = ["---:" if self._numeric(k) else "---" for k in range(len(self.columns))]
        lines = [list(self.columns), right, *self.shown()]
        out = ["| " + " | ".join(s.replace("|", "\\|") for s in line) + " |" for line in lines]
        head = [f"**{self.title}**", ""] if self.title else []
        return "\n".join([*head, *out, *(f"\nNote: {n}" for n in self.notes)])

    def latex(self) -> str:
        """Return a LaTeX table with the rules of the package booktabs."""
        self = self.printed()
        spec = "".join("r" if self._numeric(k) else "l" for k in range(len(self.columns)))
        out = [r"\begin{table}", r"\centering"]
        out += [rf"\caption{{{latex(self.title)}}}"] if self.title else []
        out += [rf"\begin{{tabular}}{{{spec}}}", r"\toprule"]
        out += [" & ".join(latex(c) for c in self.columns) + r" \\", r"\midrule"]
        out += [" & ".join(latex(s) for s in line) + r" \\" for line in self.shown()]
        out += [r"\bottomrule", r"\end{tabular}"]
        out += [rf"\par\smallskip{{\footnotesize Note: {latex(n)}}}" for n in self.notes]
        return "\n".join([*out, r"\end{table}"])

    def _numeric(self, k: int) -> bool:
        kept = [row[k] for row in self.rows if row[k] is not None]
        return bool(kept) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in kept)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def cell(value: Any, column: str = "") -> str:
    """Return an entry as it is printed.

    Examples
    --------
    >>> cell(0.25), cell(3), cell(None), cell(float("nan")), cell(24.0, "df"), cell(0.0, "p")
    ('0.2500', '3', '', '', '24', '<0.001')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if column in PROBABILITIES:
            return probability(value)
        if column == "z":
            return f"{value:.2f}" if math.isfinite(value) else ""
        if column in WHOLE and value == round(value):
            return str(round(value))
        return number(value)
    return str(value)


def latex(text: str) -> str:
    """Return text with LaTeX's special characters escaped.

    Examples
    --------
    >>> latex("y_1 =~ 50%")
    'y\\\\_1 =\\\\textasciitilde{} 50\\\\%'
    """
    return "".join(_LATEX.get(c, c) for c in text)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
