"""Symbols, names and distributions in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def distribution(kind: str, link: str, response: str, units: str, modelled: Mapping[str, bool] | None = None) -> str:
    """Return the distribution of responses of one kind given nu.

    Parameters
    ----------
    kind, link : str
    response, units : str
        Indices of the response (``r``, a number, or '' where it is the only one) and of its units.
    modelled : mapping of str to bool, optional
        Further parameters of the distribution that have a linear predictor, e.g. ``sigma``, and whether it varies.
    """
    index, modelled = response + units, modelled or {}

    def own(symbol: str, name: str) -> str:
        """Return a further parameter, with the units where it varies over them."""
        below = index if modelled.get(name) else response
        return f"{symbol}_{{{below}}}" if below else symbol

    y, nu, mu = rf"y_{{{index}}}", rf"\nu_{{{index}}}", rf"\mu_{{{index}}}"
    g = _LINKS.get(link, rf"\operatorname{{{link}}}")
    given = rf"{y} \mid \boldsymbol{{\eta}}"
    mean = rf", \quad {g}({mu}) = {nu}" if g else ""
    equal = mean or rf", \quad {mu} = {nu}"
    centre = mu if g else nu
    variance = (
        own(r"\sigma", "sigma") + "^{2}"
        if "sigma" in modelled
        else rf"\theta_{{{response}}}"
        if response
        else r"\theta"
    )
    shape = own(r"\alpha", "shape")
    threshold = rf"\kappa_{{{response}s}}"
    latent = rf"{nu} - {threshold}"
    sigma = r"\sigma"
    if "sigma" in modelled:
        latent = rf"({latent}) / {own(sigma, 'sigma')}"
    hazard = rf"h({y} \mid \boldsymbol{{\eta}})"
    inverse = rf"\Phi({nu})" if "^" in g else rf"{g}^{{-1}}({nu})" if g else nu
    inverse = rf"\exp({nu})" if link == "log" else inverse
    total = rf"\textstyle\sum_{{\text{{set}}}} w_{{{index}}} {inverse}"
    match kind:
        case "composite gaussian":
            text = rf"{given} &\sim N({mu}, {variance}), \quad {mu} = {total}"
        case "composite binomial":
            text = rf"{given} &\sim \operatorname{{Binomial}}(n_{{{index}}}, {mu}), \quad {mu} = {total}"
        case "composite poisson":
            text = rf"{given} &\sim \operatorname{{Poisson}}({mu}), \quad {mu} = {total}"
        case "gaussian":
            text = rf"{given} &\sim N({centre}, {variance}){mean}"
        case "lognormal":
            text = rf"\log {y} \mid \boldsymbol{{\eta}} &\sim N({nu}, {variance})"
        case "binomial":
            text = rf"{g}\bigl[\Pr({y} = 1 \mid \boldsymbol{{\eta}})\bigr] &= {nu}"
            if modelled:
                low = own("g", "guess") if "guess" in modelled else "0"
                high = "1 - " + own("s", "slip") if "slip" in modelled else "1"
                width = (high if low == "0" else f"{high} - {low}").replace("1 - 0", "1")
                first = "" if low == "0" else f"{low} + "
                text = rf"\Pr({y} = 1 \mid \boldsymbol{{\eta}}) &= {first}({width}) \, {inverse}"
        case "poisson":
            text = rf"{given} &\sim \operatorname{{Poisson}}({mu}){equal}"
        case "negbinomial":
            text = rf"{given} &\sim \operatorname{{NegBin}}({mu}, {shape}){equal}"
        case "gamma":
            text = rf"{given} &\sim \operatorname{{Gamma}}({mu}, {shape}){equal}"
        case "beta":
            text = rf"{given} &\sim \operatorname{{Beta}}({mu}, {shape}){mean}"
        case "exponential" | "weibull" | "loglogistic" if link == "aft":
            text = rf"{given} &\sim \operatorname{{{kind.capitalize()}}}, \quad \text{{scale }} \exp({nu})"
        case "exponential":
            text = rf"\log {hazard} &= {nu}"
        case "weibull":
            text = rf"\log {hazard} &= \log {shape} + ({shape} - 1) \log {y} + {nu}"
        case "ordinal":
            text = rf"{g}\bigl[\Pr({y} > s \mid \boldsymbol{{\eta}})\bigr] &= {latent}"
        case "sequential":
            text = rf"{g}\bigl[\Pr({y} > s \mid {y} \ge s, \boldsymbol{{\eta}})\bigr] &= {nu} - {threshold}"
        case "adjacent":
            above, below = (rf"\Pr({y} = {s} \mid \boldsymbol{{\eta}})" for s in ("s", "s - 1"))
            text = rf"\log\frac{{{above}}}{{{below}}} &= {nu} - {threshold}"
        case "multinomial":
            r = response or "c"
            chosen, base = (rf"\Pr({c} \mid \boldsymbol{{\eta}})" for c in (r, r"\text{base}"))
            text = rf"\log\frac{{{chosen}}}{{{base}}} &= {nu}"
        case "choice":
            text = rf"\Pr({y} = 1 \mid \boldsymbol{{\eta}}) &= \exp({nu}) / \textstyle\sum_{{\text{{set}}}} \exp({nu})"
        case "ranking":
            rest = rf"\textstyle\sum_{{\text{{set}},\, {y} \ge s}} \exp({nu})"
            text = rf"\Pr({y} = s \mid {y} \ge s, \boldsymbol{{\eta}}) &= \exp({nu}) / {rest}"
        case _:
            text = rf"{given} &\sim \operatorname{{{kind}}}, \quad {g or 'E'}({y}) = {nu}"
    if "zero" in modelled:
        text += r"\text{ with probability } 1 - " + own(r"\pi", "zero") + r"\text{, else 0}"
    return text


_QUANTITIES = {"sigma": (r"\log", r"\sigma"), "shape": (r"\log", r"\alpha"), "zero": (r"\operatorname{logit}", r"\pi"),
               "guess": (r"\operatorname{logit}", "g"), "slip": (r"\operatorname{logit}", "s")}  # fmt: skip


def quantity(name: str, index: str) -> str:
    """Return a further parameter of a distribution on the scale of its linear predictor."""
    function, symbol = _QUANTITIES.get(name, ("", rf"\mathit{{{name}}}"))
    return rf"{function} {symbol}" + (f"_{{{index}}}" if index else "")


def number(value: float) -> str:
    """Return an estimate with three decimals."""
    return f"{value:.3f}"


_BMATRIX = 10
"""Columns up to which amsmath's matrices go."""


