"""Data that comes batch by batch."""

import threading
import time
import traceback
import warnings

import numpy as np
import pytest
from numbered import Numbered

import hornbeam as keras
from hornbeam import backends
from hornbeam.data import PyDataset, make_data

torch = pytest.importorskip("torch")


def batches(count):
    for i in range(count):
        yield np.full((2, 1), float(i)), np.ones(2)


class Iterable:
    """What can be read again."""

    def __init__(self, count, length=None):
        self.count = count
        if length is not None:
            self.length = length

    def __iter__(self):
        return batches(self.count)


class Endless(Numbered):
    @property
    def num_batches(self):
        return None


def numbers(data):
    return [int(batch[0][0, 0]) for batch in data]


def epoch_of(data, epoch):
    data.on_epoch_begin(epoch)
    found = numbers(data)
    data.on_epoch_end()
    return found


def test_generator_is_read_to_its_end():
    data = make_data(batches(3))
    assert not data.in_memory
    assert data.steps is None
    assert numbers(data) == [0, 1, 2]
    assert data.steps == 3


def test_batches_are_tuples_of_host_arrays():
    def mixed():
        yield [torch.ones(2, 1), np.ones(2, "int64")]
        yield {"a": np.ones((2, 1)), "b": [1, 2]}
        yield np.ones((2, 1))
        yield (backends.get("jax").convert(np.ones((2, 1))),)

    first, second, third, fourth = make_data(mixed())
    assert type(first) is tuple
    assert type(first[0]) is np.ndarray
    assert first[1].dtype == "int64"
    assert second[0]["a"].dtype == "float32"
    assert second[0]["b"].tolist() == [1, 2]
    assert third[0].shape == (2, 1)
    assert type(fourth[0]) is np.ndarray


def test_generator_with_steps_goes_on():
    data = make_data(batches(6), steps=2)
    assert data.steps == 2
    assert [numbers(data) for _ in range(3)] == [[0, 1], [2, 3], [4, 5]]


