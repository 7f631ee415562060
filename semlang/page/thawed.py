"""Import what a browser's Python compiled on an earlier visit: modules of its library and of numpy."""

from __future__ import annotations

import marshal
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

LIBRARY = "library.code"
"""The file in the archive: a marshalled dictionary from a module's name to its source's place and marshalled code."""


class _Compiled:
    """A loader that has the code already; everything else is asked of the one that would have compiled it."""

    def __init__(self, loader: Any, code: bytes) -> None:
        self._loader = loader
        self._code = code

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(marshal.loads(self._code), module.__dict__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class _Kept:
    """A finder of modules whose code is kept."""

    def __init__(self, codes: dict[str, tuple[str, bytes]]) -> None:
        self.codes = codes

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if name not in self.codes:
            return None
        spec = PathFinder.find_spec(name, path)
        origin, code = self.codes[name]
        if spec is None or spec.origin != origin or spec.loader is None:
            return None
        spec.loader = _Compiled(spec.loader, code)  # type: ignore[assignment]
        return spec


def thaw(folder: str) -> None:
    """Import modules with the code that is kept in a folder, where there is one.

    Parameters
    ----------
    folder : str
        Where the archive of `semlang.page.frozen` was unpacked; without ``library.code`` in it nothing changes.
    """
    try:
        with open(f"{folder}/{LIBRARY}", "rb") as file:  # noqa: PTH123 - pathlib would be compiled for this alone
            codes = marshal.load(file)
    except (OSError, ValueError, EOFError, TypeError):
        return
    sys.meta_path.insert(0, _Kept(codes))
