"""Bad calls of nn and of the command line: each raises its error, in one line, and changes nothing."""

import hashlib
import json
import os
import random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.names import name

from engine import Value, detect_anomaly, no_grad, ops, weighted_sum
from nn import MLP, SGD, Adam, Layer, Module, Neuron, Optimizer, data, deltas, fit, init, load, losses, save
from nn import textbook as book
from nn.__main__ import main

NAN, INF, HUGE = float("nan"), float("inf"), 10**400
XS, YS = [[1.0, 2.0], [3.0, 4.0]], [1, -1]
NET = [([[0.5, -1.0]], [0.25], None)]
A_LIST, A_DICT, AN_OBJECT = [3], {3: 1}, object()


def rows(what, call, error, fragment, *bad):
    """Yield a row for each bad argument: id, call, error, fragment of its message,
    where {} is the argument."""
    for x in bad:
        yield pytest.param(
            call, x, error, fragment.replace("{}", f"{x!r:.60}"), id=name(f"{what}: {x!r:.30}")
        )


def learn(w, **changes):
    given = {"xs": XS, "ys": YS, "loss": "hinge", "epochs": 1, "progress": False, **changes}
    model = given.pop("model", w.model)
    optimizer = given.pop("optimizer", w.optimizer)
    arguments = [given.pop(name) for name in ("xs", "ys", "loss")]
    return fit(model, *arguments, optimizer, given.pop("epochs"), **given)


def rate(x):
    SGD([Value(1.0)], lr=0.1).lr = x


def unrecorded(w, x):
    with no_grad():
        deltas(w.model, x, 1.0)


WHOLE = "is a whole number of at least 1, not {}"
SAMPLE = "a sample is a list of 2 numbers, not"
PLANE = (data.moons, data.circles, data.spirals, data.xor)
ONE_TARGET = "expected one target for each output"
BOOK = (book.deltas, book.gradients, book.backward_matrix)


class Frame:
    """A data frame, as pandas has: it iterates over the names of its columns."""

    iloc, columns = None, ["p", "q"]

    def __len__(self):
        return 2

    def __iter__(self):
        return iter(self.columns)


FRAME, MASKED = Frame(), np.ma.masked_array(XS, mask=[[True, False], [False, False]])


class Returns(Module):
    """A model with the parameters of another, which returns something other than Values."""

    def __init__(self, model, outputs):
        self.parameters, self.outputs = model.parameters, outputs

    def __call__(self, x):
        return self.outputs


def own(y, t):
    return (y - t) ** 2


def mixed():
    model = MLP(2, [3, 1], "tanh")
    model.layers[0].neurons[1].activation = ops.relu
    return model


BAD = [
    # models
    *rows("MLP nin", lambda w, x: MLP(x, [1]), ValueError, "nin " + WHOLE, 0, -1, True, 2.0, NAN, "2", None,
          A_LIST),
    *rows("MLP nin", lambda w, x: MLP(x, [1]), ValueError, "nin is a whole number", np.array([2, 3]), 1j),
    *rows("MLP nouts", lambda w, x: MLP(2, [3, x]), ValueError, "a layer's size " + WHOLE, 0, -1, 1.5, INF,
          "3", None),
    *rows("MLP nouts", lambda w, x: MLP(2, x), TypeError, "nouts is a list of the layers' sizes", 3, "16",
          None, b"3"),
    *rows("MLP nouts", lambda w, x: MLP(2, x), ValueError, "nouts is empty", [], ()),
    *rows("MLP too large", lambda w, x: MLP(*x), ValueError, "parameters are too many", (10**30, [1]), (2,
          [10**9])),
    *rows("MLP too large", lambda w, x: MLP(*x), ValueError, "parameters are too many", (4000, [4000, 1])),
    *rows("Layer too large", lambda w, x: Layer(*x), ValueError, "parameters are too many", (10**4, 10**4)),
    *rows("Neuron too large", lambda w, x: Neuron(x), ValueError, "parameters are too many", 10**30),
    *rows("Layer nout", lambda w, x: Layer(2, x), ValueError, "nout " + WHOLE, 0, -3, False, 0.5, "4"),
    *rows("Neuron nin", lambda w, x: Neuron(x), ValueError, "nin " + WHOLE, 0, None, "x"),
    *rows("activation", lambda w, x: MLP(2, [3, 1], x), ValueError, "unknown activation", "", "swoosh", "+",
          "max"),
    *rows("activation", lambda w, x: MLP(2, [3, 1], x), ValueError, "unknown activation", "relu\n",
          "x" * 9999),
    *rows("activation", lambda w, x: Neuron(2, x), ValueError, "unknown activation 'max'", ops.maximum),
    *rows("activation", lambda w, x: Layer(2, 2, x), TypeError, "a name, an Op or None, not", 3, abs,
          ["relu"]),
    *rows("output", lambda w, x: MLP(2, [1], output=x), TypeError, "a name, an Op or None, not",
          weighted_sum, b"relu"),
    *rows("init", lambda w, x: MLP(2, [1], init=x), ValueError, "unknown init {}", "", "kaiming", "HE"),
    *rows("init", lambda w, x: MLP(2, [1], init=x), TypeError, "init is a name or a function", 3, None,
          ["he"]),
    *rows("init draws", lambda w, x: MLP(2, [1], init=lambda *_: x), TypeError, "expected a number, not",
          "x", None),
    *rows("rng", lambda w, x: MLP(2, [1], rng=x), TypeError, "rng draws random numbers", 1337, "seed",
          AN_OBJECT),
    *rows("model(x)", lambda w, x: w.model(x), ValueError, "expected 2 inputs, got", [], [1.0], [1.0, 2.0,
          3.0]),
    *rows("model(x)", lambda w, x: w.model(x), TypeError, SAMPLE, "ab", b"ab", {1: 2, 3: 4}, None, 3.0,
          Value(1.0)),
    *rows("model(x)", lambda w, x: w.model(x), TypeError, "expected a number, not", ["1", "2"], [1j, 2], XS),
    *rows("model(x)", lambda w, x: w.model(x), OverflowError, "too large", [HUGE, 1]),
    *rows("predict", lambda w, x: w.model.predict(x), ValueError, "expected 2 inputs, got 1", [1.0],
          np.ones(1)),
    *rows("predict", lambda w, x: w.model.predict(x), TypeError, SAMPLE, "ab", None, 3.0),
    *rows("predict", lambda w, x: w.model.predict(x), TypeError, "expected a number", [Value(1.0), 2.0],
          np.ones((2, 2))),
    *rows("activations", lambda w, x: Layer(2, 2).activations(x), ValueError, "expected 2 inputs, got 1",
          [1.0]),
    *rows("preactivation", lambda w, x: Neuron(2).preactivation(x), TypeError, SAMPLE, None, "xy"),
    *rows("activate", lambda w, x: Neuron(2).activate(x), TypeError, "expected z, a Value, not", "z", None,
          2.0),
    *rows("no activate", lambda w, x: Neuron(2, None).activate(x), TypeError, "expected z, a Value, not",
          "z", None),
    *rows("out of the domain", lambda w, x: MLP(1, [1], None, "log", "zeros")(x), ValueError,
          "log(a) at a = 0.0", [1.0]),
    *rows("no __call__", lambda w, x: Module()(x), NotImplementedError, "define __call__", [1.0]),
    # losses
    *rows("losses.find", lambda w, x: losses.find(x), ValueError, "unknown loss {}", "", "mse", "HINGE"),
    *rows("losses.find", lambda w, x: losses.find(x), TypeError, "a loss is a name or a function", None, 3,
          ["hinge"]),
    *rows("init.find", lambda w, x: init.find(x), TypeError, "init is a name or a function", None, 3, b"he"),
    *rows("squared error", lambda w, x: losses.half_squared_error(*x), ValueError, ONE_TARGET,
          ([], []), (1.0, [1, 1]), ([1.0, 2.0], 1.5), ([1.0, 2.0], [1.0]), ({0: 1.0, 1: 2.0}, [1, 0])),
    *rows("squared error", lambda w, x: losses.mean_squared_error(*x), TypeError, "expected a number, not",
          (None, 1), ("a", 1), (1.0, "1"), (1.0, None), ([[1.0], [2.0]], [1, 0]), (1.0, {0: 1}), (1.0, 1j)),
    *rows("hinge", lambda w, x: losses.hinge(0.5, x), ValueError, "a target of this loss is -1 or 1, not {}",
          0, 2, NAN),
    *rows("binary", lambda w, x: losses.binary_cross_entropy(0.5, x), ValueError,
          "is a number from 0 to 1, not {}", -1, 1.5, INF),
    *rows("cross entropy", lambda w, x: losses.cross_entropy([0.0, 1.0], x), ValueError,
          "whole number from 0 to 1",
          -1, 2, 0.5, NAN, INF),
    *rows("one-hot", lambda w, x: losses.cross_entropy([0.0, 1.0], x), ValueError, "add up to 1", [1, 1],
          [0, 0]),
    *rows("one class", lambda w, x: losses.cross_entropy(x, 0), ValueError, "two or more classes", 1.0,
          [1.0], [], None),
    *rows("class", lambda w, x: losses.cross_entropy([0.0, 1.0], x), TypeError, "expected a number", None,
          "1", {0: 1}),
    # optimisers
    *rows("SGD of", lambda w, x: SGD(x, lr=0.1), TypeError, "parameters is a list of Values", None, 3,
          Value(1.0)),
    *rows("a model", lambda w, x: Adam(w.model), TypeError, "such as model.parameters(), not MLP", None),
    *rows("SGD of", lambda w, x: SGD(x, lr=0.1), TypeError, "a parameter is a Value, not", [1.0], "ab",
          [None], [[]]),
    *rows("Adam of", lambda w, x: Adam(x), ValueError, "expected at least one parameter", [], ()),
    *rows("twice", lambda w, x: SGD([x, x], lr=0.1), ValueError, "in the list twice", Value(1.0)),
    *rows("no leaf", lambda w, x: SGD([x], lr=0.1), ValueError, "was computed from others", Value(1.0) * 2),
    *rows("lr", lambda w, x: SGD([Value(1.0)], lr=x), ValueError, "lr is at least 0 and finite, not", -1,
          NAN, INF, HUGE),
    *rows("lr", lambda w, x: rate(x), TypeError, "lr is a number, not", "0.1", None, [0.1], 1j,
          np.array([0.1, 0.2])),
    *rows("schedule", lambda w, x: SGD([Value(1.0)], lr=lambda _: x).step(), ValueError, "lr is at least 0",
          -1.0, NAN),
    *rows("momentum", lambda w, x: SGD([Value(1.0)], 0.1, x), ValueError, "at least 0 and below 1, not {}",
          1, -0.1, NAN),
    *rows("nesterov", lambda w, x: SGD([Value(1.0)], 0.1, nesterov=x), ValueError, "needs momentum > 0",
          True),
    *rows("weight_decay", lambda w, x: Adam([Value(1.0)], weight_decay=x), ValueError, "weight_decay is", -1,
          INF),
    *rows("betas", lambda w, x: Adam([Value(1.0)], betas=x), TypeError, "betas is a pair", 0.9, None, (0.9,),
          "ab"),
    *rows("betas", lambda w, x: Adam([Value(1.0)], betas=x), ValueError, "is at least 0 and below 1", (0.9,
          1), (NAN, 0)),
    *rows("eps", lambda w, x: Adam([Value(1.0)], eps=x), ValueError, "eps is above 0 and finite, not {}", 0,
          -1, NAN),
    *rows("no rule", lambda w, x: Optimizer([x], 0.1, 0.0).step(), NotImplementedError, "define _rule",
          Value(1.0)),
    # data
    *(row for make in PLANE for row in rows(make.__name__, lambda w, x, make=make: make(**x), ValueError, "",
          {"n": 1})),
    *rows("n", lambda w, x: data.moons(x), ValueError, "n, the number of points, is", 0, -5, 2.5, "9", None,
          True, 10**30),
    *rows("noise", lambda w, x: data.xor(noise=x), ValueError, "noise is a standard deviation", -1, NAN, INF,
          HUGE),
    *rows("noise", lambda w, x: data.circles(noise=x), TypeError, "noise is a number, not", "x", None, 1j,
          [0.1]),
    *rows("rng", lambda w, x: data.spirals(rng=x), TypeError, "rng draws random numbers", 3, "x"),
    *rows("split", lambda w, x: data.split(x, x), ValueError, "at least two samples to split, not", [], [1]),
    *rows("split", lambda w, x: data.split(x, [1, 2]), TypeError, "xs is a list, not", None, 3, "ab", {1: 2,
          3: 4}),
    *rows("split", lambda w, x: data.split([1, 2], x), ValueError, "as many targets as samples", [], [1], [1,
          2, 3]),
    *rows("held_back", lambda w, x: data.split([1, 2], [1, 2], x), ValueError, "between 0 and 1", 0, 1, -0.5,
          NAN, HUGE),
    *rows("held_back", lambda w, x: data.split([1, 2], [1, 2], x), TypeError, "held_back is a number", "x",
          None, 1j),
    *rows("standardise", lambda w, x: data.standardise(x), ValueError, "at least one sample", [], ()),
    *rows("standardise", lambda w, x: data.standardise(x), TypeError, "expected a list of samples", None, 3,
          "ab"),
    *rows("standardise", lambda w, x: data.standardise(x), ValueError, "finite number", [[1.0], [NAN]],
          [[-INF]]),
    *rows("ragged", lambda w, x: data.standardise(x), ValueError, "expected 1 features in every", [[1.0],
          [1.0, 2.0]]),
    *rows("ragged", lambda w, x: data.standardise([[1.0]], x), ValueError, "expected 1 features", [[1.0,
          2.0]], [[]]),
    # training
    *rows("model", lambda w, x: learn(w, model=x), TypeError, "expected a model, a Module, not", None, 3,
          "MLP", MLP),
    *rows("xs", lambda w, x: learn(w, xs=x), TypeError, "xs is a list with one entry for each", None, "ab",
          A_DICT, 3),
    *rows("xs", lambda w, x: learn(w, xs=x), TypeError, "sample 0: a sample is a list of 2 numbers", [1, 2],
          [None, 2]),
    *rows("xs", lambda w, x: learn(w, xs=[[1, 2], x]), ValueError, "sample 1: ", [1, INF], [NAN, 2], [1], [],
          [1, 2, 3]),
    *rows("xs", lambda w, x: learn(w, xs=[[1, 2], x]), TypeError, "sample 1: ", [1, None], [1j, 2], ["1", 2],
          "ab", XS),
    *rows("xs", lambda w, x: learn(w, xs=[[1, 2], x]), OverflowError, "sample 1: ", [1, HUGE]),
    *rows("ys", lambda w, x: learn(w, ys=x), TypeError, "ys is a list with one entry for each", None, "ab",
          3),
    *rows("ys", lambda w, x: learn(w, ys=x), ValueError, "2 samples in xs", [], [1], [1, 1, 1]),
    *rows("ys", lambda w, x: learn(w, ys=[1, x]), ValueError, "sample 1: ", 0, NAN, [1, 1], []),
    *rows("ys", lambda w, x: learn(w, ys=[1, x]), TypeError, "sample 1: expected a number, not", None, "x",
          1j),
    *rows("loss", lambda w, x: learn(w, loss=x), ValueError, "unknown loss {}", "mse", ""),
    *rows("loss gives", lambda w, x: learn(w, loss=lambda y, t: x), TypeError, "expected a number, not", "x",
          None, [1.0]),
    *rows("loss gives", lambda w, x: learn(w, loss=lambda y, t: x), FloatingPointError,
          "sample 0: the loss is", NAN, INF),
    *rows("optimizer", lambda w, x: learn(w, optimizer=x), TypeError, "expected an optimizer", None, 0.1,
          "sgd", SGD),
    *rows("optimizer", lambda w, x: learn(w, optimizer=x), ValueError, "moves none of the", SGD([Value(1.0)],
          lr=0.1)),
    *rows("epochs", lambda w, x: learn(w, epochs=x), ValueError, "epochs " + WHOLE, 0, -1, 1.5, "3", None,
          NAN, INF, True),
    *rows("batch_size", lambda w, x: learn(w, batch_size=x), ValueError, "batch_size " + WHOLE, 0, -1, 0.5,
          "1", INF),
    *rows("rng", lambda w, x: learn(w, rng=x), TypeError, "rng draws random numbers", 3, "x"),
    *rows("backend", lambda w, x: learn(w, backend=x), ValueError, "no backend {}", "abacus", "", None, 3),
    *rows("validation", lambda w, x: learn(w, validation=x), TypeError, "validation is a pair", 3, "xy",
          (XS,), A_DICT),
    *rows("validation", lambda w, x: learn(w, validation=x), ValueError, "", ([], []), (XS, [1]), (XS, [1,
          5])),
    # the Δ lens and the textbook
    *rows("deltas of", lambda w, x: deltas(x, [1.0, 2.0], 1.0), TypeError,
          "expected an MLP, a Layer or a Neuron, not", None, 3, "MLP", Module()),
    *rows("deltas x", lambda w, x: deltas(w.model, x, 1.0), ValueError, "expected 2 inputs, got", [], [1.0]),
    *rows("deltas x", lambda w, x: deltas(w.model, x, 1.0), TypeError, "number", None, "ab", [1.0,
          Value(2.0)]),
    *rows("deltas t", lambda w, x: deltas(w.model, [1.0, 2.0], x), TypeError, "expected a number, not", None,
          "x", 1j),
    *rows("deltas t", lambda w, x: deltas(w.model, [1.0, 2.0], x), ValueError, ONE_TARGET, [1, 2], []),
    *rows("deltas loss", lambda w, x: deltas(w.model, [1.0, 2.0], 1, x), ValueError, "unknown loss {}",
          "mse"),
    *rows("deltas loss", lambda w, x: deltas(w.model, [1.0, 2.0], 1, lambda y, t: x), ValueError,
          "recorded nothing",
          3.0, Value(3.0)),
    *rows("no_grad", unrecorded, ValueError, "no_grad is on", [1.0, 2.0]),
    *rows("forward", lambda w, x: book.forward(x, [1.0, 2.0]), ValueError, "expected at least one layer", []),
    *rows("forward", lambda w, x: book.forward(NET, x), ValueError, "layer 1: expected 1 rows of", [], [1.0],
          [1.0] * 3),
    *rows("forward b", lambda w, x: book.forward([([[0.5, 1.0]], x, None)], [1.0, 2.0]), ValueError,
          "layer 1:", [], [1, 2]),
    *rows("forward g", lambda w, x: book.forward([([[0.5]], [0.0], x)], [1.0]), ValueError,
          "unknown activation {}",
          "swoosh", 3, (1, 2), ["relu"], (abs,)),
    *(row for way in BOOK for row in rows(way.__name__, lambda w, x, way=way: way(NET, [1.0, 2.0], x),
          ValueError,
                                         "expected lists of one length, not 1 and", [], [1.0, 2.0])),
    *(row for way in BOOK for row in rows(way.__name__, lambda w, x, way=way: way(NET, [1.0, 2.0], x),
          TypeError,
                                         "expected a list of numbers, not", None, 1.0, "x")),
    *rows("book loss", lambda w, x: book.deltas(NET, [1.0, 2.0], [1.0], x), ValueError, "unknown loss {}",
          "mse", None, 3),
    *rows("book class", lambda w, x: book.deltas(NET, [1.0, 2.0], x, "cross_entropy"), ValueError,
          "whole number", -1, 1),
    *rows("output_deltas", lambda w, x: book.output_deltas(*x, None), ValueError, "lists of one length",
          ([1.0], [1.0, 2.0], [1.0]), ([1.0, 2.0], [1.0], [1.0])),
    *rows("hidden_deltas", lambda w, x: book.hidden_deltas(x, None, [[1.0, 2.0]], [1.0]), ValueError,
          "lists of one", [1.0]),
    *rows("update", lambda w, x: book.update(NET, x, 0.1), ValueError, "lists of one length", [], [([[1.0]],
          [1.0])]),
    *rows("forward", lambda w, x: book.forward(x, [1.0, 2.0]), TypeError, "expected a list of layers",
          None, 3,
          "ab"),
    *rows("forward", lambda w, x: book.forward(x, [1.0, 2.0]), TypeError,
          "layer 1: expected (W, b, activation)", [3], [([[1.0]], [0.0])]),
    *rows("forward W", lambda w, x: book.forward([(x, [0.0], None)], [1.0]), TypeError,
          "layer 1: W is a list of",
          3, [1.0], "a", [["a"]], [[None]]),
    *rows("forward b", lambda w, x: book.forward([([[1.0]], x, None)], [1.0]), TypeError,
          "layer 1: b is a list of",
          3, [None], {0.0}),
    *rows("forward x", lambda w, x: book.forward(NET, x), TypeError, "x is a list of numbers", 3, None, "ab",
          [None, 1.0], {1.0, 2.0}),
    *rows("hidden_deltas", lambda w, x: book.hidden_deltas(*x), TypeError, "a list of", (1.0, None,
          [[1.0]], [1.0]),
          ([1.0], None, 3, [1.0]), ([1.0], None, [[1.0]], ["a"])),
    *rows("hidden_deltas", lambda w, x: book.hidden_deltas([1.0], None, x, [1.0, 1.0]), ValueError,
          "W_next: expected lists of one length", [[1.0], [1.0, 2.0]]),
    *rows("output_deltas", lambda w, x: book.output_deltas(*x, None), TypeError, "expected a list of numbers",
          (1.0, [1.0], [1.0]), ([1.0], 1.0, [1.0]), ([1.0], [1.0], [None])),
    *rows("update steps", lambda w, x: book.update(NET, x, 0.1), TypeError, " (dW, db), not", None, 3, [3],
          [()]),
    *rows("update rate", lambda w, x: book.update(NET, book.gradients(NET, [1.0, 2.0], [1.0]), x), TypeError,
          "rate is a number, not", None, "0.1", [0.1]),
    # objects that resemble lists
    *rows("predict_many", lambda w, x: w.model.predict_many(x), TypeError,
          "rows is a list with one sample each, not",
          3, "ab", A_DICT, {1.0}, FRAME, MASKED),
    *rows("model(x)", lambda w, x: w.model(x), TypeError, SAMPLE, {1.0, 2.0}, frozenset([1.0, 2.0]), FRAME,
          MASKED[0]),
    *rows("predict", lambda w, x: w.model.predict(x), TypeError, SAMPLE, {1.0, 2.0}, FRAME, MASKED[0]),
    *rows("xs", lambda w, x: learn(w, xs=x), TypeError, "xs is a list with one entry for each sample, not",
          {1, 2}, FRAME, MASKED),
    *rows("xs", lambda w, x: learn(w, xs=[[1, 2], x]), TypeError, "sample 1: ", {1.0, 2.0}, A_DICT, FRAME),
    *rows("ys", lambda w, x: learn(w, ys=x), TypeError, "ys is a list with one entry for each sample, not",
          {1, -1}, FRAME, MASKED[0]),
    *rows("standardise", lambda w, x: data.standardise(x), TypeError, "expected a list of samples, not",
          {1.0}, FRAME, MASKED),
    *rows("split", lambda w, x: data.split(x, [1, 2]), TypeError, "xs is a list, not", {1, 2}, FRAME, MASKED),
    # models and losses of the user
    *rows("outputs", lambda w, x: learn(w, model=Returns(w.model, x), loss=own), TypeError,
          "sample 0: a model returns a Value or a list of Values", (Value(1.0),), 2.0, None, [1.0], []),
    *rows("outputs", lambda w, x: learn(w, model=Returns(w.model, x)), TypeError,
          "sample 0: a model returns a Value or a list of Values", (Value(1.0),), 2.0, None, [1.0], []),
    *rows("outputs", lambda w, x: Returns(w.model, x).predict([1.0, 2.0]), TypeError,
          "a model returns a Value or a list of Values", (Value(1.0),), 2.0, None, [1.0], []),
    *rows("constant loss", lambda w, x: learn(w, loss=lambda y, t: x), ValueError,
          "sample 0: the loss is the plain number", 3, 0.5, True),
    *rows("constant loss", lambda w, x: learn(w, loss=lambda y, t: x), ValueError,
          "sample 0: the loss is the Value", Value(3.0), Value(3.0) * 2),
    *rows("loss of .data", lambda w, x: learn(w, loss=lambda y, t: (y.data - t) ** x), ValueError,
          "no loss depends on the model's parameters", 2),
    *rows("lens", lambda w, x: deltas(mixed(), x, 1.0), ValueError, "expected one activation in layer 1, not",
          [1.0, 2.0]),
    # files
    *rows("save", lambda w, x: save(x, w.folder / "new"), TypeError, "expected a model, not", None, 3, "MLP",
          MLP, A_DICT),
    *rows("save to", lambda w, x: save(w.model, x), TypeError, "os.PathLike", None, 3, 3.5, [],
          b"model.json"),
    *rows("save to", lambda w, x: save(w.model, x), ValueError, "null", "a\0b"),
    *rows("save to", lambda w, x: save(w.model, w.folder / x), OSError, "expected a file, or nothing", "",
          ".", "..", "sub"),
    *rows("save to", lambda w, x: save(w.model, w.folder / x), FileNotFoundError, "No such file", "no/where"),
    *rows("save to", lambda w, x: save(w.model, w.folder / x), NotADirectoryError, "Not a directory",
          "model.json/x"),
    *rows("save to", lambda w, x: save(w.model, w.folder / x), OSError, "too long", "x" * 5000),
    *rows("load", lambda w, x: load(x), TypeError, "os.PathLike", None, 3, 3.5, [], b"model.json"),
    *rows("load", lambda w, x: load(w.folder / x), FileNotFoundError, "No such file", "nowhere", "a\nb"),
    *rows("load", lambda w, x: load(w.folder / x), IsADirectoryError, "Is a directory", "sub"),
    *rows("into", lambda w, x: load(w.file, into=x), TypeError, "into is a model, not", 3, "MLP", MLP,
          Value(1.0)),
    *rows("into", lambda w, x: load(w.file, into=x), ValueError, "holds another model", MLP(2, [4, 1]),
          Module()),
]  # fmt: skip


@pytest.fixture
def world(tmp_path):
    """Return a model after one step, its graph, and its file beside a folder."""
    model = MLP(2, [3, 1], activation="tanh", rng=random.Random(0))
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    root = model([0.5, -0.5])
    root.backward()
    optimizer.step()
    optimizer.zero_grad()
    save(model, tmp_path / "model.json")
    (tmp_path / "sub").mkdir()
    return SimpleNamespace(
        model=model, optimizer=optimizer, root=root, folder=tmp_path, file=tmp_path / "model.json"
    )


def snapshot(w):
    """Return all that a failed call must not change: model, optimizer, graph, table of operations, files."""
    nodes = [(p.data, p.grad, p.label, p.parents) for p in (*w.model.parameters(), w.root)]
    files = {path: path.read_bytes() if path.is_file() else b"" for path in w.folder.rglob("*")}
    return nodes, (w.optimizer.steps, w.optimizer.memory, w.optimizer.lr), dict(ops.table), files


def check(w, act, error, fragment):
    before = snapshot(w)
    with pytest.raises(error) as caught:
        act()
    message = str(caught.value)
    assert type(caught.value) is error or error is OSError
    assert fragment in message
    assert message
    assert "\n" not in message
    assert len(message) < 800 or isinstance(caught.value, OSError)  # the system names the whole path
    assert snapshot(w) == before


