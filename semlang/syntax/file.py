"""Model files: their bytes become a source, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from semlang.diagnostics import error
from semlang.errors import ModelError
from semlang.source import Source


def read_source(path: str | Path) -> Source:
    """Read a model file.

    Raises
    ------
    ModelError
        Where the file is missing, can't be read or is not UTF-8.
    """
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise ModelError(
            [error("missing-file", f"there is no file '{name}'", help="check the spelling and the folder")]
        ) from None
    except (OSError, ValueError) as problem:  # a path may hold a null character
        why = getattr(problem, "strerror", None) or problem
        raise ModelError([error("unreadable-file", f"'{name}' can't be read: {why}")]) from None
    return decode(data, name)


def decode(data: bytes, name: str) -> Source:
    """Turn the bytes of a model file into a source.

    Raises
    ------
    ModelError
        Where they are not UTF-8.
    """
    try:
        return Source(data.decode("utf-8-sig").replace("\r\n", "\n"), name)
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        finding = error(
            "not-utf8",
            f"'{name}' is not UTF-8 text (byte {problem.start + 1}, line {line})",
            help="save it in your editor with the encoding UTF-8",
        )
        raise ModelError([finding]) from None
