"""The course: its stubs fail, its solutions pass, and it stores the place that a student has reached."""

import json
import re

import pytest

from nn.exercises import Course, check_file, exercise, exercises, hint
from nn.exercises.command import main
from nn.exercises.course import HOME

each = pytest.mark.parametrize("e", exercises(), ids=lambda e: e.name)


@each
def test_a_solution_passes_and_an_untouched_stub_fails(e):
    assert check_file(e.topic, HOME / "solutions" / e.file, **e.options)
    assert not check_file(e.topic, HOME / "stubs" / e.file, **e.options)


@each
def test_an_exercise_has_three_hints_and_a_task(e):
    assert len(set(e.hints)) == 3
    assert e.stub.startswith(f'"""Exercise {e.number}: {e.title}.')
    assert hint(e.number, 3) == e.hints[2]


def test_the_folders_hold_the_files_of_the_exercises_and_no_others():
    files = {e.file for e in exercises()}
    assert {path.name for path in (HOME / "stubs").glob("*.py")} == files
    assert {path.name for path in (HOME / "solutions").glob("*.py")} == files


def test_an_unknown_exercise_or_hint_is_refused():
    with pytest.raises(ValueError, match=r"no exercise 'backwards' .did you mean backward"):
        exercise("backwards")
    with pytest.raises(ValueError, match="hints from 1 to 3, not 4"):
        hint("backward", 4)


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path / "mine")


def solve(course, name):
    course.begin(name).write_text(exercise(name).solution, "utf-8")
    return course.check(name)


def test_a_course_stays_on_an_exercise_until_it_is_told_to_go_on(course):
    assert course.current().number == 1
    course.begin()
    with pytest.raises(ValueError, match="exercise 1 .by_hand. has not passed yet"):
        course.next()
    assert solve(course, "by_hand")
    assert course.current().number == 1
    assert course.next().name == "02_chain.py"
    assert Course(course.folder).current().name == "chain"
    assert Course(course.folder).passed() == ["by_hand"]


def test_a_course_can_be_started_anywhere_and_ends(course):
    assert course.begin("train").name == "20_train.py"
    assert solve(course, "train")
    with pytest.raises(ValueError, match="the last exercise"):
        course.next()


def test_a_file_of_the_student_is_never_overwritten(course):
    path = course.begin("neuron")
    path.write_text("# mine\n", "utf-8")
    assert course.begin("neuron").read_text("utf-8") == "# mine\n"
    assert course.reset("neuron").read_text("utf-8") == exercise("neuron").stub
    assert path.with_suffix(".bak").read_text("utf-8") == "# mine\n"


def test_hints_become_clearer_and_begin_again_with_another_exercise(course):
    course.begin("layer")
    assert [course.hint()[:9] for _ in range(4)] == ["Hint 1 of", "Hint 2 of", "Hint 3 of", "Hint 3 of"]
    course.begin("update")
    assert course.hint() == f"Hint 1 of 3: {exercise('update').hints[0]}"


def test_a_solution_is_shown_only_after_the_own_one_has_passed(course):
    with pytest.raises(ValueError, match="once yours has passed"):
        course.solution("zero_grad")
    solve(course, "zero_grad")
    assert course.solution("zero_grad") == exercise("zero_grad").solution
    course.reset("zero_grad")
    with pytest.raises(ValueError, match="once yours has passed"):
        course.solution("zero_grad")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"current": 99, "passed": 3, "hints": "x"}', '{"hints": -9}']
)
def test_a_damaged_place_begins_the_course_again_and_loses_no_file(course, text):
    path = course.begin("neuron")
    (course.folder / ".progress.json").write_text(text, "utf-8")
    assert (course.current().number, course.passed()) == (1, [])
    assert course.hint()
    assert path.exists()


def run(course, *arguments):
    return main(["--folder", str(course.folder), *arguments])


def test_the_command_lists_begins_checks_hints_and_goes_on(course, capsys):
    assert run(course) == 0
    assert "0 of 20 passed" in capsys.readouterr().out
    assert run(course, "begin", "zero_grad") == 0
    assert run(course, "check") == 1
    assert "nothing changes" in capsys.readouterr().out
    assert run(course, "hint") == 0
    assert "A loop over the parameters." in capsys.readouterr().out
    (course.folder / "09_zero_grad.py").write_text(exercise("zero_grad").solution, "utf-8")
    assert run(course, "check", "zero_grad") == 0
    assert run(course, "solution") == 0
    assert run(course, "next") == 0
    assert "Exercise 10: one neuron" in capsys.readouterr().out
    assert run(course, "list") == 0
    assert re.search(r"9  zero_grad +passed", capsys.readouterr().out)
    assert json.loads((course.folder / ".progress.json").read_text("utf-8"))["current"] == 10


@pytest.mark.parametrize("action", ["check", "watch"])
def test_a_check_without_a_file_names_the_command_that_writes_it(course, action, capsys):
    assert run(course, action, "neuron") == 2
    file = course.folder / "10_neuron.py"
    said = f"chalkgrad exercises: there is no file {file}; chalkgrad exercises begin neuron writes it\n"
    assert capsys.readouterr().out == said


def test_the_list_ends_with_the_next_command(course, capsys):
    assert run(course) == 0
    assert capsys.readouterr().out.endswith(
        "0 of 20 passed. chalkgrad exercises begin writes 01_by_hand.py.\n"
    )
    path = course.begin()
    assert run(course) == 0
    assert capsys.readouterr().out.endswith(f"0 of 20 passed. Edit {path}, then: chalkgrad exercises check\n")
    solve(course, "by_hand")
    assert run(course) == 0
    assert capsys.readouterr().out.endswith("1 of 20 passed. chalkgrad exercises next goes on.\n")
    solve(course, "train")
    assert run(course, "check") == 0
    assert capsys.readouterr().out.endswith("another solution. chalkgrad exercises begin chain goes on.\n")


def test_after_the_last_exercise_the_command_names_no_next_one(course, capsys):
    course.begin()
    (course.folder / ".progress.json").write_text(json.dumps({"passed": [e.name for e in exercises()]}))
    assert run(course) == 0
    assert capsys.readouterr().out.endswith("20 of 20 passed.\n")


def test_the_command_checks_a_file_anywhere(course, tmp_path, capsys):
    path = tmp_path / "10_neuron.py"
    path.write_text(exercise("neuron").solution, "utf-8")
    assert run(course, "check", str(path)) == 0
    assert "neuron: passed" in capsys.readouterr().out


def test_watching_ends_when_the_file_passes(course, monkeypatch, capsys):
    path = course.begin("layer")

    def save(_):
        path.write_text(exercise("layer").solution, "utf-8")

    monkeypatch.setattr("nn.exercises.command.sleep", save)
    assert run(course, "watch") == 0
    assert capsys.readouterr().out.count("layer: ") == 2


@pytest.mark.parametrize("arguments", [["next"], ["begin", "nothing"], ["check", "chain"], ["solution", "1"]])
def test_an_error_is_one_line_and_status_2(course, arguments, capsys):
    assert run(course, *arguments) == 2
    assert capsys.readouterr().out.count("\n") == 1
