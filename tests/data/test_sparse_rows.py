"""Sparse data on the host, against SciPy."""

import numpy as np
import pytest
import scipy.sparse

from hornbeam import backends
from hornbeam.data import make_data
from hornbeam.data.host import host_tree
from hornbeam.data.sparse import SparseRows, entry_room

X = scipy.sparse.random_array(
    (9, 5), density=0.4, rng=np.random.default_rng(3), dtype="float32", format="csr"
)


@pytest.mark.parametrize(
    "form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia", "csr_matrix"]
)
def test_every_form_of_scipy_becomes_rows(form):
    matrix = form.endswith("_matrix")
    x = scipy.sparse.csr_matrix(X) if matrix else X.asformat(form)
    (rows,) = make_data(x).arrays
    assert isinstance(rows, SparseRows)
    assert (len(rows), rows.shape, rows.ndim) == (9, (9, 5), 2)
    np.testing.assert_array_equal(rows.toarray(), X.toarray())


def test_an_engines_sparse_tensor_becomes_rows(engine):
    rows = host_tree(engine.convert(X), "x")
    assert isinstance(rows, SparseRows)
    np.testing.assert_array_equal(rows.toarray(), X.toarray())
    np.testing.assert_array_equal(engine.to_numpy(rows.tensor(engine)), X.toarray())


def test_equal_places_are_summed():
    twice = scipy.sparse.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(2, 3))
    rows = host_tree(twice, "x")
    assert rows.toarray().tolist() == [[0, 3, 0], [0, 0, 0]]
    assert twice.nnz == 2


@pytest.mark.parametrize(
    "chosen", [slice(2, 6), slice(0, 0), slice(None, None, 3), np.array([8, 0, 0, 3])]
)
def test_rows_are_taken_as_of_an_array(chosen):
    rows = host_tree(X, "x")[chosen]
    np.testing.assert_array_equal(rows.toarray(), X.toarray()[chosen])


def test_more_axes():
    dense = X.toarray()[:, :4].reshape(9, 2, 2)
    rows = host_tree(scipy.sparse.coo_array(dense), "x")
    assert rows.shape == (9, 2, 2)
    np.testing.assert_array_equal(rows[np.array([4, 1])].toarray(), dense[[4, 1]])


def test_batches_of_targets_are_dense_and_weights_are_arrays():
    x, y, weight = make_data(X, X, X[:, 0].toarray()).arrays
    assert (x.sparse, y.sparse) == (True, False)
    with backends.scope("numpy") as engine:
        assert isinstance(y.tensor(engine), np.ndarray)
    assert isinstance(weight, np.ndarray)


def test_validation_rows_are_split_off():
    from hornbeam.data import train_validation_split

    (first, _), (last, _) = train_validation_split((X, np.arange(9)), 0.25)
    np.testing.assert_array_equal(first.toarray(), X.toarray()[:6])
    np.testing.assert_array_equal(last.toarray(), X.toarray()[6:])


def test_room_for_entries_is_kept_while_it_suffices():
    rooms, room = set(), 0
    for entries in np.random.default_rng(0).poisson(500, 200):
        room = entry_room(int(entries), room)
        rooms.add(room)
        assert entries <= room
    assert len(rooms) == 1
    assert entry_room(5000, room) == 8192


def test_one_batch_of_a_bcoo_may_count_for_all_rows():
    with backends.scope("jax"):
        from jax.experimental import sparse

        x = sparse.BCOO(([[1.0, 2.0]], [[[0], [2]]]), shape=(3, 4))
        rows = host_tree(x, "x")
    np.testing.assert_array_equal(rows.toarray(), [[1, 0, 2, 0]] * 3)
