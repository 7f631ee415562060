"""Where a piece of text stands: the source of a model and spans in it."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open interval ``[start, end)`` of Unicode code points in one source text.

    Examples
    --------
    >>> Span(2, 5).join(Span(7, 9))
    Span(start=2, end=9)
    """

    start: int
    end: int

    def join(self, other: Span) -> Span:
        """Return the smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch ``[start, end)`` of a text that begins at `offset` of `source`."""

    start: int
    end: int
    source: Source
    offset: int


@dataclass(frozen=True, slots=True)
class Source:
    """A model text and the name by which findings refer to it.

    Parameters
    ----------
    text : str
        The text, with ``\\n`` as the only line ending.
    name : str
        File name, or ``<text>``.
    parts : tuple of Part
        Where stretches of the text come from other files (``include:``), in order.
    """

    text: str
    name: str = "<text>"
    parts: tuple[Part, ...] = ()
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        starts = [0, *(m.end() for m in re.finditer("\n", self.text))]
        object.__setattr__(self, "_starts", tuple(starts))

    def origin(self, offset: int) -> tuple[Source, int]:
        """Return the file that a character comes from, and its offset there."""
        for part in self.parts:
            if part.start <= offset < part.end:
                return part.source.origin(part.offset + offset - part.start)
        return self, offset

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1, columns in code points.

        Examples
        --------
        >>> Source("ab\\ncd").position(4)
        (2, 2)
        """
        line = bisect.bisect_right(self._starts, offset) - 1
        return line + 1, offset - self._starts[line] + 1

    def line(self, number: int) -> str:
        """Return the text of a line (from 1) without its line ending."""
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]
