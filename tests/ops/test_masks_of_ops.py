"""What ops do with masks: NaN says where values come from places that do not count."""

import functools

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import masking
from hornbeam.core.masking import get_keras_mask, get_lost_mask, set_keras_mask
from tests.compilation import program, together, traced

ops = keras.ops
MASK = np.array([[True, True, False, False], [True, False, True, True]])
OTHER = np.array([[True, False, False, True], [True, True, True, False]])
X = np.random.default_rng(1).uniform(0.5, 2.0, (2, 4, 6)).astype("float32")
Y = np.random.default_rng(2).uniform(0.5, 2.0, (2, 4, 6)).astype("float32")
KERNEL = np.random.default_rng(3).uniform(0.5, 2.0, (6, 3)).astype("float32")
ONES = np.ones((2, 1, 6), "float32")
INDICES = np.array([2, 0, 1], "int32")

# The mask of the result is where no NaN has come to. `x` has MASK, `y` has OTHER.
ROWS = {
    "add a number": lambda x, y: ops.add(x, 1.0),
    "add from the right": lambda x, y: ops.add(Y, x),
    "two masks": lambda x, y: ops.multiply(x, y),
    "a row for all": lambda x, y: ops.subtract(x, Y[0]),
    "a column for all": lambda x, y: ops.add(
        ops.get_item(x, (slice(None), slice(2, 3))), Y
    ),
    "of lower rank": lambda x, y: ops.add(ops.get_item(x, 0), Y),
    "exp": lambda x, y: ops.exp(x),
    "relu": lambda x, y: ops.leaky_relu(x),
    "gelu": lambda x, y: ops.gelu(x),
    "cast": lambda x, y: ops.cast(x, "float16"),
    "clip": lambda x, y: ops.clip(x, 0.7, 1.0),
    "where": lambda x, y: ops.where(X < 1.2, x, y),
    "stop_gradient": lambda x, y: ops.stop_gradient(x),
    "convert_to_tensor": lambda x, y: ops.convert_to_tensor(x),
    "softmax": lambda x, y: ops.softmax(x),
    "log_softmax": lambda x, y: ops.log_softmax(x, axis=-1),
    "layer_normalization": lambda x, y: ops.layer_normalization(x),
    "normalize": lambda x, y: ops.normalize(x),
    "cumsum": lambda x, y: ops.cumsum(x, axis=2),
    "glu": lambda x, y: ops.glu(x),
    "sum": lambda x, y: ops.sum(x, axis=-1),
    "mean": lambda x, y: ops.mean(x, axis=-1, keepdims=True),
    "logsumexp": lambda x, y: ops.logsumexp(x, axis=2),
    "norm": lambda x, y: ops.norm(x, axis=-1),
    "moments": lambda x, y: ops.moments(x, axes=[2])[1],
    "matmul": lambda x, y: ops.matmul(x, KERNEL),
    "matmul of a vector": lambda x, y: ops.matmul(x, KERNEL[:, 0]),
    "dot": lambda x, y: ops.dot(x, KERNEL),
    "tensordot": lambda x, y: ops.tensordot(x, KERNEL, axes=1),
    "einsum": lambda x, y: ops.einsum("btf,fg->btg", x, KERNEL),
    "einsum that turns": lambda x, y: ops.einsum("btf,fg->tbg", x, KERNEL),
    "reshape behind": lambda x, y: ops.reshape(x, (2, 4, 3, 2)),
    "reshape with -1": lambda x, y: ops.reshape(x, (-1, 4, 2, 3)),
    "fold": lambda x, y: ops.reshape(x, (8, 6)),
    "unfold": lambda x, y: ops.reshape(x, (2, 2, 2, 6)),
    "expand behind": lambda x, y: ops.expand_dims(x, -1),
    "expand inside": lambda x, y: ops.expand_dims(x, 1),
    "expand in front": lambda x, y: ops.expand_dims(x, (0, 4)),
    "squeeze": lambda x, y: ops.squeeze(ops.expand_dims(x, (1, 3)), (1, 3)),
    "transpose": lambda x, y: ops.transpose(x, (1, 0, 2)),
    "swapaxes": lambda x, y: ops.swapaxes(x, 0, 1),
    "moveaxis": lambda x, y: ops.moveaxis(x, 1, 0),
    "slice": lambda x, y: ops.get_item(x, (slice(None), slice(1, None, 2))),
    "backwards": lambda x, y: ops.flip(ops.get_item(x, (..., slice(0, 2))), 1),
    "ellipsis": lambda x, y: ops.get_item(x, (..., 0)),
    "new axis": lambda x, y: ops.get_item(x, (slice(None), None)),
    "new axis behind": lambda x, y: ops.get_item(x, (..., None)),
    "steps by number": lambda x, y: ops.get_item(x, (slice(None), INDICES)),
    "one sequence": lambda x, y: ops.get_item(x, 1),
    "block": lambda x, y: ops.slice(x, (0, 1, 2), (2, 3, 4)),
    "flip": lambda x, y: ops.flip(x, axis=1),
    "flip all": lambda x, y: ops.flip(x),
    "roll": lambda x, y: ops.roll(x, 1, axis=1),
    "repeat": lambda x, y: ops.repeat(x, 2, axis=1),
    "tile": lambda x, y: ops.tile(x, (1, 2, 1)),
    "tile features": lambda x, y: ops.tile(x, 2),
    "take": lambda x, y: ops.take(x, INDICES, axis=1),
    "take behind": lambda x, y: ops.take(x, INDICES, axis=-1),
    "sort features": lambda x, y: ops.sort(x, axis=-1),
    "concatenate": lambda x, y: ops.concatenate([x, y], axis=-1),
    "concatenate steps": lambda x, y: ops.concatenate([x, ONES, y], axis=1),
    "concatenate rows": lambda x, y: ops.concatenate([Y, x], axis=0),
    "stack": lambda x, y: ops.stack([x, y], axis=2),
    "stack in front": lambda x, y: ops.stack([x, Y]),
    "split steps": lambda x, y: ops.split(x, 2, axis=1)[1],
    "split features": lambda x, y: ops.split(x, 3, axis=-1)[0],
    "unstack": lambda x, y: ops.unstack(x, axis=0)[1],
    "pad features": lambda x, y: ops.pad(x, ((0, 0), (0, 0), (1, 2))),
    "reflect": lambda x, y: ops.pad(x, ((0, 0), (1, 2), (0, 0)), mode="reflect"),
    "broadcast_to": lambda x, y: ops.broadcast_to(x, (3, 2, 4, 6)),
    "attention": lambda x, y: ops.reshape(
        ops.dot_product_attention(*[ops.reshape(v, (2, 4, 2, 3)) for v in (x, Y, Y)]),
        (2, 4, 6),
    ),
}
# Of ops that have no rule, but are composed of ops that have one.
COMPOSED = {
    "hstack": lambda x, y: ops.hstack([x, y]),
    "rearrange": lambda x, y: ops.rearrange(x, "b t (h d) -> t b h d", h=2),
}


