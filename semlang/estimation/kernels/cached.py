"""numba's cache of one kernel, in files that are checked before they are read and whose loss does no harm."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import caching
from numba.core.runtime.nrt import rtsys

from semlang.cache import load, store

__all__ = ["Compilation", "KernelCache", "compilation"]

_FunctionCache: Any = caching.FunctionCache
_CacheFile: Any = caching.IndexDataCacheFile


class Compilation:
    """What this process has compiled, for a fit that says so while it waits and afterwards.

    Attributes
    ----------
    misses : int
        Kernels that were not in the cache.
    seconds : float
        Time that compiling them took.
    tell : callable or None
        Is told once, when the first of them is missing.
    """

    def __init__(self) -> None:
        self.misses = 0
        self.seconds = 0.0
        self.tell: Callable[[str], None] | None = None

    def missing(self) -> None:
        """Count a kernel, and announce that it is compiled."""
        self.misses += 1
        tell, self.tell = self.tell, None
        if tell is not None:
            tell("compiling kernels: about ten seconds, once for a kind of model; they are kept")


compilation = Compilation()


class KernelCache(_FunctionCache):  # type: ignore[misc]
    """The cache of a kernel: what can't be loaded is compiled, what can't be saved is compiled the next time, too."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = _CheckedFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function, or None where there is none that can be used.

        What is loaded needs the memory functions alone; numba imports here all that it would need to compile, too,
        which takes longer than the loading.
        """
        try:
            rtsys.initialize(target_context)
            found = self._load_overload(sig, target_context)
        except Exception:  # of whatever version of numba wrote the file
            found = None
        if found is None:
            compilation.missing()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save a compiled function; a full disk is no reason to stop."""
        try:
            super().save_overload(sig, data)
        except OSError:
            return


class _CheckedFile(_CacheFile):  # type: ignore[misc]
    """numba's index and data files, each with a checksum."""

    def _load_index(self) -> Any:
        content = load(Path(self._index_path))
        if content is None:
            return {}
        version, stamp, overloads = pickle.loads(content)
        return overloads if (version, stamp) == (numba.__version__, self._source_stamp) else {}

    def _save_index(self, overloads: Any) -> None:
        store(Path(self._index_path), self._dump((numba.__version__, self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        content = load(Path(self._data_path(name)))
        if content is None:
            raise OSError(f"{name} is missing or damaged")
        return pickle.loads(content)

    def _save_data(self, name: str, data: Any) -> None:
        store(Path(self._data_path(name)), self._dump(data))
