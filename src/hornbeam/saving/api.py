"""Saving and loading models."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hornbeam.core import budget, legacy_configs, registry, strict_json
from hornbeam.core.arguments import checks_keywords
from hornbeam.core.errors import SLIPS, DamagedFileError, check_path, damage_of, shown
from hornbeam.core.keras_names import KERAS_VERSION
from hornbeam.core.lambdas import config_for_file
from hornbeam.core.replacing import check_overwrite, folder_beside, replacing
from hornbeam.core.serialization import (
    deserialize_keras_object,
    object_sharing,
    serialize_sharing,
)
from hornbeam.core.version import version
from hornbeam.core.warning import warn
from hornbeam.layers.layer import Layer
from hornbeam.saving import (
    archive,
    hdf5,
    legacy_h5,
    orbax_checkpoints,
    tfjs,
)
from hornbeam.saving.state import load_state, save_state
from hornbeam.typing import CustomObjects, LoadedModel, PathLike

if TYPE_CHECKING:
    from hornbeam.models.model import Model

_LONGEST_PATH = 4096


@checks_keywords
def save_model(
    model: Model,
    filepath: PathLike | IO[bytes],
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Save a model: its architecture, weights, compile arguments, optimizer state.

    The file is replaced when the new one is complete: a failure changes nothing.

    Args:
        model: the model.
        filepath: a path that ends in `.keras`, or a binary file object. With
            `zipped=False` the path of a folder. A path that ends in `.h5` or `.hdf5`
            gives a file in the format of Keras 1 and 2.
        overwrite: whether an existing file is replaced. Default: True.
        zipped: whether the archive is one file. Default: by the suffix.

    >>> import hornbeam as keras, pathlib, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "model.keras"
    ...     keras.saving.save_model(model, path)
    ...     keras.saving.load_model(path).count_params()
    8
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    _check_save_arguments(kwargs)
    if not isinstance(model, Layer):
        raise TypeError(
            "Argument `model` of save_model() must be a model. Received: "
            f"model={shown(model)}"
        )
    _check_is_binary("save_model()", filepath, "wb")
    if hasattr(filepath, "write"):
        with tempfile.TemporaryDirectory() as folder:
            write_parts(model, Path(folder))
            archive.write_zip(filepath, Path(folder))
        return
    path = check_path("save_model()", "filepath", filepath)
    is_keras = path.suffix == ".keras"
    is_hdf5 = path.suffix in legacy_h5.SUFFIXES and zipped is None
    if zipped is False and is_keras:
        raise ValueError(
            "With `zipped=False` the model is saved as a folder, whose name should not "
            f"end in '.keras'. Received: filepath={str(path)!r}"
        )
    if zipped is not False and not is_keras and not is_hdf5:
        _refuse_suffix(path)
    check_overwrite(path, overwrite)
    if zipped is False or is_hdf5:
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        if is_hdf5:
            legacy_h5.save_model(model, temporary, include_optimizer)
        elif zipped is False:
            write_parts(model, temporary)
            archive.keep_other_files(path, temporary)
        else:
            with folder_beside(path) as folder:
                write_parts(model, folder)
                archive.write_zip(temporary, folder)


def _check_save_arguments(kwargs):
    if "save_format" in kwargs:
        raise ValueError(
            "The `save_format` argument is deprecated: the format follows from the "
            "suffix of `filepath`. Remove the argument, and save to a path that ends "
            "in '.keras'."
        )
    if kwargs:
        raise ValueError(
            f"The following argument(s) are not supported: {sorted(kwargs)}."
        )


def _check_is_binary(owner, file, mode):
    if isinstance(file, io.TextIOBase):
        raise TypeError(
            f"Argument `filepath` of {owner} must be a path or a binary file object: "
            f"`open(path, {mode!r})`. Received: filepath={shown(file)}"
        )


def _refuse_suffix(path):
    raise ValueError(
        f"Invalid filepath extension for saving: {str(path)!r}. Add the suffix "
        "'.keras'."
    )


def write_parts(model: Model, folder: Path) -> None:
    """Write the files of the archive of a model into `folder`."""
    if hasattr(model, "layers") and not getattr(model, "built", True):
        warn(
            f"Model {model.name!r} is saved before it is built, so it has no weights "
            "to save.",
        )
    config = config_for_file(lambda: serialize_sharing(model))
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": now,
        "hornbeam_version": version(),
    }
    folder.mkdir(exist_ok=True)
    (folder / archive.METADATA).write_text(json.dumps(metadata), "utf-8")
    text = strict_json.dumps(config, archive.CONFIG)
    (folder / archive.CONFIG).write_text(text, "utf-8")
    with hdf5.Writer(folder / archive.WEIGHTS) as writer:
        save_state(model, writer, folder / archive.ASSETS)


@checks_keywords
def load_model(
    filepath: PathLike | IO[bytes],
    custom_objects: CustomObjects = None,
    compile: bool = True,  # noqa: A002
    safe_mode: bool = True,
) -> LoadedModel:
    """Load a model that was saved with `model.save()`, or with Keras.

    Nothing in a file is run: classes and functions are looked up by name among those
    of the library, those that are registered, and `custom_objects`.

    Args:
        filepath: the path of a `.keras` file or of its folder, of an `.h5` or `.hdf5`
            file of any version of Keras, of the `model.json` of TensorFlow.js, or of a
            directory of `OrbaxCheckpoint`; or a binary file object that holds a
            `.keras` file.
        custom_objects: `{name: class or function}` that the file may name too.
        compile: whether the model is compiled as it was saved. Default: True.
        safe_mode: accepted; what is unsafe is refused in either case.

    >>> import hornbeam as keras, pathlib, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(pathlib.Path(folder) / "model.keras")
    ...     loaded = keras.saving.load_model(pathlib.Path(folder) / "model.keras")
    >>> loaded.layers[0].units
    2
    """
    registry.check_custom_objects(custom_objects)
    _check_is_binary("load_model()", filepath, "rb")
    source = filepath if hasattr(filepath, "read") else _model_path(filepath)
    with damage_of(repr(getattr(source, "name", str(source))), *SLIPS, TypeError):
        if isinstance(source, Path) and legacy_h5.is_hdf5(source):
            return _load_hdf5(source, custom_objects, compile)
        if isinstance(source, Path) and source.suffix == ".json":
            return _load_tfjs(source, custom_objects)
        if isinstance(source, Path) and orbax_checkpoints.is_checkpoint(source):
            return _load_checkpoint(source, custom_objects, compile)
        with archive.opened(source) as reader:
            return load_archive(reader, custom_objects, compile)


def _model_path(filepath):
    path = check_path("load_model()", "filepath", filepath)
    is_folder = path.is_dir() and (path / archive.CONFIG).is_file()
    if (path / "saved_model.pb").is_file() and not is_folder:
        raise ValueError(
            f"{str(path)!r} is a SavedModel of TensorFlow, a graph without layers. "
            f"`keras.layers.TFSMLayer({str(path)!r}, call_endpoint='serving_default')` "
            "calls it."
        )
    if path.suffix == ".keras" and path.is_dir() and not is_folder:
        raise ValueError(
            f"{str(path)!r} is a folder that holds no model: it has no "
            f"{archive.CONFIG!r}."
        )
    if path.suffix == ".keras" and not path.is_file() and not is_folder:
        raise ValueError(
            f"File not found: filepath={str(path)!r}. Please ensure the file is an "
            "accessible `.keras` zip file."
        )
    if path.is_dir() and (path / tfjs.NAME).is_file():
        return path / tfjs.NAME
    others = (*legacy_h5.SUFFIXES, ".json")
    missing = not (path.is_file() if path.suffix in others else path.exists())
    if missing and path.suffix in (*others, ""):
        raise ValueError(f"File not found: filepath={str(path)!r}.")
    if path.suffix in (".keras", *others) or is_folder:
        return path
    if orbax_checkpoints.is_checkpoint(path):
        return path
    raise ValueError(
        f"File format not supported: filepath={str(path)!r}. Models are loaded from "
        "`.keras`, `.h5`, `.hdf5` and TensorFlow.js files, and directories of "
        "`OrbaxCheckpoint`; weights alone with "
        "`model.load_weights('x.weights.h5')`."
    )


def _load_hdf5(path, custom_objects, compiled):
    with (
        registry.scope_of(custom_objects),
        hdf5.reading(path, path.name) as root,
    ):
        config = legacy_h5.model_config(root, path.name)
        legacy_configs.warn_of_new_meanings(
            root.text("model_config") or "", root.text("keras_version")
        )
        with budget.of_file(root.array_size()):
            model = _model_of(config, "its model_config")
            names = legacy_h5.load_weights(model, root, path.name)
            if compiled:
                legacy_h5.compile_model(model, root, path.name, names)
    return model


def _load_tfjs(path, custom_objects):
    config, arrays = tfjs.read(path)
    size = sum(array.nbytes for array in arrays.values())
    with registry.scope_of(custom_objects), budget.of_file(size):
        model = _model_of(config, "its modelTopology")
    tfjs.load_weights(model, arrays, path.name)
    return model


def _load_checkpoint(path, custom_objects, compiled):
    checkpoint = orbax_checkpoints.Checkpoint(path)
    config = checkpoint.config()
    if not compiled:
        config.pop("compile_config", None)
    with registry.scope_of(custom_objects), budget.of_file(checkpoint.size):
        model = _model_of(config, "its model_config")
        checkpoint.load(model)
    return model


def load_archive(
    reader: archive.ZipReader | archive.FolderReader,
    custom_objects: CustomObjects,
    compiled: bool,
) -> LoadedModel:
    """Return the model of an archive that is open; see `load_model`."""
    text = reader.read(archive.CONFIG, strict_json.MAX_BYTES)
    config = strict_json.loads(text, archive.CONFIG)
    if not isinstance(config, dict) or "class_name" not in config:
        raise DamagedFileError(f"{archive.CONFIG} is damaged: it describes no model.")
    if not compiled:
        config.pop("compile_config", None)
    weights_size = reader.member_size(archive.WEIGHTS)
    with contextlib.ExitStack() as stack:
        stack.enter_context(registry.scope_of(custom_objects))
        root = None
        if weights_size:
            data = reader.source(archive.WEIGHTS, stack)
            root = stack.enter_context(hdf5.reading(data, archive.WEIGHTS))
        with budget.of_file(root.array_size() if root else 0):
            model = _model_of(config, archive.CONFIG)
        if root is not None:
            assets = stack.enter_context(archive.extracted_assets(reader))
            load_state(model, root, assets)
        elif getattr(model, "variables", None):
            raise DamagedFileError(
                f"The archive is damaged: it has no {archive.WEIGHTS!r}."
            )
    return model


def _model_of(config, what):
    """Return the model that the config in a file describes; `what` names the config."""
    with damage_of(what, *SLIPS, TypeError, ValueError), object_sharing():
        model = deserialize_keras_object(config)
        if not isinstance(model, Layer):
            raise DamagedFileError(f"{what} describes no model.")
        return model


def model_from_json(
    json_string: str, custom_objects: CustomObjects = None
) -> LoadedModel:
    """Make a model, with new weights, from what `model.to_json()` returned.

    Args:
        json_string: the JSON.
        custom_objects: `{name: class or function}` that it may name too.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.model_from_json(model.to_json()).count_params()
    8
    """
    if not isinstance(json_string, str | bytes):
        raise TypeError(
            "Argument `json_string` of model_from_json() must be the text that "
            f"`model.to_json()` returned. Received: json_string={shown(json_string)}"
        )
    if str(json_string)[-5:] == ".json" and len(json_string) < _LONGEST_PATH:
        raise ValueError(
            "model_from_json() takes the text that `model.to_json()` returned, not the "
            f"path of a file: pass `pathlib.Path({json_string!r}).read_text()`."
        )
    config = strict_json.loads(json_string, "The JSON of the model")
    if isinstance(config, dict):
        version = config.get("keras_version")
        legacy_configs.warn_of_new_meanings(json_string, version)
    with registry.scope_of(custom_objects), budget.of_text(len(json_string)):
        return _model_of(config, "The JSON of the model")
