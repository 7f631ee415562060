"""What a browser's Python compiled on the first visit, as an archive for the next one."""

from __future__ import annotations

import io
import sys
import zipfile
from importlib.util import cache_from_source
from pathlib import Path


def frozen(folder: str) -> bytes:
    """Return a zip of the folder in which modules that were imported are compiled.

    A compiled module stands in the place of its source (Python imports it without one); what was not imported yet stays
    source. Parser tables lie there, too, where ``SEMLANG_CACHE_DIR`` names the folder or one in it.

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
    return out.getvalue()
