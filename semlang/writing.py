"""Files that semlang writes for the user: whole or not at all, and what they are stays what it is.

A new file gets the mode that the user's umask says. An existing one keeps its mode, its owner and its names: symbolic
links are followed, a file with several names is written in place, and so is what is no regular file (a device, a pipe).
All else is written beside the target and then put in its place, so that nothing is lost where the disk is full.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from semlang.diagnostics import Diagnostic, error

__all__ = ["unwritable", "write_file"]


def unwritable(path: str | Path) -> Diagnostic | None:
    """Return the finding about a file that can't be written, before there is anything to write.

    The file stays as it is, or missing.
    """
    target, status = _target(path)
    if isinstance(status, Diagnostic):
        return status
    if status is not None and os.access(target, os.W_OK):
        return None
    try:
        if status is not None:
            raise PermissionError(13, "permission denied")
        beside, handle = _beside(target)
        os.close(handle)
        beside.unlink()
    except OSError as problem:
        return _finding(path, problem.strerror or str(problem))
    return None


def write_file(path: str | Path, data: bytes) -> Diagnostic | None:
    """Write a file; return the finding where that is not possible."""
    target, status = _target(path)
    if isinstance(status, Diagnostic):
        return status
    try:
        if status is None or _replaceable(status):
            _replace(target, data, status)
        else:
            _overwrite(target, data, status)
    except OSError as problem:
        return _finding(path, problem.strerror or str(problem))
    return None


def _target(path: str | Path) -> tuple[Path, os.stat_result | Diagnostic | None]:
    """Return the file behind all links, and its status, None where there is no file, or a finding."""
    try:
        target = Path(os.path.realpath(path))
        status = target.stat()
    except FileNotFoundError:
        return target, None
    except (OSError, ValueError) as problem:  # a path may hold a null character, links may go round
        return Path(path), _finding(path, getattr(problem, "strerror", None) or str(problem))
    return target, _finding(path, "it is a folder") if stat.S_ISDIR(status.st_mode) else status


def _replaceable(status: os.stat_result) -> bool:
    """Whether a new file in the place of this one is the same to everybody else."""
    own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and own


def _replace(target: Path, data: bytes, status: os.stat_result | None) -> None:
    try:
        beside, handle = _beside(target)
    except OSError:
        if status is None:
            raise
        return _overwrite(target, data, status)  # a file may be written where its folder may not
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        if status is not None:
            if hasattr(os, "chown") and beside.stat().st_gid != status.st_gid:
                os.chown(beside, -1, status.st_gid)
            beside.chmod(stat.S_IMODE(status.st_mode))
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    return None


def _beside(target: Path) -> tuple[Path, int]:
    """Return a new file in the same folder, opened."""
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}")
    return beside, os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _overwrite(target: Path, data: bytes, status: os.stat_result) -> None:
    """Write in place; what a regular file held comes back where the disk is full."""
    regular = stat.S_ISREG(status.st_mode)
    before = target.read_bytes() if regular and os.access(target, os.R_OK) else None
    try:
        with target.open("r+b" if regular else "wb", buffering=0) as stream:
            view = memoryview(data)
            while view:
                view = view[stream.write(view) or 0 :]
            if regular:
                stream.truncate()
    except OSError:
        if before is not None:
            with contextlib.suppress(OSError):
                target.write_bytes(before)
        raise


def _finding(path: str | Path, why: str) -> Diagnostic:
    return error("unwritable-file", f"'{path}' can't be written: {why}", help="name a file in a folder of yours")