def with_mask(array, mask):
    x = ops.convert_to_tensor(array.copy() if isinstance(array, np.ndarray) else array)
    set_keras_mask(x, ops.convert_to_tensor(mask))
    return x


def places(x, rank):
    """Where a result has no NaN, over its first axes."""
    x = np.asarray(ops.convert_to_numpy(x), "float64")
    return ~np.isnan(x).any(axis=tuple(range(rank, x.ndim)))


def without(array, mask):
    return np.where(mask[..., None], array, np.nan).astype("float32")


def mask_of(row):
    """Return the function that gives the mask of a row's result."""

    def found(x, y, mask, other):
        op = (ROWS | COMPOSED)[row]
        return get_keras_mask(op(with_mask(x, mask), with_mask(y, other)))

    return found


@functools.cache
def masks_on_jax():
    rows = ROWS | COMPOSED
    found = together([(mask_of(row), (X, Y, MASK, OTHER)) for row in rows])
    return dict(zip(rows, found, strict=True))


@pytest.mark.parametrize("row", ROWS | COMPOSED)
def test_masks_go_where_values_go(row, engine):
    """On JAX the masks of all rows come from one program."""
    op = (ROWS | COMPOSED)[row]
    mask = masks_on_jax()[row] if engine.name == "jax" else None
    mask = mask_of(row)(X, Y, MASK, OTHER) if mask is None else mask
    assert mask is not None
    with backends.scope("numpy"):
        want = op(without(X, MASK), without(Y, OTHER))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(mask), places(want, len(mask.shape))
    )


@pytest.mark.parametrize("row", ROWS)
def test_symbols_have_the_same_masks(row):
    """A graph with the mask as its output gives what the ops give at once."""
    inputs = [keras.Input(batch_shape=s) for s in ((2, 4, 6), (2, 4, 6))]
    masks = [keras.Input(batch_shape=(2, 4), dtype="bool") for _ in range(2)]
    for symbol, mask in zip(inputs, masks, strict=True):
        set_keras_mask(symbol, mask)
    result = get_keras_mask(ROWS[row](*inputs))
    function = keras.Function([*inputs, *masks], result)
    found = program(backends.current(), function)([X, Y, MASK, OTHER])
    with backends.scope("numpy"):
        want = ROWS[row](without(X, MASK), without(Y, OTHER))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), places(want, len(found.shape))
    )