def under(body: Sequence[Sequence[str]], name: str) -> str:
    r"""Return a matrix over its name.

    Examples
    --------
    >>> print(under([["1", "0"]], "B"))
    \underbrace{\begin{bmatrix} 1 & 0 \end{bmatrix}}_{B}
    """
    inside = r" \\ ".join(" & ".join(row) for row in body)
    columns = max((len(row) for row in body), default=1)
    if columns > _BMATRIX:
        matrix = rf"\left[\begin{{array}}{{{'c' * columns}}} {inside} \end{{array}}\right]"
    else:
        matrix = rf"\begin{{bmatrix}} {inside} \end{{bmatrix}}"
    return rf"\underbrace{{{matrix}}}_{{{name}}}"


def indexed(symbol: str, *indices: int, level: int | None = None) -> str:
    r"""Return a symbol with indices, with commas where one has two digits, and a level as superscript.

    Examples
    --------
    >>> indexed("b", 1, 2), indexed("b", 1, 12), indexed(r"\psi", 1, 1, level=2)
    ('b_{12}', 'b_{1,12}', '\\psi_{11}^{(2)}')
    """
    comma = "," if max(indices, default=0) > 9 else ""
    below = f"_{{{comma.join(map(str, indices))}}}" if indices else ""
    return symbol + below + (f"^{{({level})}}" if level else "")


def escape(text: str) -> str:
    """Return a name with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def name_text(text: str) -> str:
    r"""Return a name in italics within mathematics.

    Examples
    --------
    >>> print(name_text("age"), name_text("x^2"))
    \mathit{age} \textit{x\^{}2}
    """
    return rf"\{'textit' if set(text) & set('^~') else 'mathit'}{{{escape(text)}}}"


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
