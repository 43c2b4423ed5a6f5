"""A record of a step on torch: what it repeats, and when it does not hold good."""

import numpy as np
import pytest

from hornbeam import backends

torch = pytest.importorskip("torch")
engine = backends.get("torch")


def recorded(step, state=(), data=()):
    return engine.record(step, list(state), list(data))


def test_a_record_changes_the_state_and_reads_the_data():
    state, x = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])

    def step():
        state.add_(x * 2)
        return {"sum": (state.t().sum() + 0.5, None, 3)}

    first, second = (recorded(step, [state], [x]) for _ in range(2))
    assert first.repeats(second)
    other = torch.zeros(2)
    batches = [[torch.ones(2)], [torch.tensor([1.0, 2.0])]]
    found = first.program()([other], batches)
    assert [float(f["sum"][0]) for f in found] == [4.5, 10.5]
    assert found[0]["sum"][1:] == (None, 3)
    np.testing.assert_array_equal(other, [4, 6])
    np.testing.assert_array_equal(state, [41, 82])


def test_gradients_are_among_the_operations():
    w = torch.nn.Parameter(torch.tensor([0.5, -0.5, 2.0]))

    def step():
        loss = (torch.relu(w * x) ** 2).sum()
        [gradient] = torch.autograd.grad(loss, [w])
        return gradient

    x = torch.tensor([1.0, 2.0, 3.0])
    record = recorded(step, [w], [x])
    new, y = torch.tensor([1.0, 1.0, -1.0]), torch.tensor([3.0, -1.0, 1.0])
    [gradient] = record.program()([new], [[y]])
    np.testing.assert_allclose(gradient, [18.0, 0.0, 0.0])


def test_numbers_made_on_the_host_show_as_a_difference():
    x = torch.ones(3)
    numbers = iter(np.arange(6, dtype="float32").reshape(2, 3))

    def step():
        return x + torch.from_numpy(next(numbers))

    assert not recorded(step, [], [x]).repeats(recorded(step, [], [x]))


def test_a_python_number_that_changes_shows_as_a_difference():
    x, numbers = torch.ones(3), iter((1.0, 2.0))
    first, second = (recorded(lambda: x * next(numbers), [], [x]) for _ in range(2))
    assert not first.repeats(second)


@pytest.mark.parametrize("look", [float, bool, torch.Tensor.item, torch.nonzero])
def test_a_step_that_looks_at_a_value_is_not_repeated(look):
    x = torch.ones(())
    record = recorded(lambda: look(x * 2), [], [x])
    assert not record.repeats(record)


def test_a_tensor_outside_the_state_must_not_change():
    outside, x = torch.zeros(2), torch.ones(2)
    record = recorded(lambda: outside.add_(x), [], [x])
    assert "no part of the state" in record.problem
    np.testing.assert_array_equal(outside, 1)


def test_views_of_the_state_and_constants_are_made_once():
    state, x = torch.arange(6.0).reshape(2, 3), torch.ones(1, 2)

    def step():
        made = torch.arange(3.0) + 1
        state.mul_(2)
        return x @ state.view(3, 2).t() + made

    program = recorded(step, [state], [x]).program()
    other = torch.ones(2, 3)
    first, second = program([other], [[x], [x]])
    np.testing.assert_array_equal(first, [[5, 6, 7]])
    np.testing.assert_array_equal(second, [[9, 10, 11]])


def test_a_made_tensor_that_is_changed_is_made_at_every_step():
    x = torch.ones(2)

    def step():
        made = torch.zeros(2, 2)
        made[0].add_(x)
        return made.sum()

    program = recorded(step, [], [x]).program()
    assert [float(s) for s in program([], [[x], [x]])] == [2.0, 2.0]


def test_random_operations_draw_anew():
    x = torch.zeros(8)
    program = recorded(lambda: x + torch.rand(8), [], [x]).program()
    first, second = program([], [[x], [x]])
    assert not torch.equal(first, second)


def test_what_computes_on_the_host_runs_at_every_step():
    key = torch.tensor([3, 0])

    def step():
        key.add_(torch.tensor([0, 1]))
        return engine.random_uniform(key, (4,))

    record = recorded(step, [key])
    fresh = torch.tensor([3, 0])
    found = record.program()([fresh], [[], []])
    for counter, drawn in enumerate(found, start=1):
        expected = engine.random_uniform(torch.tensor([3, counter]), (4,))
        np.testing.assert_array_equal(drawn, expected)
