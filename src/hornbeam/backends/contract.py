"""What every engine provides, beside the ops declared with `@primitive`.

An engine is a module with these names, with these signatures, and with a function for
each `@primitive` of `hornbeam.ops`, which has the op's signature. It may have faster
functions of the names of composite ops. An `@optional` name is None on an engine
without it. `python -m hornbeam.ops.required` prints the whole list.

Functions take and return tensors of the engine; they also take NumPy arrays and Python
numbers. Dtypes are promoted as `hornbeam.core.dtypes.result_type` says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

Declared = TypeVar("Declared", bound=Callable[..., Any])

# The optional names of the contract.
OPTIONAL: set[str] = set()


def optional(declared: Declared) -> Declared:
    """Mark a function or class that an engine may lack."""
    OPTIONAL.add(declared.__name__)
    return declared


# What the engine is, and what it can do: plain attributes.

CAPABILITIES = {
    "name": "The engine's name in `backends.get`.",
    "compiles": "Whether `jit` builds a program.",
    "trains": "Whether there are gradients.",
    "live_parameters": "Whether variables are objects that others' optimizers change.",
    "takes_state": "Whether users' steps may take the state and return it.",
    "sparse_has_class": "Whether sparse tensors are of a class of their own.",
    "has_datasets": "Whether it has datasets of its own, of `format='tf'`.",
    "assigns_in_place": "Whether a program that others trace can assign variables.",
}


# Arrays in and out: dtypes, shapes, Variables.


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of this engine."""


def convert(x: Any, dtype: Any = None) -> Any:
    """`x` as a tensor; Python floats become floatx, Python integers int32."""


def as_argument(x: Any, dtype: Any = None) -> Any:
    """A copy of `x` as programs take it: host numbers may stay on the host."""


def to_numpy(x: Any) -> Any:
    """`x` as a NumPy array."""


def dtype_of(x: Any) -> str:
    """The standard name of the dtype that `x` has as a tensor."""


def shape_of(x: Any) -> tuple[Any, ...]:
    """The shape of `x`; a size that is unknown while tracing is a scalar tensor."""


def new_variable(value: Any, trainable: bool) -> Any:
    """What a new Variable of the tensor `value` holds."""


def assign(old: Any, new: Any) -> Any:
    """What a Variable of value `old` holds after `new` is assigned."""


@optional
def add_in_place(old: Any, value: Any) -> Any:
    """`old += value` for a number or a tensor; a copy of the sum, None if not made."""


@optional
def take_over(array: Any) -> Any:
    """The tensor of a host array that nobody else will use, without a copy."""


@optional
def take_as_value(cls: type, value_of: Callable[[Any], Any]) -> None:
    """Let the library's own functions take objects of `cls` as `value_of(x)`."""


@optional
def variable_read(variable: Any) -> None:
    """Learn that a Variable was read: tapes that others open watch its `handle`."""


@optional
def call_on_host(fn: Callable, inputs: Sequence[Any], shape: Any, dtype: str) -> Any:
    """`fn` of the inputs as NumPy arrays, also where a graph of others is traced.

    For engines that hold strings: `fn` may take and give arrays of Python's strings.
    """


@optional
def fused(fn: Callable, *arguments: Any) -> Any:
    """`fn(*arguments)` as one kernel, where the program that is traced has many.

    For engines whose programs run operation by operation. `fn` computes with numbers.
    """


@optional
def ragged_tensor(values: Any, lengths: Any) -> Any:
    """The ragged tensor whose rows have these lengths."""


@optional
def distribute_strategy() -> Any:
    """The library's strategy of distribution that holds here."""


def asks_for_values(error: BaseException) -> bool:
    """Whether `error` says that code needs numbers of a tensor that has none yet."""


def devices(device_type: Any = None) -> list[str]:
    """Names of the devices, such as "cpu:0"."""


def default_device() -> str:
    """The name of the device on which new tensors are made, such as "cpu:0"."""


def set_default_device(name: str | None) -> None:
    """Make new tensors on the device `name`; None leaves it to the engine."""


def device_scope(name: str) -> contextlib.AbstractContextManager[Any]:
    """Place new tensors on the device `name`, such as "cpu:0", inside the block."""


def on_device(x: Any) -> Any:
    """The nest `x`, with tensors of the CPU moved to the device in force."""


def free_bytes() -> int:
    """How many bytes of memory the device can still give."""


# Parts of ops. What the op checks or completes is known here.


def dynamic_slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The window of `shape` that starts at `start_indices`, moved inside if needed."""


def dynamic_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with `updates` in the window that starts at `start_indices`."""