def test_generator_that_is_too_short_ends_the_epoch_and_says_so_once():
    data = make_data(batches(3), steps=2)
    assert numbers(data) == [0, 1]
    with pytest.warns(UserWarning, match="ended after 1 of 2 steps"):
        assert numbers(data) == [2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert numbers(data) == []


def test_generator_that_is_used_up_says_so():
    data = make_data(batches(2))
    assert numbers(data) == [0, 1]
    with pytest.warns(UserWarning, match="read only once"):
        assert numbers(data) == []


@pytest.mark.parametrize("look", [lambda d: d.peek(), list], ids=["peek", "iterate"])
def test_empty_generator_is_an_error(look):
    with pytest.raises(ValueError, match="generator given as `x` yielded no batch"):
        look(make_data(batches(0)))


@pytest.mark.parametrize("source", [lambda: batches(3), lambda: Iterable(3)])
def test_peek_takes_nothing_away(source):
    data = make_data(source())
    assert data.peek()[0][0, 0] == 0
    assert data.peek()[0][0, 0] == 0
    assert numbers(data) == [0, 1, 2]


def test_iterable_is_read_again_each_epoch():
    data = make_data(Iterable(3))
    assert [numbers(data) for _ in range(2)] == [[0, 1, 2]] * 2


def test_iterable_with_steps_wraps_around():
    data = make_data(Iterable(4), steps=2)
    assert [numbers(data) for _ in range(3)] == [[0, 1], [2, 3], [0, 1]]
    data = make_data(Iterable(4), steps=2, continues=False)
    assert [numbers(data) for _ in range(2)] == [[0, 1], [0, 1]]


def test_epoch_that_is_left_early_starts_over():
    data = make_data(Iterable(4))
    for _ in data:
        break
    assert numbers(data) == [0, 1, 2, 3]


def test_torch_loader():
    rows = torch.utils.data.TensorDataset(torch.arange(10.0), torch.arange(10))
    loader = torch.utils.data.DataLoader(rows, batch_size=4)
    data = make_data(loader)
    assert data.steps == 3
    assert [x.tolist() for x, _ in data][-1] == [8.0, 9.0]
    assert type(data.peek()[0]) is np.ndarray


class TestTorchDataset:
    """A dataset yields single rows; `batch_size` and `shuffle` are as of arrays."""

    rows = torch.utils.data.TensorDataset(torch.arange(40.0), torch.arange(40))

    def test_rows_are_put_together(self):
        data = make_data(self.rows, batch_size=16)
        assert data.steps == 3
        assert [len(x) for x, _ in data] == [16, 16, 8]
        assert np.concatenate([y for _, y in data]).tolist() == list(range(40))
        assert make_data(self.rows).steps == 2

    def test_rows_are_shuffled_anew_each_epoch(self):
        def epochs():
            np.random.seed(0)
            data = make_data(self.rows, batch_size=16, shuffle=True)
            return [np.concatenate([y for _, y in data]).tolist() for _ in range(2)]

        first, second = epochs()
        assert sorted(first) == sorted(second) == list(range(40))
        assert first != second != list(range(40))
        assert epochs() == [first, second], "the same seed gives the same order"

    def test_an_iterable_dataset_has_its_own_order(self):
        class Rows(torch.utils.data.IterableDataset):
            def __iter__(self):
                return iter((torch.ones(3) * i, i) for i in range(5))

        data = make_data(Rows(), batch_size=2, shuffle=True)
        assert [y.tolist() for _, y in data] == [[0, 1], [2, 3], [4]]

    def test_a_model_takes_it(self):
        x = np.linspace(-1, 1, 20, dtype="float32")[:, None]
        rows = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(2 * x))
        with backends.scope("numpy"):  # where nothing is compiled
            model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
            model.compile(loss="mse")
            loss = model.evaluate(rows, batch_size=7, verbose=0)
            assert loss == pytest.approx(model.evaluate(x, 2 * x, verbose=0), rel=1e-5)
            only = torch.utils.data.TensorDataset(torch.tensor(x))
            found = model.predict(only, batch_size=7, verbose=0)
            np.testing.assert_allclose(found, model.predict(x, verbose=0), rtol=1e-5)
        with backends.scope("torch"):
            model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
            model.compile("sgd", "mse")
            history = model.fit(
                rows, batch_size=4, epochs=2, validation_data=rows, verbose=0
            ).history
            assert history["val_loss"][1] < history["val_loss"][0]
            assert model.optimizer.iterations.numpy() == 10

    def test_what_it_does_not_take(self):
        with pytest.raises(ValueError, match="batch_sampler"):
            make_data(self.rows, shuffle="batch")
        with pytest.raises(ValueError, match="batch_size"):
            make_data(self.rows, batch_size=0)


def test_class_weight_of_a_stream():
    def labelled():
        yield np.ones((2, 1)), np.array([0, 1])
        yield np.ones((2, 1)), np.array([1, 1]), np.array([0.5, 2.0])

    first, second = make_data(labelled(), class_weight={0: 2.0, 1: 3.0})
    assert first[2].tolist() == [2.0, 3.0]
    assert second[2].tolist() == [1.5, 6.0]
    with pytest.raises(ValueError, match="balanced"):
        make_data(labelled(), class_weight="balanced")


WORKERS = [(0, False), (1, False), (4, False), (2, True)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("workers", "processes"), WORKERS)
def test_py_dataset_keeps_its_order_and_fails_where_it_fails(workers, processes):
    settings = {"workers": workers, "use_multiprocessing": processes}
    data = make_data(Numbered(delay=0.005, **settings))
    assert data.steps == 6
    assert [epoch_of(data, e) for e in range(2)] == [list(range(6))] * 2
    seen = []
    with pytest.raises(KeyError, match="nothing there") as error:
        seen.extend(
            int(batch[0][0, 0]) for batch in make_data(Numbered(fails_at=3, **settings))
        )
    assert seen == [0, 1, 2]
    shown = "".join(traceback.format_exception(error.value))
    assert 'raise KeyError("nothing there")' in shown
    if workers > 1:
        assert "Numbered[3]" in shown


