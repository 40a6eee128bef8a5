"""backend="auto": which backend it stands for, and the lines about it."""

import pytest

from nn import MLP, SGD, data, fit
from nn.training import auto
from nn.training.auto import Work, choose_backend, recommendation


def installed(monkeypatch, *packages):
    monkeypatch.setattr(auto, "find_spec", lambda name: name in packages or None)


SMALL_NET = Work(edges=700, samples=100, steps=1, epochs=100_000)
LARGE_NET = Work(edges=200_000, samples=1000, steps=10, epochs=100)
SHORT_RUN = Work(edges=700, samples=100, steps=1, epochs=10)


@pytest.mark.parametrize(
    ("packages", "work", "expected"),
    [
        (["numpy", "llvmlite"], SMALL_NET, "llvm"),
        (["numpy", "llvmlite"], LARGE_NET, "numpy"),
        (["numpy", "llvmlite"], SHORT_RUN, "numpy"),
        (["numpy"], SMALL_NET, "numpy"),
        (["llvmlite"], SMALL_NET, "python"),
        ([], LARGE_NET, "python"),
    ],
)
def test_auto_is_the_installed_backend_that_is_estimated_to_be_first(monkeypatch, packages, work, expected):
    installed(monkeypatch, *packages)
    assert choose_backend(work) == expected


def train(**options):
    model = MLP(2, [3, 1], "tanh", init="zeros")
    model.layers[0].neurons[0].w[0].data = 0.5
    xs, ys = [[1.0, 2.0], [0.5, -1.0]], [1, -1]
    history = fit(model, xs, ys, "hinge", SGD(model.parameters(), lr=0.1), **{"epochs": 3} | options)
    return history.loss, [p.data for p in model.parameters()]


def test_auto_says_in_one_line_what_it_is_and_trains_as_that(monkeypatch, capsys):
    installed(monkeypatch)
    by_auto = train(backend="auto")
    first, *epochs = capsys.readouterr().out.splitlines()
    assert first.startswith('backend="python" by estimate: ')
    assert first.endswith("the last digits may differ between machines")
    assert len(epochs) == 3
    assert by_auto == train(backend="python", progress=False)


def test_without_progress_auto_says_nothing(capsys):
    train(backend="auto", progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_long_eager_run_says_once_what_auto_would_take(monkeypatch, capsys):
    installed(monkeypatch)
    monkeypatch.setattr(auto, "LONG", 0.0)
    train()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('backend="eager" by estimate: ')
    assert 'backend="auto" (python)' in lines[0]
    assert len(lines) == 4


def test_a_short_eager_run_says_nothing_about_it(capsys):
    train()
    assert "by estimate" not in capsys.readouterr().out


def test_a_time_of_minutes_is_shown_as_such():
    assert "eager" in recommendation(LARGE_NET)
    assert " min; " in recommendation(LARGE_NET)


def test_a_model_that_cannot_be_compiled_is_trained_on_values_by_auto():
    class Reader(MLP):
        def __call__(self, x):
            y = super().__call__(x)
            return y * 2 if y.data > 0 else y

    model = Reader(2, [1])
    xs, ys = data.xor(4, noise=0.0)
    with pytest.warns(UserWarning, match='training goes on with backend="eager"'):
        history = fit(
            model, xs, [2 * y - 1 for y in ys], "hinge", SGD(model.parameters(), lr=0.1), 2, backend="auto",
            progress=False,
        )  # fmt: skip
    assert len(history.loss) == 2
