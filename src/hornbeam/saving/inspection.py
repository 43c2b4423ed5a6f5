"""What a file holds, told without building or running anything in it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from hornbeam.core import allowlist, budget, legacy_configs, strict_json
from hornbeam.core.errors import (
    SLIPS,
    UnknownObjectError,
    UnsafeFileError,
    check_path,
    damage_of,
)
from hornbeam.core.lazy import public
from hornbeam.core.serialization import find_class
from hornbeam.graph import legacy_ops
from hornbeam.metrics.curves import BYTES_OF_THRESHOLD
from hornbeam.saving import (
    archive,
    declared_sizes,
    hdf5,
    legacy_h5,
    orbax_checkpoints,
    safetensors_files,
    shards,
    tfjs,
)
from hornbeam.typing import Config, PathLike


@dataclasses.dataclass
class FileReport:
    """What a file holds; `print(report)` shows it.

    Attributes:
        path: the path.
        format: such as "Keras archive" or "HDF5 weights".
        keras_version: the version of Keras whose format this is, or None.
        layers: `(name, class name)` of each layer; those of a nested model after it,
            with its name before theirs.
        arrays: `(path, shape, dtype)` of each array.
        custom_objects: the names that `custom_objects` must give.
        warnings: what loading the file will refuse, or do in another way.
    """

    path: str
    format: str
    keras_version: str | None = None
    layers: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    arrays: list[tuple[str, tuple[int, ...], str]] = dataclasses.field(
        default_factory=list
    )
    custom_objects: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        version = f", version {self.keras_version} of Keras" * bool(self.keras_version)
        lines = [f"{self.path}: {self.format}{version}"]
        if self.layers:
            lines.append(f"{len(self.layers)} layers")
            lines += [f"  {name} ({kind})" for name, kind in self.layers]
        if self.arrays:
            lines.append(f"{len(self.arrays)} arrays")
            lines += [f"  {name} {shape} {kind}" for name, shape, kind in self.arrays]
        if self.custom_objects:
            names = ", ".join(self.custom_objects)
            lines.append(f"custom_objects needed: {names}")
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return public("visualization", "to_html")(self)


def inspect(path: PathLike) -> FileReport:
    """Return what a file of a model or of weights holds, without loading it.

    Nothing in the file is built or run, whatever it is. What its variables will take is
    counted from the config, as far as that says it, and a warning tells if loading
    refuses them for it.

    Args:
        path: a `.keras` file or folder, an HDF5 file, a `.weights.json`, a
            `.safetensors` file, the `model.json` of TensorFlow.js or its folder, a
            directory of `OrbaxCheckpoint`, or the JSON of a model.

    Raises:
        ValueError: if the file is damaged or of no known format; an `UnsafeFileError`,
            which is one, if it was made to do harm.

    >>> import hornbeam as keras, pathlib, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(pathlib.Path(folder) / "model.keras")
    ...     report = keras.saving.inspect(pathlib.Path(folder) / "model.keras")
    >>> report.layers[1], report.arrays[0]
    (('a', 'Dense'), ('layers/dense/vars/0', (3, 2), 'float32'))
    """
    path = check_path("inspect()", "path", path)
    if not path.exists():
        raise ValueError(f"File not found: path={str(path)!r}.")
    with damage_of(repr(path.name), *SLIPS, TypeError):
        return _inspect(path)


def _inspect(path):
    if path.name.endswith(shards.SUFFIX):
        report = FileReport(str(path), "sharded weights")
        with shards.reading(path) as root:
            report.arrays = list(_arrays(root))
        return report
    if path.suffix == safetensors_files.SUFFIX:
        report = FileReport(str(path), "safetensors weights")
        with safetensors_files.reading(path) as tensors:
            report.arrays = [(n, t.shape, t.dtype) for n, t in tensors.items()]
        return report
    if path.suffix == ".json":
        return _inspect_json(path)
    if (path / tfjs.NAME).is_file():
        return _inspect_json(path / tfjs.NAME)
    if orbax_checkpoints.is_checkpoint(path):
        return _inspect_checkpoint(path)
    if path.is_dir() and not (path / archive.CONFIG).is_file():
        raise ValueError(
            f"{str(path)!r} is a folder that holds no model: it has no "
            f"{archive.CONFIG!r}."
        )
    if not path.is_dir() and legacy_h5.is_hdf5(path):
        return _inspect_hdf5(path)
    return _inspect_archive(path)


def _inspect_archive(path):
    report = FileReport(str(path), "Keras archive")
    with archive.opened(path) as reader, contextlib.ExitStack() as stack:
        metadata = {}
        if archive.METADATA in reader.names():
            text = reader.read(archive.METADATA, strict_json.MAX_BYTES)
            metadata = strict_json.loads(text, archive.METADATA)
        text = reader.read(archive.CONFIG, strict_json.MAX_BYTES)
        config = strict_json.loads(text, archive.CONFIG)
        if isinstance(metadata, dict) and metadata.get("keras_version"):
            report.keras_version = str(metadata["keras_version"])[:50]
        _describe(config, report)
        array_bytes = 0
        if reader.member_size(archive.WEIGHTS):
            data = reader.source(archive.WEIGHTS)
            root = stack.enter_context(hdf5.reading(data, archive.WEIGHTS))
            report.arrays = list(_arrays(root))
            array_bytes = root.array_size()
        else:
            report.warnings.append("It has no weights.")
        _check_memory(config, budget.limit_of_file(array_bytes), report)
    return report


def _inspect_hdf5(path):
    report = FileReport(str(path), "HDF5 weights")
    with hdf5.reading(path, path.name) as root:
        report.arrays = list(_arrays(root))
        group = root.group("model_weights") or root
        report.keras_version = group.text("keras_version")
        if root.has("model_config"):
            report.format = "HDF5 model"
            config = legacy_h5.model_config(root, path.name)
            _describe(config, report)
            _check_memory(config, budget.limit_of_file(root.array_size()), report)
    return report


def _inspect_checkpoint(path):
    checkpoint = orbax_checkpoints.Checkpoint(path)
    report = FileReport(str(path), f"Orbax checkpoint, step {checkpoint.path.name}")
    report.arrays = checkpoint.arrays()
    if checkpoint.has_config:
        config = checkpoint.config()
        _describe(config, report)
        _check_memory(config, budget.limit_of_file(checkpoint.size), report)
    else:
        report.warnings.append(
            "It holds no architecture: `model.load_weights()` reads it, and "
            "`load_model()` does not."
        )
    return report


def _inspect_json(path):
    document = strict_json.read(path)
    if isinstance(document, dict) and "modelTopology" in document:
        config, arrays = tfjs.read(path)
        report = FileReport(str(path), "TensorFlow.js layers model")
        report.arrays = [(n, a.shape, a.dtype.name) for n, a in arrays.items()]
        _describe(config, report)
        size = sum(array.nbytes for array in arrays.values())
        _check_memory(config, budget.limit_of_file(size), report)
        return report
    if not isinstance(document, dict) or "class_name" not in document:
        raise ValueError(f"{path.name} describes no model.")
    version = document.get("keras_version")
    report = FileReport(str(path), "JSON of a model", version and str(version)[:50])
    _describe(document, report)
    _check_memory(document, budget.limit_of_text(path.stat().st_size), report)
    return report


def _arrays(group: hdf5.Group, prefix: str = "") -> Iterator[Any]:
    for name in group:
        child = group.child(name)
        if isinstance(child, hdf5.Group):
            yield from _arrays(child, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", tuple(child.shape or ()), str(child.dtype)


# More are not looked up: no model has as many classes.
_MOST_CLASSES = 1000


def _describe(config: Config, report: FileReport) -> None:
    """Write the layers of a config, and what they need, into the report."""
    report.layers = list(_layers(config, ""))
    checked = set()
    layers_of_lambdas: dict[int, Config] = {}
    for item in _objects(config):
        name, inner = item["class_name"], item["config"]
        if isinstance(inner, dict):
            layers_of_lambdas[id(inner.get("function"))] = item
        key = name, *(str(item.get(k)) for k in ("module", "registered_name"))
        if key in checked and name not in ("function", "__lambda__"):
            continue
        checked.add(key)
        if len(checked) > _MOST_CLASSES:
            report.warnings.append(f"It names more than {_MOST_CLASSES} classes.")
            break
        if name == "__lambda__":
            _check_lambda(inner, layers_of_lambdas.get(id(item)), report)
        elif name == "function":
            if allowlist.builtin_function(str(inner)) is None:
                report.custom_objects.append(str(inner)[:200])
        elif not name.startswith("__") and name != "type":
            _check_class(item, report)
    report.custom_objects = sorted(set(report.custom_objects))
    report.warnings = list(dict.fromkeys(report.warnings))


def _check_memory(config: Config, limit: int, report: FileReport) -> None:
    """Say what the memory limit will refuse; `limit` is of what variables declare."""
    objects = list(_objects(config))
    sizes = list(declared_sizes.declared_sizes(objects))
    total = sum(size for _, size in sizes)
    if total > limit:
        name, size = max(sizes, key=lambda item: item[1])
        report.warnings.append(
            f"Loading refuses it: its variables take at least {total} bytes, "
            f"{size} of them {name!r}, and {limit} are allowed for a file of its size. "
            "If it is trusted, allow more: "
            "`with keras.saving.memory_limit(number of bytes): ...`"
        )
    count = declared_sizes.thresholds(objects)
    if count * BYTES_OF_THRESHOLD > budget.limit_at_once():
        report.warnings.append(
            f"Loading refuses it: a metric has {count} thresholds, which take "
            f"{count * BYTES_OF_THRESHOLD} bytes; {budget.limit_at_once()} are allowed."
        )


def _check_lambda(function, layer, report):
    """Say what loading needs for a lambda; `layer` is the config of its layer."""
    if layer is None:
        report.warnings.append("It holds the code of a lambda, which is refused.")
    elif layer["class_name"] != "Lambda" or "graph" not in function:
        name = str(layer["config"].get("name"))[:200]
        report.custom_objects.append(name)
        report.warnings.append(
            f"The layer {name!r} holds the code of a lambda, which is refused. Loading "
            f"needs the function: custom_objects={{{name!r}: function}}."
        )


def _check_class(item, report):
    if legacy_ops.is_of_tensorflow(item) and "inbound_nodes" in item:
        try:
            item = legacy_ops.modern_op(item)
        except ValueError as error:
            report.warnings.append(str(error)[:500])
            return
    try:
        find_class(legacy_configs.modern_class(item))
    except UnknownObjectError:
        name = item.get("registered_name") or item["class_name"]
        report.custom_objects.append(str(name)[:200])
    except (UnsafeFileError, ValueError) as error:
        report.warnings.append(str(error)[:500])


def _objects(value: Any) -> Iterator[Config]:
    """Yield each config of an object or function that stands anywhere in `value`."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if isinstance(item.get("class_name"), str) and "config" in item:
                yield item
            left += item.values()
        elif isinstance(item, list):
            left += item


def _layers(config: Any, prefix: str) -> Iterator[tuple[str, str]]:
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict | list):
            of_dict = isinstance(layer["config"], dict)
            name = layer["config"].get("name") if of_dict else layer.get("name")
            path = f"{prefix}{str(name)[:200]}"
            yield path, str(layer.get("class_name"))[:200]
            yield from _layers(layer, f"{path}/")