def scatter_into(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    """`inputs` with `updates` put, added, ... at `indices` (last axis: a place)."""


def general_conv(
    inputs: Any, kernel: Any, strides: Sequence[int],
    padding: Sequence[tuple[int, int]], dilation: Sequence[int], groups: int,
    data_format: str,
) -> Any:  # fmt: skip
    """Correlation of `inputs` with a kernel of layout (*window, in / groups, out)."""


def general_conv_transpose(
    inputs: Any, kernel: Any, strides: Sequence[int],
    padding: Sequence[tuple[int, int]], dilation: Sequence[int], data_format: str,
) -> Any:  # fmt: skip
    """The transpose of a strided convolution, for a kernel (*window, out, in).

    `padding` says by how much the full result is cropped (negative: extended).
    """


def window_max(
    inputs: Any, size: Sequence[int], strides: Sequence[int],
    padding: Sequence[tuple[int, int]], data_format: str,
) -> Any:  # fmt: skip
    """The maximum of every window; the padding never wins."""


def window_sum(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    data_format: str,
) -> Any:
    """The sum of every window."""


@optional
def resize_bilinear(images: Any, size: tuple[int, int]) -> Any:
    """float32 images (batch, height, width, channels) in a new size; centres at 1/2."""


# Sparse tensors: the engine's own kind. Ops on them are composed of these functions
# (`ops/sparse_rules.py`).


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor of this engine."""


def sparse_tensor(
    indices: Any, values: Any, shape: Any, valid: Any = None, unique: bool = False
) -> Any:
    """The tensor of `shape` with `values` at the rows of the matrix `indices`.

    Values at equal places are summed. Of a program, whose sizes are fixed, the mask
    `valid` says which entries count. `unique` promises that the indices are in
    lexicographic order and no two are equal.
    """


def coordinates(x: Any) -> tuple[Any, Any]:
    """`(indices, values)` of a sparse tensor, in order and each place once.

    A program may give more entries than there are: zeros outside of the shape.
    """


def map_values(fn: Callable, x: Any) -> Any:
    """The sparse tensor of `fn` of each element of `x`, where `fn(0)` is 0."""


def to_dense(x: Any) -> Any:
    """The sparse tensor `x` as a dense one."""


def sparse_matmul(a: Any, b: Any) -> Any:
    """The product of matrices of one dtype, one sparse; it is sparse if both are."""


# Random bits: the counter hash of `core/random_hash.py`, equal on every engine.


def random_bits(key: Any, shape: Sequence[int]) -> Any:
    """Random 32-bit words of the stream `key`, a pair of unsigned 32-bit words."""


def random_uniform(key: Any, shape: Sequence[int]) -> Any:
    """float32 numbers in [0, 1) from the top 24 bits of `random_bits`."""


# Transforms of functions.


def jit(fn: Callable, donate: Sequence[int] = ()) -> Callable:
    """`fn`, as a program if the engine `compiles`; it may reuse arguments `donate`."""


def compile(fn: Callable, arguments: Sequence[Any], donate: Sequence[int] = ()) -> Any:
    """`fn` compiled ahead for arguments such as these; the program does not hold `fn`.

    Variables of a donated first argument may take their new values, the first result of
    `fn`, inside the program. An engine that does not compile returns `fn`.
    """


def concrete() -> contextlib.AbstractContextManager[Any]:
    """A block whose operations run at once, even while a program is traced."""


def calls_each_step() -> bool:
    """Whether loops called here are those of Python, and not traced as programs."""


def infer(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """The `Spec`s of `fn(*args, **kwargs)`, where some leaves are specs.

    A leaf with a shape and a dtype that is no tensor is a spec; an unknown size (None)
    stays unknown. What is no tensor in the result stays as it is.
    """


def value_and_grad(fn: Callable, has_aux: bool = False) -> Callable:
    """`(values, *args) -> (fn(values, *args), gradients of the values)`.

    `values` is a list of tensors; `fn` gives a scalar, or `(scalar, aux)`. A value that
    has no part in the result has a gradient of zeros. An engine that does not train
    raises NotImplementedError.
    """


def custom_gradient(f: Callable) -> Callable:
    """`f(*args) -> (output, gradient function)` as a function of known gradient."""


def remat(f: Callable) -> Callable:
    """`f`, whose intermediate values are computed again for the gradient."""


def vmap(fn: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """`fn` over an added axis of its arguments."""


# Programs and the memory that they take.


@optional
def compile_over_devices(
    fn: Callable, arguments: Sequence[Any], split: Sequence[bool]
) -> Callable:
    """`fn` compiled for arguments such as these, on all devices.

    Arguments (trees of host arrays) that are to be `split` lie on the devices part by
    part along axis 0, a multiple of their number; others lie on each as a whole.
    """


@optional
def program_bytes(program: Any) -> tuple[int, int]:
    """The bytes that a program takes when kept, and with its arguments as it runs."""


@optional
def start_trace(folder: str) -> Callable[[], Any]:
    """Record what the engine does, for TensorBoard; the result called ends it."""


@optional
def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the memory of the device does not suffice."""


@optional
def record(
    step: Callable[[], Any],
    state: Sequence[Any],
    data: Sequence[Any],
    compiled: bool = False,
) -> Any:
    """Run `step()` on live tensors and return a record of its operations.

    For engines whose tensors can be changed. `state` are the tensors that the step
    reads and changes, `data` those that differ in every step. The record has `outputs`,
    what `step()` returned; `repeats(other)`, whether two records are of the same
    operations with the same constants; and `program()`, a function
    `run(state, batches)` that repeats the step on each batch, `compiled` if asked for.
    """


@optional
def first_not_finite(run: Callable[[], Any]) -> str | None:
    """The first operation of `run()`, on values, that gives what is not finite."""


@optional
def work_of(step: Callable[[], Any]) -> tuple[Any, float]:
    """`step()`, and how often its mean operation is worth a second thread."""


@optional
def step_threads(work: float = 0.0) -> contextlib.AbstractContextManager[Any]:
    """A block that runs steps of so much work on the threads that pay."""


# Updates of all variables in one call, in place. False: the optimizer's rule is used.


@optional
def adam_update(
    values: Any, gradients: Any, momentums: Any, velocities: Any, maxima: Any = (),
    *, step: Any, learning_rate: Any, beta_1: Any, beta_2: Any, epsilon: Any,
) -> bool:  # fmt: skip
    """Adam's step; `step` counts the updates before, `maxima` are AMSGrad's."""


@optional
def decay_update(values: Any, rate: Any) -> bool:
    """`values -= rate * values`."""


@optional
def rmsprop_update(
    values: Any, gradients: Any, velocities: Any, averages: Any = (),
    momentums: Any = (), *, learning_rate: Any, rho: Any, momentum: Any,
    epsilon: Any,
) -> bool:  # fmt: skip
    """RMSprop's step; `averages` are those of centered RMSprop."""


@optional
def sgd_update(
    values: Any, gradients: Any, momentums: Any = (), *, learning_rate: Any,
    momentum: Any, nesterov: Any,
) -> bool:  # fmt: skip
    """The step of gradient descent, with velocities if `momentums` are given."""


@optional
def recurrence(
    kind: str, sequences: Any, states: Any, kernel: Any, recurrent_kernel: Any,
    bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """`(outputs, last states)` of a recurrent network, None if not for these arguments.

    `kind` is "lstm" (gates i, f, g, o; states h, c), "gru" (gates z, r, g, whose reset
    comes after the product; `bias` has a row for the inputs and one for the state),
    "tanh" or "relu". `sequences` is (steps, batch, features), `mask` (steps, batch):
    where it is False, the states stay and the output is that of the step before, at
    first the state.
    """


@optional
def projects_in_loop(shape: Any, units: int, gates: int, training: bool) -> bool:
    """Whether sequences (steps, rows, features) are best projected step by step."""


# Modules, nests of parameters and random keys of the engine's own library.


@optional
class LayerModule:
    """A base for layers that makes them modules of the library.

    It asks a layer for `_module_variables()` and `_module_children()`, by name, and
    keeps in `_mode` what `training` is in calls that do not say it.
    """


@optional
def is_module(x: Any) -> bool:
    """Whether `x` is a module of the engine's library."""


@optional
def module_tensors(module: Any) -> list[tuple[str, Any, bool]]:
    """The name of each tensor of a module, the tensor, and whether it is trained."""


@optional
def call_module(
    module: Any, values: Any, training: bool | None, args: Any, kwargs: Any
) -> Any:
    """Call a module; `values` by name stand in for its own tensors, if any."""


@optional
def nest_leaves(nest: Any) -> tuple[list[Any], Any]:
    """The leaves of a nest of any class that the library knows, and its structure."""


@optional
def nest_of(structure: Any, leaves: Sequence[Any]) -> Any:
    """The nest of that structure with those leaves."""


@optional
def random_key(words: Any) -> Any:
    """A key of the library's own random functions, from the key of a draw of ours."""


@optional
def split_key(key: Any) -> Any:
    """Two keys of the library's own from one."""


# Functions written to a file that others serve.


@optional
def tensor_spec(
    shape: Sequence[int | None], dtype: str, name: str | None = None
) -> Any:
    """What is known of an argument: sizes that are None may be any."""


@optional
def endpoint(fn: Callable, signature: Sequence[Any] | None) -> Any:
    """`fn`, traced for a `signature` or already; TypeError if it is neither."""


@optional
def write_saved_model(
    path: str,
    endpoints: Mapping[str, Any],
    variables: Mapping[str, Sequence[Any]],
    resources: Sequence[Any] = (),
    options: Any = None,
) -> None:
    """Write what `endpoint` gave, by name, and lists of the values of variables."""


@optional
def read_saved_model(path: str, name: str) -> tuple[Callable[..., Any], list[Any]]:
    """The endpoint `name` as a function of one argument, and the variables' values."""
