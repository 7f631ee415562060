"""Design variables of stacked responses: sums of products of item dummies and covariates."""

from __future__ import annotations

from dataclasses import dataclass, field

from semlang.convert.stata import covariate, stata_name
from semlang.convert.writing import number, plain
from semlang.model.table import Product

Term = tuple[float, str, Product]
"""A weight, a response and the covariates that multiply it."""


@dataclass(slots=True)
class Designs:
    """Design variables: sums of products of item dummies and covariates."""

    items: dict[str, str]
    texts: frozenset[str] = frozenset()
    made: dict[str, str] = field(default_factory=dict)

    def of(self, terms: list[Term]) -> str:
        """Return the variable that holds a sum of terms."""
        if len(terms) == 1 and terms[0][0] == 1:
            _, y, via = terms[0]
            dummy = self.items[y]
            if dummy and not via:
                return dummy
            if not dummy and len(via) == 1 and via[0].is_column:
                return stata_name(via[0].column)
            words = [dummy, *(plain(c.name) for c in via)]
            name = stata_name("_".join(w for w in words if w) or "one")
        else:
            name = f"z{len(self.made) + 1}"
        text = " + ".join(self._term(*t) for t in terms)
        if text not in self.made.values() or name not in self.made:
            self.made[name] = text
        return name

    def _term(self, weight: float, y: str, via: Product) -> str:
        parts = [number(weight)] if weight != 1 else []
        parts += [self.items[y]] if self.items[y] else []
        parts += [covariate(c, self.texts) for c in via]
        return "*".join(parts) or "1"
