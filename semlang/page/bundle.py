"""The compiler of the language as one archive for a browser's Python."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from semlang.syntax.grammar import grammar_text

PACKAGE = Path(__file__).resolve().parents[1]
LEFT_OUT = (
    "cli", "editors", "estimation/kernels", "page/web", "page/gallery", "page/widget.py", "page/serve.py",
    "page/playground.py",
)  # fmt: skip
"""What a browser has no use for."""


def bundle() -> bytes:
    """Return a zip of semlang and lark, the same for the same sources."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        files = {name: path.read_bytes() for name, path in _files()}
        files["semlang/grammar/semlang.lark"] = grammar_text().encode()
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _files() -> Iterator[tuple[str, Path]]:
    """Yield names in the archive and files."""
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if not any(name == left or name.startswith(left + "/") for left in LEFT_OUT):
            yield f"semlang/{name}", path
    root = _folder("lark")
    for path in (*root.rglob("*.py"), *root.rglob("*.lark")):
        yield f"lark/{path.relative_to(root).as_posix()}", path


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent
