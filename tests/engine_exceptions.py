"""What an engine cannot do: the only list, with reasons.

Tests that run on every engine ask it (`cannot`, `refuses`). Each entry is tried on each
engine (`test_engine_exceptions.py`, `ops/test_ops.py`): it must fail as stated where it
is listed, and work everywhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass

import ml_dtypes
import numpy as np

import hornbeam as keras
from hornbeam import backends, ops

ALL = ("jax", "torch", "numpy", "tensorflow")


@dataclass(frozen=True)
class Limit:
    """Something that some engines cannot do.

    Attributes:
        what: its name, for `cannot`.
        attempt: does it on the engine in force, or raises.
        engines: the engines that cannot, each with what the error says.
        reason: why it is so and stays so.
    """

    what: str
    attempt: Callable
    engines: dict[str, str]
    reason: str


def cannot(engine, what):
    """Whether `engine` is listed under `what`."""
    (limit,) = (limit for limit in LIMITS if limit.what == what)
    return engine.name in limit.engines


def _gradient():
    backends.current().value_and_grad(lambda x: ops.sum(x[0]))([ops.ones(2)])


def _slope():
    ops.jvp(lambda x: x * x, (ops.ones(2),), (ops.ones(2),))


def _model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def _fit():
    _model().fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def _holds(*dtypes):
    def attempt():
        for dtype in dtypes:
            held = backends.current().dtype_of(ops.zeros(1, dtype))
            assert held == dtype, f"{dtype} is held as {held}"

    return attempt


def _product_with_a_number():
    held = backends.current().dtype_of(ops.ones(2, "bfloat16") * 2.0)
    assert held == "bfloat16", f"the product is {held}"


def _mask_of_an_array():
    ops.ones(2)._keras_mask = ops.ones(2)


def _look_at_a_value():
    backends.current().infer(lambda x: x * float(x[0]), ops.ones(2))


def _module():
    import torch

    layer = keras.layers.TorchModuleWrapper(torch.nn.Linear(2, 2))
    found = layer(ops.ones((1, 2)))
    assert backends.current().is_tensor(found), "the result is a torch tensor"


def _twice(inputs):
    return 2 * inputs


_NOT_TORCH = "torch backend"
_NO_TORCH = {"jax": _NOT_TORCH, "numpy": _NOT_TORCH, "tensorflow": _NOT_TORCH}
LIMITS = [
    Limit(
        "gradients",
        _gradient,
        {"numpy": "computes no gradients"},
        "NumPy has none; that engine serves inference and is the oracle.",
    ),
    Limit(
        "directional derivatives",
        _slope,
        {"numpy": "no derivatives"},
        "as gradients",
    ),
    Limit("training", _fit, {"numpy": "has no gradients"}, "as gradients"),
    Limit(
        "64 bits",
        _holds("int64", "float64"),
        {"jax": "held as int32"},
        "JAX holds 32 bits unless `jax_enable_x64` is set; so does Keras on JAX.",
    ),
    Limit(
        "wide unsigned integers",
        _holds("uint16", "uint32"),
        {"torch": "held as int32"},
        "torch has next to no operations on them: a signed type holds them.",
    ),
    Limit(
        "bfloat16 beside a number",
        _product_with_a_number,
        {"numpy": "float32"} if ml_dtypes.__version__ < "0.7" else {},
        "NumPy widens the dtype, which comes from ml_dtypes, before 0.7 of that.",
    ),
    Limit(
        "masks on arrays",
        _mask_of_an_array,
        {"numpy": "no attribute '_keras_mask'"},
        "A NumPy array has no attributes of ours.",
    ),
    Limit(
        "values in a program",
        _look_at_a_value,
        {"jax": "[Cc]oncrete"},
        "JAX finds shapes by tracing; the others may run a function for that.",
    ),
    Limit(
        "live parameters",
        lambda: list(_model().parameters()),
        _NO_TORCH,
        "They are torch's.",
    ),
    Limit(
        "a torch module as a layer",
        _module,
        {"jax": "torch", "numpy": "torch", "tensorflow": "torch"},
        "The module computes with torch.",
    ),
    Limit(
        "a function of JAX as a layer",
        lambda: keras.layers.JaxLayer(_twice)(ops.ones((1, 2))),
        dict.fromkeys(("torch", "numpy", "tensorflow"), "runs on the JAX backend"),
        "The function computes with JAX.",
    ),
    Limit(
        "integers divided by zero",
        lambda: ops.floor_divide(ops.array([3, 4]), ops.array([0, 1])),
        {"torch": "ZeroDivisionError", "tensorflow": "[Dd]ivision by zero"},
        "They raise; JAX and NumPy give a number. Checking would cost every division.",
    ),
    Limit(
        "negative powers of integers",
        lambda: ops.power(ops.array([3, 4]), ops.array([-1, 1])),
        {"numpy": "negative integer powers", "tensorflow": "negative integer powers"},
        "They raise; JAX and torch give a number.",
    ),
]

# Ops that take no arguments of a dtype. `float` stands for every width of floats.
_INTEGERS_ONLY = ("jax", "torch", "numpy")
_HALF = "cholesky eig eigh logdet lstsq matrix_rank norm pinv solve svd".split()
_TRIANGULAR = ("cholesky_inverse", "solve_triangular")
_FOURIER = "fft fft2 ifft2 irfft istft rfft stft".split()
_WITHOUT_NUMPY = ("jax", "torch", "tensorflow")
REFUSED: dict[tuple[str, str], tuple[str, ...]] = {
    **{(op, "bool"): ALL for op in "negative subtract ptp gcd lcm ldexp".split()},
    ("sign", "bool"): ("jax", "numpy", "tensorflow"),
    ("round", "bool"): ("jax", "numpy"),
    ("gcd", "float"): _INTEGERS_ONLY,
    ("lcm", "float"): _INTEGERS_ONLY,
    ("ldexp", "float"): ALL,
    # LAPACK and the Fourier libraries have no half precision (NumPy widens bfloat16).
    **{(op, "float16"): ALL for op in _HALF},
    **{(op, "bfloat16"): _WITHOUT_NUMPY for op in _HALF},
    **{(op, "float16"): ("torch", "numpy", "tensorflow") for op in _TRIANGULAR},
    **{(op, "bfloat16"): ("torch", "tensorflow") for op in _TRIANGULAR},
    **{(op, "float16"): _WITHOUT_NUMPY for op in (*_FOURIER, "lu_factor")},
    **{(op, "bfloat16"): _WITHOUT_NUMPY for op in (*_FOURIER, "lu_factor", "polar")},
    ("polar", "float16"): ("jax", "tensorflow"),
    ("qr", "float16"): ("jax", "torch", "numpy"),
    ("qr", "bfloat16"): _WITHOUT_NUMPY,
}
# What an engine says of a dtype that it does not take.
REFUSALS = {
    "jax": "not accept dtype|Unsupported dtype|not inexact|must be|takes integers",
    "torch": "not (implemented|supported)|Unsupported dtype|[Ee]xpected|doesn't support"
    "|takes integers",
    "numpy": "not supported|unsupported|did not contain a loop|Cannot cast"
    "|takes integers",
    "tensorflow": "list of allowed values|Could not find device|incorrect types"
    "|requires tf.float32|not inexact|takes integers"
    "|variable 'out_dtype'",  # of tf.linalg.eig
}


def refuses(engine, op, dtype):
    """Whether the op takes no arguments of `dtype` on `engine`."""
    kinds = (dtype, "float") if "float" in dtype else (dtype,)
    return any(engine.name in REFUSED.get((op, kind), ()) for kind in kinds)
