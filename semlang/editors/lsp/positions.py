"""From the protocol's positions, lines from 0 and UTF-16 units, to offsets in code points and back."""

from __future__ import annotations

import bisect

from lsprotocol import types

from semlang.source import Span

_UNITS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_SIZES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def normalised(text: str) -> str:
    """Return a text with ``\\n`` as the only line ending; lines and columns stay."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Positions:
    """Positions in one text.

    Parameters
    ----------
    text : str
        With ``\\n`` as the only line ending.
    encoding : {'utf-16', 'utf-8', 'utf-32'}
        The units in which the client counts.

    Examples
    --------
    >>> at = Positions("f =~ 😀x\\ny ~ f")
    >>> at.position(6), at.offset(types.Position(0, 7)), at.offset(types.Position(1, 0))
    (0:7, 6, 8)
    """

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.encoding = encoding
        self.starts = [0] + [i + 1 for i, c in enumerate(text) if c == "\n"]

    def position(self, offset: int) -> types.Position:
        """Return the position of an offset; offsets beyond the text are its end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect.bisect_right(self.starts, offset) - 1
        return types.Position(line, self._units(self.text[self.starts[line] : offset]))

    def range(self, span: Span) -> types.Range:
        """Return the range of a span."""
        return types.Range(self.position(span.start), self.position(span.end))

    def offset(self, position: types.Position) -> int:
        """Return the offset of a position; one beyond its line is the end of the line."""
        if position.line >= len(self.starts):
            return len(self.text)
        start = self.starts[position.line]
        end = self.text.find("\n", start)
        line = self.text[start:] if end < 0 else self.text[start:end]
        if line.isascii() or self.encoding == "utf-32":
            return start + min(position.character, len(line))
        units = 0
        for i, character in enumerate(line):
            if units >= position.character:
                return start + i
            units += self._units(character)
        return start + len(line)

    def _units(self, text: str) -> int:
        if text.isascii():
            return len(text)
        return len(text.encode(_UNITS[self.encoding], "surrogatepass")) // _SIZES[self.encoding]
