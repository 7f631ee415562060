"""How values show themselves: one line in a console, the whole text in a notebook."""

from __future__ import annotations

from html import escape

__all__ = ["Latex", "Shown"]


class Shown:
    """A value whose `str` is a text of several lines: its `repr` is the first one, a notebook shows them all."""

    __slots__ = ()

    def __repr__(self) -> str:
        first = str(self).split("\n", 1)[0].strip()
        return f"<semlang.{type(self).__name__}: {first}>"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


class Latex(str):
    """LaTeX text, which a notebook sets.

    Examples
    --------
    >>> Latex("x") == "x", Latex("x")._repr_latex_()
    (True, 'x')
    """

    __slots__ = ()

    def _repr_latex_(self) -> str:
        return str(self)