@pytest.mark.parametrize(("call", "bad", "error", "fragment"), BAD)
def test_a_bad_call_raises_one_line_and_changes_nothing(world, monkeypatch, call, bad, error, fragment):
    monkeypatch.chdir(world.folder)
    check(world, lambda: call(world, bad), error, fragment)


def test_the_table_is_long_enough():
    assert len(BAD) + len(FILES) + len(LINES) > 300


# Only a regular file is replaced


def test_a_device_is_not_replaced_by_a_file(world, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="expected a file, or nothing, to write to"):
        save(world.model, pipe)
    assert pipe.is_fifo()


# Damaged and hostile files


def sealed(**changes):
    """Return a model's file with some of its content changed and a correct checksum."""
    content = {
        "format": "chalkgrad model",
        "version": 1,
        "architecture": {
            "kind": "MLP", "nin": 2, "nouts": [3, 1], "activation": "tanh", "output": None, "atomic": False
        },
        "parameters": [0.5] * 13,
        **changes,
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return json.dumps({**content, "sha256": digest}).encode()


def built(**changes):
    return sealed(architecture={**json.loads(sealed())["architecture"], **changes})


def nested(depth):
    return b'{"format": "chalkgrad model", "version": 1, "x": ' + b"[" * depth + b"]" * depth + b"}"


FILES = {
    "empty": (b"", "is damaged"),
    "not text": (b"\xff\xfe\x00", "is damaged"),
    "no object": (b"[1, 2]", "is damaged"),
    "cut short": (sealed()[:-1], "is damaged"),
    "two files": (sealed() * 2, "is damaged"),
    "another format": (sealed(format="pickle"), "its format is 'pickle'"),
    "a format with lines": (sealed(format="a\nb" * 5000), "its format is"),
    "a format that is a list": (sealed(format=["chalkgrad model"]), "its format is"),
    "a version to come": (sealed(version=3), "is of version 3"),
    "a version with lines": (sealed(version="1\n" * 5000), "is of version"),
    "no version": (b'{"format": "chalkgrad model"}', "is of version None"),
    "another checksum": (sealed().replace(b'"sha256": "', b'"sha256": "0'), "its checksum does not fit"),
    "no checksum": (sealed().replace(b"sha256", b"sha257"), "its checksum does not fit"),
    "a checksum that is a list": (sealed()[:-70] + b"[]}", "is damaged"),
    "nested 400 deep": (nested(400), "is damaged"),
    "nested 100000 deep": (nested(100_000), "is damaged"),
    "a whole number of 5000 digits": (b'{"format": ' + b"9" * 5000 + b"}", "is damaged"),
    "a parameter NaN": (sealed(parameters=[float("nan")] * 13), "parameter 0 is nan"),
    "a parameter beyond floats": (sealed(parameters=[1.5] * 13).replace(b"1.5", b"1e999"), "is damaged"),
    "a parameter infinite": (sealed(parameters=[1.0] * 12 + [float("inf")]), "parameter 12 is inf"),
    "a parameter whole": (sealed(parameters=[1] * 13), "parameter 0 is 1, not a finite number"),
    "a parameter true": (sealed(parameters=[True] * 13), "parameter 0 is True"),
    "a parameter of many lines": (sealed(parameters=["a\nb" * 999] * 13), "parameter 0 is"),
    "a parameter too few": (sealed(parameters=[0.5] * 12), "do not have 12 parameters"),
    "no parameters": (sealed(parameters=None), "lacks an architecture or a list of parameters"),
    "no architecture": (sealed(architecture="MLP"), "lacks an architecture"),
    "of another kind": (built(kind="os.system\n('x')"), "only an MLP is built from its file"),
    "nin of a billion": (built(nin=10**9), "cannot be built"),
    "nin below zero": (built(nin=-1, nouts=[10**9, 1]), "cannot be built"),
    "nouts of nothing": (built(nouts=[0, 10**9]), "cannot be built"),
    "nouts that is an object": (built(nin=2**63, nouts={"": None}), "cannot be built"),
    "nouts that is text": (built(nouts="31"), "cannot be built"),
    "nouts that is nested": (built(nouts=[[3], 1]), "cannot be built"),
    "nin that is text": (built(nin="2"), "cannot be built"),
    "an activation unknown": (built(activation="__import__('os')"), "is not defined here"),
    "an activation of many lines": (built(activation="a\nb" * 5000), "is not defined here"),
    "an activation that is a list": (built(activation=["tanh"]), "cannot be built"),
    "an activation of two": (built(activation="max"), "cannot be built"),
    "an extra entry": (built(extra="\n" * 9999), "holds another model"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_raises_one_line_and_changes_nothing(world, name):
    content, fragment = FILES[name]
    path = world.folder / "hostile.json"
    path.write_bytes(content)
    check(world, lambda: load(path), ValueError, fragment)
    check(world, lambda: load(path, into=world.model), ValueError, "")


def test_the_unchanged_file_is_loaded(tmp_path):
    (tmp_path / "m").write_bytes(sealed())
    assert [p.data for p in load(tmp_path / "m").parameters()] == [0.5] * 13


def test_a_path_of_many_lines_is_shown_in_one(tmp_path, world):
    path = tmp_path / "a\nb"
    path.write_bytes(b"{}")
    check(world, lambda: load(path), ValueError, "a\\nb")


def outcome(path):
    """Return the model in the file, or the message if it is refused."""
    try:
        return load(path)
    except ValueError as error:
        return str(error)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "model.json"


@settings(max_examples=100)
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_random_bytes_are_never_a_model(place, content):
    place.write_bytes(content)
    line = outcome(place)
    assert isinstance(line, str)
    assert len(line.splitlines()) == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
sizes = st.integers(-3, 4) | st.sampled_from([10**9, 2**63])


@settings(max_examples=120)
@given(
    architecture=anything
    | st.fixed_dictionaries(
        {"kind": st.just("MLP") | anything, "nin": sizes | anything, "nouts": st.lists(sizes) | anything},
        optional={
            "activation": st.sampled_from(["tanh", "max", None]) | anything,
            "output": st.none() | anything,
            "atomic": st.booleans() | anything,
            "more": anything,
        },
    ),
    parameters=st.lists(st.floats(), max_size=14) | anything,
    version=st.just(1) | anything,
)
def test_a_file_with_a_correct_checksum_is_loaded_or_refused(place, architecture, parameters, version):
    place.write_bytes(sealed(architecture=architecture, parameters=parameters, version=version))
    model = outcome(place)
    if isinstance(model, str):
        assert len(model.splitlines()) == 1
        assert len(model) < 1000
    else:
        assert [p.data for p in model.parameters()] == parameters
        assert (model.nin, model.nouts) == (architecture["nin"], architecture["nouts"])


# The command line


LINES = [
    (["--data", "mnist"], "invalid choice: 'mnist'"),
    (["--data"], "expected one argument"),
    (["--layers", "0"], "expected a whole number from 1 to 999999999, not '0'"),
    (["--layers", "8", "-1"], "not '-1'"),
    (["--layers", "1.5"], "not '1.5'"),
    (["--layers", "²"], "not '²'"),
    (["--layers", "9" * 5000], "expected a whole number from 1 to 999999999"),
    (["--data", "xor", "--layers", "99999999"], "parameters are too many"),
    (["--activation", ""], "unknown activation ''"),
    (["--activation", "max"], "unknown activation 'max'"),
    (["--activation", "a\nb"], "unknown activation 'a\\nb'"),
    (["--loss", "mse"], "invalid choice: 'mse'"),
    (["--init", "kaiming"], "invalid choice: 'kaiming'"),
    (["--optimizer", "rmsprop"], "invalid choice: 'rmsprop'"),
    (["--lr", "0"], "expected a number above 0, not '0'"),
    (["--lr", "-0.1"], "expected a number above 0, not '-0.1'"),
    (["--lr", "nan"], "expected a number above 0, not 'nan'"),
    (["--lr", "1e999"], "expected a number above 0, not '1e999'"),
    (["--lr", "fast"], "expected a number above 0, not 'fast'"),
    (["--epochs", "0"], "expected a whole number from 1"),
    (["--epochs", "-3"], "expected a whole number from 1"),
    (["--epochs", ""], "expected a whole number from 1"),
    (["--batch-size", "0"], "expected a whole number from 1"),
    (["--seed", "1.5"], "invalid int value: '1.5'"),
    (["--nope"], "unrecognized arguments: --nope"),
    (["--dat", "xor"], "unrecognized arguments: --dat"),
    (["extra\nline"], "unrecognized arguments: extra line"),
]


@pytest.mark.parametrize(("line", "fragment"), LINES, ids=[name(" ".join(line), 30) for line, _ in LINES])
def test_a_bad_command_line_prints_one_line_and_writes_nothing(world, capsys, monkeypatch, line, fragment):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(world.folder)
    refusal(world, capsys, [*line, "--out", "sub"], fragment)


def refusal(w, capsys, line, fragment):
    before = snapshot(w)
    with pytest.raises(SystemExit) as caught:
        main(line)
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""
    assert fragment in err
    assert err.startswith("python -m nn: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert snapshot(w) == before


@pytest.mark.parametrize(
    ("out", "fragment"),
    [
        ("model.json", "File exists"),
        ("model.json/sub", "Not a directory"),
        ("x" * 300, "too long"),
        ("a\0b", "null"),
    ],
)
def test_a_folder_that_cannot_be_written_is_reported_before_training(
    world, capsys, monkeypatch, out, fragment
):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(world.folder)
    refusal(world, capsys, ["--data", "xor", "--out", out], fragment)


# Hostile names


@pytest.mark.parametrize("label", ["a\nb", "</pre><script>", "\u2028", "\\end{x}", '"; import os; "'])
def test_errors_with_any_label_are_one_line(world, label):
    w = Value(float("nan"), label=label)
    w.grad = 1.0

    class Line(Module):
        def parameters(self):
            return [w]

    def anomaly():
        with detect_anomaly():
            Value(1e200, label=label) * 1e200

    new, step = world.folder / "new", SGD([w], lr=0.1).step
    for call in (lambda: save(Line(), new), step, Value(-1.0, label=label).log, anomaly):
        with pytest.raises((ValueError, FloatingPointError)) as caught:
            call()
        assert len(str(caught.value).splitlines()) == 1
    assert not (world.folder / "new").exists()


@pytest.mark.parametrize("name", ["</table><script>alert(1)</script>", "<b>", "&lt;", '"onload="x'])
def test_the_name_of_a_loss_is_escaped_in_the_report(name):
    def mine(y, t):
        return (y - t) ** 2

    mine.__name__ = name
    html = deltas(MLP(2, [2, 1], "tanh"), [1.0, 2.0], 1.0, mine)._repr_html_()
    assert "<script" not in html
    assert "<b>" not in html
