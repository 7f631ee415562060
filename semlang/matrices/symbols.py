"""Symbols, names and distributions in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

_ESCAPES = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "^": r"\^{}", "~": r"\~{}",
}  # fmt: skip

_LINKS = {
    "identity": "", "log": r"\log", "logit": r"\operatorname{logit}", "probit": r"\Phi^{-1}",
    "cloglog": r"\operatorname{cloglog}", "loglog": r"\operatorname{loglog}", "cauchit": r"\operatorname{cauchit}",
    "reciprocal": r"\operatorname{inv}", "sqrt": r"\operatorname{sqrt}", "aft": r"\operatorname{aft}",
}  # fmt: skip

_GREEK = frozenset(
    {
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
        *("nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
    }
)


def distribution(kind: str, link: str, index: str) -> str:
    """Return the distribution of responses of one kind given nu; `index` are the indices of response and units."""
    y, nu = rf"y_{{{index}}}", rf"\nu_{{{index}}}"
    g = _LINKS.get(link, rf"\operatorname{{{link}}}")
    theta = r"\theta_{r}" if index.startswith("r") else r"\theta"
    given = rf"{y} \mid \boldsymbol{{\eta}}"
    match kind:
        case "gaussian":
            mean = nu if not g else r"\mu_{" + index + "}"
            extra = "" if not g else rf", \quad {g}(\mu_{{{index}}}) = {nu}"
            return rf"{given} &\sim N({mean}, {theta}){extra}"
        case "binomial":
            return rf"{g}\bigl[\Pr({y} = 1 \mid \boldsymbol{{\eta}})\bigr] &= {nu}"
        case "poisson":
            return rf"{given} &\sim \operatorname{{Poisson}}(\mu_{{{index}}}), \quad {g}(\mu_{{{index}}}) = {nu}"
        case "ordinal":
            threshold = r"\kappa_{rs}" if index.startswith("r") else r"\kappa_{s}"
            return rf"{g}\bigl[\Pr({y} > s \mid \boldsymbol{{\eta}})\bigr] &= {nu} - {threshold}"
        case _:
            return rf"{given} &\sim \operatorname{{{kind}}}, \quad {g or 'E'}({y}) = {nu}"


def under(body: Sequence[Sequence[str]], name: str) -> str:
    r"""Return a matrix over its name.

    Examples
    --------
    >>> print(under([["1", "0"]], "B"))
    \underbrace{\begin{bmatrix} 1 & 0 \end{bmatrix}}_{B}
    """
    inside = r" \\ ".join(" & ".join(row) for row in body)
    return rf"\underbrace{{\begin{{bmatrix}} {inside} \end{{bmatrix}}}}_{{{name}}}"


def indexed(symbol: str, *indices: int, level: int | None = None) -> str:
    r"""Return a symbol with indices, with commas where one has two digits, and a level as superscript.

    Examples
    --------
    >>> indexed("b", 1, 2), indexed("b", 1, 12), indexed(r"\psi", 1, 1, level=2)
    ('b_{12}', 'b_{1,12}', '\\psi_{11}^{(2)}')
    """
    comma = "," if max(indices) > 9 else ""
    return f"{symbol}_{{{comma.join(map(str, indices))}}}" + (f"^{{({level})}}" if level else "")


def escape(text: str) -> str:
    """Return a name with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def label(text: str) -> str:
    """Return a label: one letter or a Greek letter's name with digits as an index, else upright.

    Examples
    --------
    >>> label("b1"), label("lambda"), label("cace")
    ('b_{1}', '\\\\lambda', '\\\\mathit{cace}')
    """
    stem = text.rstrip("0123456789")
    digits = text[len(stem) :]
    if stem in _GREEK:
        stem = "\\" + stem
    elif len(stem) != 1 or not stem.isalpha():
        return rf"\mathit{{{escape(text)}}}"
    return stem + (f"_{{{digits}}}" if digits else "")


def numbers_text(numbers: Sequence[int]) -> str:
    """Return ``1, \\ldots, 5`` or the numbers."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return rf"{numbers[0]}, \ldots, {numbers[-1]}"
    return ", ".join(str(n) for n in numbers)
