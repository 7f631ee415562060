"""How wide words are: the widths of Helvetica, which Arial and Liberation Sans share."""

from __future__ import annotations

import unicodedata

_ASCII = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
"""Adobe Font Metrics of Helvetica, version 3.0: thousandths of the size, from the space to the tilde."""

_SUBSTITUTE = 1.16


def width(text: str, size: float) -> float:
    """Return room for a text in points, with what the widest of the usual substitutes (DejaVu Sans) needs more.

    Examples
    --------
    >>> round(width("x1", 10.0), 2)
    12.25
    """
    return sum(_letter(c) for c in text) * size * _SUBSTITUTE / 1000


def _letter(c: str) -> int:
    if " " <= c <= "~":
        return _ASCII[ord(c) - 32]
    if unicodedata.combining(c):
        return 0
    if unicodedata.east_asian_width(c) in "WF":
        return 1000
    base = unicodedata.normalize("NFD", c)[0]
    return _ASCII[ord(base) - 32] if " " <= base <= "~" else 600
