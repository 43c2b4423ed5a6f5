"""TensorFlow: tensors in and out, dtypes, devices.

A Variable of ours holds a `tf.Variable`, which changes in place: so a user's own
`tf.function` sees what training does, and a `tf.GradientTape` watches it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import optree
import tensorflow as tf

from hornbeam.backends import placement
from hornbeam.backends.functions import Function
from hornbeam.backends.scipy_sparse import is_scipy_sparse, scipy_coordinates
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import result_type, standardize_dtype

Tensor: Any = (tf.Tensor, tf.Variable)
_SPARSE = (tf.SparseTensor, tf.IndexedSlices)

_NAMES: dict[tf.DType, str] = {}
_DTYPES: dict[str, tf.DType] = {}


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of this engine, traced or not."""
    return isinstance(x, Tensor) or is_sparse(x)


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor of this engine."""
    return isinstance(x, _SPARSE)


def convert(x: Any, dtype: Any = None) -> tf.Tensor:
    """`x` as a tensor; Python floats become floatx, Python integers int32."""
    if isinstance(x, tf.Tensor):
        return x if dtype is None else cast(x, dtype)
    if isinstance(x, tf.Variable):
        return convert(tf.convert_to_tensor(x), dtype)
    if is_sparse(x):
        return x if dtype is None else cast(x, dtype)
    if is_scipy_sparse(x):
        indices, values = scipy_coordinates(x)
        return tf.SparseTensor(
            convert(indices, "int64"), convert(values, dtype), x.shape
        )
    if isinstance(x, tf.RaggedTensor):
        return convert(x.to_tensor(), dtype)
    if isinstance(x, (list, tuple)) and _holds_tensor(x):
        parts = [convert(v) for v in x]
        if dtype is None:
            dtype = result_type(*(dtype_of(p) for p in parts))
        return tf.stack([cast(p, dtype) for p in parts])
    known = hasattr(x, "dtype")
    array = np.asarray(x)
    if dtype is not None:
        dtype = tf_dtype(dtype)
    elif not known and array.dtype == np.float64:
        dtype = tf_dtype(floatx())
    elif not known and array.dtype == np.int64:
        dtype = tf.int32
    if array.dtype.kind in "OSU":
        return tf.constant(x, dtype=dtype)
    if dtype is not None:
        array = array.astype(dtype.as_numpy_dtype, copy=False)
    return tf.constant(array)


def _holds_tensor(x: Any) -> bool:
    return any(isinstance(leaf, Tensor) for leaf in optree.tree_leaves(x))


def cast(x: Any, dtype: Any) -> tf.Tensor:
    """`x` converted to `dtype`."""
    dtype = tf_dtype(dtype)
    if isinstance(x, tf.SparseTensor):
        return tf.cast(x, dtype)
    if isinstance(x, tf.IndexedSlices):
        return tf.IndexedSlices(tf.cast(x.values, dtype), x.indices, x.dense_shape)
    if not isinstance(x, tf.Tensor):
        return convert(x, dtype)
    if x.dtype == dtype:
        return x
    if x.dtype.is_complex and not dtype.is_complex:
        x = tf.math.real(x)
    return tf.cast(x, dtype)


def tf_dtype(dtype: Any) -> tf.DType:
    """TensorFlow's dtype for a name."""
    if isinstance(dtype, tf.DType):
        return dtype
    try:
        return _DTYPES[dtype]
    except (KeyError, TypeError):
        name = standardize_dtype(dtype)
        return _DTYPES.setdefault(name, tf.as_dtype(name))


