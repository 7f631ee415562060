"""What a browser's Python compiled on the first visit, as an archive for the next one."""

from __future__ import annotations

import io
import marshal
import sys
import zipfile
from importlib.util import cache_from_source
from pathlib import Path

from semlang.page.thawed import LIBRARY


def frozen(folder: str) -> bytes:
    """Return a zip of the folder in which modules that were imported are compiled.

    A compiled module stands in the place of its source (Python imports it without one); what was not imported yet stays
    source. The code of other modules that were imported, of Python's library and numpy, is one file of it. Parser
    tables lie there, too, where ``SEMLANG_CACHE_DIR`` names the folder or one in it.

    Parameters
    ----------
    folder : str
        Where the archive of `semlang.page.bundle` was unpacked.
    """
    root = Path(folder)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # it is kept on this machine: not worth the time to be made smaller
        for path in sorted(p for p in root.rglob("*") if p.is_file() and p.parent.name != "__pycache__"):
            name = path.relative_to(root).as_posix()
            compiled = Path(cache_from_source(str(path))) if path.suffix == ".py" else None
            if compiled is not None and compiled.is_file() and sys.implementation.cache_tag in compiled.name:
                archive.write(compiled, f"{name}c")
            else:
                archive.write(path, name)
        archive.writestr(LIBRARY, marshal.dumps(_library(root)))
    return out.getvalue()


def _library(root: Path) -> dict[str, tuple[str, bytes]]:
    """Return where the source lies, and the code, of each imported module outside a folder."""
    out: dict[str, tuple[str, bytes]] = {}
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None) or ""
        if spec is None or spec.name != name or not origin.endswith(".py") or Path(origin).is_relative_to(root):
            continue
        try:
            code = spec.loader.get_code(name)
        except (AttributeError, ImportError, OSError):
            continue
        if code is not None:
            out[name] = origin, marshal.dumps(code)
    return out
