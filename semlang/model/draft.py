"""Rows while they are being made: rules look at them and change them before they are frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

from semlang.model.table import Product
from semlang.source import Span
from semlang.syntax import ast

RowKey = tuple[str, str, str, str, int, tuple[tuple[str, int], ...]]


@dataclass(slots=True)
class Draft:
    """A row of one block before numbering; the fields are those of `Row`.

    `given` are the modifiers in the order written; they are applied group by group, after the automatic rules.
    """

    lhs: str
    op: str
    rhs: str
    span: Span | None = None
    target: str = ""
    source: str = ""
    moderators: tuple[str, ...] = ()
    via: Product = ()
    quantity: str = ""
    threshold: int = 0
    category: str = ""
    klass: int = 0
    class_variable: str = ""
    also: tuple[tuple[str, int], ...] = ()
    replaces: bool = False
    user: int = 1
    free: bool = True
    ustart: float | None = None
    exo: int = 0
    label: str = ""
    lower: float | None = None
    upper: float | None = None
    rule: str = "written"
    efa: str = ""
    rv: str = ""
    given: list[ast.Modifier] = field(default_factory=list)
    block: int = 1
    group: int = 1
    level: int = 0
    plabel: str = ""

    @property
    def key(self) -> RowKey:
        """What makes two rows of a block the same row."""
        a, b = self.lhs, self.rhs
        if self.op == "~~" and b < a:
            a, b = b, a
        return (a, self.op, b, self.class_variable, self.klass, self.also)

    @property
    def is_variance(self) -> bool:
        """Whether the row is ``y ~~ y``."""
        return self.op == "~~" and self.lhs == self.rhs

    @property
    def is_regression(self) -> bool:
        """Whether the row is a path of a linear predictor (not of ``sigma(y)``, not of a threshold)."""
        return self.op == "~" and not self.quantity and not self.threshold

    def fix(self, value: float | None, rule: str) -> None:
        """Fix the row at `value`; `rule` says why."""
        self.free, self.ustart, self.rule = False, value, rule

    def set_free(self, rule: str) -> None:
        """Free the row; `rule` says why."""
        self.free, self.ustart, self.rule = True, None, rule
