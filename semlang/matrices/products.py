"""Products of covariates, in one form each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from semlang.model.table import Covariate, Product


class Products:
    """Multiplies products of covariates and gives equal ones the same form.

    ``x:z`` and ``z:x`` are equal, so are ``x:x`` and ``x^2``, and ``g=a`` times itself and ``g=a``. The form
    first met is kept.

    Parameters
    ----------
    known : iterable of Product
        Forms to prefer, e.g. those of the parameter table.
    """

    def __init__(self, known: Iterable[Product] = ()) -> None:
        self._forms: dict[Hashable, Product] = {(): ()}
        for product in known:
            self.form(product)

    def form(self, product: Product) -> Product | None:
        """Return the common form of a product; None where it is 0 (two levels of one factor)."""
        if not product:
            return ()
        key = _key(product)
        return None if key is None else self._forms.setdefault(key, product)

    def times(self, a: Product, b: Product) -> Product | None:
        """Return a times b; None where it is 0.

        Examples
        --------
        >>> x, z = Covariate("x"), Covariate("z")
        >>> p = Products([(z, x)])
        >>> p.times((x,), (z,)) == (z, x), p.times((x,), (x,))[0].name
        (True, 'x^2')
        """
        if not a or not b:
            return self.form(a or b)
        key = _key(a + b)
        if key is None:
            return None
        if key not in self._forms:
            self._forms[key] = _simplified(a + b)
        return self._forms[key]


def _powers(product: Product) -> tuple[dict[Covariate, float], list[Covariate]]:
    powers: dict[Covariate, float] = {}
    rest: list[Covariate] = []
    for c in product:
        if c.function in ("identity", "power"):
            column = Covariate(c.column, response=c.response)
            exponent = c.argument if c.function == "power" else 1.0
            powers[column] = powers.get(column, 0.0) + float(exponent or 0.0)
        elif c.function != "level" or c not in rest:
            rest.append(c)
    return {c: e for c, e in powers.items() if e != 0}, rest


def _key(product: Product) -> Hashable:
    powers, rest = _powers(product)
    levels = [c.column for c in rest if c.function == "level"]
    if len(levels) != len(set(levels)):
        return None
    named = [(c.column, f"{e:g}") for c, e in powers.items()]
    named += [(c.column, f"{c.function}={c.argument}") for c in rest]
    return tuple(sorted(named))


def _simplified(product: Product) -> Product:
    powers, rest = _powers(product)
    return (
        *(c if e == 1 else Covariate(c.column, "power", e, c.response) for c, e in powers.items()),
        *rest,
    )