# The mask is used up: a reduction took its axis, or one place of it was taken.
USED_UP = {
    "mean over time": lambda x: ops.mean(x, axis=1),
    "max over all": lambda x: ops.max(x),
    "with the axis kept": lambda x: ops.sum(x, axis=1, keepdims=True),
    "the last step": lambda x: ops.get_item(x, (slice(None), -1)),
    "take one": lambda x: ops.take(x, 0, axis=1),
    "unstack": lambda x: ops.unstack(x, axis=1)[0],
    "as values": lambda x: ops.matmul(np.ones((2, 3, 4), "float32"), x),
    "einsum": lambda x: ops.einsum("bst,btf->bsf", np.ones((2, 3, 4), "float32"), x),
    "zeros_like": lambda x: ops.zeros_like(x),
    "average": lambda x: ops.average(x, axis=1),
}
LOST = {
    "sort": lambda x: ops.sort(x, axis=1),
    "softmax": lambda x: ops.softmax(x, axis=1),
    "cumsum": lambda x: ops.cumsum(x, axis=1),
    "reshape": lambda x: ops.reshape(x, (2, 24)),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "conv": lambda x: ops.conv(x, np.ones((1, 6, 3), "float32")),
    "max_pool": lambda x: ops.max_pool(x, 2),
    "scatter_update": lambda x: ops.scatter_update(x, [[0, 0, 0]], [1.0]),
    "roll": lambda x: ops.roll(x, (1, 1), axis=(0, 1)),
    "map": lambda x: ops.map(lambda row: row + 1, x),
}


@pytest.mark.parametrize("row", USED_UP)
def test_masks_that_are_used_up(row, engine):
    def law():
        result = USED_UP[row](with_mask(X, MASK))
        assert get_keras_mask(result) is None and get_lost_mask(result) is None

    traced(engine, law)


@pytest.mark.parametrize("row", LOST)
def test_masks_that_are_lost_leave_a_mark(row, engine):
    def law():
        result = LOST[row](with_mask(X, MASK))
        assert get_keras_mask(result) is None
        mark = get_lost_mask(result)
        assert mark.op == row and mark.rank == 2
        # The mark goes on as the mask would.
        assert get_lost_mask(ops.add(result, 1.0)) is mark
        assert get_lost_mask(ops.max(result)) is None

    traced(engine, law)


def test_steps_that_are_padded_do_not_count(engine):
    mask = get_keras_mask(ops.pad(with_mask(X, MASK), ((0, 0), (1, 0), (0, 0))))
    want = np.concatenate([[[False], [False]], MASK], 1)
    np.testing.assert_array_equal(ops.convert_to_numpy(mask), want)


def test_indices_give_their_mask_to_the_vectors(engine):
    ids = with_mask(np.array([[1, 2, 0, 0], [3, 0, 1, 1]], "int32"), MASK)
    for result in (ops.take(KERNEL, ids, axis=0), ops.one_hot(ids, 5)):
        assert get_keras_mask(result) is get_keras_mask(ids)


def test_one_mask_stays_the_object_that_it_is(engine):
    x = with_mask(X, MASK)
    mask = get_keras_mask(x)
    assert get_keras_mask(ops.relu(ops.add(x, ops.square(x)))) is mask


def test_a_mask_for_all_features_stays(engine):
    x = with_mask(X, MASK[..., None])
    assert get_keras_mask(ops.add(x, 1.0)) is get_keras_mask(x)
    x = with_mask(X, np.ones((2, 1), "bool"))
    assert get_lost_mask(ops.flip(x, 1)).op == "flip"


def test_the_argument_itself_keeps_its_mask(engine):
    x = with_mask(X, MASK)
    assert ops.convert_to_tensor(x) is x
    ops.sort(x, axis=1)
    np.testing.assert_array_equal(ops.convert_to_numpy(get_keras_mask(x)), MASK)


def test_nothing_is_left_when_the_tensors_are_gone(engine):
    before = len(masking.alive)
    x = with_mask(X, MASK)
    y = ops.sort(ops.add(x, 1.0), axis=1)
    assert len(masking.alive) > before
    del x, y
    assert len(masking.alive) == before
