"""What a layout decides before anything is placed: rows of nodes, their order, and the direction."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Plan:
    """Rows of nodes, one below the other, or columns side by side where the plan is turned.

    Everything is computed in coordinates u along a row and v across the rows; `turned` says that v is drawn from the
    left to the right instead of downwards.

    Parameters
    ----------
    name : str
        The role that it comes from: ``waves``, ``measures``, ``layers``, ...
    rows : list of rows, each a list of keys
    turned : bool
    columns : dict from key to int
        Nodes of one column are drawn one below the other (waves of repeated measures).
    hanging : dict from key to list of keys
        Indicators that hang on a node beside its row, as one block with it.
    held : set of str
        Keys whose order within their rows is given.
    """

    name: str
    rows: list[list[str]]
    turned: bool = False
    columns: dict[str, int] = field(default_factory=dict)
    hanging: dict[str, list[str]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    @property
    def row_of(self) -> dict[str, int]:
        """The number of every node's row."""
        return {key: r for r, row in enumerate(self.rows) for key in row}
