"""HDF5 files of models and of weights as Keras has written them since version 1.

The root, or the group `model_weights`, names the layers of the model in their order;
the group of a layer names its arrays: first what was trainable, then the rest. A whole
model has two texts besides, `model_config` and `training_config`, and the arrays of its
optimizer. Reading goes through the checks of `hdf5.reading`.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from hornbeam import losses
from hornbeam.core import strict_json
from hornbeam.core.errors import SLIPS, DamagedFileError, damage_of
from hornbeam.core.keras_names import KERAS_VERSION
from hornbeam.core.lambdas import config_for_file
from hornbeam.core.naming import distinct
from hornbeam.core.serialization import deserialize_keras_object, serialize_sharing
from hornbeam.core.warning import warn
from hornbeam.optimizers.nadam import Nadam
from hornbeam.saving import hdf5, legacy_layouts
from hornbeam.saving.state import saved_objects

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable
    from hornbeam.models.model import Model

SUFFIXES = (".h5", ".hdf5")
_OWN = "top_level_model_weights"
# HDF5 keeps an attribute in an object's header, whose size is limited.
_MAX_HEADER = 64_000


def is_hdf5(path: Path) -> bool:
    """Whether the path is of an HDF5 file; up to 2.12 `.keras` files were some too."""
    if path.suffix in SUFFIXES or not path.is_file():
        return path.suffix in SUFFIXES
    with path.open("rb") as file:
        return file.read(len(hdf5.SIGNATURE)) == hdf5.SIGNATURE


def is_legacy(root: hdf5.Group) -> bool:
    """Whether the file is in this format rather than that of `.weights.h5` files."""
    return root.has("layer_names") or root.has("model_config")


def model_config(root: hdf5.Group, what: str) -> dict[str, Any]:
    """Return the config of the model in the file."""
    text = root.text("model_config")
    if text is None:
        raise ValueError(
            f"{what} holds weights and no model. Build the model in code and load them "
            f"with `model.load_weights({what!r})`."
        )
    config = strict_json.loads(text, f"The model_config of {what}")
    if not isinstance(config, dict) or "class_name" not in config:
        raise DamagedFileError(
            f"{what} is damaged: its model_config describes no model."
        )
    return config


def load_weights(
    model: Model,
    root: hdf5.Group,
    what: str,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> dict[int, str]:
    """Read the weights of a model; all of them fit, or none changes.

    Returns the name in the file of each variable, by the `id` of the variable.

    Args:
        model: a built model.
        root: the root of the file.
        what: the name of the file, for errors.
        by_name: whether layers are found by their names, and those that the file does
            not have keep their weights. Default: by their order.
        skip_mismatch: leave out layers that do not fit, with a warning.
    """
    group = root.group("model_weights") or root
    names = group.texts("layer_names")
    saved = [_SavedLayer(name, group, what) for name in names]
    origin = legacy_layouts.Origin(
        group.text("keras_version") or "1", group.text("backend") or ""
    )
    pairs = _pairs(model, saved, by_name, what)
    values: list[tuple[Variable, str, np.ndarray]] = []
    misfits = []
    for layer, stored in pairs:
        try:
            values += _matched(layer, stored, origin)
        except ValueError as error:
            misfits.append(str(error))
    own = group.group(_OWN)
    if own is not None:
        stored = _SavedLayer(_OWN, group, what)
        weights = _own_weights(model)
        if stored.weight_names and len(weights) == len(stored.weight_names):
            arrays = stored.arrays()
            if _shapes(weights) == _shapes(arrays):
                values += zip(weights, stored.weight_names, arrays, strict=True)
            else:
                misfits.append(
                    f"The weights of {model.name!r} itself have the shapes "
                    f"{_shapes(weights)}. The file has {_shapes(arrays)}."
                )
    if misfits and not skip_mismatch:
        report = "\n".join(misfits[:20])
        raise ValueError(
            f"The weights of {len(misfits)} of {len(pairs)} layers in {what} do not "
            f"fit the model {model.name!r}; nothing was loaded.\n{report}"
        )
    for text in misfits:
        warn(f"Skipping weights of {what}: {text}")
    for variable, _, value in values:
        variable.assign(value)
    return {id(variable): name for variable, name, _ in values}


def _pairs(model, saved, by_name, what):
    """Return each layer of the model with that of the file."""
    if by_name:
        by_names = {layer.name: layer for layer in saved}
        return [(x, by_names[x.name]) for x in model.layers if x.name in by_names]
    saved = [layer for layer in saved if layer.weight_names]
    layers = [layer for layer in model.layers if layer.weights]
    if len(saved) != len(layers):
        raise ValueError(
            f"{what} has weights of {len(saved)} layers, the model {model.name!r} "
            f"has {len(layers)} layers with weights.\n"
            f"{_side_by_side(layers, saved)}"
        )
    places = {layer.name: place for place, layer in enumerate(layers)}
    if places.keys() == {layer.name for layer in saved}:
        # The graphs of some old configs have their layers in another order here.
        saved.sort(key=lambda layer: places[layer.name])
    return list(zip(layers, saved, strict=True))


def _own_weights(model):
    of_layers = {id(w) for layer in model.layers for w in layer.weights}
    return [w for w in model.weights if id(w) not in of_layers]


class _SavedLayer:
    """The arrays of a layer in a file."""

    def __init__(self, name, group, what):
        self.name = name
        self.group = group.group(name)
        if self.group is None:
            raise DamagedFileError(
                f"{what} is damaged: it has no group for layer {name!r}."
            )
        self.weight_names = self.group.texts("weight_names")

    def arrays(self):
        """Return the arrays, in order."""
        return [self.group.at(name) for name in self.weight_names]

    def shapes(self):
        """Return the shapes of the arrays, in order."""
        return _shapes(self.arrays())


def _matched(layer, stored, origin):
    """Return `(variable, name, array)` of a layer's weights, or raise what misfits."""
    arrays = legacy_layouts.converted(layer, stored.arrays(), origin)
    names = stored.weight_names
    if len(names) != len(arrays):
        names = [stored.name] * len(arrays)
    in_order = layer.trainable_weights + layer.non_trainable_weights
    # What is frozen now may have been trainable when it was saved, and the reverse.
    orders = [in_order, layer.weights, _trainable_first(layer)]
    orders = [order for order in orders if _shapes(order) == _shapes(arrays)]
    if not orders:
        expected = [(v.path, tuple(v.shape)) for v in in_order]
        stored_shapes = list(zip(stored.weight_names, stored.shapes(), strict=True))
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects {expected}. The "
            f"file has for {stored.name!r}: {stored_shapes}"
        )
    order = next((x for x in orders if _have_names(x, names)), orders[0])
    return list(zip(order, names, arrays, strict=True))


