"""Plots of a training run: the files that they write, and the data that they show."""

import math
import random
import subprocess
import sys

import pytest

import nn
from engine import Value
from nn import MLP, History, Neuron, data, plots
from nn.training.history import Epoch

pytest.importorskip("matplotlib")
import matplotlib.image
from matplotlib.figure import Figure


@pytest.fixture
def drawn(monkeypatch):
    """Return the list of the figures that were saved."""
    figures = []
    real = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, path: (figures.append(self), real(self, path)))
    return figures


def history(*epochs):
    made = History()
    made.epochs += epochs
    return made


def net(outputs, activation="tanh"):
    return MLP(2, [3, outputs], activation, rng=random.Random(0))


def is_a_picture(path):
    height, width, _ = matplotlib.image.imread(path).shape
    return height > 300 and width > 300


def test_training_and_validation_have_a_curve_each(tmp_path, drawn):
    plots.curve(history(Epoch(2.0, 0.5, 3.0, 0.25), Epoch(1.0, 0.75, 2.0, 0.5)), tmp_path / "loss.png")
    assert is_a_picture(tmp_path / "loss.png")
    left, right = drawn[0].axes
    assert [list(line.get_ydata()) for line in left.lines] == [[2.0, 1.0], [3.0, 2.0]]
    assert [list(line.get_ydata()) for line in right.lines] == [[0.5, 0.75], [0.25, 0.5]]


def test_without_classes_there_is_no_curve_of_accuracy(tmp_path, drawn):
    plots.curve(history(Epoch(2.0, None)), tmp_path / "loss.png")
    left, right = drawn[0].axes
    assert (len(left.lines), len(right.lines)) == (1, 0)


def test_a_run_without_epochs_can_be_drawn(tmp_path):
    plots.curve(history(), tmp_path / "loss.png")
    assert is_a_picture(tmp_path / "loss.png")


def test_wrong_predictions_come_first_and_are_framed(tmp_path, drawn):
    xs = [[k / 100] * 64 for k in range(60)]
    ys = [k % 10 for k in range(60)]
    predictions = [*ys[:40], 9, *ys[41:]]  # sample 40, a 0, is predicted as 9
    plots.digits(xs, ys, predictions, tmp_path / "digits.png")
    assert is_a_picture(tmp_path / "digits.png")
    [axes] = drawn[0].axes
    titles = [text.get_text() for text in axes.texts]
    assert titles[:3] == ["9, is 0", "0", "1"]
    assert (len(titles), len(axes.images), len(axes.lines)) == (50, 50, 50)
    assert [image.get_array()[0][0] for image in axes.images[:3]] == [0.4, 0.0, 0.01]
    assert axes.lines[0].get_linewidth() > axes.lines[1].get_linewidth()
    assert "1 of 60 validation samples are wrong" in axes.get_title()


def test_each_digit_has_its_prediction_above_it_and_a_place_of_its_own():
    [axes] = plots.digits([[0.0] * 64] * 50, [3] * 50, [3] * 50).axes
    places = {tuple(image.get_extent()) for image in axes.images}
    assert len(places) == 50
    for image, text in zip(axes.images, axes.texts):
        left, right, _, top = image.get_extent()
        x, y = text.get_position()
        assert (x, y < top) == ((left + right) / 2, True)  # y points down


def test_the_plane_is_shaded_and_shows_every_sample(tmp_path, drawn):
    train, test = data.moons(20, rng=random.Random(0)), data.moons(10, rng=random.Random(1))
    points_asked = []

    def score(points):
        points_asked.extend(points)
        return [max(-1.0, min(1.0, x[0])) for x in points]

    plots.boundary(score, train, test, tmp_path / "boundary.png")
    assert is_a_picture(tmp_path / "boundary.png")
    shown = [tuple(point) for c in drawn[0].axes[0].collections[2:] for point in c.get_offsets()]
    assert sorted(shown) == sorted(map(tuple, train[0] + test[0]))
    for k in (0, 1):
        inside = [x[k] for x in train[0] + test[0]]
        assert min(x[k] for x in points_asked) < min(inside)
        assert max(x[k] for x in points_asked) > max(inside)


def test_points_on_a_line_can_be_drawn(tmp_path):
    plots.boundary(
        lambda points: [x[0] for x in points],
        ([[0.0, 1.0], [2.0, 1.0]], [0, 1]),
        ([[1.0, 1.0]], [0]),
        tmp_path / "b.png",
    )
    assert is_a_picture(tmp_path / "b.png")


@pytest.mark.parametrize("draw", [plots.check, lambda: plots.curve(history(), "never.png")])
def test_without_matplotlib_the_error_names_the_extra(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'chalkgrad\[plot\]'"):
        draw()


def test_the_check_does_not_import_matplotlib():
    code = "import sys; from nn import plots; plots.check(); sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def looks(line):
    return line.get_linestyle(), line.get_marker()


def test_curves_differ_in_line_and_marker_and_not_in_colour_alone():
    figure = plots.curve(history(Epoch(2.0, 0.5, 2.0, 0.5), Epoch(1.0, 0.75, 1.0, 0.75)))
    for axes in figure.axes:
        training, validation = axes.lines
        assert training.get_linestyle() != validation.get_linestyle()
        assert training.get_marker() != validation.get_marker()
        assert training.get_linewidth() > validation.get_linewidth()  # it is seen below the other
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]


def test_a_long_curve_has_few_markers():
    figure = plots.curve(history(*[Epoch(1.0, None)] * 1000))
    [line] = figure.axes[0].lines
    assert line.get_markevery() == 25


def test_a_figure_has_a_background_of_its_own(tmp_path):
    plots.curve(history(Epoch(1.0, None)), tmp_path / "loss.png")
    pixels = matplotlib.image.imread(tmp_path / "loss.png")
    assert pixels[0][0].tolist() == [1.0, 1.0, 1.0, 1.0]  # white, not transparent


# The gradient of each layer

MOONS = data.moons(40, rng=random.Random(0))


def by_layer(model, xs, ys, loss):
    """Return the root mean square of the weights' gradients in each layer, by a pass of its own."""
    model.zero_grad()
    for x, y in zip(xs, ys):
        (loss(model(x), y) / len(xs)).backward()
    grads = [[w.grad for neuron in layer.neurons for w in neuron.w] for layer in model.layers]
    model.zero_grad()
    return [math.sqrt(sum(g * g for g in layer) / len(layer)) for layer in grads]


def test_the_flow_is_the_root_mean_square_of_each_layers_gradient(tmp_path, drawn):
    model = MLP(2, [5, 4, 2], "tanh", rng=random.Random(1))
    model.parameters()[0].grad = 7.0
    plots.gradient_flow(model, *MOONS, "cross_entropy", tmp_path / "flow.png")
    assert is_a_picture(tmp_path / "flow.png")
    [axes] = drawn[0].axes
    assert axes.get_yscale() == "log"
    assert list(axes.lines[0].get_xdata()) == [1, 2, 3]
    assert model.parameters()[0].grad == 7.0
    expected = by_layer(model, *MOONS, nn.losses.cross_entropy)
    assert list(axes.lines[0].get_ydata()) == pytest.approx(expected, rel=1e-12)


def test_of_one_model_each_weight_and_the_share_of_zeros_is_shown():
    model = MLP(2, [4, 2], "relu", rng=random.Random(1))
    for p in model.layers[0].neurons[0].parameters():
        p.data = 0.0
    model.layers[0].neurons[0].b.data = -1.0  # this neuron never fires
    [axes] = plots.gradient_flow(model, *MOONS).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1\n25% are 0", "2\n25% are 0"]
    assert [len(dots.get_offsets()) for dots in axes.collections] == [6, 6]


def test_several_models_differ_in_line_and_marker():
    nets = {str(k): MLP(2, [3, 2], rng=random.Random(k)) for k in range(6)}
    [axes] = plots.gradient_flow(nets, *MOONS).axes
    named = [line for line in axes.lines if line.get_label() in nets]
    assert [line.get_label() for line in named] == list(nets)
    assert len({looks(line) for line in named}) == 6


