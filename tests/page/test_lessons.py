"""Every lesson's model is right, every exercise can be solved, and neither its start nor a wrong option solves it."""

from __future__ import annotations

from typing import Any

import pytest

from semlang.page.analyse import analyse
from semlang.page.exercise import checked, lessons

LESSONS = [lesson for term in lessons() for lesson in term["lessons"]]
TASKS = [(lesson["name"], k, task) for lesson in LESSONS for k, task in enumerate(lesson["exercises"])]


def test_there_are_two_terms_of_eight() -> None:
    assert [len(term["lessons"]) for term in lessons()] == [8, 8]
    assert len({lesson["name"] for lesson in LESSONS}) == 16
    assert all(len(lesson["exercises"]) == 2 for lesson in LESSONS)
    assert {task["kind"] for _, _, task in TASKS} == {"draw", "identify", "equivalent"}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda x: x["name"])
def test_the_model_of_a_lesson(lesson: dict[str, Any]) -> None:
    answer = analyse(lesson["model"], drawn=False)
    assert answer["findings"] == []
    assert answer["identification"]["verdict"] == "identified"


@pytest.mark.parametrize(("name", "k", "task"), TASKS, ids=lambda x: str(x) if not isinstance(x, dict) else x["kind"])
def test_an_exercise(name: str, k: int, task: dict[str, Any]) -> None:
    if task["kind"] == "equivalent":
        answers = [checked(task, option)["right"] for option in task["options"]]
        assert answers == [k == task["solution"] for k in range(len(answers))]
        return
    solved = checked(task, task["solution"])
    assert solved["right"], solved
    assert analyse(task["solution"], drawn=False)["ok"]
    assert not checked(task, task["start"])["right"]
    assert not checked(task, "f =- x1")["right"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("y ~ x\ny ~~ x2", "the answer lacks y ~ z"),
        ("y ~ x + z + w", "too much is y ~ w"),
        ("y ~ z\ny ~ x", "the same rows"),
        ("y ~ a*x + a*z", "y ~ x should be free"),
        ("y :: binomial(logit)\ny ~ x + z", "y should be gaussian with the link identity"),
    ],
)
def test_what_is_wrong_is_said(answer: str, why: str) -> None:
    assert checked({"kind": "draw", "solution": "y ~ x + z"}, answer)["why"] == why


def test_a_variable_left_out_is_no_answer() -> None:
    task = {"kind": "identify", "start": "f =~ x1 + x2\ng =~ x3 + x4 + x5\nf ~~ 0*g"}
    assert checked(task, "g =~ x3 + x4 + x5") == {"right": False, "why": "f should still be in the model"}
