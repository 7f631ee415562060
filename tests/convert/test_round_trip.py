"""To lavaan and back leaves the table unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semlang.api import Model
from semlang.convert import convert, from_lavaan
from semlang.errors import ModelError
from semlang.model.table import ParameterTable
from semlang.syntax.file import read_source

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "examples").glob("*/*.sem")) + sorted((ROOT / "tests" / "corpus").rglob("*.sem"))

ELSEWISE = ("stand on the left of =~", "with its sign changed", "is computed as the column")
"""What lavaan says in another way, so that another table comes back."""


def rows(table: ParameterTable) -> list[tuple[Any, ...]]:
    """Return what must not change: names, place, free or fixed, start or value, bounds, shared parameters."""
    first: dict[int, int] = {}
    return [
        (
            r.lhs, r.op, r.rhs, r.block, r.group, r.level, r.free > 0, r.ustart,
            r.lower, r.upper, r.exo, r.efa, r.rv,
            first.setdefault(r.parameter, len(first)) if r.parameter >= 0 else -1,
        )
        for r in table.rows
    ]  # fmt: skip


def relations(table: ParameterTable) -> list[tuple[str, str]]:
    """Return operators of constraints and names of defined parameters."""
    return [(x.op, "") for x in table.relations] + [(":=", d.name) for d in table.defined]


def same_table(model: Model) -> bool | None:
    """Whether the table comes back unchanged; None where lavaan says the model in another way, or not at all."""
    done = convert(model.parameter_table, "lavaan")
    if not done.complete or any(w in d.message for d in done.findings for w in ELSEWISE):
        return None
    back = Model(from_lavaan(done.text).text)
    if len(back.parameter_table.rows) != len(model.parameter_table.rows):
        return False
    table = model.parameter_table
    pairs = zip(back.parameter_table.rows, table.rows, strict=True)
    # What a constraint or group.equal needs gets a label, if it has none.
    labels = all(b.label == a.label for b, a in pairs if a.label and not a.label.startswith(".p"))
    return labels and rows(back.parameter_table) == rows(table) and relations(back.parameter_table) == relations(table)


def test_models_of_this_repository() -> None:
    outcomes: dict[str, bool | None] = {}
    for path in FILES:
        try:
            model = Model(read_source(path))
        except ModelError:
            continue
        outcomes[str(path.relative_to(ROOT))] = same_table(model)

    assert [name for name, same in outcomes.items() if same is False] == []
    assert sum(same is True for same in outcomes.values()) >= 150


def test_texts_of_lavaan(shared_folder: Path) -> None:
    known = shared_folder / "lavaan" / "accepts.jsonl"
    if not known.is_file():
        pytest.skip("NOT TESTED against lavaan: no lavaan/accepts.jsonl")
    outcomes = {}
    for line in known.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case["semlang"] == "same":
            outcomes[case["syntax"]] = same_table(Model(case["syntax"], n_groups=case.get("ngroups", 1)))

    assert [text for text, same in outcomes.items() if same is False] == []
    assert sum(same is True for same in outcomes.values()) >= 170


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("f =~ x1 + x2 + x3\nx1 ~~ lower(0)*x1\nf =~ start(0.5)*a*x2", {}),
        ("f =~ x1 + x2 + x3\ng =~ z1 + z2 + z3\nf ~ 'my effect'*g", {}),
        ("f =~ x1 + x2 + x3", {"effect.coding": "loadings"}),
        ("groups: g\nf =~ c(A=1, B=1)*x1 + c(A=a, B=b)*x2 + x3", {"group.equal": ["intercepts"]}),
        ("cluster: g\nlevel: 1\nfw =~ y1 + y2 + y3\nlevel: 2\nfb =~ y1 + y2 + y3", {}),
        ("y ~ x1:x2 + x3", {}),
        ("y ~ x\ny ~~ y\nx ~~ x", {"fixed.x": False}),
        ("y1 | t1 + t2\ny2 | t1\nf =~ y1 + y2", {}),
        ("a := b*c\ny ~ b*x + c*z\nb > 0", {}),
    ],
)
def test_round_trip(text: str, options: dict[str, Any]) -> None:
    assert same_table(Model(text, **{k.replace(".", "_"): v for k, v in options.items()})) is True


def test_arguments_of_the_call() -> None:
    done = from_lavaan(
        "f =~ x1 + x2 + x3", defaults="cfa", std_lv=True, group="sex", sampling_weights="w", missing="listwise"
    )

    assert done.text == "options: defaults = cfa, std.lv = true\ngroups: sex\nweights: rows = w\n\nf =~ x1 + x2 + x3\n"
    assert {d.slug for d in done.findings} == {"converted-differently"}
    assert Model(done.text).parameter_table.options["std.lv"] is True


def test_unknown_argument_is_a_finding() -> None:
    done = from_lavaan("f =~ x1 + x2 + x3", bounds="pos.var", mimic="EQS")

    assert [d.slug for d in done.findings] == ["not-convertible", "not-convertible"]
    assert not done.complete
