"""A model text of every structure that is conditioned on something, for the data of `units`."""

MODELS = {
    "latent classes": "b{1..3} :: binomial(logit)\nc :: class(2)\nc =~ b{1..3}\nc ~ x",
    "growth mixture": (
        "c :: class(2)\ni =~ 1*g1 + 1*g2 + 1*g3\ns =~ 0*g1 + 1*g2 + 2*g3\ni ~ c\ns ~ c\ng1 + g2 + g3 ~ 0\n"
        "class: 1\ni ~~ i\ng1 ~~ g1\nclass: 2\ns ~~ 0*s"
    ),
    "mixture of item response models": "b{1..4} :: binomial(logit)\nf =~ b{1..4}\nc :: class(2)\nc =~ b{1..4}",
    "latent transition": ("b{1..4} :: binomial(logit)\nc + e :: class(2)\nc =~ b1 + b2\ne =~ b3 + b4\ne ~ c + c:z"),
    "three classes from three": "b{1..4} :: binomial(logit)\nc + e :: class(3)\nc =~ b1 + b2\ne =~ b3 + b4\ne ~ c",
    "two classes together": "c + e :: class(2)\nb1 + b2 :: binomial(logit)\nb1 ~ c:e\nb2 ~ c + e\ng1 ~ c:e:z",
    "mass points": "p1 :: poisson(log)\nu :: masspoints(3)\np1 ~ 1 + z + u",
    "mass points of schools": (
        "cluster: school\np1 + p2 :: poisson(log)\nu[school] :: masspoints(2)\np1 ~ 1 + z + u\np2 ~ 1 + u"
    ),
    "joint mass points": "cluster: school\na[school] + b[school] :: masspoints(3)\ng1 ~ 1 + z + a + b:z",
    "classes at two levels": (
        "cluster: school\nb{1..4} :: binomial(logit)\nc :: class(2)\nd[school] :: class(2)\nc =~ b{1..4}\nc ~ x + d"
    ),
    "classes under an effect": (
        "cluster: school\nb{1..4} :: binomial(logit)\nc :: class(2)\nc =~ b{1..4}\nc ~ z + u[school]"
    ),
    "classes under a bar": (
        "cluster: school\nb{1..4} :: binomial(logit)\nc :: class(3)\nc =~ b{1..4}\nc ~ z + (1 | school)"
    ),
    "mixture of mixed models": (
        "cluster: school\nb1 :: binomial(logit)\nk[school] :: class(2)\nb1 ~ z + k + u[school]\nb1 ~ k:x"
    ),
    "latent interaction": "f1 =~ g1 + g2\nf2 =~ g3 + g4\np1 :: poisson(log)\np1 ~ f1 + f2 + f1:f2",
    "interaction with a constraint": (
        "f1 =~ g1 + g2\nf2 =~ g3 + g4\np1 :: poisson(log)\np1 ~ f1 + f2 + f1:f2\nf1 ~~ a*f2\nf1 ~~ v*f1\na > -2"
    ),
    "missing predictors of two kinds": (
        "b2 + b3 + b4 :: binomial(logit)\nb2 ~ z\nm ~ z + b2\nsigma(m) ~ z\nb3 ~ m + m:z + b2\nf =~ b3 + b4 + g1"
    ),
    "missing predictors under an effect": (
        "cluster: school\nb2 + b3 :: binomial(logit)\nb2 ~ z + u[school]\nm ~ z\nb3 ~ b2 + m + u[school]"
    ),
    "latent square": "f1 =~ g1 + g2 + g3\ng4 ~ f1 + f1:f1\nf1 ~ z",
    "interaction on a factor": (
        "f1 =~ g1 + g2\nf2 =~ b1 + b2\nb1 + b2 + b3 :: binomial(logit)\neta =~ p1 + p2\np1 + p2 :: poisson(log)\n"
        "eta ~ f1 + f2 + f1:f2\noptions: std.lv = true"
    ),
    "random slope of a factor": "cluster: school\nf =~ g1 + g2 + g3\ng4 ~ f + b[school]:f",
    "partly known": (
        "b{1..3} :: binomial(logit)\nx1 :: class(2, observed=gold)\nx1 ~ z\nb1 ~ 1 + x1@2\nb2 ~ 1 + x1@2 + z\nb3 ~ x1"
    ),
    "a factor known for some": (
        "b{1..3} :: binomial(logit)\nf :: normal(observed=gold)\nf =~ b{1..3}\nf ~ z\np1 :: poisson(log)\np1 ~ f"
    ),
    "a product with a factor known for some": (
        "f :: normal(observed=gold)\nf =~ g1 + g2\nh =~ g3 + g4\np1 :: poisson(log)\np1 ~ f + h + f:h\nf ~~ 0*h"
    ),
    "weights and frequencies": (
        "cluster: school\nweights: rows = z\nfrequency: school = fr\nb{1..4} :: binomial(logit)\nc :: class(2)\n"
        "c =~ b{1..4}\nc ~ u[school]"
    ),
    "means of a factor of schools": (
        "cluster: school\no1 :: ordinal(logit)\np1 :: poisson(log)\nb1 :: binomial(probit)\nf[school] =~ p1 + b1\n"
        "c[school] :: class(2)\nf ~ c\no1 ~ f"
    ),
    "scales and thresholds": (
        "c :: class(2)\no1 :: ordinal(logit)\ng1 ~ c + c:z\nsigma(g1) ~ c\nclass: 1\no1 | t1 + t2\nclass: 2\n"
        "o1 | t1 + t2"
    ),
    "location and scale": "cluster: school\ng1 ~ z + (1 + z | school)\nsigma(g1) ~ z + v[school]\nv ~~ g1.1",
    "scale of a factor's indicator": "f =~ g1 + g2 + b1\nb1 :: binomial(logit)\nsigma(g3) ~ f + f:z\ng3 ~ f",
    "random zeros and shapes": (
        "cluster: school\np1 + p2 :: negbinomial(log)\np1 ~ z + u[school]\nzero(p1) ~ u\nshape(p2) ~ v[school]\nu ~~ v"
    ),
    "guessing that depends on a factor": "b{1..4} :: binomial(logit)\nf =~ b{1..4}\nguess(b3) ~ f\nslip(b4) ~ z + f",
    "thresholds of people": (
        "cluster: school\no1 :: ordinal(probit)\no2 :: adjacent\nf =~ o1 + o2\no1 | t1 + t2 ~ v[school]\n"
        "o2 | t1 + t2 ~ v"
    ),
    "a scale in a class": "c :: class(2)\ng1 + g2 ~ c\nf =~ g1 + g2 + g3\nsigma(g3) ~ f + c@2",
    "groups": "groups: fr\nb{1..3} :: binomial(logit)\nc :: class(2)\nc =~ b{1..3}",
}
