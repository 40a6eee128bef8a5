"""Values computed under no_grad are not recorded."""

import asyncio
import gc
import threading

import pytest

from engine import Value, backward_steps, grad, no_grad, ops, weighted_sum
from engine.core import node_factories
from engine.core.node_factories import node_factory


def recording():
    return bool((Value(1.0) * 2).parents)


def test_under_no_grad_nothing_is_recorded():
    x = Value(2.0)
    with no_grad():
        results = [x * x, x + 1, 2 - x, x.exp(), ops.maximum(x, 1.0), weighted_sum([x], [x], x), -x]
    assert [y.data for y in results[:3]] == [4.0, 3.0, 0.0]
    assert all(y.parents == () and y.op is None and y.local_gradients() == () for y in results)
    assert (x * x).parents == (x, x)


def test_no_grad_may_be_nested():
    x = Value(2.0)
    with no_grad():
        with no_grad():
            assert not (x * x).parents
        assert not (x * x).parents
        assert not recording()
    assert (x * x).parents
    assert recording()


def test_recording_continues_after_an_exception():
    with pytest.raises(ZeroDivisionError), no_grad():
        Value(1.0) / 0
    assert recording()


def test_no_grad_decorates_a_function():
    @no_grad()
    def square(x):
        return x * x

    x = Value(3.0)
    for _ in range(2):
        assert square(x).data == 9.0
        assert not square(x).parents
        assert recording()


def test_dropping_a_generator_that_is_suspended_under_no_grad_ends_no_grad():
    def numbers():
        with no_grad():
            yield 1

    suspended = numbers()
    next(suspended)
    assert not recording()
    del suspended
    gc.collect()
    assert recording()


def under(block):
    with block:
        yield


@pytest.mark.parametrize("first", [0, 1], ids=["outer first", "inner first"])
def test_generators_may_leave_their_blocks_in_any_order(first):
    suspended = [under(no_grad()), under(no_grad())]
    for generator in suspended:
        next(generator)
    suspended[first].close()
    assert not recording()
    suspended[1 - first].close()
    assert recording()


def test_the_innermost_open_block_decides():
    outer, inner = under(no_grad()), under(node_factory(None))
    next(outer)
    next(inner)
    assert recording()
    inner.close()
    assert not recording()
    next(inner := under(node_factory(None)))
    outer.close()
    assert recording()
    inner.close()
    assert recording()
    assert not node_factories.open_blocks


def test_no_grad_holds_in_one_thread_only():
    x = Value(2.0)
    inside, done = threading.Event(), threading.Event()
    seen = {}

    def paused():
        with no_grad():
            inside.set()
            done.wait(10)
            seen["paused"] = (x * x).parents

    thread = threading.Thread(target=paused)
    thread.start()
    inside.wait(10)
    seen["other"] = (x * x).parents
    done.set()
    thread.join()
    assert seen == {"paused": (), "other": (x, x)}


def test_threads_that_build_graphs_do_not_affect_each_other():
    results = {}

    def work(name):
        for _ in range(200):
            x = Value(float(name))
            y = x
            for _ in range(10):
                y = y * x + 1
                with no_grad():
                    y.tanh()
            y.backward()
        results[name] = x.grad

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {n: sum(k * float(n) ** (k - 1) for k in (*range(10), 11)) for n in (1, 2)}
    assert results == expected


def test_a_sum_too_long_for_one_line_is_not_recorded_either():
    w, a = [Value(1.0) for _ in range(500)], [Value(2.0) for _ in range(500)]
    with no_grad():
        z = weighted_sum(w, a, 1.0)
    assert (z.data, z.parents) == (1001.0, ())


# A result that was not recorded


def unrecorded(x):
    with no_grad():
        return x * x


