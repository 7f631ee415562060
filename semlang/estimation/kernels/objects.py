"""Where the machine code of kernels is: in the package (`shipped`), in the cache, or it is compiled into the cache.

An object file holds one kernel. In the cache it lies in a folder that is named by a hash of *all* kernel sources (a
kernel may be spread over several files), of the processor that the code is compiled for, and of the compiler: code for
another processor is never loaded. Files are read and written by the rules of `semlang.cache`; what can't be loaded is
compiled, what can't be saved is compiled the next time, too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from semlang.cache import cache_folder, load, refusal, store
from semlang.estimation.kernels.compilation import compilation
from semlang.estimation.kernels.linking import link, machine
from semlang.estimation.kernels.shipped import OPTIONS, shipped_folder

if TYPE_CHECKING:
    from semlang.estimation.kernels.declaring import Kernel

__all__ = ["SUFFIX", "find", "is_there", "kernel_folder", "sources_hash"]

SUFFIX = ".object"
DAY = 86400.0
UNUSED = 60 * DAY
"""Folders that no process has used for so long are removed when a new one is made.

They are of other versions of semlang or of the compiler, or of other processors that share the home folder. Two months
are more than a holiday, and what is removed too early costs one compilation.
"""


@cache
def sources_hash() -> str:
    """Return a hash of all kernel sources."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def kernel_folder() -> Path | None:
    """Return the folder of the compiled kernels, or None where none can be written."""
    base = cache_folder()
    if base is None:
        return None
    here = machine()
    options = [os.environ.get(name, "") for name in OPTIONS]
    target = repr((sources_hash(), here.triple, here.name, sorted(here.features.items()), here.compiler, options))
    folder = base / f"kernels-{hashlib.sha256(target.encode()).hexdigest()[:16]}"
    try:
        new = not folder.exists()
        folder.mkdir(mode=0o700, exist_ok=True)
        if refusal(folder):
            return None
        if new:
            _remove_unused(base)
        elif time.time() - folder.stat().st_mtime > DAY:
            os.utime(folder)
    except OSError:
        return None
    return folder


def _remove_unused(base: Path) -> None:
    """Remove the folders of kernels that no process has used for `UNUSED` seconds."""
    for folder in base.glob("kernels-*"):
        if folder.is_dir() and not folder.is_symlink() and time.time() - folder.stat().st_mtime > UNUSED:
            shutil.rmtree(folder, ignore_errors=True)


def _shipped(kernel: Kernel) -> Path | None:
    folder = shipped_folder(sources_hash())
    return folder / (kernel.name + SUFFIX) if folder is not None else None


def _cached(kernel: Kernel) -> Path | None:
    folder = kernel_folder()
    return folder / (kernel.name + SUFFIX) if folder is not None else None


def is_there(kernel: Kernel) -> bool:
    """Whether there is a file of a kernel."""
    return any(file is not None and file.exists() for file in (_shipped(kernel), _cached(kernel)))


def find(kernel: Kernel) -> int:
    """Return the address of a kernel's function; what takes long is announced, and its seconds are counted."""
    file = _shipped(kernel)
    if file is not None:
        address = _linked(load(file, others=True))  # whoever can write there can write our sources
        if address:
            return address
    file = _cached(kernel)
    if file is not None:
        address = _linked(load(file))
        if address:
            return address
    compilation.missing()
    start = time.perf_counter()
    try:
        from semlang.estimation.kernels.compiling import object_code

        code = object_code(kernel)
        if file is not None:
            store(file, code)
        return link(code)
    finally:
        compilation.seconds += time.perf_counter() - start


def _linked(code: bytes | None) -> int:
    """Return the address of a function, or 0 where there is no code, or none of ours for this machine."""
    try:
        return link(code) if code is not None else 0
    except RuntimeError:
        return 0