@pytest.mark.timeout(60)
@pytest.mark.parametrize("workers", [1, 4])
def test_py_dataset_can_be_left_early(workers):
    dataset = Numbered(count=1000, workers=workers)
    data = make_data(dataset)
    for position, _ in enumerate(data):
        if position == 2:
            break
    assert numbers(data)[:2] == [0, 1]
    deadline = time.monotonic() + 10
    while any(t.name.startswith("PyDataset") for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_close_ends_an_epoch_that_is_open():
    data = make_data(Numbered(count=1000, workers=2))
    batches_left = iter(data)
    next(batches_left)
    data.close()
    assert next(batches_left, None) is None


def test_py_dataset_computes_ahead_but_not_too_far():
    class Counting(Numbered):
        asked = 0

        def __getitem__(self, index):
            self.asked = max(self.asked, index)
            return super().__getitem__(index)

    dataset = Counting(count=100, workers=2, max_queue_size=5)
    for position, _ in enumerate(make_data(dataset)):
        assert dataset.asked <= position + 5
        if position == 20:
            break


def test_py_dataset_threads_see_the_engine_in_force():
    class Engine(Numbered):
        def __getitem__(self, index):
            name = backends.current().name
            return np.full((2, 1), float(name == "numpy"))

    with backends.scope("numpy"):
        assert numbers(make_data(Engine(workers=3))) == [1] * 6


def test_py_dataset_is_shuffled_anew_each_epoch_and_repeats_with_the_seed():
    def two_epochs():
        np.random.seed(5)
        data = make_data(Numbered(count=20), shuffle=True)
        return [epoch_of(data, e) for e in range(2)]

    first, second = two_epochs()
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert first != list(range(20))
    assert two_epochs() == [first, second]


def test_py_dataset_with_steps_goes_on():
    data = make_data(Numbered(count=5), steps=2)
    assert [epoch_of(data, e) for e in range(2)] == [[0, 1], [2, 3]]
    with pytest.warns(UserWarning, match="ended after 1 of 2 steps"):
        assert epoch_of(data, 2) == [4]
    assert epoch_of(data, 3) == [0, 1]


def test_py_dataset_is_told_of_epochs():
    dataset = Numbered(count=2)
    data = make_data(dataset)
    epoch_of(data, 0)
    epoch_of(data, 1)
    assert dataset.events == ["begin", "end"] * 2


@pytest.mark.timeout(60)
@pytest.mark.parametrize("workers", [1, 3])
def test_endless_py_dataset(workers):
    data = make_data(Endless(workers=workers), steps=3)
    assert [epoch_of(data, e) for e in range(2)] == [[0, 1, 2], [3, 4, 5]]
    assert make_data(Endless()).steps is None


def test_py_dataset_without_parts():
    class NoLength(PyDataset):
        def __getitem__(self, index):
            return index

    class NoInit(PyDataset):
        def __init__(self):
            self.x = 1

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return np.ones((1, 1))

    with pytest.raises(NotImplementedError, match="num_batches"):
        make_data(NoLength())
    with pytest.raises(NotImplementedError, match="__getitem__"):
        PyDataset()[0]
    with pytest.warns(UserWarning, match="super"):
        assert numbers(make_data(NoInit())) == [1]


@pytest.mark.parametrize("workers", [1, 3])
def test_py_dataset_is_iterable(workers):
    assert [int(x[0, 0]) for x, _ in Numbered(workers=workers)] == list(range(6))
    endless = iter(Endless(workers=workers))
    assert [int(next(endless)[0][0, 0]) for _ in range(8)] == list(range(8))
    endless.close()


def test_py_dataset_settings():
    dataset = PyDataset(workers=3, use_multiprocessing=True, max_queue_size=4)
    assert (dataset.workers, dataset.max_queue_size) == (3, 4)
    dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size = 2, False, 7
    assert (dataset.workers, dataset.max_queue_size) == (2, 7)
    assert dataset.use_multiprocessing is False