def to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array."""
    if is_sparse(x):
        from .sparse import to_dense

        x = to_dense(x)
    return np.asarray(x.numpy() if isinstance(x, Tensor) else x)


def call_on_host(fn: Any, inputs: Any, shape: Any, dtype: str) -> Any:
    """`fn` of the inputs as NumPy arrays, also while a graph is traced."""
    if tf.executing_eagerly():
        return convert(fn(*(to_numpy(x) for x in inputs)))

    def compute(*arrays):
        result = fn(*arrays)
        return result if dtype == "string" else result.astype(dtype)

    result = tf.numpy_function(compute, list(inputs), tf_dtype(dtype), stateful=False)
    result.set_shape(shape)
    return result


def ragged_tensor(values: Any, lengths: Any) -> tf.RaggedTensor:
    """The ragged tensor whose rows have these lengths."""
    return tf.RaggedTensor.from_row_lengths(values, lengths)


def dtype_of(x: Any) -> str:
    """The standard name of the dtype that `x` has as a tensor."""
    if not is_tensor(x):
        x = convert(x)
    try:
        return _NAMES[x.dtype]
    except KeyError:
        return _NAMES.setdefault(x.dtype, standardize_dtype(x.dtype.name))


def shape_of(x: Any) -> tuple[Any, ...]:
    """The shape of `x`; a size that is not known while a program is traced is a
    scalar tensor."""
    if not hasattr(x, "shape"):
        return np.shape(x)
    sizes = tuple(x.shape)
    if None not in sizes or not isinstance(x, Tensor):
        return sizes
    dynamic = tf.shape(x)
    return tuple(dynamic[i] if d is None else d for i, d in enumerate(sizes))


def assign(old: tf.Variable, new: Any) -> tf.Variable:
    """What a Variable of value `old` holds after `new` is assigned: `old`, changed."""
    if new is not old:
        old.assign(new, read_value=False)
    return old


as_argument: Function = convert


def take_over(array: np.ndarray) -> tf.Tensor:
    """The tensor of an array that nobody else will use, without a copy on a CPU."""
    if array.dtype.kind not in "biuf" or tf.config.list_logical_devices("GPU"):
        return convert(array)
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def new_variable(value: Any, trainable: bool) -> tf.Variable:
    """What a new Variable of the tensor `value` holds."""
    differentiable = value.dtype.is_floating or value.dtype.is_complex
    return tf.Variable(value, trainable=trainable and differentiable)


def free_bytes() -> int:
    """How many bytes of memory the device can still give: here, the host."""
    return placement.free_bytes_of_host()


def devices(device_type: str | None = None) -> list[str]:
    """Names of the devices, such as "cpu:0"."""
    kind = None if device_type is None else device_type.lower().replace("cuda", "gpu")
    names = [
        d.name.rpartition("device:")[2].lower()
        for d in tf.config.list_logical_devices()
    ]
    accelerators = [name for name in names if not name.startswith("cpu")]
    if kind is None:
        return accelerators or names
    return [name for name in names if name.startswith(kind)]


def device_scope(name: str) -> Any:
    """Place new tensors on the device `name`, such as "cpu:0", inside the block."""
    plain = _known(name, [d.name for d in tf.config.list_logical_devices()])
    return tf.device(plain)


def default_device() -> str:
    """The name of the device on which new tensors are made, such as "cpu:0"."""
    return tf.zeros(()).device.rpartition("device:")[2].lower()


def set_default_device(name: str | None) -> None:
    """Make new tensors on the device `name`; None leaves it to the engine.

    TensorFlow chooses the device of an operation itself. What can be said is which
    GPUs it sees, before it has looked at them.
    """
    there = tf.config.list_physical_devices("GPU")
    seen = there
    if name is not None:
        names = ["cpu:0", *(f"gpu:{i}" for i in range(len(there)))]
        kind, _, index = _known(name, names).partition(":")
        seen = there[int(index) :][:1] if kind == "gpu" else []
    if list(tf.config.get_visible_devices("GPU")) == list(seen):
        return
    try:
        tf.config.set_visible_devices(seen, "GPU")
    except RuntimeError as error:
        raise RuntimeError(
            "TensorFlow is running: its device can be set only before it makes its "
            f"first tensor. Received: {name!r}. Call `keras.config.set_device` earlier,"
            " set HORNBEAM_DEVICE, or use the block `with keras.device(...)`."
        ) from error


def _known(name: str, there: list[str]) -> str:
    """`name` in full, such as "gpu:0", if it is one of the devices `there`."""
    plain = str(name).lower().replace("cuda", "gpu")
    plain = plain.rpartition("device:")[2]
    plain = plain if ":" in plain else plain + ":0"
    names = [full.lower().rpartition("device:")[2] for full in there]
    if plain not in names:
        raise placement.no_such_device("tensorflow", name, names)
    return plain


def on_device(x: Any) -> Any:
    """The nest `x` itself: TensorFlow moves what an operation needs."""
    return x
