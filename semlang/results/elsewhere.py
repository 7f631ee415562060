"""What stands for the data of a fit where these lie in partitions and were never in one place."""

from __future__ import annotations

from typing import Any, NoReturn

from semlang.diagnostics import error
from semlang.errors import FitError

__all__ = ["elsewhere", "refuse_rows"]


def refuse_rows() -> NoReturn:
    """Raise: rows of the fit are needed, and are not here."""
    raise FitError(
        [error("data-in-partitions", "this needs the rows of the fit, which lie in partitions",
               notes="a fit of partitions holds estimates and their covariance matrix, and not the data",
               help=("give rows: fit.predict(frame), fit.scores(frame)", "or fit the model to one table"))]
    )  # fmt: skip


class Elsewhere:
    """Nothing, and a finding where it is asked for something."""

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> NoReturn:
        refuse_rows()

    def __len__(self) -> int:
        refuse_rows()

    def __getitem__(self, key: Any) -> NoReturn:
        refuse_rows()

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse_rows()


def elsewhere() -> Any:
    """Return what stands for designs, or for a frame."""
    return Elsewhere()