def _shapes(arrays):
    return [tuple(a.shape) for a in arrays]


def _trainable_first(layer):
    """Return the weights in the order that they have where nothing is frozen."""
    statistics = [w for w in layer.weights if w.name.startswith("moving_")]
    ids = {id(w) for w in statistics}
    return [w for w in layer.weights if id(w) not in ids] + statistics


def _have_names(variables, names):
    """Whether the variables are called as in the file, `kernel` for "a/kernel_1:0"."""
    return all(
        name.rpartition("/")[2].startswith(variable.name)
        for variable, name in zip(variables, names, strict=True)
    )


def _side_by_side(layers, saved):
    """Return a text with the layers of the model beside those of the file."""
    lines = ["model | file"]
    for i in range(min(max(len(layers), len(saved)), 20)):
        mine = (
            f"{layers[i].name} {[tuple(w.shape) for w in layers[i].weights]}"
            if (i < len(layers))
            else "-"
        )
        theirs = f"{saved[i].name} {saved[i].shapes()}" if i < len(saved) else "-"
        lines.append(f"{mine} | {theirs}")
    return "\n".join(lines)


def compile_model(
    model: Model, root: hdf5.Group, what: str, names_in_file: dict[int, str]
) -> None:
    """Compile a model as the file says, and restore the state of its optimizer.

    What cannot be restored is told in a warning.

    Args:
        model: the model, with its weights.
        root: the root of the file.
        what: the name of the file, for warnings.
        names_in_file: what `load_weights` returned.
    """
    text = root.text("training_config")
    if text is None:
        warn(
            f"{what} does not say how the model was compiled: it was not, or it was "
            "saved without. Compile it before training."
        )
        return
    name = f"The training_config of {what}"
    config = strict_json.loads(text, name)
    with damage_of(name, *SLIPS, TypeError, ValueError):
        model.compile(**_compile_arguments(config, len(getattr(model, "outputs", [0]))))
    group = root.group("optimizer_weights")
    if group is None:
        return
    reason = _restore_optimizer(model, group, names_in_file)
    if reason:
        warn(
            f"The state of the optimizer in {what} was not restored, it starts anew: "
            f"{reason}"
        )


