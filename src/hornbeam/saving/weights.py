"""Saving and loading weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict, Unpack

from hornbeam.core.arguments import checks_keywords
from hornbeam.core.errors import SLIPS, check_number, check_path, damage_of
from hornbeam.core.replacing import check_overwrite, replacing
from hornbeam.saving import (
    archive,
    hdf5,
    legacy_h5,
    orbax_checkpoints,
    safetensors_files,
    shards,
)
from hornbeam.saving.state import load_state, save_state
from hornbeam.typing import PathLike

if TYPE_CHECKING:
    from hornbeam.layers.layer import Layer
    from hornbeam.models.model import Model


class _SavingOptions(TypedDict, total=False):
    objects_to_skip: Iterable[Layer] | None


class _LoadingOptions(_SavingOptions, total=False):
    by_name: bool


@checks_keywords
def save_weights(
    model: Model,
    filepath: PathLike,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Unpack[_SavingOptions],
) -> None:
    """Save the weights of a model, and the state of its optimizer.

    Args:
        model: a built model.
        filepath: a path that ends in `.weights.h5`, or in `.weights.json` for several
            files; or in `.safetensors` for the weights alone, by names that other
            libraries read.
        overwrite: whether an existing file is replaced. Default: True.
        max_shard_size: the maximum size of a file, in GiB. Default: one file.
        objects_to_skip: layers that are left out. Default: none.

    >>> import hornbeam as keras, pathlib, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "model.weights.h5"
    ...     keras.saving.save_weights(model, path)
    ...     keras.saving.load_weights(model, path)
    """
    skip = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {sorted(kwargs)}")
    path = check_path("save_weights()", "filepath", filepath)
    if max_shard_size is not None:
        size = ("max_shard_size", max_shard_size)
        check_number("save_weights()", *size, above=0, finite=True)
    if max_shard_size is not None and not path.name.endswith(shards.SUFFIX):
        raise ValueError(
            "With `max_shard_size` the filename must end in `.weights.json`. "
            f"Received: filepath={str(path)!r}"
        )
    is_tensors = path.suffix == safetensors_files.SUFFIX
    if max_shard_size is None and not (path.name.endswith(".weights.h5") or is_tensors):
        raise ValueError(
            "The filename must end in `.weights.h5` or `.safetensors`, or in "
            "`.weights.json` with `max_shard_size`, the gigabytes of a file. Received: "
            f"filepath={str(path)!r}"
        )
    if not _has_weights(model):
        raise ValueError(
            "You are saving a model that has not yet been built. Call it on data, or "
            f"`build()` it, before its weights are saved: {model.name!r}"
        )
    check_overwrite(path, overwrite)
    if is_tensors:
        with replacing(path) as temporary:
            safetensors_files.save_weights(model, temporary, skip)
        return
    with contextlib.ExitStack() as stack:
        writer: hdf5.Writer | shards.ShardedWriter
        if max_shard_size is None:
            temporary = stack.enter_context(replacing(path))
            writer = stack.enter_context(hdf5.Writer(temporary))
        else:
            writer = stack.enter_context(shards.ShardedWriter(path, max_shard_size))
        save_state(model, writer, skip=skip)


@checks_keywords
def load_weights(
    model: Model,
    filepath: PathLike,
    skip_mismatch: bool = False,
    **kwargs: Unpack[_LoadingOptions],
) -> None:
    """Load weights into a model; all of them fit, or the model stays as it is.

    Args:
        model: a built model.
        filepath: a `.weights.h5`, a `.weights.json`, a `.safetensors`, a `.keras`, or
            an older `.h5` or `.hdf5` file, or a directory of `OrbaxCheckpoint`.
        skip_mismatch: leave out layers that do not fit, with a warning. Default: False.
        objects_to_skip: layers that keep their weights. Default: none.
        by_name: for `.h5` and `.hdf5` files: find layers by name, not by order. For
            these and `.safetensors`: what only the model or only the file has is left
            as it is.

    >>> import hornbeam as keras, pathlib, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "model.weights.h5"
    ...     model.save_weights(path)
    ...     keras.saving.load_weights(model, path)
    """
    path = check_path("load_weights()", "filepath", filepath)
    is_weights = path.name.endswith(
        (".weights.h5", shards.SUFFIX, safetensors_files.SUFFIX)
    )
    is_checkpoint = orbax_checkpoints.is_checkpoint(path)
    _check_load_arguments(path, is_weights, is_checkpoint, kwargs)
    if not _has_weights(model):
        raise ValueError(
            "You are loading weights into a model that has not yet been built. Call it "
            f"on data, or `build()` it, before: {model.name!r}"
        )
    if not is_checkpoint and not path.is_file():
        raise ValueError(f"File not found: filepath={str(path)!r}.")
    with damage_of(repr(path.name), *SLIPS, TypeError):
        if is_checkpoint:
            orbax_checkpoints.Checkpoint(path).load(model, skip_mismatch)
            return
        _load(model, path, skip_mismatch, **kwargs)


def _load(model, path, skip_mismatch, objects_to_skip=None, by_name=False):
    skip, by_name = objects_to_skip or (), bool(by_name)
    is_weights = path.name.endswith((".weights.h5", shards.SUFFIX))
    if path.suffix == safetensors_files.SUFFIX:
        safetensors_files.load_weights(model, path, by_name, skip_mismatch, skip)
        return
    if path.suffix in legacy_h5.SUFFIXES:
        with hdf5.reading(path, path.name) as root:
            if legacy_h5.is_legacy(root):
                legacy_h5.load_weights(model, root, path.name, by_name, skip_mismatch)
                return
    if by_name:
        raise ValueError(
            "`by_name=True` only supports loading legacy '.h5' or '.hdf5' files, and "
            f"'.safetensors' files. Received: {str(path)!r}"
        )
    _build_optimizer(model)
    with contextlib.ExitStack() as stack:
        assets = None
        if path.name.endswith(shards.SUFFIX):
            root = stack.enter_context(shards.reading(path))
        elif is_weights:
            root = stack.enter_context(hdf5.reading(path, path.name))
        else:
            reader = stack.enter_context(archive.opened(path))
            data = reader.source(archive.WEIGHTS)
            root = stack.enter_context(hdf5.reading(data, archive.WEIGHTS))
            assets = stack.enter_context(archive.extracted_assets(reader))
        load_state(model, root, assets, skip_mismatch=skip_mismatch, skip=skip)


def _has_weights(model):
    """Whether the weights exist; without a `call`, those of the layers count."""
    if getattr(model, "built", True) or getattr(model, "_has_call", True):
        return getattr(model, "built", True)
    return all(layer.built for layer in model.layers)


def _check_load_arguments(path, is_weights, is_checkpoint, kwargs):
    is_keras = path.suffix == ".keras"
    is_hdf5 = path.suffix in legacy_h5.SUFFIXES
    unknown = set(kwargs) - {"objects_to_skip", "by_name"}
    if unknown:
        raise ValueError(f"Invalid keyword arguments: {sorted(unknown)}")
    if not (is_weights or is_keras or is_hdf5 or is_checkpoint):
        raise ValueError(
            f"File format not supported: filepath={str(path)!r}. Weights are loaded "
            "from `.weights.h5`, `.weights.json`, `.safetensors`, `.keras` and `.h5` "
            "files, and directories of `OrbaxCheckpoint`."
        )
    if kwargs.get("by_name") and is_checkpoint:
        raise ValueError(
            "`by_name=True` only supports loading legacy '.h5' or '.hdf5' files, and "
            f"'.safetensors' files. Received: {str(path)!r}"
        )
    if kwargs.get("objects_to_skip") is not None and not is_weights:
        raise ValueError(
            "`objects_to_skip` only supports loading '.weights.h5' and '.safetensors' "
            "files. "
            f"Received: {str(path)!r}"
        )


def _build_optimizer(model):
    """Make the slots of the optimizer, so that its state can be loaded."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        optimizer.build(model.trainable_variables)
