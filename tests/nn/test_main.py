"""The command line, from its options to its files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import engine
import nn
from nn import data, plots
from nn.__main__ import main
from nn.demo import graphs

pytest.importorskip("matplotlib")


@pytest.fixture
def run(tmp_path, capsys):
    """Return a function that runs it in a new folder and returns its output and the names of its files."""

    def go(*options):
        main([*options, "--out", str(tmp_path / "out")])
        return capsys.readouterr().out, {path.name for path in (tmp_path / "out").iterdir()}

    return go


@pytest.fixture
def undrawn(monkeypatch):
    """Replace the pictures, which take longer than the training, by empty files."""
    for name in ("curve", "boundary", "digits", "gradient_flow", "loss_landscape"):
        monkeypatch.setattr(plots, name, lambda *args, **names: args[-1].write_bytes(b""))
    for name in ("batch", "neuron"):
        monkeypatch.setattr(graphs, name, lambda *args: args[-1].write_bytes(b""))


ALWAYS = {"model.json", "loss.png", "gradients.png", "landscape.png", "graph.svg", "neuron.html"}
QUICK = ("--epochs", "2", "--layers", "4")


def test_a_run_writes_its_pictures(run, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    run("--data", "moons", *QUICK)
    for name in ("loss.png", "boundary.png", "gradients.png", "landscape.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")
    graph = (tmp_path / "out" / "graph.svg").read_text(encoding="utf-8")
    assert "layer 1 × 32" in graph.replace("&#160;", " ")
    assert "grad –" not in graph
    assert "One neuron" in (tmp_path / "out" / "neuron.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "xor"])
def test_data_in_the_plane_has_a_picture_of_the_boundary(run, name):
    out, files = run("--data", name, *QUICK)
    assert files == {*ALWAYS, "boundary.png"}
    assert "240 samples for training, 60 for validation" in out


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("name", "samples"), [("iris", 120), ("breast_cancer", 455)])
def test_measurements_have_a_loss_curve(run, name, samples):
    pytest.importorskip("sklearn")
    out, files = run("--data", name, *QUICK)
    assert files == ALWAYS
    assert f"{name}: {samples} samples for training" in out


@pytest.mark.usefixtures("undrawn")
def test_digits_have_a_picture_and_with_lens_a_closer_look(run, monkeypatch):
    pytest.importorskip("sklearn")
    xs, ys = data.digits()
    monkeypatch.setitem(data.table, "digits", lambda: (xs[:200], ys[:200]))
    out, files = run("--epochs", "1", "--layers", "8")
    assert files == {*ALWAYS, "digits.png"}
    assert "MLP(64, [8, 10], activation='relu', output=None)\n610 parameters, cross_entropy, sgd" in out
    assert "A closer look" not in out
    usual = out
    out, _ = run("--epochs", "1", "--layers", "8", "--lens")
    assert out.startswith(usual)
    [number] = re.findall(r"^least certain: validation sample (\d+), whose target is \d$", out, re.MULTILINE)
    assert f"A closer look at validation sample {number}:" in out
    assert "Δ_k = g'(in_k) · (-∂E/∂a_k)" in out
    assert "accuracy on the 40 validation samples" in out


@pytest.mark.usefixtures("undrawn")
def test_the_saved_model_is_the_validated_one(run, tmp_path):
    out, _ = run("--data", "xor", "--epochs", "30", "--seed", "5")
    model = nn.load(tmp_path / "out" / "model.json")
    xs, ys = data.xor(4, noise=0.0)
    assert [max((0, 1), key=lambda k: model.predict(x)[k]) for x in xs] == ys
    assert "accuracy on the 60 validation samples: 100.0% (0 wrong)" in out


@pytest.mark.usefixtures("undrawn")
def test_runs_are_reproducible_by_their_seed(run):
    first, _ = run("--data", "xor", *QUICK, "--seed", "1")
    assert run("--data", "xor", *QUICK, "--seed", "1")[0] == first
    assert run("--data", "xor", *QUICK, "--seed", "2")[0] != first


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("loss", nn.losses.table)
@pytest.mark.parametrize("name", ["xor", "iris"])
def test_every_loss_trains_a_classifier(run, loss, name):
    pytest.importorskip("sklearn")
    out, _ = run("--data", name, "--loss", loss, "--epochs", "15", "--batch-size", "8", "--optimizer", "adam")
    [line] = [line for line in out.split("\n") if line.startswith("accuracy on")]
    assert ("with probability" in out) == ("cross_entropy" in loss)
    assert float(line.split(": ")[1].split("%")[0]) > 80


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "option",
    [
        "--activation tanh",
        "--init xavier",
        "--optimizer adam",
        "--lr 0.01",
        "--batch-size 7",
        "--loss hinge",
        "--epochs 3",
    ],
)
def test_every_option_has_an_effect(run, option):
    usual, _ = run("--data", "xor", *QUICK)
    other, _ = run("--data", "xor", *QUICK, *option.split())
    assert other != usual


@pytest.mark.usefixtures("undrawn")
def test_a_backend_gives_the_same_run(run):
    usual, _ = run("--data", "xor", *QUICK)
    assert run("--data", "xor", *QUICK, "--backend", "python")[0].split("\n")[:5] == usual.split("\n")[:5]


@pytest.mark.usefixtures("undrawn")
def test_there_may_be_no_hidden_layer(run):
    out, _ = run("--data", "xor", "--epochs", "2", "--layers")
    assert "MLP(2, [2]" in out


@pytest.mark.usefixtures("undrawn")
def test_ctrl_c_saves_the_model_so_far(run, monkeypatch):
    real = nn.MLP.__call__
    calls = iter(range(10**6))  # of the model, by the eager training

    def press(self, x):
        if next(calls) == 350:
            raise KeyboardInterrupt
        return real(self, x)

    monkeypatch.setattr(nn.MLP, "__call__", press)
    out, files = run("--data", "xor", *QUICK, "--backend", "eager")
    assert "interrupted after 1 of 2 epochs; the model so far is saved" in out
    assert "model.json" in files


def test_ctrl_c_before_training_exits_with_130(monkeypatch):
    def press(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nn.__main__.run", press)
    with pytest.raises(SystemExit) as ended:
        main(["--data", "xor"])
    assert ended.value.code == 128 + 2  # SIGINT


# Errors are one line

WRONG = [
    (("--data", "mnist"), "argument --data: invalid choice: 'mnist'"),
    (("--layers", "0"), "argument --layers: expected a whole number from 1 to 999999999, not '0'"),
    (("--layers", "16,16"), "argument --layers: expected a whole number from 1 to 999999999, not '16,16'"),
    (("--layers", "-3"), "--layers"),
    (
        ("--activation", "swoosh"),
        "argument --activation: unknown activation 'swoosh' (did you mean cosh?): operations of one argument",
    ),
    (("--activation", "max"), "unknown activation 'max'"),
    (("--loss", "mse"), "argument --loss: invalid choice: 'mse'"),
    (("--init", "ones"), "argument --init: invalid choice: 'ones'"),
    (("--optimizer", "rmsprop"), "argument --optimizer: invalid choice: 'rmsprop'"),
    (("--lr", "0"), "argument --lr: expected a number above 0, not '0'"),
    (("--lr", "nan"), "argument --lr: expected a number above 0, not 'nan'"),
    (("--lr", "fast"), "argument --lr: expected a number above 0, not 'fast'"),
    (("--epochs", "0"), "argument --epochs: expected a whole number from 1 to 999999999, not '0'"),
    (("--epochs", "1.5"), "argument --epochs: expected a whole number from 1 to 999999999, not '1.5'"),
    (
        ("--batch-size", "many"),
        "argument --batch-size: expected a whole number from 1 to 999999999, not 'many'",
    ),
    (("--seed", "x"), "argument --seed: invalid int value: 'x'"),
    (("--backend", "abacus", "--data", "xor"), "abacus"),
    (("--speed", "9"), "unrecognized arguments: --speed 9"),
    (("xor",), "unrecognized arguments: xor"),
    (("--data", "xor", "--activation", "log"), "ValueError: "),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_a_wrong_option_prints_one_line_and_exits_with_2(options, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main([*options, "--out", str(tmp_path / "out")])
    _, err = capsys.readouterr()
    assert left.value.code == 2
    assert err.startswith("python -m nn: ")
    assert err.count("\n") == 1
    assert message in err


def test_an_impossible_folder_is_reported_before_training(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit) as left:
        main(["--data", "xor", "--out", str(tmp_path / "file")])
    out, err = capsys.readouterr()
    assert (left.value.code, out, err.count("\n")) == (2, "", 1)


def test_a_missing_matplotlib_is_reported_before_training(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit) as left:
        main(["--data", "xor", "--out", str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert (left.value.code, out) == (2, "")
    assert "chalkgrad[plot]" in err


def test_help_explains_every_option(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    out = capsys.readouterr().out
    assert left.value.code == 0
    for option in (
        "--data",
        "--layers",
        "--activation",
        "--loss",
        "--init",
        "--optimizer",
        "--epochs",
        "--seed",
        "--lr",
        "--batch-size",
        "--backend",
        "--lens",
        "--out",
    ):
        [about] = re.findall(rf"^  {option} .*\n(?:    .*\n)*", out, re.MULTILINE)
        assert "(default: " in about.replace("(default:\n", "(default: ")
    assert all(name in out for name in (*data.table, *nn.losses.table, *nn.init.table, *engine.BACKENDS))
    assert max(map(len, out.split("\n"))) <= 80
    assert "boundary.png" in out


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("backend", ["auto", "eager", "python"])
@pytest.mark.parametrize("rate", ["1e160", "1e300"])
def test_a_run_whose_numbers_become_infinite_diverged_and_exits_with_1(rate, backend, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["--data", "xor", "--lr", rate, "--backend", backend, "--out", str(tmp_path / "out")])
    _, err = capsys.readouterr()
    assert left.value.code == 1
    assert err.startswith("python -m nn: the run diverged: ")
    assert f"try a learning rate below {float(rate):g}" in err
    assert err.count("\n") == 1
    assert len(err) < 300


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("options", ["--lr 1e9", "--lr 1e6 --loss hinge", "--lr 1e9 --backend python"])
def test_a_run_that_diverged_says_so_and_exits_with_1(options, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["--data", "xor", *QUICK, *options.split(), "--out", str(tmp_path / "out")])
    _, err = capsys.readouterr()
    assert left.value.code == 1
    assert err.startswith("python -m nn: the run diverged: the loss has grown from ")
    assert f"try a learning rate below {float(options.split()[1]):g}" in err
    assert err.count("\n") == 1
    assert (tmp_path / "out" / "model.json").exists()


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--data", "moon"), "(did you mean moons?)"),
        (("--backend", "atuo"), "(did you mean auto?)"),
        (("--activation", "rellu"), "(did you mean relu?)"),
        (("--len",), "(did you mean --lens?)"),
        (("--loss", "Hinge"), "(did you mean hinge?)"),
        (("--init", "xaver"), "(did you mean xavier?)"),
        (("--optimizer", "adams"), "(did you mean adam?)"),
        (("--backend", "nunpy"), "(did you mean numpy?)"),
        (("--activation", "rely"), "(did you mean relu?)"),
        (("--epoch", "3"), "(did you mean --epochs?)"),
        (("--epoch=3",), "(did you mean --epochs?)"),
    ],
)
def test_a_name_that_is_nearly_right_is_suggested(options, hint, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main([*options, "--out", str(tmp_path / "out")])
    _, err = capsys.readouterr()
    assert (left.value.code, err.count("\n")) == (2, 1)
    assert hint in err


@pytest.mark.parametrize("command", ["/usr/bin/chalkgrad", "chalkgrad.exe", "chalkgrad"])
def test_the_console_script_is_named_as_it_was_called(command, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [command])
    with pytest.raises(SystemExit):
        main(["--data", "mnist"])
    assert capsys.readouterr().err.startswith("chalkgrad: argument --data: invalid choice: 'mnist'")


def test_it_runs_as_a_module(tmp_path):
    done = subprocess.run([sys.executable, "-m", "nn", "--layers", "x"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_exercises_are_a_command_of_their_own(tmp_path, capsys):
    with pytest.raises(SystemExit) as done:
        main(["exercises", "--folder", str(tmp_path), "list"])
    assert done.value.code == 0
    assert "20  train" in capsys.readouterr().out


# The end of a run, in 80 columns


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "options",
    [
        "--data iris --layers 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
        "--data xor --lr 1e-9 --loss half_squared_error --activation leaky_relu --init lecun",
        "--data breast_cancer --loss binary_cross_entropy --backend eager",
    ],
)
def test_no_line_is_wider_than_80_columns(tmp_path, monkeypatch, capsys, options):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    main([*options.split(), "--epochs", "3"])
    out = capsys.readouterr().out
    assert out.count("\n") > 10
    assert max(map(len, out.split("\n"))) <= 80


@pytest.mark.usefixtures("undrawn")
def test_the_end_is_six_lines_at_most(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["--data", "moons", *QUICK])
    out = capsys.readouterr().out
    end = out.split("\n\n")[-1].rstrip("\n").split("\n")
    assert len(end) <= 6
    assert end[0].startswith("accuracy on the 60 validation samples: ")
    assert re.fullmatch(r"least certain: validation sample \d+, whose target is class [01]", end[1])
    assert re.fullmatch(r"  class [01] with probability [\d.]+%, class [01] with [\d.]+%", end[2])
    assert end[3].startswith("written to out: model.json, ")
    assert end[-1] == f"open {Path('out', 'neuron.html')}"
    assert max(map(len, out.split("\n"))) <= 80


def test_a_bar_in_a_terminal_is_followed_by_the_table(run, monkeypatch, undrawn):
    from nn.demo import run as demo

    seen = []
    real = demo.fit
    monkeypatch.setattr(demo, "is_terminal", lambda: True)
    monkeypatch.setattr(
        demo,
        "fit",
        lambda *args, **names: (seen.append(names.pop("progress")), real(*args, progress=False, **names))[1],
    )
    pytest.importorskip("tqdm")
    with_bar, _ = run("--data", "xor", *QUICK)
    monkeypatch.setattr(demo, "is_terminal", lambda: False)
    without, _ = run("--data", "xor", *QUICK)
    assert seen == [True, False]
    assert with_bar == without


@pytest.mark.usefixtures("undrawn")
def test_the_time_on_values_is_estimated_from_operations(run, monkeypatch):
    options = ("--data", "moons", "--epochs", "100", "--layers", "16", "16")
    out, _ = run(*options)
    [line] = [line for line in out.split("\n") if line.startswith("on Values")]
    each = (
        2 * (3 * 16 + 17 * 16 + 17 * 2) + 32 + 1 + 3
    )  # Σwa has a weight, an input and a bias; then relu, the loss
    [millions] = re.findall(r"estimated from ([\d.]+) million operations", line)
    assert float(millions) == pytest.approx(240 * 100 * each / 1e6, rel=0.15)
    assert "on Values" not in run(*options, "--backend", "eager", "--epochs", "1")[0]


# A person's own table

TABLE = "size,weight,animal\n" + "".join(
    f"{10 + i % 7},{100 + i},cat\n{30 + i % 5},{300 + i},dog\n{50 + i % 3},{900 - i},cow\n" for i in range(20)
)


@pytest.fixture
def animals(tmp_path):
    path = tmp_path / "animals.csv"
    path.write_text(TABLE)
    return path


@pytest.mark.usefixtures("undrawn")
def test_a_table_is_trained_on(run, animals, tmp_path):
    out, files = run("--data", str(animals), "--optimizer", "adam")
    assert files == {*ALWAYS, "boundary.png"}  # it has two features
    assert "animals.csv: 48 samples for training, 12 for validation\n" in out
    assert "2 features; 3 classes of 'animal': cat, cow, dog\n" in out
    assert "accuracy on the 12 validation samples: 100.0% (0 wrong)" in out
    assert re.search(r"whose target is (cat|cow|dog)\n  (cat|cow|dog) with probability ", out)


@pytest.mark.usefixtures("undrawn")
def test_the_saved_model_takes_the_numbers_of_the_table(run, animals, tmp_path):
    run("--data", str(animals), "--optimizer", "adam")
    model = nn.load(tmp_path / "out" / "model.json")
    for x, kind in (([12.0, 110.0], "cat"), ([32.0, 310.0], "dog"), ([51.0, 890.0], "cow")):
        outputs = model.predict(x)
        assert ["cat", "cow", "dog"][max(range(3), key=lambda k: outputs[k])] == kind


def test_the_plane_of_a_table_has_its_names_and_units(run, animals, monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    seen = []
    real = plots.boundary
    monkeypatch.setattr(plots, "boundary", lambda *args, **names: seen.append(real(*args, **names)))
    run("--data", str(animals), *QUICK)
    [figure] = seen
    names = {text.get_text() for text in figure.legends[0].get_texts()}
    assert names == {
        f"{kind}, {part}" for kind in ("cat", "cow", "dog") for part in ("training", "validation")
    }
    assert figure.axes[0].get_xlim()[1] > 50


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            TABLE + "1,x,cat\n",
            "ValueError: animals.csv: line 62: column 2 ('weight') is 'x'; expected a number",
        ),
        (TABLE + "1,2\n", "ValueError: animals.csv: line 62: expected 3 fields, as in line 1, not 2"),
        (
            TABLE + "1,2,0.5\n",
            "ValueError: animals.csv: line 62: the last column is '0.5'; expected the class",
        ),
        ("", "ValueError: animals.csv: expected a table, not an empty file"),
    ],
)
def test_a_bad_line_of_a_table_is_named_and_nothing_is_written(animals, tmp_path, capsys, content, message):
    animals.write_text(content)
    with pytest.raises(SystemExit) as left:
        main(["--data", str(animals), "--out", str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert (left.value.code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "out").exists()


def test_a_missing_table_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["--data", str(tmp_path / "none.csv"), "--out", str(tmp_path / "out")])
    _, err = capsys.readouterr()
    assert (left.value.code, err.count("\n")) == (2, 1)
    assert "FileNotFoundError: " in err
    assert "none.csv" in err
