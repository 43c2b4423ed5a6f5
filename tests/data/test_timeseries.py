"""Windows of series: against slices, and real Keras."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

SERIES = np.random.default_rng(0).normal(size=(30, 2)).astype("float32")
TARGETS = np.arange(30) * 10

CASES = [
    {"sequence_length": 4},
    {"sequence_length": 4, "batch_size": None},
    {"sequence_length": 4, "sequence_stride": 3, "sampling_rate": 2, "batch_size": 5},
    {"sequence_length": 4, "start_index": 5, "end_index": 20, "batch_size": 7},
    {"sequence_length": 3, "start_index": 2, "end_index": 29, "sequence_stride": 4},
    {"sequence_length": 30},
    {"sequence_length": 1, "batch_size": 1, "sampling_rate": 7},
]


def batches(dataset):
    """Return the items of a dataset as lists of arrays."""
    return [
        [np.asarray(part) for part in (item if isinstance(item, tuple) else (item,))]
        for item in dataset
    ]


@pytest.mark.oracle
@pytest.mark.parametrize("targets", [None, TARGETS, TARGETS[:17]])
@pytest.mark.parametrize("options", CASES)
def test_windows_are_those_of_keras(options, targets):
    import keras as real

    if targets is not None and len(targets) < len(SERIES) and "start_index" in options:
        targets = TARGETS  # Keras reads beyond the end of fewer
    make = "timeseries_dataset_from_array"
    ours = getattr(keras.utils, make)(SERIES, targets, **options, format=None)
    theirs = getattr(real.utils, make)(SERIES, targets, **options)
    assert len(ours) == len(theirs)
    for our, their in zip(batches(ours), batches(theirs), strict=True):
        for a, b in zip(our, their, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype


def test_shuffled_windows_keep_their_targets():
    make = keras.utils.timeseries_dataset_from_array
    series = np.arange(100)
    dataset = make(series, series * 10, 5, shuffle=True, seed=1, batch_size=32)
    epochs = [batches(dataset) for _ in range(2)]
    firsts = [np.concatenate([x[:, 0] for x, _ in epoch]) for epoch in epochs]
    for epoch, first in zip(epochs, firsts, strict=True):
        np.testing.assert_array_equal(np.sort(first), np.arange(96))
        for x, y in epoch:
            np.testing.assert_array_equal(x[:, 0] * 10, y)
            np.testing.assert_array_equal(x - x[:, :1], np.arange(5)[None] + 0 * x)
    assert (firsts[0] != firsts[1]).any()
    again = batches(make(series, None, 5, shuffle=True, seed=1, batch_size=32))
    np.testing.assert_array_equal(again[0][0], epochs[0][0][0])


def test_the_engine_chooses_the_format():
    pytest.importorskip("tensorflow")
    make = keras.utils.timeseries_dataset_from_array
    with backends.scope("tensorflow"):
        dataset = make(SERIES, TARGETS, 4, batch_size=8)
    assert hasattr(dataset, "element_spec")
    ours = batches(make(SERIES, TARGETS, 4, batch_size=8, format=None))
    for (x, y), (a, b) in zip(ours, batches(dataset), strict=True):
        np.testing.assert_array_equal(x, a)
        np.testing.assert_array_equal(y, b)


def test_a_memory_mapped_series_is_read_in_pieces(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(1000.0))
    series = np.load(tmp_path / "a.npy", mmap_mode="r")
    dataset = keras.utils.timeseries_dataset_from_array(series, None, 10)
    x = next(iter(dataset))
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x[5], np.arange(5.0, 15))


@pytest.mark.parametrize("kind", ["list", "frame", "tensor"])
def test_series_of_other_kinds(kind):
    import pandas

    makers = {
        "list": lambda: [[1.0], [2.0], [3.0]],
        "frame": lambda: pandas.DataFrame({"a": [1.0, 2.0, 3.0]}),
        "tensor": lambda: keras.ops.array([[1.0], [2.0], [3.0]]),
    }
    dataset = keras.utils.timeseries_dataset_from_array(makers[kind](), None, 2)
    ((x,),) = batches(dataset)
    np.testing.assert_array_equal(x[..., 0], [[1, 2], [2, 3]])


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence_length": 0},
        {"sequence_length": 31},
        {"sequence_stride": 0},
        {"sampling_rate": 31},
        {"batch_size": 0},
        {"start_index": -1},
        {"start_index": 30},
        {"start_index": 10, "end_index": 10},
        {"end_index": 31},
        {"end_index": 3},
        {"sampling_rate": 12},
        {"format": "torch"},
        {"data": np.array(["a", "b"])},
        {"data": np.float32(1)},
        {"targets": []},
    ],
)
def test_wrong_arguments_are_named(wrong):
    arguments = {"data": SERIES, "targets": TARGETS, "sequence_length": 4}
    with pytest.raises(ValueError, match=next(reversed(wrong))):
        keras.utils.timeseries_dataset_from_array(**{**arguments, **wrong})


@pytest.mark.parametrize("engine", ["jax", "torch", "tensorflow"])
def test_a_network_is_fitted_to_windows(engine):
    pytest.importorskip(engine)
    series = np.sin(np.arange(400) / 5).astype("float32")[:, None]
    with backends.scope(engine):
        keras.utils.set_random_seed(0)
        make = keras.utils.timeseries_dataset_from_array
        data = make(series, series[8:], 8, batch_size=40, end_index=320, shuffle=True)
        held_out = make(series, series[8:], 8, batch_size=40, start_index=320)
        layers = [keras.layers.Flatten(), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((8, 1)), *layers])
        model.compile(keras.optimizers.Adam(0.05), loss="mse")
        history = model.fit(data, epochs=5, verbose=0, validation_data=held_out)
        assert history.history["val_loss"][-1] < 0.05
        assert model.predict(held_out, verbose=0).shape == (72, 1)


def test_grain_draws_a_seed_where_none_is_given():
    pytest.importorskip("grain")
    make = keras.utils.timeseries_dataset_from_array
    options = {"sequence_length": 4, "shuffle": True, "batch_size": None}
    first, second = (
        [window.tolist() for window in make(SERIES, None, **options, format="grain")]
        for _ in range(2)
    )
    assert first != second and sorted(first) == sorted(second)
