"""Fits as JSON files: the model's text, its data, the estimates, and a checksum over all of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.diagnostics import Diagnostic, Severity, error, warning
from semlang.errors import FitError
from semlang.estimation.left_out import LeftOut
from semlang.estimation.optimize import Iteration
from semlang.estimation.outcome import DefinedEstimate, Estimate
from semlang.model.parameter_names import parameter_names
from semlang.model.table import ParameterTable
from semlang.results.elsewhere import refuse_rows
from semlang.source import Span
from semlang.version import VERSION

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["SCHEMA", "Stored", "read_stored", "stored_json"]

SCHEMA = "semlang.fit/1"
"""What the first member of the file says; the number changes when older programs can't read the file."""

LEFT_OUT = frozenset({"scores", "plan", "diagnostics", "inside", "slopes"})
"""Fields of an `Estimate` that are made again, or needed by findings alone."""


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Parameters
    ----------
    text, name, arguments
        As in `semlang.results.origin.Origin`; arguments as `semlang.Model` takes them.
    frame : DataFrame
    estimate : Estimate
        Before rotation, without a plan.
    names : tuple of str
        Of the parameters.
    seconds : float
    findings : tuple of Diagnostic
    path : str
    """

    text: str
    name: str
    arguments: Mapping[str, Any]
    frame: pd.DataFrame
    estimate: Estimate
    names: tuple[str, ...]
    seconds: float
    findings: tuple[Diagnostic, ...]
    path: str

    def check(self, table: ParameterTable, estimate: Estimate) -> None:
        """Raise where the parameters of the model are not those that were estimated."""
        if parameter_names(table) != self.names or estimate.theta.size != table.n_parameters:
            raise FitError(
                [error("other-version", f"in semlang {VERSION} the model of '{self.path}' has other parameters",
                       help="fit the model again")]
            )  # fmt: skip


def stored_json(fit: Fit, brief: bool = False) -> str:
    """Return a fit as the text of a file; `brief` as of `Fit.to_json`."""
    origin = fit.origin
    assert origin is not None
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "ok": fit.converged,
        "diagnostics": [d.to_json() | _place(d) for d in fit.diagnostics],
        "result": fit.to_json(brief),
        "model": {"text": origin.text, "name": origin.name, "arguments": _plain(origin.arguments)},
        "estimate": {
            f.name: _plain(getattr(origin.estimate, f.name)) for f in fields(origin.estimate) if f.name not in LEFT_OUT
        },
        "names": list(origin.names),
        "seconds": fit.seconds,
        "data": _data(origin.recipe.frame) if fit.designs else None,
    }
    content["checksum"] = _checksum(content)
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def _checksum(content: Mapping[str, Any]) -> str:
    kept = {k: v for k, v in content.items() if k != "checksum"}
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _place(d: Diagnostic) -> dict[str, Any]:
    return {"span": [d.span.start, d.span.end] if d.span is not None else None}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what is not finite is a word."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Iteration | DefinedEstimate | LeftOut):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return value


# ---------------------------------------------------------------------- data


def _data(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of a frame, each with its kind."""
    return {
        "reshaped": bool(frame.attrs.get("semlang.reshaped")),
        "columns": [{"name": str(c)} | _column(frame[c]) for c in frame.columns],
    }


def _column(series: pd.Series[Any]) -> dict[str, Any]:
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        categories = [v.item() if isinstance(v, np.generic) else v for v in series.cat.categories]
        return {"kind": "category", "categories": categories, "ordered": bool(series.cat.ordered),
                "values": series.cat.codes.tolist()}  # fmt: skip
    missing = series.isna().to_numpy()
    if pd.api.types.is_bool_dtype(series.dtype) and not missing.any():
        return {"kind": "boolean", "values": [bool(v) for v in series]}
    if pd.api.types.is_integer_dtype(series.dtype) and not missing.any():
        return {"kind": "integer", "values": [int(v) for v in series]}
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan).tolist()
        return {"kind": "number", "values": [v if math.isfinite(v) else None for v in numbers]}
    values = [
        None if m else (v.item() if isinstance(v, np.generic) else v) for v, m in zip(series, missing, strict=True)
    ]
    plain = [v if isinstance(v, bool | int | float | str) or v is None else str(v) for v in values]
    return {"kind": "text", "values": plain}


