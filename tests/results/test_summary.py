"""The printed summary: what it lists, where, and that it can be read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.results.summary import number, probability

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n, g = 400, np.repeat(np.arange(40), 10)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=n), "s": np.where(np.arange(n) % 2, "Pasteur", "Grant-White")})
    frame["y"] = 1 + 0.5 * frame["x"] + rng.normal(size=40)[g] + rng.normal(size=n)
    f = rng.normal(size=n)
    for k in (1, 2, 3):
        frame[f"z{k}"] = f + rng.normal(size=n) + 1e6 * (k == 3)
    return frame


@pytest.fixture(scope="module")
def groups(data: pd.DataFrame) -> sl.Fit:
    text = "groups: s\nf =~ z1 + b*z2 + z3\nf ~~ v*f\nq := v*2"
    return sl.Model(text).fit(data, threads=1)


@pytest.fixture(scope="module")
def mixed(data: pd.DataFrame) -> sl.Fit:
    return sl.Model("y ~ x + (1 + x | g)").fit(data, threads=1)


def section(text: str, title: str) -> list[str]:
    """Return the lines of the first section with a title."""
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(title))
    end = next((k for k in range(start, len(lines)) if not lines[k]), len(lines))
    return lines[start + 1 : end]


def test_columns_never_touch(groups: sl.Fit) -> None:
    """Means of a million have z values of ten million."""
    line = next(line for line in groups.summary().splitlines() if "z3 ~1 (Grant-White)" in line)
    cells = re.split(r"  +", line.strip())
    assert cells[0] == "z3 ~1 (Grant-White)"
    row = groups.params.set_index("name").loc["z3 ~1 (Grant-White)"]
    assert [float(c) for c in cells[1:4]] == pytest.approx([row["est"], row["se"], row["z"]], rel=1e-3)
    assert cells[4] == "<0.001"
    ends = {
        m.end()
        for line in section(groups.summary(), "Variances")
        for m in [re.search(r"^.{20,}?(\d+\.\d{4})", line)]
        if m
    }
    assert len(ends) == 1


def test_a_group_stands_together(groups: sl.Fit) -> None:
    text = groups.summary()
    first, second = text.index("\nGroup Grant-White\n"), text.index("\nGroup Pasteur\n")
    before, one, two = text[:first], text[first:second], text[second:]
    assert "f =~" not in before
    for title in ("Loadings", "Intercepts", "Variances and covariances"):
        assert one.count(title) == two.count(title) == 1
    assert "(Pasteur)" not in one
    assert "(Grant-White)" not in two
    assert two.index("Variances") < two.index("Defined parameters")


def test_labels_have_a_column_where_there_are_labels(groups: sl.Fit, mixed: sl.Fit) -> None:
    head = next(line for line in groups.summary().splitlines() if line.startswith("Loadings"))
    assert head.split() == ["Loadings", "label", "estimate", "std.", "error", "z", "p"]
    line = next(line for line in groups.summary().splitlines() if "f =~ z2 (Pasteur)" in line)
    assert line.split()[4] == "b"
    assert "label" not in mixed.summary()


def test_paths_of_random_effects_are_no_regressions(mixed: sl.Fit) -> None:
    assert [line.split("  ")[1] for line in section(mixed.summary(), "Regressions")] == ["y ~ x"]
    assert "Paths of random effects" not in mixed.summary()
    assert "y ~ y.1[g]" in set(mixed.params["name"])


def test_free_paths_of_random_effects_have_a_section(data: pd.DataFrame) -> None:
    fit = sl.Model("y ~ x + u[g]\nz1 ~ x + u").fit(data, threads=1)
    assert len(section(fit.summary(), "Regressions")) == 2
    assert [line.split("  ")[1] for line in section(fit.summary(), "Paths of random")] == ["y ~ u[g]", "z1 ~ u[g]"]


def test_p_is_never_printed_as_zero(groups: sl.Fit, mixed: sl.Fit) -> None:
    for fit in (groups, mixed):
        assert not re.search(r" 0\.000$", fit.summary(), re.MULTILINE)
        assert "<0.001" in fit.summary()
        assert "&lt;0.001" in fit._repr_html_()


@pytest.mark.parametrize(
    ("p", "shown"), [(0.00099999, "<0.001"), (0.001, "0.001"), (0.0496, "0.050"), (1.0, "1.000"), (float("nan"), "")]
)
def test_probability(p: float, shown: str) -> None:
    assert probability(p) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.0000"), (1e-4, "0.0001"), (9.9e-5, "9.9e-05"), (-2e7, "-2e+07"), (9999999.0, "9999999.0000")]
    + [(float("inf"), "Inf"), (float("-inf"), "-Inf"), (-1.23456, "-1.2346"), (1e7, "1e+07"), (1.00001e-4, "0.0001")],
)
def test_number(value: float, shown: str) -> None:
    assert number(value) == shown


def test_html_says_what_the_text_says(groups: sl.Fit) -> None:
    """The same cells in the same order, but for the headings of groups."""
    page = groups._repr_html_()
    cells = [re.sub("<.*?>", "", c) for c in re.findall(r"<td>(.*?)</td>", page)]
    words = " ".join(c.replace("&lt;", "<") for c in cells if c).split()
    text = [line for line in groups.summary().splitlines() if not line.startswith(("Group ", "warning"))]
    heads = ("Loadings", "Intercepts", "Variances and", "Defined")
    assert words == " ".join(line for line in text if not line.startswith(heads)).split()
    assert page.count("<table>") == page.count("</table>") == 1 + 3 + 3 + 1
    assert "Loadings, Pasteur" in page


def test_html_escapes() -> None:
    frame = pd.DataFrame({"y<b>": [1.0, 2.0, 4.0, 3.0, 7.0], "x": [1.0, 2.0, 3.0, 5.0, 4.0]})
    page = sl.Model("`y<b>` ~ x").fit(frame, threads=1)._repr_html_()
    assert "<b>" not in page
    assert "y&lt;b&gt;" in page


def test_facts_stand_in_two_columns(mixed: sl.Fit) -> None:
    """The longest name is followed by two blanks, and every value begins in the same column."""
    lines = mixed.summary().split("\n\n")[0].splitlines()
    starts = {m.end() for line in lines for m in [re.match(r".*?\S(?=  )  +", line)] if m}
    assert len(starts) == 1
    longest = max(len(re.split(r"  +", line)[0]) for line in lines)
    assert starts == {longest + 2}


def test_intraclass_correlations_name_response_and_group(data: pd.DataFrame) -> None:
    one = sl.Model("groups: s\ny ~ x + (1 | g)").fit(data, threads=1)
    line = next(line for line in one.summary().splitlines() if line.startswith("Intraclass"))
    shown = {r["group"]: f"g {r['group']} {r['icc']:.3f}" for _, r in one.icc().iterrows()}
    assert re.split(r"  +", line, maxsplit=1)[1] == ", ".join(shown.values())
    assert set(shown) == {"Pasteur", "Grant-White"}


def test_points_of_nodes_that_follow_the_modes() -> None:
    fit = sl.read_model(EXAMPLES / "lsat" / "model.sem").fit(threads=1, points=7)
    facts = dict(re.split(r"  +", line, maxsplit=1) for line in fit.summary().split("\n\n")[0].splitlines())
    assert facts["Points"].startswith("7; change of log-likelihood at 11: +0.0002")


def test_facts() -> None:
    fit = sl.read_model(EXAMPLES / "lsat" / "model.sem").fit(threads=1)
    facts = dict(re.split(r"  +", line, maxsplit=1) for line in fit.summary().split("\n\n")[0].splitlines())
    assert facts["Log-likelihood"] == "-2466.6534"
    assert facts["Free parameters"] == "10"
    assert facts["AIC, BIC"] == "4953.31, 5002.38 (n = 1000)"
    assert facts["Rows"] == "1000"
    assert facts["Points"] == "64"
    assert facts["Converged"].startswith("yes, ")
    assert facts["Standard errors"] == "observed"


def test_repr_is_one_line(mixed: sl.Fit) -> None:
    assert repr(mixed) == f"<semlang.Fit: log-likelihood {mixed.loglik:.4f}, 6 parameters, 400 rows, converged>"


def test_one_start_of_several_that_is_best_is_a_warning(mixed: sl.Fit) -> None:
    """The first line says it where no second start came as far, and no line where one did."""
    for agreed, line in (
        (1, "WARNING: only 1 of 9 starts reached this log-likelihood; there may be a better one"),
        (2, ""),
    ):
        fit = replace(mixed, estimate=replace(mixed.estimate, starts=10, finished=9, agreed=agreed))
        assert fit.summary().startswith(line)
        assert ("starts reached" in fit.summary()) == bool(line)


@pytest.mark.parametrize("responses", [12, 13])
def test_no_more_than_twelve_intraclass_correlations(responses: int) -> None:
    rng = np.random.default_rng(3)
    u = rng.normal(size=(20, responses))[np.repeat(np.arange(20), 4)]
    frame = pd.DataFrame(u + rng.normal(size=u.shape), columns=[f"y{k}" for k in range(responses)])
    text = "".join(f"y{k} ~ (1 | g)\ny{k}.1[g] ~~ 1*y{k}.1[g]\ny{k} ~~ 1*y{k}\n" for k in range(responses))
    zeros = "".join(f"y{j} ~~ 0*y{k}\ny{j}.1[g] ~~ 0*y{k}.1[g]\n" for k in range(responses) for j in range(k))
    fit = sl.Model(text + zeros).fit(frame.assign(g=np.repeat(np.arange(20), 4)), se="none", threads=1)
    line = next((x for x in fit.summary().splitlines() if x.startswith("Intraclass")), "")
    assert line.count("0.500") == (12 if responses == 12 else 0)


def test_a_defined_number_has_no_z(data: pd.DataFrame) -> None:
    """It has the standard error 0, and nothing is tested."""
    fit = sl.Model("y ~ b*x\nhalf := 1/2\ntwice := 2*b").fit(data, threads=1)
    half, twice = (next(x for x in fit.summary().splitlines() if x.strip().startswith(n)) for n in ("half", "twice"))
    assert half.split()[-2:] == ["0.5000", "0.0000"]
    row = fit.params.set_index("name").loc["twice"]
    assert twice.split()[-4:] == [f"{row['est']:.4f}", f"{row['se']:.4f}", f"{row['z']:.2f}", "<0.001"]
    assert fit.params.set_index("name").loc["half", ["z", "p"]].isna().all()
