"""A word for every operator, kind, directive and function of the language."""

from __future__ import annotations

OPERATORS: dict[str, tuple[str, str]] = {
    "=~": ("is measured by", "f =~ y1 + y2"),
    "~": ("is regressed on", "y ~ x"),
    "~~": ("covaries with; of a variable with itself: (residual) variance", "a ~~ b"),
    "::": ("is of the kind", "y :: binomial(logit)"),
    ":=": ("is defined as", "indirect := a*b"),
    "|": ("has the thresholds", "y | t1 + t2"),
    "~*~": ("scale of an ordinal response", "y ~*~ y"),
    "<~": ("is a composite of", "f <~ x1 + x2"),
    "|~": ("has the instruments", "y |~ z"),
    "==": ("equals", "a == b"),
    "<": ("is less than", "a < b"),
    ">": ("is greater than", "v > 0"),
    "<=": ("is at most", "a <= 1"),
    ">=": ("is at least", "a >= 0"),
    ":~": ("is defined from data as", "p :~ a + b*data(z)"),
}
"""Operators between the sides of a statement: meaning, example."""

SIGNS: dict[str, tuple[str, str]] = {
    "+": ("joins terms", "x1 + x2"),
    "*": ("puts a modifier before a variable: a number fixes, NA frees, a name labels", "1*x1 + a*x2"),
    "?": ("puts a start value before a variable", "0.5?x"),
    ":": ("a product of variables", "x1:x2"),
    "^": ("a power", "x^2"),
    "@": ("a category of a response, or a class", "c@2"),
    "/": ("nesting of clusters, the outermost first; a fraction", "school/class"),
    "||": ("random effects over, uncorrelated", "(1 + x || school)"),
    "-": ("takes the intercept away; a minus sign", "y ~ -1 + x"),
}
"""Signs inside a side."""

KINDS: dict[str, str] = {
    "gaussian": "a continuous response with normal residuals",
    "lognormal": "a positive response whose logarithm has normal residuals",
    "gamma": "a positive response with a gamma distribution",
    "beta": "a proportion with a beta distribution",
    "binomial": "a dichotomous response, or a count of successes in trials",
    "bernoulli": "a dichotomous response",
    "poisson": "a count with a Poisson distribution",
    "negbinomial": "a count with more spread than Poisson",
    "exponential": "a survival time with constant hazard",
    "weibull": "a survival time with a Weibull hazard",
    "loglogistic": "a survival time with a log-logistic distribution",
    "ordinal": "an ordinal response: a cumulative model with thresholds",
    "adjacent": "an ordinal response: adjacent categories, (generalised) partial credit",
    "sequential": "an ordinal response: continuation ratios",
    "multinomial": "a nominal response: a multinomial logit against a base category",
    "choice": "a choice among the alternatives of a set: conditional logit",
    "ranking": "ranks of the alternatives of a set: exploded logit",
    "composite": "a response whose mean is a known weighted sum of means",
    "class": "a latent class variable",
    "masspoints": "a latent variable with a discrete distribution (NPML)",
    "normal": "a normal latent variable",
}
"""What `::` can declare."""

ARGUMENTS: dict[str, str] = {
    "level": "the cluster whose units were measured once",
    "censored": "bounds beyond which values are censored: [low, high]",
    "interval": "columns of the ends of an interval: [low, high]",
    "trials": "column, or number, of trials",
    "success": "the category that counts as success",
    "guess": "probability of success by guessing",
    "slip": "probability of failure by a slip",
    "exposure": "column of the exposure",
    "event": "column: 1 where the event was observed, 0 where censored",
    "entry": "column of the time of entry",
    "base": "the base category",
    "categories": "all categories in order: [1, 2, 3]",
    "set": "column of the sets: of alternatives, or of the terms of a mean",
    "weight": "column, or number, of the weights of the terms of a mean",
    "observed": "column with the true values of some units",
}
"""Arguments of kinds."""

QUANTITIES: dict[str, str] = {
    "sigma": "log residual standard deviation",
    "shape": "log shape",
    "zero": "logit of zero inflation",
    "guess": "logit of guessing",
    "slip": "logit of a slip",
}
"""Parameters of distributions that can be modelled: ``sigma(y) ~ x``."""

DIRECTIVES: dict[str, tuple[str, str]] = {
    "data": ("the data set; the path is relative to this file", 'data: "file.csv"'),
    "cluster": ("columns of the clusters, the outermost first", "cluster: school/class"),
    "groups": ("the column of the groups of a multiple-group model", "groups: sex"),
    "weights": ("columns of sampling weights, one a level", "weights: school = w2, rows = w1"),
    "frequency": ("the column of frequencies of identical units", "frequency: n"),
    "reshape": ("turn long data to wide: new columns y_VALUE", "reshape: y = item, id = person"),
    "options": ("options of lavaan and of the engine", "options: std.lv = true, points = 15"),
    "layout": ("hints for the drawing", "layout: direction = down"),
    "include": ("put another file here", 'include: "base.sem"'),
    "group": ("what follows holds for one group", "group: Pasteur"),
    "level": ("what follows holds at one level", "level: school"),
    "class": ("what follows holds for one latent class", "class c: 1"),
    "block": ("what follows is a block of its own", "block: 1"),
}
"""Directives and block headers: meaning, example."""

FUNCTIONS: dict[str, str] = {
    "start": "a start value: start(0.5)*x",
    "equal": 'the same parameter as another: equal("f=~x2")*x3',
    "lower": "a lower bound: lower(0)*x",
    "upper": "an upper bound: upper(1)*x",
    "c": "one value a group: c(a, b)*x",
    "rv": 'a random slope, as in lavaan: rv("s")*x',
    "efa": 'a factor of an exploratory set: efa("e")*f',
    "prior": 'kept, and ignored by maximum likelihood: prior("normal(0, 1)")*x',
    "offset": "a term with coefficient 1: offset(z)",
    "factor": "treatment contrasts: factor(x, base=1)",
    "log": "the logarithm: log(x)",
    "I": "an expression: I(x^2)",
}
"""Functions in terms and modifiers."""
