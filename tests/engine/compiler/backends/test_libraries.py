"""JAX and PyTorch compile, map, differentiate and shard a program."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import Value, total, trace
from nn.model.modules import MLP

ROOT = Path(__file__).parents[4]


def net():
    rng = random.Random(1)
    model = MLP(2, [2, 1], activation="tanh", rng=rng)
    x, t = [Value(0.5, label="x0"), Value(0.1, label="x1")], Value(1.0, label="t")
    loss = (model(x) - t) ** 2 + 1e-3 * total([p * p for p in model.parameters()])
    program = trace(loss, [*x, t], model.parameters())
    columns = [np.array([rng.gauss(0, 1) for _ in range(16)]) for _ in range(3)]
    return program, np.array([p.data for p in model.parameters()]), columns


def test_jax_compiles_maps_and_differentiates_it():
    jax = pytest.importorskip("jax")
    program, parameters, columns = net()
    step = program.compile("jax")
    mean, gradients = step(parameters, columns)
    with jax.enable_x64(True):
        compiled = jax.jit(step.function)
        assert np.allclose(compiled(parameters, columns)[1], gradients, rtol=1e-12)
        slopes = jax.jit(jax.grad(lambda p: step.function(p, columns)[0]))(parameters)
        assert np.allclose(slopes, gradients, rtol=1e-10, atol=1e-14)
        both = np.stack([parameters, 2 * parameters])
        two = jax.jit(jax.vmap(step.function, in_axes=(0, None)))(both, columns)
        assert two[1].shape == (2, len(parameters))
        assert two[0][0] == pytest.approx(mean, rel=1e-12)


def test_jax_compiles_a_program_with_many_outputs():
    jax = pytest.importorskip("jax")
    x, w = Value(0.5, label="x"), Value(2.0, label="w")
    step = trace([w * x, x, w * w], [x], [w]).compile("jax")
    with jax.enable_x64(True):
        mean, gradients, others = jax.jit(step.function)(np.array([3.0]), [np.array([1.0, 2.0])])
    assert (float(mean), gradients.tolist()) == (4.5, [1.5])
    assert [column.tolist() for column in others] == [[1.0, 2.0], [9.0, 9.0]]


def test_jax_keeps_its_own_precision():
    jax = pytest.importorskip("jax")
    program, parameters, columns = net()
    program.compile("jax")(parameters, columns)
    assert not jax.config.jax_enable_x64
    function = jax.jit(program.compile("jax").function)
    assert function(jax.numpy.array(parameters), columns)[1].dtype == np.float32


SHARDED = """
import jax, numpy as np, sys
from jax.sharding import AxisType, NamedSharding, PartitionSpec
sys.path.insert(0, "tests/engine/compiler/backends")
from test_libraries import net

program, parameters, columns = net()
step = program.compile("jax")
with jax.enable_x64(True):
    mesh = jax.make_mesh((8,), ("batch",), axis_types=(AxisType[sys.argv[1]],))
    parts = NamedSharding(mesh, PartitionSpec("batch"))
    everywhere = NamedSharding(mesh, PartitionSpec())
    spread = [jax.device_put(column, parts) for column in columns]
    mean, gradients = jax.jit(step.function)(jax.device_put(parameters, everywhere), spread)
expected = step(parameters, columns)
assert len(spread[0].addressable_shards) == 8
assert abs(mean - expected[0]) <= 1e-12 * abs(expected[0])
assert np.allclose(gradients, expected[1], rtol=1e-12, atol=1e-14)
"""


@pytest.mark.parametrize("axes", ["Auto", "Explicit"])
def test_jax_distributes_the_samples_over_eight_devices(axes):
    pytest.importorskip("jax")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    subprocess.run(
        [sys.executable, "-c", SHARDED, axes],
        cwd=ROOT,
        env={**os.environ, **flags, "PYTHONPATH": paths},
        check=True,
    )


def test_torch_maps_and_differentiates_it():
    torch = pytest.importorskip("torch")
    program, parameters, columns = net()
    step = program.compile("torch")
    mean, gradients = step(parameters, columns)
    p, c = torch.tensor(parameters), [torch.tensor(column) for column in columns]
    slopes = torch.func.grad(lambda p: step.function(p, c)[0])(p)
    assert np.allclose(slopes, gradients, rtol=1e-10, atol=1e-14)
    two = torch.func.vmap(step.function, in_dims=(0, None))(torch.stack([p, 2 * p]), c)
    assert two[0][0].item() == pytest.approx(mean, rel=1e-12)
    assert step.function(p.float(), [column.float() for column in c])[1].dtype == torch.float32