@pytest.mark.parametrize("differentiate", [
    lambda y, x: y.backward(), lambda y, x: next(backward_steps(y)), lambda y, x: grad(y, [x]),
], ids=["backward", "backward_steps", "grad"])  # fmt: skip
def test_differentiating_an_unrecorded_result_is_an_error_and_not_0(differentiate):
    x = Value(3.0)
    with pytest.raises(ValueError, match="was computed under no_grad, so there is no graph"):
        differentiate(unrecorded(x), x)
    assert x.grad == 0.0


def test_an_unrecorded_result_is_a_constant_of_a_recorded_graph():
    x = Value(3.0)
    target = unrecorded(x)
    loss = (x - target) ** 2
    loss.backward()
    assert (x.grad, target.grad) == (2 * (3.0 - 9.0), 0.0)
    assert loss.parents[0].local_gradients() == (1.0, 0.0)


def test_grad_is_an_error_for_an_x_that_only_an_unrecorded_path_reaches():
    x, w = Value(3.0), Value(2.0)
    loss = w * unrecorded(x)
    assert grad(loss, [w]) == [9.0]
    with pytest.raises(ValueError, match="no recorded path leads from .*3.0.* under no_grad"):
        grad(loss, [x])


def test_grad_is_0_for_an_x_that_a_fully_recorded_graph_does_not_contain():
    assert grad(Value(1.0) * 2, [Value(3.0)]) == [0.0]


def test_an_unrecorded_result_keeps_the_label_that_it_is_given():
    y = unrecorded(Value(3.0))
    y.label = "t"
    assert (y.label, y.data, y.parents) == ("t", 9.0, ())


def test_each_task_of_asyncio_has_its_own_mode():
    seen = {}

    async def silent(started, ended):
        with no_grad():
            started.set()
            await ended.wait()
            seen["silent"] = recording()

    async def loud(started, ended):
        await started.wait()
        seen["loud"] = recording()
        ended.set()

    async def both():
        started, ended = asyncio.Event(), asyncio.Event()
        await asyncio.gather(silent(started, ended), loud(started, ended))

    asyncio.run(both())
    assert seen == {"silent": False, "loud": True}


def test_a_thread_that_ends_inside_a_suspended_block_does_not_affect_later_threads():
    suspended = []

    def suspend():
        suspended.append(under(no_grad()))
        next(suspended[-1])

    def run(f):
        thread = threading.Thread(target=f)
        thread.start()
        thread.join()

    modes = []
    for _ in range(20):
        run(suspend)
        run(lambda: modes.append(recording()))
    assert modes == [True] * 20


def test_a_graph_that_depends_on_unrecorded_values_alone_is_an_error_and_not_0():
    w = Value(2.0)
    loss = (unrecorded(w) - 1) ** 2
    for differentiate in (Value.backward, lambda y: list(backward_steps(y))):
        with pytest.raises(ValueError, match="under no_grad: there is no gradient"):
            differentiate(loss)
    assert w.grad == 0.0


def test_an_unrecorded_value_has_no_gradient_of_its_own():
    y = unrecorded(Value(2.0))
    with pytest.raises(ValueError, match="no recorded path"):
        grad(y * 3.0, [y])


def test_a_block_that_has_ended_is_not_inherited_by_a_task():
    async def main():
        opened = asyncio.Event()

        async def child():
            await opened.wait()
            return recording()

        with no_grad():
            task = asyncio.create_task(child())
        await asyncio.sleep(0)
        with no_grad():
            opened.set()
            await asyncio.sleep(0)
        return await task

    assert asyncio.run(main())


def test_no_grad_decorates_generators_and_coroutines():
    @no_grad()
    def numbers(x):
        received = yield x * 2
        yield x * received

    generator = numbers(Value(3.0))
    assert not next(generator).recorded
    assert recording()
    assert not generator.send(4.0).recorded

    @no_grad()
    async def later(x):
        await asyncio.sleep(0)
        return x * 2

    assert not asyncio.run(later(Value(3.0))).recorded
    assert later.__name__ == "later"
