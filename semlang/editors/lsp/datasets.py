"""The data sets that open models name, read once for each version of the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from semlang.diagnostics import Diagnostic

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 100 * 1024 * 1024
"""Files with more bytes are not read while someone types."""

Read = tuple["pd.DataFrame | None", tuple[Diagnostic, ...]]


class Datasets:
    """Frames by path; a file that has changed is read again."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], Read]] = {}

    def read(self, path: Path) -> Read:
        """Return the frame of a file and what is wrong with it."""
        from semlang.data.reading import read_data

        try:
            facts = path.stat()
        except OSError:
            self._known.pop(path, None)
            return read_data(path)
        if facts.st_size > LARGEST:
            return None, ()
        stamp = (facts.st_mtime_ns, facts.st_size)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = (stamp, read_data(path))
        return known[1]
