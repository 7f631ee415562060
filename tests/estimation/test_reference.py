"""Reference cases: log-likelihoods, estimates and standard errors of other programs."""

from __future__ import annotations

import json

import pytest

from semlang.api import Model
from semlang.source import Source

CASES = [
    "gal_cog3",
    "gal_hsced",
    "gal_mresp_conv",
    "glmm_cbpp",
    "glmm_contra_ri",
    "glmm_epil_ri",
    "glmm_toenail_ri",
    "glmm_verbagg_lltm",
    "irt_lsat_2pl",
    "irt_lsat_ltm",
    "irt_lsat_rasch",
    "irt_science_grm",
    "irt_verbagg_latreg",
    "irt_verbagg_rasch",
    "irtsim3_conv",
    "lmm_egsingle",
    "lmm_sleepstudy",
    "mlirt_3level_conv",
    "mlirt_3level_long",
    "ord_wine",
    "pub_contraception",
    "pub_diet_direct",
    "pub_epilep",
    "pub_gcse",
    "pub_lips",
    "pub_lsat6_frequency",
    "pub_schiz_ri",
    "pub_sleepstudy_ri",
    "pub_sleepstudy_weights",
    "pub_thailand",
    "pub_toenail",
    "science_probit",
    "sem_growth",
    "sem_hs_cfa3",
    "sem_hs_fiml",
    "sem_hs_highorder",
    "sem_hs_mg_weak",
    "sem_poldem_eq",
    "sem_poldem_indirect",
    "sem_twolevel_cfa",
    "sem_twolevel_vc",
    "surv_kidney_pe",
    "twolevel_vc_gllamm",
]
SLOW = [
    "guimmun3_conv",
    "irt_verbagg_2dim",
    "irt_verbagg_grm",
    "irt_abortion_2pl",
    "pub_aggression_po",
    "pub_aggression_ppo",
]


@pytest.mark.parametrize("case", CASES + [pytest.param(c, marks=pytest.mark.slow) for c in SLOW])
def test_case(shared_folder, differences, case):
    folder = shared_folder / "reference" / "cases" / case
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    model = Model(Source((folder / "model.sem").read_text(encoding="utf-8"), "model.sem"))
    options = expected["fit"]
    fit = model.fit(
        str(shared_folder / "reference" / "data" / expected["data"]),
        points=options.get("points"),
        se=options.get("se"),
        threads=1,
    )
    assert fit.converged
    assert fit.loglik == pytest.approx(expected["loglik"], abs=expected["loglik_tol"])
    if expected.get("approximation") != "laplace":
        assert differences(expected, fit.to_json()) == []