def _compile_arguments(config, outputs):
    config = {k: v for k, v in config.items() if v is not None}
    arguments = {"optimizer": deserialize_keras_object(config["optimizer_config"])}
    for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        value = deserialize_keras_object(config.get(name))
        nested = isinstance(value, list) and len(value) == 1
        if name.endswith("metrics") and outputs == 1 and nested:
            value = value[0] if isinstance(value[0], list) else value
        arguments[name] = value
    return arguments


# The names of an optimizer's slots: ours first, then those in files.
_SLOTS = {
    "momentum": ("momentum", "m"),
    "velocity": ("velocity", "v", "rms"),
    "norm": ("norm", "u", "v"),
    "velocity_hat": ("velocity_hat", "vhat"),
    "average_gradient": ("average_gradient", "mg"),
    "accumulator": ("accumulator",),
    "accumulated_grad": ("accumulated_grad", "accum_grad"),
    "accumulated_delta_var": ("accumulated_delta_var", "accum_var"),
    "linear": ("linear",),
}


def _restore_optimizer(model, group, names_in_file):
    """Restore the optimizer's state; return why not, or None."""
    optimizer, trainable = model.optimizer, model.trainable_variables
    if not optimizer.built:
        optimizer.build(trainable)
    names = group.texts("weight_names")
    arrays = [group.at(name) for name in names]
    variables = optimizer.variables
    # With a schedule there is no variable of the learning rate.
    if names and names[0].endswith("/iteration"):
        if len(arrays) <= 2 and not arrays[0].any():
            return None  # saved before the first step
        if _shapes(variables) != _shapes(arrays):
            return f"it has {len(variables)} variables, the file {len(arrays)}."
        pairs = zip(variables, arrays, strict=True)
    else:
        slots = _slots_of(optimizer, trainable)
        in_file = _slots_in_file(names, arrays, slots, len(trainable))
        if in_file is None:
            return (
                f"it keeps {sorted(slots)} of {len(trainable)} variables. The file has "
                f"{names[:10]}{' ...' if names[10:] else ''}"
            )
        order = range(len(trainable))
        if names[1:] and names[1].startswith("Variable"):
            # Before 2.0.7 optimizers took the variables in the order of their names.
            order = sorted(order, key=lambda i: names_in_file[id(trainable[i])])
        pairs = [(optimizer.iterations, arrays[0])]
        for slot, stored in in_file.items():
            in_order = [slots[slot][i] for i in order]
            if _shapes(in_order) != _shapes(stored):
                return f"the shapes of {slot!r} are others: {_shapes(stored)[:10]}."
            pairs += zip(in_order, stored, strict=True)
    for variable, array in pairs:
        variable.assign(array)
    if isinstance(optimizer, Nadam):
        optimizer.restore_product()  # it is in no file
    return None


def _slots_of(optimizer, trainable):
    """Return `{slot: [variable of each trainable variable]}` of an optimizer."""
    slots: dict[str, list] = {}
    for variable in optimizer.variables:
        for name in sorted(_SLOTS, key=len, reverse=True):
            if variable.name.endswith("_" + name):
                slots.setdefault(name, []).append(variable)
                break
    return {k: v for k, v in slots.items() if len(v) == len(trainable)}


