"""The playground's modules: its build script, and random nets with what Python computes for them."""

import json
import random
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import engine
from engine import Op, ops
from nn import MLP, deltas, init
from nn.training import losses

ROOT = Path(engine.__file__).parent.parent


def load_build():
    """Return the build script of the playground as a module."""
    spec = spec_from_file_location("playground_build", ROOT / "web/playground/build.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load_build()
ACTIVATIONS = [
    None,
    *(name for name, op in ops.table.items() if isinstance(op, Op) and len(op.partials) == 1),
]


def random_case(seed):
    """Return (model, x, t, loss): a random net with an activation per layer, and a sample in its domain."""
    rng = random.Random(seed)
    while True:
        loss = rng.choice(list(losses.table))
        sizes = [rng.randint(1, 5) for _ in range(rng.randint(1, 5))]
        if loss == "cross_entropy":
            sizes[-1] = max(2, sizes[-1])
        model = MLP(
            rng.randint(1, 4), sizes, init=rng.choice(["uniform", "normal", "xavier", "he", "lecun"]), rng=rng
        )
        for layer in model.layers:
            activation = rng.choice(ACTIVATIONS)
            for neuron in layer.neurons:
                neuron.activation = activation
                neuron.b.data = rng.gauss(0, 0.3)
        x = [rng.gauss(0, 1) for _ in range(model.nin)]
        t = {
            "hinge": [rng.choice([-1.0, 1.0]) for _ in range(sizes[-1])],
            "binary_cross_entropy": [rng.choice([0.0, 1.0]) for _ in range(sizes[-1])],
            "cross_entropy": [float(k == sizes[-1] - 1) for k in range(sizes[-1])],
        }.get(loss, [rng.gauss(0, 1) for _ in range(sizes[-1])])
        try:
            deltas(model, x, t, loss)
        except (ArithmeticError, ValueError):
            continue  # outside the domain of an activation
        return model, x, t, loss


def as_net(model):
    """Return a model as the playground has it: a list of layers."""
    return [
        {
            "W": [[w.data for w in neuron.w] for neuron in layer.neurons],
            "b": [neuron.b.data for neuron in layer.neurons],
            "activation": layer.neurons[0].activation and layer.neurons[0].activation.symbol,
        }
        for layer in model.layers
    ]


def arguments(model, x, t, loss):
    """Return the arguments of the playground's functions as JavaScript."""
    return ", ".join(map(json.dumps, (as_net(model), x, t, loss)))


INITIALIZERS = list(init.table)
