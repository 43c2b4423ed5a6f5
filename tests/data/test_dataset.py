"""The dataset of stages: orders, what its methods give, and what `fit` makes of it."""

import threading

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.data import Dataset, make_data

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)


def rows():
    return Dataset.from_tensor_slices((X, Y))


def labels(dataset):
    """The labels of one epoch, batch by batch."""
    return [np.asarray(y).tolist() for _, y in dataset]


def test_methods_give_what_programs_written_for_tf_data_expect():
    ds = rows()
    assert labels(ds.batch(4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert labels(ds.batch(4, drop_remainder=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert labels(ds.skip(6).take(3).batch(2)) == [[6, 7], [8]]
    assert labels(ds.batch(4).skip(1).take(1)) == [[4, 5, 6, 7]]
    assert labels(ds.shard(3, 1)) == [1, 4, 7]
    assert labels(ds.take(2).repeat(2)) == [0, 1, 0, 1]
    assert labels(ds.take(2).concatenate(ds.skip(9))) == [0, 1, 9]
    assert [(i, int(y)) for i, (_, y) in ds.skip(8).enumerate(5)] == [(5, 8), (6, 9)]
    assert labels(ds.batch(4).unbatch()) == list(range(10))
    assert len(ds) == ds.cardinality() == ds.num_batches == 10
    assert ds.repeat().cardinality() == -1 and ds.repeat().num_batches is None
    assert len(ds.apply(lambda one: one.batch(5))) == 2
    with pytest.raises(TypeError, match="no end"):
        len(ds.repeat())
    with pytest.raises(IndexError, match="10 of a dataset of 10"):
        ds[10]


def test_batches_are_taken_apart_where_a_function_stands_between():
    ds = rows().batch(4).map(lambda x, y: (x + 1, y), num_parallel_calls=2).unbatch()
    assert len(ds) == 10
    assert labels(ds.batch(3)) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert sorted(labels(ds.shuffle(10, seed=1))) == list(range(10))


def test_items_have_numpy():
    for images, numbers in rows().batch(4).take(1):
        assert images[0].numpy().tolist() == [0, 1]
        assert type(images[0].numpy()) is np.ndarray
        assert numbers[1].numpy() == 1 and ["a", "b"][numbers[1]] == "b"


def test_each_iteration_has_an_order_that_follows_from_the_seed():
    first, second = rows().shuffle(seed=3), rows().shuffle(seed=3)
    orders = [labels(first), labels(first)]
    assert orders[0] != orders[1]
    assert orders == [labels(second), labels(second)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    kept = rows().shuffle(seed=3, reshuffle_each_iteration=False)
    assert labels(kept) == labels(kept) != list(range(10))
    twice = labels(rows().shuffle(seed=3).repeat(2))
    assert twice[:10] != twice[10:] and sorted(twice[10:]) == list(range(10))
    with pytest.raises(ValueError, match="before `repeat`"):
        rows().repeat().shuffle()


def test_blocks_of_rows_stay_near_each_other():
    taken = []

    def take(numbers):
        taken.append(numbers // 100)
        return numbers

    ds = Dataset.from_rows(100_000, take, shuffle=True, batch_size=50, block=100)
    order = np.concatenate(list(ds.take(400).as_numpy_iterator()))
    assert len(set(order.tolist())) == 20_000
    assert len(np.unique(order // 100)) < 2 * 16_384 / 100 + 1


def test_cache_computes_items_once():
    count = []
    ds = rows().batch(5).map(lambda x, y: (count.append(1), (x, y))[1]).cache()
    shuffled = ds.shuffle(100)
    for _ in range(3):
        assert sorted(sum(labels(shuffled), [])) == list(range(10))
    assert len(count) == 2


@pytest.mark.parametrize("in_files", [False, True])
def test_what_a_cache_keeps_cannot_be_changed(tmp_path, in_files):
    def halve(x, y):
        x /= 2
        return x, y

    kept = rows().batch(5).cache(tmp_path / "kept" if in_files else "")
    for _ in range(2):
        with pytest.raises(ValueError, match="read-only"):
            list(kept.map(halve))
        with pytest.raises(ValueError, match="read-only"):
            kept[0][0][:] = 0
    for (x, _), (expected, _) in zip(kept, rows().batch(5), strict=True):
        np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("in_files", [False, True])
def test_a_dict_that_a_cache_gives_may_be_changed(tmp_path, in_files):
    kept = rows().map(lambda x, y: {"x": x, "y": y})
    kept = kept.cache(tmp_path / "kept" if in_files else "")
    popped = kept.map(lambda item: (item.pop("x"), item))
    assert [float(item["y"]) for _ in range(2) for _, item in popped] == [
        float(y) for _ in range(2) for _, y in rows()
    ]


def test_cache_in_files_serves_later_runs(tmp_path):
    count = []

    def item(x, y):
        count.append(1)
        names = np.array([f"row {n}" for n in y], object)
        return {"x": x, "names": names, "none": None}, (y, [y * 2.5])

    def cached():
        return rows().batch(4).map(item).cache(tmp_path / "kept")

    first = list(cached())
    assert len(count) == 3
    again = cached()
    for before, after in zip(first, again, strict=True):
        np.testing.assert_array_equal(before[0]["x"], after[0]["x"])
        np.testing.assert_array_equal(before[0]["names"], after[0]["names"])
        np.testing.assert_array_equal(before[1][1][0], after[1][1][0])
        assert after[0]["names"].dtype == object and after[1][0].dtype == "int64"
        assert type(after) is tuple and type(after[1][1]) is list
        assert after[0]["none"] is None
    assert len(count) == 3
    assert sorted(p.name for p in (tmp_path / "kept").iterdir()) == [
        "0.npz", "1.npz", "2.npz"
    ]  # fmt: skip
    file = tmp_path / "kept" / "1.npz"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"1\.npz.*damaged"):
        list(cached())
    with pytest.raises(TypeError, match="keeps arrays, numbers and strings"):
        rows().map(lambda x, y: object()).cache(tmp_path / "other")[0]


def test_zip():
    ds = Dataset.zip(rows().batch(3), rows().skip(2).batch(4))
    assert len(ds) == 2
    (_, y), (_, z) = ds[1]
    assert y.tolist() == [3, 4, 5] and z.tolist() == [6, 7, 8, 9]
    named = Dataset.zip({"a": rows(), "b": rows().repeat()})
    assert len(named) == 10 and named[9]["b"][1] == 9
    assert len(Dataset.zip((rows(), rows().take(3)))) == 3
    shuffled = Dataset.zip(rows().shuffle(seed=4), rows().shuffle(seed=4))
    assert all(int(a[1]) == int(b[1]) for a, b in shuffled)
    with pytest.raises(TypeError, match="expects datasets"):
        Dataset.zip(rows(), X)


def test_padded_batches_are_those_of_tf_data():
    tf = pytest.importorskip("tensorflow")
    texts = [["a"], ["b", "c", "d"], ["e", "f"]]

    def items():
        for n, words in enumerate(texts):
            yield np.full((n + 1, 2), n, "float32"), {"words": words, "n": n}

    spec = (
        tf.TensorSpec((None, 2)),
        {"words": tf.TensorSpec((None,), tf.string), "n": tf.TensorSpec((), "int64")},
    )
    theirs = tf.data.Dataset.from_generator(items, output_signature=spec)
    listed = [
        (x, {"words": np.array(d["words"], object), "n": d["n"]}) for x, d in items()
    ]
    ours = Dataset.from_rows(3, None, lambda i: listed[i])
    for kwargs in (
        {},
        {"padded_shapes": ([4, None], {"words": [-1], "n": []})},
        {"padding_values": (7.0, {"words": "?", "n": np.int64(0)})},
        {"drop_remainder": True},
    ):
        pairs = zip(
            ours.padded_batch(2, **kwargs),
            theirs.padded_batch(2, **kwargs),
            strict=True,
        )
        for (x, d), (their_x, their_d) in pairs:
            np.testing.assert_array_equal(x, their_x)
            assert x.dtype == "float32"
            np.testing.assert_array_equal(d["n"], their_d["n"])
            their_words = np.char.decode(their_d["words"].numpy().astype("S"))
            np.testing.assert_array_equal(d["words"].astype(str), their_words)
    with pytest.raises(ValueError, match=r"larger than \(1, 2\)"):
        ours.padded_batch(3, ([1, 2], {"words": [-1], "n": []}))[0]


def test_items_that_differ_in_shape_are_named():
    ds = Dataset.from_rows(3, None, lambda i: np.zeros(i + 1)).batch(3)
    with pytest.raises(ValueError, match=r"differ in shape.*\(1,\), \(2,\), \(3,\)"):
        ds[0]


def test_draws_follow_from_epoch_and_item(engine):
    dropout = keras.layers.Dropout(0.5, seed=1)
    ds = rows().batch(2).map(lambda x, y: (dropout(x + 1, training=True), y), 4)
    epochs = [list(ds.fetch(range(5), (7, number))) for number in (0, 0, 1)]
    first, again, other = [np.stack([x for x, _ in epoch]) for epoch in epochs]
    assert isinstance(epochs[0][0][0], np.ndarray)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len({(x == 0).tobytes() for x in first}) > 1
    np.testing.assert_array_equal(ds.fetch([3], (7, 0)).__next__()[0], first[3])


def test_fit_evaluate_predict(training_engine):
    def trained(data, **kwargs):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1e-3), "mse")
        history = model.fit(data, verbose=0, **kwargs)
        return model, history.history["loss"]

    ds = rows().batch(4)
    model, losses = trained(ds, epochs=2, validation_data=ds)
    _, expected = trained(X, y=Y, batch_size=4, shuffle=False, epochs=2)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(
        model.predict(ds.map(lambda x, y: x), verbose=0),
        model.predict(X, verbose=0),
        rtol=1e-5,
    )
    assert model.evaluate(ds, verbose=0) == pytest.approx(
        model.evaluate(X, Y, verbose=0), rel=1e-5
    )
    endless = rows().repeat().batch(4)
    _, losses = trained(endless, epochs=2, steps_per_epoch=5)
    assert len(losses) == 2


def test_an_epoch_goes_on_where_it_was_interrupted():
    data = make_data(rows().shuffle().batch(3))
    orders = []
    for epoch in range(3):
        data.on_epoch_begin(epoch)
        orders.append([y.tolist() for _, y in data])
        data.on_epoch_end()
    assert orders[0] != orders[1]
    other = make_data(rows().shuffle().batch(3))
    other.peek()
    other.resume(data.state(within=True), 1)
    other.on_epoch_begin(1, first=2)
    assert [y.tolist() for _, y in other] == orders[1][2:]


def test_steps_per_epoch_go_through_a_pass_in_parts():
    data = make_data(rows().shuffle().batch(2), steps=3)
    seen = []
    for epoch in range(2):
        data.on_epoch_begin(epoch)
        data.peek()
        seen += [y.tolist() for _, y in data]
    assert sorted(sum(seen[:5], [])) == list(range(10)) and len(seen) == 6


def test_an_exception_in_a_thread_ends_the_iteration_and_threads_end():
    def failing(x, y):
        if y == 7:
            raise KeyError("nothing there")
        return x, y

    before = threading.active_count()
    with pytest.raises(KeyError, match="nothing there") as caught:
        list(rows().map(failing, num_parallel_calls=2))
    assert "failing" in str([entry.name for entry in caught.traceback])
    assert "[7]" in caught.value.__notes__[0]
    iterator = iter(rows().batch(1))
    next(iterator)
    iterator.close()
    for thread in threading.enumerate():
        if thread.name.startswith("PyDataset"):
            thread.join(5)
    assert threading.active_count() <= before


def test_a_py_dataset_becomes_one():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.full((2, 1), index), np.zeros(2)

    ds = Dataset.from_items(Batches()).map(lambda x, y: x * 2)
    assert [x[0, 0] for x in ds] == [0, 2, 4]


def test_filter_keeps_the_items_for_which_a_function_is_true():
    def odd(x, y):
        return y % 2 == 1

    assert labels(rows().filter(odd)) == [1, 3, 5, 7, 9]
    assert labels(rows().filter(odd).batch(2)) == [[1, 3], [5, 7], [9]]
    assert labels(rows().batch(4).unbatch().filter(odd)) == [1, 3, 5, 7, 9]
    assert len(rows().filter(lambda x, y: False)) == 0
    with pytest.raises(ValueError, match="before `repeat`"):
        rows().repeat().filter(odd)


def test_what_filter_leaves_follows_the_order_of_each_epoch():
    calls = []

    def odd(x, y):
        calls.append(int(y))
        return keras.ops.equal(y % 2, 1)

    ds = rows().shuffle(seed=1).filter(odd)
    epochs = [labels(ds) for _ in range(4)]
    assert all(sorted(epoch) == [1, 3, 5, 7, 9] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert sorted(calls) == list(range(10))  # one pass serves all orders
    ds = rows().shuffle(seed=1).map(lambda x, y: (x, y * 3)).filter(odd)
    epochs = [labels(ds) for _ in range(4)]
    assert all(sorted(epoch) == [3, 9, 15, 21, 27] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_filter_by_what_is_drawn_is_named():
    counts = iter([True] * 10 + [False] * 10)
    ds = rows().map(lambda x, y: (x, y)).filter(lambda x, y: next(counts))
    with pytest.raises(ValueError, match="left 0 items in one epoch and 10"):
        list(ds)


def test_a_function_that_returns_nothing_is_named():
    def forgets(x, y):
        pass

    with pytest.raises(TypeError, match="forgets given to `map` returned None"):
        rows().batch(2).map(forgets)[0]
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="forgets given to `map` returned None"):
        model.fit(rows().batch(2).map(forgets), verbose=0)


def test_an_epoch_without_an_end_is_refused():
    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            raise AssertionError("no batch is needed to say so")

    batches = rows().batch(4)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    for data in (batches.repeat(), Endless()):
        with pytest.raises(ValueError, match=r"fit\(\).*without an end.*`steps_per_ep"):
            model.fit(data, verbose=0)
        with pytest.raises(ValueError, match=r"evaluate\(\).*an end.*`steps="):
            model.evaluate(data, verbose=0)
        with pytest.raises(ValueError, match=r"predict\(\).*an end.*`steps="):
            model.predict(data, verbose=0)
        assert not model.built
    with pytest.raises(ValueError, match="an end.*`validation_steps="):
        model.fit(batches, validation_data=batches.repeat(), verbose=0)
    model.fit(
        batches.repeat(), steps_per_epoch=2, verbose=0,
        validation_data=batches.repeat(), validation_steps=1,
    )  # fmt: skip
    assert model.optimizer.iterations.numpy() == 2


@pytest.mark.parametrize(
    ("method", "arguments", "match"),
    [
        ("shuffle", (0,), r"`buffer_size` of shuffle\(\).*>= 1.*=0"),
        ("shuffle", ("a",), "`buffer_size`.*'a'"),
        ("repeat", ("a",), r"`count` of repeat\(\).*'a'"),
        ("take", (1.5,), r"`count` of take\(\).*1.5"),
        ("skip", ("a",), r"`count` of skip\(\).*'a'"),
        ("shard", (0, 0), r"`num_shards` of shard\(\).*>= 1"),
        ("shard", (3, 5), r"`index` of shard\(\).*<= 2.*=5"),
        ("prefetch", ("a",), r"`buffer_size` of prefetch\(\).*'a'"),
        ("concatenate", ([1],), r"`concatenate` expects a Dataset.*\[1\]"),
    ],
)
def test_wrong_arguments_are_named(method, arguments, match):
    with pytest.raises((ValueError, TypeError), match=match):
        getattr(rows(), method)(*arguments)


@pytest.mark.parametrize("kind", ["image", "text", "audio"])
def test_a_batch_of_a_folder_has_rows(tmp_path, kind):
    read = getattr(keras.utils, f"{kind}_dataset_from_directory")
    with pytest.raises(ValueError, match=f"`batch_size` of {kind}_dataset_from.*>= 1"):
        read(tmp_path, batch_size=0)