def test_a_gradient_of_zero_stands_at_the_bottom_with_its_number():
    nets = {"zeros": MLP(2, [3, 3, 2], "tanh", init="zeros"), "he": net(2)}
    [axes] = plots.gradient_flow(nets, *MOONS).axes
    assert all(math.isnan(y) for y in axes.lines[0].get_ydata())
    assert [text.get_text() for text in axes.texts] == ["0", "0", "0"]
    bottom, _ = axes.get_ylim()
    assert all(bottom <= text.xy[1] < min(axes.lines[-1].get_ydata()) for text in axes.texts)


class Bare(nn.Module):
    def __init__(self):
        self.w = Value(-1.0, label="w")

    def parameters(self):
        return [self.w]

    def __call__(self, x):
        return self.w * x[0]


@pytest.mark.parametrize(
    ("models", "xs", "ys", "error", "message"),
    [
        ({}, [[1.0, 2.0]], [0], ValueError, "expected at least one model, not an empty dict"),
        ("net", [[1.0, 2.0]], [0], TypeError, "expected a model, a Module, not str: 'net'"),
        ({"a": 3}, [[1.0, 2.0]], [0], TypeError, "expected a model, a Module, not int: 3"),
        (Bare(), [[1.0]], [0], ValueError, "expected a model made of layers, such as an MLP, not "),
        (net(2), [[1.0]], [0], ValueError, "sample 0: expected 2 inputs, got 1"),
        (net(2), [[1.0, 2.0]], [5], ValueError, "sample 0: "),
    ],
)
def test_a_flow_that_cannot_be_drawn_is_refused(models, xs, ys, error, message):
    with pytest.raises(error, match=message):
        plots.gradient_flow(models, xs, ys)


# The loss landscape

XS, YS = [[1.0], [3.0]], [2.0, 4.0]


def test_the_path_of_one_parameter_is_on_the_curve(tmp_path, drawn):
    model = Bare()
    path = [[-1.0], [0.5], [2.5]]
    plots.loss_landscape(model, XS, YS, "half_squared_error", path, tmp_path / "land.png")
    assert is_a_picture(tmp_path / "land.png")
    [axes] = drawn[0].axes
    curve, descent = axes.lines
    for line in (curve, descent):
        for w, y in zip(line.get_xdata(), line.get_ydata()):
            assert y == pytest.approx(((w - 2) ** 2 + (3 * w - 4) ** 2) / 4)
    assert list(descent.get_xdata()) == [-1.0, 0.5, 2.5]
    assert min(curve.get_xdata()) < -1.0
    assert max(curve.get_xdata()) > 2.5
    assert axes.get_xlabel() == "w"
    assert model.w.data == -1.0


def test_points_beside_the_line_have_their_own_loss_and_their_projection():
    model = Neuron(1, activation=None, init="zeros")
    path = [[0.0, 0.0], [1.0, -1.0], [2.0, 2.0]]  # the second is as far along the line as the first
    [axes] = plots.loss_landscape(model, XS, YS, "half_squared_error", path).axes
    _, descent = axes.lines
    assert list(descent.get_xdata()) == pytest.approx([0.0, 0.0, 1.0])
    assert list(descent.get_ydata()) == pytest.approx([5.0, (2**2 + 2**2) / 4, (2**2 + 4**2) / 4])


def test_several_paths_differ_in_line_and_marker():
    paths = {"small rate": [[-1.0], [0.0]], "large rate": [[-1.0], [4.0]]}
    [axes] = plots.loss_landscape(Bare(), XS, YS, "half_squared_error", paths).axes
    _, small, large = axes.lines
    assert [small.get_label(), large.get_label()] == list(paths)
    assert looks(small) != looks(large)
    assert max(axes.lines[0].get_xdata()) > 4.0


def test_a_loss_of_the_users_own_may_need_values():
    [axes] = plots.loss_landscape(Bare(), XS, YS, lambda y, t: (y - t).exp(), [[-1.0], [0.0]]).axes
    assert axes.lines[1].get_ydata()[-1] == pytest.approx((math.exp(-2) + math.exp(-4)) / 2)


