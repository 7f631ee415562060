"""Model files: their bytes become a source, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from semlang.diagnostics import Diagnostic, error
from semlang.errors import ModelError
from semlang.source import Source, Span

MAX_BYTES = 256 * 1024
"""A model text has no more."""


def read_source(path: str | Path, *, regular: bool = False) -> Source:
    """Read a model file.

    Parameters
    ----------
    path : str or Path
    regular : bool
        Only a regular file: a text must not make the program wait for a pipe or read a device.

    Raises
    ------
    ModelError
        Where the file is missing, too long, not of its kind, can't be read or is not UTF-8.
    """
    name = str(path)
    try:
        if regular and not stat.S_ISREG(Path(path).stat().st_mode):
            raise ModelError([error("unreadable-file", f"'{name}' can't be read: it is no regular file")])
        with Path(path).open("rb") as stream:
            data = read_text(stream)
    except FileNotFoundError:
        raise ModelError(
            [error("missing-file", f"there is no file '{name}'", help="check the spelling and the folder")]
        ) from None
    except (OSError, ValueError) as problem:  # a path may hold a null character
        why = getattr(problem, "strerror", None) or problem
        raise ModelError([error("unreadable-file", f"'{name}' can't be read: {why}")]) from None
    return decode(data, name)


def read_text(stream: BinaryIO) -> bytes:
    """Read a model text, and no more than that: what never ends is refused after the first half megabyte.

    Raises
    ------
    ModelError
        Where there is more than any model text has, whatever its line ends.
    """
    data = stream.read(2 * MAX_BYTES + 1)
    if len(data) > 2 * MAX_BYTES:
        status = os.fstat(stream.fileno()) if stream.seekable() else None
        whole = status.st_size if status is not None and stat.S_ISREG(status.st_mode) else 0
        raise ModelError([too_long(max(whole, len(data)))])
    return data


def too_long(size: int, source: Source | None = None) -> Diagnostic:
    """Return the finding about a text of too many bytes."""
    return error(
        "file-too-long",
        f"the text has {size // 1024} KB; a model has at most {MAX_BYTES // 1024}",
        source,
        Span(0, min(1, len(source.text))) if source is not None else None,
        help='is it the data file? the model names it with data: "file.csv"',
    )


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
