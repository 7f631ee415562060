"""Models of the kinds that are hard to draw: panels, many methods, many items, many covariances, loops."""

from __future__ import annotations

from itertools import combinations


def _join(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def _all(names: list[str]) -> list[str]:
    return [f"{a} ~~ {b}" for a, b in combinations(names, 2)]


def _panel(
    waves: int,
    series: str = "xy",
    intercepts: bool = True,
    indicators: int = 0,
    lag2: bool = False,
    related: bool = False,
) -> str:
    """Return a cross-lagged panel, with random intercepts or without."""
    out = []
    for s in series:
        if intercepts:
            out.append(f"ri{s} =~ " + " + ".join(f"1*{s}{t}" for t in range(1, waves + 1)))
        for t in range(1, waves + 1):
            if intercepts:
                out += [f"w{s}{t} =~ 1*{s}{t}", f"{s}{t} ~~ 0*{s}{t}"]
            elif indicators:
                out.append(f"{s}{t} =~ " + " + ".join(f"{s}{t}{c}" for c in "abcdef"[:indicators]))
    name = "w" if intercepts else ""
    for t in range(2, waves + 1):
        for s in series:
            out.append(f"{name}{s}{t} ~ " + " + ".join(f"{name}{r}{t - 1}" for r in series))
            if lag2 and t > 2:
                out.append(f"{name}{s}{t} ~ {name}{s}{t - 2}")
    for t in range(1, waves + 1):
        out += _all([f"{name}{s}{t}" for s in series])
    if intercepts:
        out += _all([f"ri{s}" for s in series])
        out += [] if related else [f"ri{r} ~~ 0*w{s}1" for r in series for s in series]
    return _join(*out)


def _mtmm(traits: int, methods: int, unique: bool = False, orthogonal: bool = False) -> str:
    out = [f"t{i} =~ " + " + ".join(f"t{i}m{j}" for j in range(1, methods + 1)) for i in range(1, traits + 1)]
    if not unique:
        out += [f"m{j} =~ " + " + ".join(f"t{i}m{j}" for i in range(1, traits + 1)) for j in range(1, methods + 1)]
        if not orthogonal:
            out += _all([f"m{j}" for j in range(1, methods + 1)])
        out += [f"t{i} ~~ 0*m{j}" for i in range(1, traits + 1) for j in range(1, methods + 1)]
    else:
        for j in range(1, methods + 1):
            out += _all([f"t{i}m{j}" for i in range(1, traits + 1)])
    return _join(*out, *_all([f"t{i}" for i in range(1, traits + 1)]))


def _bifactor(items: int, groups: int) -> str:
    each = items // groups
    out = [f"g =~ i{{1..{items}}}"]
    out += [f"s{k + 1} =~ i{{{k * each + 1}..{(k + 1) * each}}}" for k in range(groups)]
    out += [f"g ~~ 0*s{k + 1}" for k in range(groups)]
    out += [f"s{a} ~~ 0*s{b}" for a, b in combinations(range(1, groups + 1), 2)]
    return _join(*out)


def _growth(waves: int, name: str = "y", quadratic: bool = False) -> list[str]:
    out = [f"i{name} =~ " + " + ".join(f"1*{name}{t}" for t in range(waves))]
    out.append(f"s{name} =~ " + " + ".join(f"{t}*{name}{t}" for t in range(waves)))
    if quadratic:
        out.append(f"q{name} =~ " + " + ".join(f"{t * t}*{name}{t}" for t in range(waves)))
    out += [f"{f}{name} ~ 1" for f in "isq"[: 3 if quadratic else 2]] + [f"{name}{t} ~ 0" for t in range(waves)]
    return out


def _factors(factors: int, each: int, prefix: str = "f") -> list[str]:
    return [
        f"{prefix}{k} =~ " + " + ".join(f"{prefix}{k}x{i}" for i in range(1, each + 1)) for k in range(1, factors + 1)
    ]


def _change(waves: int) -> str:
    out = [f"l{t} =~ 1*y{t}" for t in range(1, waves + 1)]
    for t in range(2, waves + 1):
        out += [f"d{t} =~ 1*l{t}", f"l{t} ~ 1*l{t - 1}", f"d{t} ~ b*l{t - 1}", f"l{t} ~~ 0*l{t}", f"y{t} ~ 0"]
    slope = "s =~ " + " + ".join(f"1*d{t}" for t in range(2, waves + 1))
    return _join(*out, slope, "l1 ~~ s", "l1 ~ 1", "s ~ 1", "y1 ~ 0", *(f"d{t} ~~ 0*d{t}" for t in range(2, waves + 1)))


KINDS = {
    **{f"ri-clpm of {n} waves": _panel(n) for n in (3, 4, 5, 6)},
    "ri-clpm with all covariances": _panel(4, related=True),
    "ri-clpm of three series": _panel(4, "xyz"),
    "panel of three series": _panel(3, "xyz", intercepts=False),
    "panel of three series, 5 waves": _panel(5, "xyz", intercepts=False),
    "panel with second lags": _panel(4, intercepts=False, lag2=True),
    "panel of latent variables": _panel(4, intercepts=False, indicators=3),
    "panel with a covariate": _panel(3, intercepts=False) + "x1 + y1 ~ age + female\n",
    "mtmm 3x3": _mtmm(3, 3),
    "mtmm 4x3": _mtmm(4, 3),
    "mtmm 3x4": _mtmm(3, 4),
    "mtmm 4x4 orthogonal": _mtmm(4, 4, orthogonal=True),
    "mtmm correlated uniquenesses": _mtmm(3, 3, unique=True),
    "mtmm 4x3 correlated uniquenesses": _mtmm(4, 3, unique=True),
    **{f"bifactor of {n} items": _bifactor(n, g) for n, g in ((9, 3), (12, 3), (24, 4), (40, 5))},
    "second order of five": _join(*_factors(5, 4), "g =~ f1 + f2 + f3 + f4 + f5"),
    "second order with a covariate": _join(*_factors(4, 3), "g =~ f1 + f2 + f3 + f4", "g ~ age + sex", "y ~ g"),
    "third order": _join(*_factors(6, 3), "g1 =~ f1 + f2 + f3", "g2 =~ f4 + f5 + f6", "h =~ 1*g1 + 1*g2"),
    "growth with covariates": _join(*_growth(5), "iy + sy ~ age + female", *(f"y{t} ~ c{t}" for t in range(5))),
    "growth, quadratic, 6 waves": _join(*_growth(6, quadratic=True), "iy + sy + qy ~ x1 + x2"),
    "parallel growth": _join(*_growth(4), *_growth(4, "z"), "sz ~ iy", "sy ~ iz", "iy ~~ iz", "sy ~~ sz"),
    "growth with a distal outcome": _join(*_growth(4), "d ~ iy + sy + x", "iy + sy ~ x"),
    "latent change score": _change(5),
    "change score of two occasions": "c =~ 1*y2\ny2 ~ 1*y1\ny2 ~~ 0*y2\ny1 ~~ c\nc ~ 1\ny2 ~ 0\n",
    "arma": _join(
        *(f"e{t} =~ 1*y{t}" for t in range(1, 7)), *(f"y{t} ~ a*y{t - 1} + m*e{t - 1}" for t in range(2, 7)),
        *(f"y{t} ~~ 0*y{t}" for t in range(1, 7)),
    ),
    "simplex of 8": _join(*(f"y{t} ~ y{t - 1}" for t in range(2, 9))),
    "loop of two": "y1 ~ y2 + x1 + x2\ny2 ~ y1 + x3 + x4\ny1 ~~ y2\n",
    "loop of three": "y1 ~ y3 + x1\ny2 ~ y1 + x2\ny3 ~ y2 + x3\ny1 ~~ y2\n",
    "loop of latent variables": _join(*_factors(4, 3), "f3 ~ f4 + f1", "f4 ~ f3 + f2", "f3 ~~ f4"),
    "two levels with predictors": (
        "cluster: school\ny{1..4} :: binomial(logit)\nf =~ y{1..4}\nf ~ x1 + x2 + f_s[school]\nf_s ~ w1 + w2\n"
    ),
    "two levels in blocks": (
        "cluster: g\nlevel: 1\nw1 =~ y1 + y2 + y3\nw2 =~ y4 + y5 + y6\nw2 ~ w1 + x\n"
        "level: 2\nb1 =~ y1 + y2 + y3\nb2 =~ y4 + y5 + y6\nb2 ~ b1 + z\n"
    ),
    "random slopes at three levels": "cluster: school/class\ny ~ x + z + (1 + x | school/class)\n",
    "two random slopes": "y ~ x + z + (1 + x + z | g)\n",
    "crossed bars": "cluster: school\nm ~ x + (1 | school)\ny ~ m + x + (1 | school)\n",
    "mixture with predictors": (
        "i{1..6} :: binomial(logit)\nc :: class(3)\nc =~ i{1..6}\nc ~ age + female + income\ni2 ~ female\n"
    ),
    "growth mixture": _join("c :: class(2)", *_growth(4), "iy + sy ~ c", "c ~ x"),
    "mediators in a row": "m1 ~ x\nm2 ~ m1 + x\nm3 ~ m2 + m1 + x\ny ~ m3 + m2 + m1 + x\n",
    "mediators side by side": (
        "m1 ~ x + c\nm2 ~ x + c\nm3 ~ x + c\nm4 ~ x + c\ny ~ m1 + m2 + m3 + m4 + x + c\nm1 ~~ m2\nm3 ~~ m4\n"
    ),
    "moderated mediation": "m ~ x + w + x:w\ny ~ m + x + w + m:w\n",
    "latent mediation": _join(*_factors(4, 4), "f2 ~ f1", "f3 ~ f1 + f2", "f4 ~ f1 + f2 + f3"),
    "mimic with dif": (
        "i{1..8} :: binomial(logit)\nf =~ i{1..8}\nf ~ female + age + ses\ni3 ~ female\ni5 ~ age\ni8 ~ female + ses\n"
    ),
    "long names": _join(
        "positive_affect_last_week =~ interested_in_things_around + enthusiastic_about_work + proud_of_oneself",
        "negative_affect_last_week =~ distressed_or_upset_daily + scared_without_reason + irritable_with_family",
        "satisfaction_with_life ~ positive_affect_last_week + negative_affect_last_week + household_income_quintile",
    ),
    "sixty items on six": _join(*_factors(6, 10)),
    "sixty items, related": _join(*_factors(6, 10), "f6 ~ f1 + f2 + f3", "f5 ~ f4 + f1"),
    "72 items on nine": _join(*_factors(9, 8)),
    "eight factors": _join(*_factors(8, 3)),
    "many covariances": _join(*_factors(3, 4), *(f"f1x{k} ~~ f2x{k}" for k in range(1, 5)),
        *(f"f2x{k} ~~ f3x{k}" for k in range(1, 5)), *(f"f1x{k} ~~ f3x{k}" for k in range(1, 5))),
    "covariances within": _join(*_factors(2, 6), *_all([f"f1x{k}" for k in range(2, 6)]),
        "f2x1 ~~ f2x6", "f2x2 ~~ f2x5"),
    "path model": (
        "y1 ~ x1 + x2 + x3\ny2 ~ y1 + x2 + x4\ny3 ~ y1 + y2 + x3\ny4 ~ y2 + y3 + x1\ny5 ~ y4 + y1\ny3 ~~ y4\n"
    ),
    "sem of six": _join(*_factors(6, 3), "f3 ~ f1 + f2", "f4 ~ f1 + f3", "f5 ~ f2 + f3", "f6 ~ f4 + f5", "f4 ~~ f5"),
    "interaction": _join(*_factors(3, 3), "f3 ~ f1 + f2 + f1:f2"),
    "square": _join(*_factors(2, 3), "f2 ~ f1 + f1:f1"),
    "trait and state": _join("tr =~ 1*y1 + 1*y2 + 1*y3 + 1*y4", *(f"o{t} =~ 1*y{t}" for t in range(1, 5)),
        *(f"o{t} ~ b*o{t - 1}" for t in range(2, 5)), *(f"y{t} ~~ v*y{t}" for t in range(1, 5))),
    "invariance over time": _join("f1 =~ x1 + a*y1 + b*z1", "f2 =~ x2 + a*y2 + b*z2", "f3 =~ x3 + a*y3 + b*z3",
        *(f"{v}1 ~~ {v}2 + {v}3" for v in "xyz"), *(f"{v}2 ~~ {v}3" for v in "xyz")),
    "regressions on many": "y1 + y2 + y3 ~ a + b + c + d + e\ny1 ~~ y2 + y3\ny2 ~~ y3\n",
    "cluster means": "cluster: s\nlevel: 1\ny ~ x\nlevel: 2\ny ~ w + z\n",
    "composite": "c <~ a + b + d\nc =~ y1 + y2 + y3\n",
    "cross-loadings": _join(*_factors(3, 4), "f1 =~ f2x1 + f3x4", "f2 =~ f3x2 + f1x4", "f3 =~ f1x1"),
}  # fmt: skip
"""Texts of models by name."""

TALK = {
    "independent clusters": "verbal =~ y1 + y2 + y3\nspatial =~ y4 + y5 + y6\nverbal ~~ spatial\n",
    "2PL with DIF": (
        "i{1..6} :: binomial(logit)\nability =~ NA*i{1..6}\nability ~~ 1*ability\nability ~ female\ni3 ~ female\n"
    ),
    "random coefficients": "y :: poisson(log)\ny ~ 1 + x + (1 + x | subject)\n",
    "latent classes": "test{1..4} :: binomial(logit)\ndisease :: class(2)\ndisease =~ test{1..4}\ndisease ~ age\n",
    "measurement error": (
        "chd :: binomial(logit)\nfibre =~ 1*diary1 + 1*diary2\nfibre ~ age + bus\ndiary1 ~~ v*diary1\n"
        "diary2 ~~ v*diary2\nchd ~ fibre + age + bus\n"
    ),
    "missing covariate": (
        "x :: class(2, observed=x_gold)\nw + d :: binomial(logit)\nx ~ z\nw ~ 1 + x@2\nd ~ 1 + x@2 + z\n"
    ),
    "dropout": "dropout :: binomial(cloglog)\ny ~ 1 + t + a[id] + b[id]:t\ndropout ~ 1 + t + a + b\na ~~ b\n",
    "endogenous treatment": (
        "u :: normal\ntreat :: binomial(probit)\nvisits :: poisson(log)\ntreat ~ 1 + z + x + u\n"
        "visits ~ 1 + treat + x + u\n"
    ),
}  # fmt: skip
"""Models of the talk, from their texts."""
