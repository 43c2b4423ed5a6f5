"""Models of TensorFlow.js in its layers format: `model.json` and files of numbers.

The JSON holds the config of the model, as Keras 2 or 3 writes it, and a manifest:
groups of weights, each with name, shape and dtype, and the files that hold the bytes
of the group one after the other.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core import strict_json
from hornbeam.core.errors import SLIPS, DamagedFileError, UnsafeFileError, damage_of

if TYPE_CHECKING:
    from hornbeam.models.model import Model

# Of the JSON file, in whose folder the others are.
NAME = "model.json"
_DTYPES = {
    "bool": "bool",
    "float16": "<f2",
    "float32": "<f4",
    "int32": "<i4",
    "uint16": "<u2",
    "uint8": "u1",
}


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the config of the model, and `{name: array}` of its weights.

    Args:
        path: the path of `model.json`. The files of the manifest lie beside it.
    """
    document = strict_json.read(path)
    topology = document.get("modelTopology") if isinstance(document, dict) else None
    if not isinstance(topology, dict):
        raise ValueError(
            f"{path.name} is no layers model of TensorFlow.js: it has no "
            "'modelTopology'. The JSON of a model alone is read with "
            "`keras.models.model_from_json()`."
        )
    config = topology.get("model_config", topology)
    if document.get("format") == "graph-model" or "node" in topology:
        raise ValueError(
            f"{path.name} is a graph model of TensorFlow.js, which has no layers. Only "
            "layers models are read."
        )
    if not isinstance(config, dict) or "class_name" not in config:
        raise DamagedFileError(
            f"{path.name} is damaged: its 'modelTopology' describes no model."
        )
    with damage_of(
        f"The weightsManifest of {path.name}", *SLIPS, TypeError, ValueError
    ):
        return config, _arrays(path, document.get("weightsManifest", []))


def _arrays(path, manifest):
    arrays: dict[str, np.ndarray] = {}
    names = [name for group in manifest for name in group["paths"]]
    if len(set(names)) < len(names):
        raise UnsafeFileError(f"{path.name} names one of its files twice.")
    for group in manifest:
        data = b"".join(_shard(path, name) for name in group["paths"])
        start = 0
        for weight in group["weights"]:
            array, start = _array(path, weight, data, start)
            arrays[weight["name"]] = array
        if start != len(data):
            raise DamagedFileError(
                f"{path.name} is damaged: its files hold {len(data)} bytes, its "
                f"manifest describes {start}."
            )
    return arrays


def _shard(path, name):
    if not isinstance(name, str) or Path(name).name != name or name.startswith("."):
        raise UnsafeFileError(
            f"{path.name} names the file {name!r}, which does not lie beside it."
        )
    shard = path.with_name(name)
    if shard.is_symlink() or not shard.is_file():
        raise DamagedFileError(f"{path.name} is damaged: the file {name!r} is missing.")
    return shard.read_bytes()


def _array(path, weight, data, start):
    """Return the array at `start` of the bytes, and where the next one starts."""
    quantization = weight.get("quantization")
    stored = quantization["dtype"] if quantization else weight["dtype"]
    if not {stored, weight["dtype"]} <= _DTYPES.keys() or not all(
        isinstance(d, int) and d >= 0 for d in weight["shape"]
    ):
        raise ValueError(
            f"{path.name}: weight {weight['name']!r} has the dtype {stored!r} and the "
            f"shape {weight['shape']}. Expected one of {sorted(_DTYPES)}."
        )
    dtype = np.dtype(_DTYPES[stored])
    end = start + math.prod(weight["shape"]) * dtype.itemsize
    if end > len(data):
        raise DamagedFileError(
            f"{path.name} is damaged: its files end before {weight['name']!r} does."
        )
    array = np.frombuffer(data[start:end], dtype).reshape(weight["shape"])
    if quantization and "scale" in quantization:
        # Numbers: a list would be broadcast, to any size.
        array = array * float(quantization["scale"]) + float(quantization["min"])
    return array.astype(weight["dtype"]), end


def load_weights(model: Model, arrays: dict[str, np.ndarray], what: str) -> None:
    """Give a model its weights; all of them fit, or none changes.

    They are found by the names of layer and weight, "dense/kernel"; those of layers
    inside others by their order.

    Args:
        model: a built model.
        arrays: `{name: array}`.
        what: the name of the file, for errors.
    """
    left = dict(arrays)
    pairs, misfits = [], []
    for variable in model.trainable_weights + model.non_trainable_weights:
        name = _name_of(variable, left)
        shape = tuple(variable.shape)
        if name is None or left[name].shape != shape:
            received = None if name is None else left[name].shape
            misfits.append(f"{variable.path}: expected {shape}, received {received}")
            continue
        pairs.append((variable, left.pop(name)))
    if misfits:
        raise ValueError(
            f"The weights in {what} do not fit the model {model.name!r}; nothing was "
            "loaded.\n" + "\n".join(misfits[:20])
        )
    for variable, array in pairs:
        variable.assign(array)


def _name_of(variable, arrays):
    """Return the name under which the arrays hold a variable, or None."""
    parts = variable.path.split("/")
    for i in range(len(parts) - 1):
        name = "/".join(parts[i:])
        if name in arrays:
            return name
    endings = [n for n in arrays if n.endswith(f"{parts[-2]}/{parts[-1]}")]
    return endings[0] if len(endings) == 1 else None