def test_where_the_loss_is_not_defined_there_is_a_gap_and_the_model_is_as_before():
    model = Bare()
    model.w.data = 1.0
    [axes] = plots.loss_landscape(model, XS, YS, lambda y, t: y.log(), [[-1.0], [1.0]]).axes
    heights = axes.lines[0].get_ydata()
    assert math.isnan(heights[0])
    assert math.isfinite(heights[-1])
    assert model.w.data == 1.0


def test_the_model_is_as_before_after_an_error():
    model = Bare()

    def loss(y, t):
        if y.data > 3:
            raise RuntimeError
        return y * t

    with pytest.raises(RuntimeError):
        plots.loss_landscape(model, XS, YS, loss, [[-1.0], [9.0]])
    assert model.w.data == -1.0


@pytest.mark.parametrize(
    ("descent", "error", "message"),
    [
        ([], ValueError, "a path of descent has at least two points, not 0"),
        ([[1.0]], ValueError, "a path of descent has at least two points, not 1"),
        ({}, ValueError, "expected at least one path of descent, not an empty dict"),
        ([[1.0], [2.0, 3.0]], ValueError, "point 1 of the descent: expected 1 parameters, got 2"),
        ([[1.0], [math.inf]], ValueError, "point 1 of the descent: parameter 0 is inf"),
        ([[1.0], [2.0], [1.0]], ValueError, "ends where it began"),
        ([1.0, 2.0], TypeError, "a sample is a list of numbers"),
        (3, TypeError, "a path of descent is a list of lists"),
    ],
)
def test_a_path_that_cannot_be_drawn_is_refused(descent, error, message):
    with pytest.raises(error, match=message):
        plots.loss_landscape(Bare(), XS, YS, "half_squared_error", descent)


def test_a_landscape_needs_a_module():
    with pytest.raises(TypeError, match="expected a model, a Module, not int: 3"):
        plots.loss_landscape(3, XS, YS, "half_squared_error", [[1.0], [2.0]])


# The boundary of a model of the user's


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        (1, [0, 1]),
        (1, [-1, 1]),
        (1, [[-1.0], [1.0]]),
        (2, [0, 1]),
        (2, [[1, 0], [0, 1]]),
        (2, [[1, -1], [-1, 1]]),
        (3, [0, 2]),
        (3, [[1, 0, 0], [0, 0, 1]]),
    ],
)
def test_the_boundary_of_a_model_shows_every_sample_by_its_class(
    tmp_path, drawn, monkeypatch, outputs, targets
):
    monkeypatch.setattr(plots, "GRID", 10)
    xs = [[0.0, 1.0], [2.0, -1.0]]
    figure = plots.boundary(net(outputs), xs, targets, tmp_path / "b.png")
    assert is_a_picture(tmp_path / "b.png")
    assert drawn == [figure]
    labels = {c.get_label(): c.get_offsets().tolist() for c in figure.axes[0].collections}
    last = f"class {max(outputs, 2) - 1}"
    assert (labels["class 0"], labels[last]) == ([xs[0]], [xs[1]])


@pytest.mark.parametrize("outputs", [2, 3])
def test_the_classes_may_have_names(monkeypatch, outputs):
    monkeypatch.setattr(plots, "GRID", 10)
    names = ["ham", "spam", "eggs"][:outputs]
    figure = plots.boundary(net(outputs), [[0.0, 1.0], [2.0, -1.0]], [0, 1], classes=names)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    with pytest.raises(ValueError, match=f"expected the names of {outputs} classes, not 1"):
        plots.boundary(net(outputs), [[0.0, 1.0]], [0], classes=["ham"])


