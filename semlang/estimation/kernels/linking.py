"""Object files become functions of this process, by the linker of llvmlite: neither numba nor a compiler is needed."""

from __future__ import annotations

import itertools
import platform
from functools import cache
from typing import Any

import llvmlite
from llvmlite import binding

__all__ = ["ENTRY", "Machine", "link", "machine"]

ENTRY = "semlang_entry"
"""The function of an object file."""

_kept: list[Any] = []
"""Code that is linked stays: its addresses are in tables."""
_numbers = itertools.count()


class Machine:
    """The processor that code is compiled for.

    Attributes
    ----------
    triple, name : str
    features : dict of bool
        By the compiler's names.
    compiler : str
        Its version.
    """

    def __init__(self) -> None:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        self.triple = binding.get_process_triple()
        self.name = binding.get_host_cpu_name()
        try:
            features = binding.get_host_cpu_features()
        except RuntimeError:  # the compiler does not know them on this platform
            features = {}
        self.features: dict[str, bool] = dict(features)
        self.compiler: str = llvmlite.__version__


@cache
def machine() -> Machine:
    """Return the processor of this process."""
    return Machine()


@cache
def _linker() -> Any:
    machine()
    far = platform.machine().lower() in ("arm64", "aarch64")  # where calls do not reach all of memory by themselves
    return binding.create_lljit_compiler(use_jit_link=far, suppress_errors=True)


def link(code: bytes) -> int:
    """Return the address of `ENTRY` of an object file.

    Raises
    ------
    RuntimeError
        If the file is damaged, of another kind of machine, or calls what this process does not have.
    """
    library = binding.JITLibraryBuilder().add_object_img(code).export_symbol(ENTRY).add_current_process()
    linked = library.link(_linker(), f"kernel{next(_numbers)}")
    _kept.append(linked)
    return int(linked[ENTRY])
