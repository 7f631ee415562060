"""Models to draw."""

from __future__ import annotations

from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse


def table_of(text: str) -> ParameterTable:
    """Return the parameter table of a text."""
    table, found = elaborate(parse(Source(text))[0]).answer
    assert table is not None, found
    return table


MODELS = {
    "factors": "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n",
    "democracy": (
        "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8\n"
        "dem60 ~ ind60\ndem65 ~ ind60 + dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8\n"
    ),
    "random slopes": "reaction ~ 1 + b*days + (1 + days | subject)\n",
    "three levels of items": (
        "cluster: school\nitem{1..5} :: binomial(logit)\nability =~ item{1..5}\nability ~ u[school] + age\n"
    ),
    "multilevel": (
        "cluster: school\ny{1..3} :: binomial(logit)\ny{4..6} :: gaussian(level=school)\nability =~ y{1..3}\n"
        "climate[school] =~ y{4..6}\nability ~ climate + u[school] + w1\nclimate ~ w2\n"
    ),
    "direct effect": "i{1..6} :: binomial(logit)\nability =~ i{1..6}\nability ~ female\ni3 ~ female\n",
    "second order": "f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6\nf3 =~ x7 + x8 + x9\ng =~ f1 + f2 + f3\n",
    "growth": "i =~ 1*t1 + 1*t2 + 1*t3\ns =~ 0*t1 + 1*t2 + 2*t3\ni + s ~ x1\nt1 ~ c1\nt2 ~ c2\nt3 ~ c3\n",
    "two levels": "cluster: c\nlevel: 1\nfw =~ y1 + y2 + y3\nfw ~ x1\nlevel: 2\nfb =~ y1 + y2 + y3\nfb ~ w1\n",
    "endogenous treatment": (
        "u :: normal\ntreat :: binomial(probit)\nvisits :: poisson(log)\n"
        "treat ~ 1 + z + x + u\nvisits ~ 1 + treat + x + u\n"
    ),
    "dropout": ("dropout :: binomial(cloglog)\ny ~ 1 + t + a[id] + b[id]:t\ndropout ~ 1 + t + a + b\na ~~ b\n"),
    "diet": (
        "chd :: binomial(logit)\nfibre =~ 1*diary1 + 1*diary2\nfibre ~ age + bus\n"
        "diary1 ~~ v*diary1\ndiary2 ~~ v*diary2\nchd ~ fibre + age + bus\n"
    ),
    "three levels": "cluster: school/child\nmath ~ year + female + (1 + year | school/child)\n",
    "mediation": "m ~ a*x\ny ~ b*m + c*x\n",
    "classes": "test{1..4} :: binomial(logit)\ndisease :: class(2)\ndisease =~ test{1..4}\ndisease ~ age\n",
    "regression": "y :: poisson(log)\ny ~ base + treat + base:treat + factor(age) + (1 | subject)\n",
    "many items": "i{1..24} :: binomial(logit)\nability =~ i{1..24}\n",
    "odd names": 'f =~ `Item "1"` + `a<b&c` + größe + `x y`\n',
}