def test_a_function_may_choose_among_more_than_two_classes(tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    train, test = ([[0.0, 0.0], [1.0, 1.0]], [0, 2]), ([[1.0, 0.0]], [1])
    names = ["ham", "spam", "eggs"]
    plots.boundary(
        lambda points: [x[0] > 0.5 for x in points], train, test, tmp_path / "b.png", classes=names
    )
    shown = {c.get_label(): c.get_offsets().tolist() for c in drawn[0].axes[0].collections}
    assert shown["eggs, training"] == [[1.0, 1.0]]
    assert shown["spam, validation"] == [[1.0, 0.0]]


def test_without_a_path_the_figure_shows_itself(monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    figure = plots.boundary(net(1), [[0.0, 1.0], [2.0, -1.0]], [0, 1])
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(("loss", "middle"), [("hinge", 0.0), ("half_squared_error", 0.5)])
def test_the_boundary_is_where_the_loss_has_it(monkeypatch, loss, middle):
    monkeypatch.setattr(plots, "GRID", 10)
    seen = []
    monkeypatch.setattr(plots, "_rows", lambda numbers: (seen.append(numbers), [[0.0] * 10] * 10)[1])
    model = MLP(2, [1], init="zeros")
    model.layers[0].neurons[0].b.data = 0.5
    plots.boundary(model, [[0.0, 1.0], [2.0, -1.0]], [0, 1], loss=loss)
    assert set(seen[0]) == {math.tanh(0.5 - middle)}


@pytest.mark.parametrize(
    ("outputs", "xs", "ys", "error", "message"),
    [
        (1, [[1.0]], [0], ValueError, "row 0: expected 2 inputs, got 1"),
        (1, [[1.0, 2.0]], [0, 1], ValueError, "1 samples, 2 targets"),
        (1, [], [], ValueError, "expected at least one sample"),
        (1, [[1.0, 2.0]], [2], ValueError, "target 0: expected the number of a class, from 0 to 1, not 2"),
        (3, [[1.0, 2.0]], [-1], ValueError, "target 0: expected the number of a class, from 0 to 2, not -1"),
        (1, [[1.0, 2.0]], ["a"], TypeError, "target 0: "),
        (1, 5, [0], TypeError, "rows is a list with one sample each, not int: 5"),
    ],
)
def test_samples_that_do_not_fit_are_refused(outputs, xs, ys, error, message):
    with pytest.raises(error, match=message):
        plots.boundary(net(outputs), xs, ys)


POINTS, CLASSES = [[0.0, 1.0], [2.0, -1.0], [1.0, 1.0]], [0, 1, 0]


def test_several_models_have_a_plane_each(monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    right, left = MLP(2, [1], init="zeros"), MLP(2, [1], init="zeros")
    right.layers[0].neurons[0].w[0].data, left.layers[0].neurons[0].w[0].data = 1.0, -1.0
    seen = []
    monkeypatch.setattr(plots, "_rows", lambda numbers: (seen.append(numbers), [[0.0] * 10] * 10)[1])
    figure = plots.boundary({"right": right, "left": left}, POINTS, CLASSES)
    planes = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in planes] == ["right", "left"]
    assert seen[0] == pytest.approx([-y for y in seen[1]])
    for axes in planes:
        labels = {c.get_label(): c.get_offsets().tolist() for c in axes.collections}
        assert (labels["class 0"], labels["class 1"]) == ([POINTS[0], POINTS[2]], [POINTS[1]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["class 0", "class 1"]


def areas(axes):
    return {c.get_label(): c.get_sizes().tolist() for c in axes.collections if hasattr(c, "get_sizes")}


def test_the_size_of_a_marker_grows_with_the_size_of_its_sample(monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    figure = plots.boundary(net(1), POINTS, CLASSES, sizes=[1.0, 0.0, 0.5])
    found = areas(figure.axes[0])
    (one, half), [none] = found["class 0"], found["class 1"]
    assert one - none == pytest.approx(2 * (half - none))
    assert none >= 10  # it is still seen


def test_each_model_may_have_its_sizes_and_all_have_one_scale(monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    models = {"before": net(1), "after": net(1)}
    figure = plots.boundary(models, POINTS, CLASSES, sizes={"before": [1, 0.5, 0], "after": [0, 0.5, 0]})
    before, after = (areas(axes) for axes in figure.axes[:2])
    assert before["class 1"] == after["class 1"]
    assert before["class 0"][0] > after["class 0"][0]
    figure = plots.boundary(net(1), POINTS, CLASSES, sizes=[0, 0, 0])
    assert {area for found in areas(figure.axes[0]).values() for area in found} == {10.0}


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ([1, 2], ValueError, "expected one size for each sample: 3 samples, 2 sizes"),
        ([1, -2, 3], ValueError, "expected sizes of at least 0, not -2"),
        ([1, math.nan, 3], ValueError, "sizes: size 1 is nan"),
        ({"other": [1, 2, 3]}, ValueError, "expected sizes for the models \\['a'\\], not for \\['other'\\]"),
        (["a", 1, 2], TypeError, "'a'"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, error, message):
    with pytest.raises(error, match=message):
        plots.boundary({"a": net(1)}, POINTS, CLASSES, sizes=sizes)


def test_models_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="expected models of equally many classes, not of 2 and 3"):
        plots.boundary({"a": net(1), "b": net(3)}, POINTS, CLASSES)
    with pytest.raises(ValueError, match="expected at least one model, not an empty dict"):
        plots.boundary({}, POINTS, CLASSES)
    with pytest.raises(TypeError, match="expected a model, a Module"):
        plots.boundary({"a": 5}, POINTS, CLASSES)


def test_several_histories_can_be_compared():
    slow, fast = history(Epoch(2.0, 0.5, 9.0, 0.1), Epoch(1.5, 0.5)), history(Epoch(2.0, 0.5))
    left, right = plots.curve({"slow": slow, "fast": fast}).axes
    assert [list(line.get_ydata()) for line in left.lines] == [[2.0, 1.5], [2.0]]
    assert [list(line.get_ydata()) for line in right.lines] == [[0.5, 0.5], [0.5]]
    assert [line.get_label() for line in left.lines] == ["slow", "fast"]
    assert left.lines[0].get_linewidth() > left.lines[1].get_linewidth()  # it is seen below the other
    with pytest.raises(ValueError, match="expected at least one history, not an empty dict"):
        plots.curve({})


class Plane(nn.Module):
    """E = ½ (w0² + 4 w1²) for the sample (1, 2) of target 0, but for the mixed term."""

    def __init__(self):
        self.w = [Value(3.0, "p"), Value(-1.0, "q")]

    def parameters(self):
        return self.w

    def __call__(self, x):
        return [self.w[0] * x[0], self.w[1] * x[1]]


PATH = [[3.0, -1.0], [1.0, 0.0]]


def test_two_parameters_have_a_map_of_the_loss():
    model = Plane()
    figure = plots.loss_landscape(model, [[1.0, 2.0]], [[0.0, 0.0]], "half_squared_error", PATH, plane=True)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("p", "q")
    [line] = axes.lines
    assert line.get_xydata().tolist() == PATH
    [contours] = [c for c in axes.collections if hasattr(c, "levels")]
    for level, lines in zip(contours.levels, contours.get_paths()):
        for p, q in lines.vertices:
            assert (p * p + 4 * q * q) / 2 == pytest.approx(level, rel=0.05, abs=0.01)
    assert [p.data for p in model.parameters()] == [3.0, -1.0]


def test_a_map_is_of_two_parameters():
    neuron = Neuron(2)
    path = [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    with pytest.raises(ValueError, match="a plane has two parameters; this model has 3"):
        plots.loss_landscape(neuron, [[1.0, 2.0]], [0.0], "half_squared_error", path, plane=True)


def test_a_picture_in_a_notebook_is_small_and_keeps_its_colours():
    import io

    from PIL import Image

    figure = plots.boundary(net(1), POINTS, CLASSES)
    whole = io.BytesIO()
    figure.savefig(whole, format="png")
    small = figure._repr_png_()
    assert len(small) < len(whole.getvalue()) / 2
    pixels = (
        Image.open(io.BytesIO(png)).convert("RGB").resize((40, 30)) for png in (whole.getvalue(), small)
    )
    for one, other in zip(*(list(p.tobytes()) for p in pixels)):
        assert abs(one - other) < 12  # of 255