def _slots_in_file(names, arrays, slots, count):
    """Return `{slot: arrays}` of a file of Keras 2, or None if they do not fit."""
    if not names:
        return None
    by_part: dict[str, list] = {}
    for name, array in zip(names[1:], arrays[1:], strict=True):
        # `dense/kernel/m:0` up to 2.10, `Adam/m/dense/kernel:0` since.
        parts = name.split(":")[0].split("/")
        for part in (parts[-1], *parts[1:2]):
            if any(part in kinds for kinds in _SLOTS.values()):
                by_part.setdefault(part, []).append(array)
                break
    if not by_part:
        # Keras 2.0 to 2.3 give no names: all of the first slot, then of the second.
        rest = arrays[1:]
        if len(rest) < count * len(slots):
            return None
        return {s: rest[i * count : (i + 1) * count] for i, s in enumerate(slots)}
    in_file = {
        slot: by_part[part]
        for slot in slots
        for part in _SLOTS[slot]
        if len(by_part.get(part, ())) == count
    }
    return in_file if len(in_file) == len(slots) else None


def save_model(model: Model, path: Path, include_optimizer: bool = True) -> None:
    """Write a whole model: config, weights, how it is compiled, optimizer state."""
    _warn_of_assets(model)
    config = config_for_file(lambda: serialize_sharing(model))
    compiled = config.pop("compile_config", None)
    with hdf5.creating(path) as file:
        _write_origin(file)
        file.attrs["model_config"] = strict_json.dumps(config, "model_config")
        save_weights(model, file.create_group("model_weights"))
        optimizer = getattr(model, "optimizer", None)
        if include_optimizer and compiled and optimizer is not None:
            text = strict_json.dumps(_training_config(compiled), "training_config")
            file.attrs["training_config"] = text
            group = file.create_group("optimizer_weights")
            _write_arrays(group, optimizer.variables)


def _warn_of_assets(model):
    """Warn of layers that keep files, such as vocabularies: they have no place here."""
    owners: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (place, value) in enumerate(saved_objects(model)):
            assets = Path(folder, str(number))
            assets.mkdir()
            if hasattr(value, "save_assets"):
                value.save_assets(str(assets))
            within = any(place.startswith(f"{owner}/") for owner in owners)
            if any(assets.iterdir()) and not within:
                owners[place] = value.name
    if owners:
        warn(
            f"HDF5 files do not hold what the layers {[*owners.values()]} have learnt "
            "beside their weights, such as a vocabulary. Save the model as a '.keras' "
            "file, or give the vocabulary in the constructor."
        )


def _training_config(compiled):
    names = ("loss_weights", "metrics", "weighted_metrics")
    return {
        "loss": _with_whole_names(compiled.get("loss")),
        **{name: compiled.get(name) for name in names},
        "optimizer_config": compiled["optimizer"],
    }


def _with_whole_names(loss):
    """Return losses by their whole names: Keras 3 does not find "mse" in these files.

    The config of a loss stays as it is: the strings in it name something else.
    """
    if isinstance(loss, str):
        return getattr(losses.get(loss), "__name__", loss)
    if isinstance(loss, list | tuple):
        return [_with_whole_names(part) for part in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _with_whole_names(part) for key, part in loss.items()}
    return loss


def save_weights(model: Model, group: h5py.Group) -> None:
    """Write the weights of a model, layer by layer."""
    _write_origin(group)
    names = distinct([layer.name for layer in model.layers])
    _write_names(group, "layer_names", names)
    for name, layer in zip(names, model.layers, strict=True):
        weights = layer.trainable_weights + layer.non_trainable_weights
        _write_arrays(group.create_group(name), weights)
    _write_arrays(group.create_group(_OWN), _own_weights(model))


def _write_origin(group):
    group.attrs["keras_version"] = KERAS_VERSION
    group.attrs["backend"] = "jax"


def _write_arrays(group, variables):
    names = distinct([variable.path for variable in variables])
    _write_names(group, "weight_names", names)
    for name, variable in zip(names, variables, strict=True):
        array = hdf5.as_array(variable)
        if array.dtype.kind == "V":
            array = array.astype("float32")  # Keras cannot read bfloat16 here
        group.create_dataset(name, data=array)


def _write_names(group, attribute, names):
    data = np.array([name.encode() for name in names], "S")
    parts = math.ceil(data.nbytes / _MAX_HEADER) or 1
    if parts == 1:
        group.attrs[attribute] = data if names else np.array([], "S1")
        return
    for i, part in enumerate(np.array_split(data, parts)):
        group.attrs[f"{attribute}{i}"] = part
