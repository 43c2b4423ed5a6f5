"""Data that is read from where it is stored, beside the same data in memory."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError
from hornbeam.data import make_data, stored

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(1000, 6)).astype("float32")
Y = X @ np.arange(6, dtype="float32")


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(stored, "_SMALL_BYTES", 100)
    monkeypatch.setattr(stored, "_BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(stored, "_WINDOW_BYTES", 1 << 13)


def batches(x, y=None, **kwargs):
    data = make_data(x, y, batch_size=32, **kwargs)
    assert not data.in_memory
    data.on_epoch_begin(0)
    return list(data)


def check(x, y=Y):
    """Rows come in order, and shuffled all of them with their targets."""
    parts = batches(x, y)
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), X)
    np.testing.assert_array_equal(np.ravel(np.concatenate([p[1] for p in parts])), Y)
    parts = batches(x, y, shuffle=True)
    first = np.concatenate([part[0] for part in parts])
    assert (first != X).any()
    np.testing.assert_array_equal(first[np.lexsort(first.T)], X[np.lexsort(X.T)])
    np.testing.assert_allclose(
        np.ravel(np.concatenate([part[1] for part in parts])),
        first @ np.arange(6, dtype="float32"),
        rtol=1e-4,
        atol=1e-5,
    )


def mapped(path, array):
    np.save(path, array)
    return np.load(path, mmap_mode="r")


def test_mapped_arrays(tmp_path):
    check(mapped(tmp_path / "x.npy", X))
    wide = np.concatenate([X, X], axis=1)
    part = mapped(tmp_path / "wide.npy", wide)[:, :6]
    check(part, mapped(tmp_path / "y.npy", Y))
    check(mapped(tmp_path / "later.npy", np.concatenate([X, X]))[1000:])
    check(np.asarray(mapped(tmp_path / "x.npy", X)))
    turned = mapped(tmp_path / "turned.npy", np.ascontiguousarray(X.T)).T
    check(turned)


def test_large_rows_of_mapped_arrays(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "_LARGE_ROW_BYTES", 8)
    check(mapped(tmp_path / "x.npy", X))
    x = mapped(tmp_path / "doubles.npy", X.astype("float64"))
    assert batches(x)[0][0].dtype == "float32"
    check(x)


def test_mapped_files_that_were_cut_are_named(tmp_path):
    path = tmp_path / "x.npy"
    x = mapped(path, X)
    rows = stored.stored_rows(x)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DamagedFileError, match="x.npy ends before"):
        rows.take(np.arange(1000))


def test_small_arrays_are_read_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "_SMALL_BYTES", 1 << 26)
    assert make_data(mapped(tmp_path / "x.npy", X), Y).in_memory


def test_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        check(file.create_dataset("x", data=X, chunks=(64, 6)))
        check(file.create_dataset("plain", data=X), file.create_dataset("y", data=Y))
        shuffled = batches(file["x"], Y, shuffle="batch")
        assert {len(x) for x, _ in shuffled} == {32, 8}


def test_zarr(tmp_path):
    zarr = pytest.importorskip("zarr")
    x = zarr.create_array(
        tmp_path / "x.zarr", shape=X.shape, chunks=(50, 6), dtype="f4"
    )
    x[:] = X
    check(x)


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.dataset
    import pyarrow.parquet as pq

    columns = {f"c{i}": X[:, i] for i in range(6)}
    table = pa.table({**columns, "target": Y})
    for number in range(2):
        part = table.slice(number * 500, 500)
        pq.write_table(part, tmp_path / f"{number}.parquet", row_group_size=120)
    pq.write_table(table, tmp_path / "all.file", row_group_size=300)
    with pq.ParquetFile(tmp_path / "all.file") as file:
        check(file, "target")
    check(pyarrow.dataset.dataset(sorted(tmp_path.glob("*.parquet"))), "target")
    lists = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), 6)
    pq.write_table(pa.table({"x": lists, "target": Y}), tmp_path / "lists.file")
    with pq.ParquetFile(tmp_path / "lists.file") as file:
        check(file, "target")
    with pq.ParquetFile(tmp_path / "lists.file") as file:
        with pytest.raises(ValueError, match="names no column.*'x', 'target'"):
            make_data(file, "goal")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_tables_with_the_name_of_the_targets(library):
    module = pytest.importorskip(library)
    columns = {f"c{i}": X[:, i] for i in range(6)}
    make = module.table if library == "pyarrow" else module.DataFrame
    table = make({**columns, "target": Y})
    data = make_data(table, "target")
    np.testing.assert_array_equal(data.arrays[0], X)
    np.testing.assert_array_equal(data.arrays[1], Y)
    with pytest.raises(ValueError, match="'goal', which names no column"):
        make_data(table, "goal")


def test_data_sets_of_hugging_face():
    datasets = pytest.importorskip("datasets")
    if not hasattr(datasets, "Dataset"):
        pytest.skip("not the package, but a folder of that name")
    data = datasets.Dataset.from_dict({"x": X, "target": Y})
    check(data, "target")
    check(data["x"], data["target"])


def test_fit_evaluate_predict(tmp_path, training_engine):
    x = mapped(tmp_path / "x.npy", X)

    def trained(x, **kwargs):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1e-2), "mse")
        history = model.fit(x, Y, batch_size=100, epochs=2, verbose=0, **kwargs)
        return model, history.history

    _, expected = trained(X, validation_split=0.2, shuffle=False)
    model, history = trained(x, validation_split=0.2, shuffle=False)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-5
    )
    assert model.evaluate(x, Y, verbose=0) == pytest.approx(
        model.evaluate(X, Y, verbose=0), rel=1e-5
    )
