"""The folder for what semlang computes once, and files in it that are whole and our own, or not read at all.

What lies there is code, or becomes it (pickles, machine code). So the folder has an absolute path, it and every folder
above belong to the user or to the system, and nobody else can write there; a file is read if it is the user's own and
has the checksum that it was written with. Anything else is as if it were not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "load", "refusal", "store", "unusable"]

_DIGEST = hashlib.sha256
_SIZE = _DIGEST().digest_size


def cache_folder() -> Path | None:
    """Return the folder, made if need be, or None where there is none that is safe and can be written.

    It is ``SEMLANG_CACHE_DIR``, else ``semlang`` in the user's cache folder (``XDG_CACHE_HOME``, ``~/.cache``,
    ``~/Library/Caches``, ``%LOCALAPPDATA%``). A path that is not absolute does not count, as XDG's specification says.
    """
    folder = _chosen()
    if folder is None:
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if not refusal(folder) else None


def unusable() -> str:
    """Return why there is no folder, in a clause."""
    folder = _chosen()
    if folder is None:
        return "the user has no home folder; name a folder by SEMLANG_CACHE_DIR"
    return refusal(folder) or "nothing is wrong"


def _chosen() -> Path | None:
    own = os.environ.get("SEMLANG_CACHE_DIR", "")
    if Path(own).is_absolute():
        return Path(own)
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    base = Path(os.environ.get(variable, "") if sys.platform != "darwin" else "")
    if not base.is_absolute():
        try:
            home = Path.home()
        except RuntimeError:  # neither HOME nor an entry in the list of users
            return None
        base = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return base / "semlang" if base.is_absolute() else None


def refusal(folder: Path) -> str:
    """Return why a folder is not used, or ''.

    Parameters
    ----------
    folder : Path
        It exists.
    """
    try:
        real = folder.resolve(strict=True)
        if not real.is_dir():
            return f"'{folder}' is no folder"
        for place in (real, *real.parents):
            wrong = _open_to_others(place.stat(), sticky=place != real)
            if wrong:
                return f"'{place}' {wrong}"
    except OSError as problem:
        return f"'{folder}' can't be read: {problem.strerror}"
    return "" if os.access(real, os.R_OK | os.W_OK | os.X_OK) else f"'{folder}' can't be written"


def _open_to_others(status: os.stat_result, *, sticky: bool) -> str:
    """Return how others could put something there, or ''; in a sticky folder they can't touch what is ours."""
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid not in (os.geteuid(), 0):
        return "belongs to another user"
    if sticky and status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and not _private(status.st_gid)):
        return "can be written by other users"
    return ""


def _private(group: int) -> bool:
    """Whether a group is the user's alone, as where every user has a group of the same name."""
    import grp
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid())
        members = grp.getgrgid(group)
    except KeyError:
        return False
    return group == 0 or (members.gr_name == user.pw_name and set(members.gr_mem) <= {user.pw_name})


def load(path: Path, *, others: bool = False) -> bytes | None:
    """Return what `store` wrote to a file, or None where the file is missing, damaged or of another user.

    Parameters
    ----------
    path : Path
    others : bool
        Read the file of another user, too: it lies beside our own code.
    """
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) or (not others and _open_to_others(status, sticky=False)):
                return None
            data = stream.read()
    except OSError:
        return None
    digest, content = data[:_SIZE], data[_SIZE:]
    return content if digest == _DIGEST(content).digest() else None


def store(path: Path, content: bytes) -> bool:
    """Write a file whole or not at all, with a checksum; return whether that was possible."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(_DIGEST(content).digest() + content)
        Path(temporary).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        return False
    return True
