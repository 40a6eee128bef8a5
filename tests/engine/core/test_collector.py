"""Pauses of the garbage collector: afterwards it is as it was before, whatever happens in them."""

import gc
import threading

import pytest

from engine import Value, collector_paused, trace
from nn import MLP


@pytest.fixture(params=[True, False], ids=["enabled", "disabled"])
def enabled(request):
    """Switch the collector on or off for a test."""
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_the_collector_is_paused_and_then_as_before(enabled):
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() is enabled


def test_an_error_ends_the_pause(enabled):
    with pytest.raises(ZeroDivisionError), collector_paused():
        1 / 0  # noqa: B018
    assert gc.isenabled() is enabled


def test_a_function_that_fails_when_it_is_traced_ends_the_pause(enabled):
    with pytest.raises(TypeError):
        trace(lambda x: x + "1", [Value(2.0)])
    assert gc.isenabled() is enabled


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_pauses_of_two_threads_may_end_in_any_order(enabled, first_to_end):
    begun = [threading.Event(), threading.Event()]
    end = [threading.Event(), threading.Event()]

    def pause(i):
        with collector_paused():
            begun[i].set()
            end[i].wait(60)

    threads = [threading.Thread(target=pause, args=[i]) for i in (0, 1)]
    for thread, event in zip(threads, begun):
        thread.start()
        assert event.wait(60)
    assert not gc.isenabled()
    for i in (first_to_end, 1 - first_to_end):
        end[i].set()
        threads[i].join(60)
    assert gc.isenabled() is enabled


def test_no_collection_runs_while_a_graph_is_traced_and_while_a_net_is_made(enabled):
    states = []

    def build(x):
        states.append(gc.isenabled())
        return x * x

    def draw(rng, nin, nout):
        states.append(gc.isenabled())
        return 1.0

    trace(build, [Value(2.0)])
    MLP(1, [1], init=draw)
    assert states == [False, False]
    assert gc.isenabled() is enabled
