"""safetensors files: the weights of a model by name, as other libraries read them.

A weight is called as the attributes that lead to it, joined by dots, and then itself:
`encoder.query_dense.kernel`, `blocks.0.bias`. The layers of a Sequential or Functional
model go by their names. Names that the library gave are counted anew in each model, so
that what was `dense_7` in one process is `dense_1` in another.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.backends.memory import aligned_array
from hornbeam.core.errors import DamagedFileError
from hornbeam.core.naming import distinct, to_snake_case
from hornbeam.core.other_kinds import HEAD_SIZE, check_kind
from hornbeam.core.unread import Unread
from hornbeam.core.warning import warn
from hornbeam.layers.layer import Layer
from hornbeam.saving import hdf5
from hornbeam.saving.state import children, graph_models

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable
    from hornbeam.models.model import Model

SUFFIX = ".safetensors"
_MAX_HEADER = 4 << 20
_DTYPES = {
    "BF16": "bfloat16",
    "BOOL": "bool",
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}


def _library():
    try:
        return importlib.import_module("safetensors")
    except ImportError as error:
        raise ImportError(
            "`.safetensors` files need the package safetensors: "
            "`pip install 'hornbeam[safetensors]'`."
        ) from error


def save_weights(model: Model, path: Path, skip: Iterable[Layer] = ()) -> None:
    """Write the weights of a model, without the state of its optimizer.

    Args:
        model: a built model.
        path: where the file is made.
        skip: layers that are left out.
    """
    library = _library()
    # The library reads the arrays where they are: they stay alive until it has.
    arrays = {
        name: np.asarray(hdf5.as_array(variable), order="C")
        for name, variable in named_weights(model, skip).items()
    }
    specs = {
        name: library.TensorSpec(
            dtype=array.dtype.name,
            shape=array.shape,
            data_ptr=array.ctypes.data,
            data_len=array.nbytes,
        )
        for name, array in arrays.items()
    }
    try:
        library.serialize_file(specs, path, metadata={"format": "keras"})
    except library.SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), str(error)) from error


class StoredTensor(Unread):
    """A tensor of a file that is open; its numbers are read when they are asked for.

    Args:
        file: the file.
        name: the name of the tensor.
        declared: what the library says of it.
        begin: where its bytes begin in the file.
    """

    def __init__(self, file: BufferedReader, name: str, declared: Any, begin: int):
        code = declared.get_dtype()
        super().__init__(tuple(declared.get_shape()), _DTYPES.get(code, code))
        self._file, self._name, self._begin = file, name, begin

    def read(self) -> np.ndarray:
        """Return the tensor as an array in memory that an engine can take over."""
        if self.dtype not in _DTYPES.values():
            raise ValueError(
                f"The tensor {self._name!r} has the dtype {self.dtype}, which is not "
                f"read. Expected one of {sorted(_DTYPES.values())}."
            )
        array = aligned_array(self.shape, self.dtype, small_pages=True)
        self._file.seek(self._begin)
        if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
            raise DamagedFileError(f"The tensor {self._name!r} is cut off.")
        return array


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Mapping[str, StoredTensor]]:
    """Open a file: yields its tensors by name.

    Sizes, places and dtypes of all tensors are checked by the library beforehand.
    """
    library = _library()
    with path.open("rb") as file:
        head = file.read(HEAD_SIZE)
        file.seek(8)
        size = int.from_bytes(head[:8], "little")
        if size > _MAX_HEADER or not head:
            check_kind(head, path.name, b"")
            raise DamagedFileError(
                f"{path.name} is damaged: its header has {size} bytes, at most "
                f"{_MAX_HEADER} are read."
            )
        try:
            checked = library.safe_open(path, "numpy", backend="pread")
        except library.SafetensorError as error:
            raise DamagedFileError(f"{path.name} is damaged: {error}") from None
        header = json.loads(file.read(size))
        with checked:
            # The library would read a tensor into memory that no engine can take over.
            yield {
                name: StoredTensor(
                    file,
                    name,
                    checked.get_slice(name),
                    8 + size + header[name]["data_offsets"][0],
                )
                for name in checked.offset_keys()
            }


def load_weights(
    model: Model,
    path: Path,
    by_name: bool = False,
    skip_mismatch: bool = False,
    skip: Iterable[Layer] = (),
) -> None:
    """Read the weights of a model; all of them fit, or none changes.

    Args:
        model: a built model.
        path: the path of the file.
        by_name: whether weights that the file lacks stay as they are, and those that
            the model lacks are left out. Default: False, both are errors.
        skip_mismatch: leave out layers that do not fit, with a warning.
        skip: layers that keep their weights.
    """
    expected = named_weights(model, skip)
    with reading(path) as tensors:
        stored = {n.replace("/", ".").removesuffix(":0"): t for n, t in tensors.items()}
        misfits = _misfits(model, expected, stored, by_name)
        if misfits and not skip_mismatch:
            more = [f"... and {len(misfits) - 20} more"] if len(misfits) > 20 else []
            raise ValueError(
                f"{len(misfits)} weights of {path.name} do not fit the model "
                f"{model.name!r}; nothing was loaded.\n"
                + "\n".join([*list(misfits.values())[:20], *more])
            )
        # Of a layer all weights are taken, or none.
        skipped = dict.fromkeys(_owner(name) for name in misfits)
        for owner in skipped:
            texts = [t for name, t in misfits.items() if _owner(name) == owner]
            warn(f"The weights of {owner!r} are skipped: {'; '.join(texts)}")
        for name, variable in expected.items():
            if name in stored and _owner(name) not in skipped:
                variable.assign(stored[name])


def _misfits(model, expected, stored, by_name):
    """Return what is wrong with the weights that do not fit, by name."""
    misfits = {}
    for name, variable in expected.items():
        shape = tuple(variable.shape)
        received = stored[name].shape if name in stored else None
        if received != shape and not (by_name and received is None):
            misfits[name] = f"{name}: expected {shape}, received {received}"
    if not by_name:
        everything = named_weights(model)
        for name in (name for name in stored if name not in everything):
            received = stored[name].shape
            misfits[name] = f"{name}: not in the model, received {received}"
    return misfits


def _owner(name):
    return name.rpartition(".")[0]


def named_weights(model: Model, skip: Iterable[Any] = ()) -> dict[str, Variable]:
    """Return `{name in a file: weight}` of a model.

    Args:
        model: a built model.
        skip: layers that are left out.
    """
    named: dict[str, Variable] = {}
    # By identity, and kept alive, as in `state.save_state`.
    visited: dict[int, Any] = {id(layer): layer for layer in skip}

    def visit(value, path):
        if id(value) in visited:
            return
        visited[id(value)] = value
        own = _own_weights(value) if isinstance(value, Layer) else {}
        for name, variable in own.items():
            if id(variable) not in visited:
                visited[id(variable)] = variable
                named[".".join([*path, name])] = variable
        for name, child in _parts(value):
            visit(child, path if name is None else [*path, name])

    visit(model, [])
    return named


def _own_weights(layer):
    """Return `{name: weight}`; a name of the library's gives way to the attribute's.

    It is counted in each program, so it would be another one in the next.
    """
    attributes = {id(value): name.lstrip("_") for name, value in vars(layer).items()}
    weights = layer._own_weights()
    names = [
        attributes.get(id(weight), "variable")
        if re.fullmatch(r"variable(_\d+)?", weight.name)
        else weight.name
        for weight in weights
    ]
    return dict(zip(distinct(names), weights, strict=True))


def _parts(value):
    """Yield `(name, layer or container)`; the name None adds nothing to the path."""
    if isinstance(value, dict):
        yield from ((str(key), item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(i), item) for i, item in enumerate(value))
    elif isinstance(value, Layer):
        layers = list(getattr(value, "layers", ()))
        named = list(zip(_names(layers), layers, strict=True))
        if isinstance(value, graph_models()):
            yield from named
        for name, child in children(value):
            if name != "layers":
                yield name.lstrip("_"), child
        yield from named


def _names(layers):
    """Return the names of layers; those that the library gave are counted anew."""
    names = []
    for layer in layers:
        base = to_snake_case(type(layer).__name__)
        is_counted = re.fullmatch(rf"{base}(_\d+)?", layer.name)
        names.append(base if is_counted else layer.name)
    return distinct(names)
