"""Where the grammar lies, and where its parser tables are kept between runs."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from semlang.cache import cache_folder

_PACKAGE = Path(__file__).resolve().parent.parent


def grammar_text() -> str:
    """Return the reference grammar: of the checkout, or the copy in an installed package."""
    for folder in (_PACKAGE.parent / "grammar", _PACKAGE / "grammar"):
        path = folder / "semlang.lark"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError("semlang.lark is neither beside the package nor in it; install semlang again")


def table_path(grammar: str, version: str) -> Path | None:
    """Return the file for the parser tables of a grammar, or None where nothing can be written.

    Parameters
    ----------
    grammar : str
    version : str
        The version of the parser generator.
    """
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    key = hashlib.sha256(f"{version} {python}\n{grammar}".encode()).hexdigest()[:16]
    folder = cache_folder()
    return None if folder is None else folder / f"grammar-{key}.tables"
