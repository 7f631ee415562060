"""Read a data set: a frame, something that converts to one, or a file."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semlang.data.delimited import read_delimited
from semlang.data.stacking import lacking, stacked
from semlang.diagnostics import Diagnostic, error

if TYPE_CHECKING:
    import pandas as pd

FILE_SLUGS = frozenset({"missing-file", "unreadable-file", "not-utf8", "missing-extra"})
"""Findings about a file that could not be read, in contrast to findings about what is in it."""

_NEEDS = {".parquet": "pyarrow", ".pq": "pyarrow", ".sav": "pyreadstat", ".zsav": "pyreadstat", ".por": "pyreadstat"}
_SHEETS = (".xlsx", ".xls", ".ods")

Answer = tuple["pd.DataFrame | None", tuple[Diagnostic, ...]]


def read_data(source: Any, *, name: str | None = None) -> Answer:
    """Return a data frame and what is wrong with it.

    Parameters
    ----------
    source : DataFrame, str or Path, several of these, or a table of another library
        A pandas DataFrame is passed through. A path may be a pattern, ``parts/*.parquet``: rows of all files, in the
        order of their names. A path is read by its ending: ``.parquet``, ``.dta`` (Stata: the numbers,
        not their labels), ``.sav``, ``.zsav``, ``.por`` (SPSS: the same), everything else as delimited text.
    name : str, optional
        How findings call the data.

    Returns
    -------
    frame : DataFrame or None
        None where a finding is an error.
    findings : tuple of Diagnostic
        Those whose slug is in `FILE_SLUGS` concern the file and not what is in it.
    """
    if isinstance(source, str | Path):
        several = matching(Path(source))
        return _read_files(several, str(source)) if several else _read_file(Path(source), name)
    if isinstance(source, list | tuple) and source and all(isinstance(s, str | Path) for s in source):
        return _read_files([Path(s) for s in source], "the data")
    name = name or "the data"
    frame = _convert(source)
    if frame is None:
        return None, (
            error(
                "not-a-table",
                f"{name}: a {type(source).__name__} does not convert to a data frame",
                help="give a pandas DataFrame, a polars or Arrow table, or a path",
            ),
        )
    return _checked(frame, name)


def frame_findings(frame: pd.DataFrame, name: str = "the data") -> tuple[Diagnostic, ...]:
    """Return what is wrong with the frame as a whole: no rows or columns, columns that share a name."""
    import pandas as pd

    if isinstance(frame.columns, pd.MultiIndex):
        return (
            error(
                "not-a-table",
                f"{name} has column names of several parts",
                help="join them: frame.columns = ['_'.join(c) for c in frame.columns]",
            ),
        )
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()].unique()
        shown = ", ".join(f"'{c}'" for c in repeated[:5])
        return (
            error(
                "duplicate-columns",
                f"{name} has more than one column named {shown}",
                help="give every column a name of its own",
            ),
        )
    if not len(frame.columns) or not len(frame):
        what = "rows" if len(frame.columns) else "columns"
        return (error("empty-data", f"{name} has no {what}"),)
    return ()


def _checked(frame: pd.DataFrame, name: str) -> Answer:
    found = frame_findings(frame, name)
    if found:
        return None, found
    if not all(isinstance(c, str) for c in frame.columns):
        frame = frame.set_axis([str(c) for c in frame.columns], axis=1)
        return _checked(frame, name)
    return frame, ()


def _convert(source: Any) -> pd.DataFrame | None:
    """Return a frame from a frame, or from what knows how to become one."""
    import numpy as np
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return source
    try:
        if hasattr(source, "to_pandas"):
            made = source.to_pandas()
            return made if isinstance(made, pd.DataFrame) else None
        from_arrow = getattr(pd.DataFrame, "from_arrow", None)
        if from_arrow is not None and hasattr(source, "__arrow_c_stream__"):
            made = from_arrow(source)
            return made if isinstance(made, pd.DataFrame) else None
        if hasattr(source, "__dataframe__"):
            return pd.api.interchange.from_dataframe(source)
        if isinstance(source, Mapping) or (isinstance(source, np.ndarray) and source.dtype.names):
            return pd.DataFrame(source)
    except (ValueError, TypeError, ImportError):
        return None
    return None


def may_be_partitioned(source: Any) -> bool:
    """Return whether data may be Parquet files or a frame of dask, by their kind and name alone."""
    if isinstance(source, list | tuple):
        return True
    if isinstance(source, str | Path):
        return Path(source).suffix.lower() in (".parquet", ".pq")
    return hasattr(source, "to_delayed")


def matching(path: Path) -> list[Path]:
    """Return the files that a pattern of names means, sorted; none where the path is no pattern."""
    if path.exists() or not set(str(path)) & set("*?["):
        return []
    root = Path(path.anchor)
    return sorted(p for p in root.glob(str(path.relative_to(root))) if p.is_file())


def _read_files(paths: Sequence[Path], name: str) -> Answer:
    """Return the rows of several files, with the columns that some do not have in ``frame.attrs["lacking"]``."""
    frames: dict[str, pd.DataFrame] = {}
    for k, path in enumerate(paths):
        frame, found = _read_file(path, None)
        if frame is None:
            last = k == len(paths) - 1 and not frames
            if [d.slug for d in found] == ["empty-data"] and not last:
                continue  # others have rows
            return None, found
        frames[path.name if path.name not in frames else str(path)] = frame
    frame, found = _checked(stacked([*frames.values()]), name)
    if frame is not None:
        frame.attrs["lacking"] = lacking([list(f.columns) for f in frames.values()], list(frames))
    return frame, found


def _read_file(path: Path, name: str | None) -> Answer:
    name = name or path.name
    if not path.exists():
        near = _neighbour(path)
        help = f"did you mean {near}?" if near else "paths are relative to the file that names them"
        return None, (error("missing-file", f"there is no file {path}", help=help),)
    if path.is_dir():
        return None, (error("unreadable-file", f"{path} is a folder"),)
    if not path.is_file():
        return None, (
            error("unreadable-file", f"{path} is no regular file", help="write the data to a file, and name that"),
        )
    suffix = path.suffix.lower()
    if suffix in _SHEETS:
        return None, (error("unreadable-file", f"{path.name} is a spreadsheet", help="save it as CSV UTF-8"),)
    needs = _NEEDS.get(suffix)
    if needs and importlib.util.find_spec(needs) is None:
        return None, (
            error("missing-extra", f"{path.name} needs the package {needs}", help='pip install "semlang[files]"'),
        )
    try:
        frame, wrong = _read_packed(path, suffix) if needs or suffix == ".dta" else read_delimited(path)
    except Exception as problem:  # the libraries raise many kinds; none of them should reach the user as a traceback
        text = str(problem).strip().split("\n")[0]
        return None, (error("unreadable-file", f"{path.name} can't be read", label=text or type(problem).__name__),)
    if frame is None:
        return None, (wrong,) if wrong else ()
    return _checked(frame, name)


def _read_packed(path: Path, suffix: str) -> tuple[pd.DataFrame, None]:
    """Read Parquet, Stata or SPSS."""
    import pandas as pd

    if suffix == ".dta":
        return pd.read_stata(path, convert_categoricals=False), None
    if suffix in (".parquet", ".pq"):
        return pd.read_parquet(path, engine="pyarrow"), None
    import pyreadstat

    read = pyreadstat.read_por if suffix == ".por" else pyreadstat.read_sav
    frame: pd.DataFrame = read(str(path))[0]
    return frame, None


def _neighbour(path: Path) -> str:
    """Return the file of the nearest name in the same folder."""
    import difflib

    try:
        names = [p.name for p in path.parent.iterdir() if p.is_file()]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, 1)
    return str(path.parent / near[0]) if near else ""