def _frame(data: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {}
    for c in data["columns"]:
        values = c["values"]
        match c["kind"]:
            case "category":
                columns[c["name"]] = pd.Categorical.from_codes(values, c["categories"], ordered=c["ordered"])
            case "number":
                columns[c["name"]] = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
            case "integer":
                columns[c["name"]] = np.array(values, dtype=np.int64)
            case "boolean":
                columns[c["name"]] = np.array(values, dtype=bool)
            case _:
                columns[c["name"]] = pd.Series(values, dtype=object)
    frame = pd.DataFrame(columns)
    if data["reshaped"]:
        frame.attrs["semlang.reshaped"] = True
    return frame


# ---------------------------------------------------------------------- reading


def read_stored(path: str | Path) -> Stored:
    """Read a file that `stored_json` made.

    Raises
    ------
    FitError
        ``missing-file``; ``not-a-fit`` where it is something else, or was cut; ``other-version`` where its schema is
        another one; ``edited-fit`` where its content is not what was written; ``data-in-partitions`` where it holds
        estimates without data.
    """
    from semlang.source import Source

    content = read_envelope(path)
    shown = str(path)
    if content.get("schema") != SCHEMA:
        raise FitError(
            [error("other-version", f"'{shown}' has the schema {content.get('schema')}; this is semlang {VERSION}, "
                   f"which reads {SCHEMA}", help="fit the model again, or use the version that wrote the file")]
        )  # fmt: skip
    _check_layout(content, shown)
    if content.get("checksum") != _checksum(content):
        raise FitError(
            [error("edited-fit", f"'{shown}' is not as it was written: something in it was changed",
                   help="fit the model again; a fit file is not for editing")]
        )  # fmt: skip
    if content["data"] is None:
        refuse_rows()
    model = content["model"]
    source = Source(model["text"], model["name"])
    findings = tuple(
        Diagnostic(
            d["slug"], Severity(d["severity"]), d["message"], source if d["span"] else None,
            Span(*d["span"]) if d["span"] else None, d["label"], tuple(d["notes"]), tuple(d["help"]),
        )
        for d in content["diagnostics"]
    )  # fmt: skip
    if content["version"] != VERSION:
        findings = (
            warning("other-version", f"'{shown}' was written by semlang {content['version']}; this is {VERSION}"),
            *findings,
        )
    arguments = dict(model["arguments"])
    options = arguments.pop("options", {})
    return Stored(
        model["text"], model["name"], arguments | options, _frame(content["data"]), _estimate(content["estimate"]),
        tuple(content["names"]), content["seconds"], findings, shown,
    )  # fmt: skip


PARTS = frozenset(
    {"schema", "version", "ok", "diagnostics", "result", "model", "estimate", "names", "seconds", "data", "checksum"}
)
"""Members of a file."""


def _check_layout(content: Mapping[str, Any], shown: str) -> None:
    """Raise where a file has not the members that this version writes, or others: another version has written it.

    Raises
    ------
    FitError
        ``other-version``.
    """
    estimate = content.get("estimate")
    parts = {"": (frozenset(content), PARTS)}
    if isinstance(estimate, Mapping):
        parts["estimate."] = frozenset(estimate), frozenset(f.name for f in fields(Estimate)) - LEFT_OUT
    lost = sorted(prefix + name for prefix, (have, want) in parts.items() for name in want - have)
    more = sorted(prefix + name for prefix, (have, want) in parts.items() for name in have - want)
    if not lost and not more:
        return
    what = [f"it has no {', '.join(map(repr, lost))}"] * bool(lost)
    what += [f"it has {', '.join(map(repr, more))}, which {VERSION} does not know"] * bool(more)
    raise FitError(
        [error("other-version", f"'{shown}' was written by another version of semlang ({content.get('version')}): "
               f"{'; '.join(what)}", help="fit the model again, or use the version that wrote the file")]
    )  # fmt: skip


def read_envelope(path: str | Path) -> dict[str, Any]:
    """Return the object in a file that says that it holds a fit.

    Raises
    ------
    FitError
        ``missing-file``, ``not-a-fit``.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if str(content["schema"]).startswith("semlang.fit/"):
            return dict(content)
    except FileNotFoundError:
        raise FitError([error("missing-file", f"there is no file '{path}'")]) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError):
        pass
    raise FitError(
        [error("not-a-fit", f"'{path}' does not hold a fit", help=f"write it with  semlang fit MODEL -o {path}")]
    )


def _estimate(stored: Mapping[str, Any]) -> Estimate:
    """Make the estimate again."""
    values = dict(stored)
    values["theta"] = _array(values["theta"])
    values["vcov"] = None if values["vcov"] is None else _array(values["vcov"]).reshape(values["theta"].size, -1)
    values["log"] = tuple(Iteration(**{k: _number(v) for k, v in line.items()}) for line in values["log"])
    values["defined"] = tuple(DefinedEstimate(**{k: _number(v) for k, v in d.items()}) for d in values["defined"])
    values["left_out"] = tuple(LeftOut(**o) for o in values["left_out"])
    values["points_history"] = tuple((int(p), float(_number(v))) for p, v in values["points_history"])
    values["loglik"] = _number(values["loglik"])
    values["limits"] = {int(p): float(_number(v)) for p, v in values["limits"].items()}
    values["border"] = tuple(int(p) for p in values["border"])
    values["class_sizes"] = {k: tuple(_number(p) for p in sizes) for k, sizes in values["class_sizes"].items()}
    return Estimate(**values)


def _array(values: Any) -> Any:
    return np.array(values, dtype=np.float64)


def _number(value: Any) -> Any:
    return float(value) if value in ("nan", "inf", "-inf") else value
