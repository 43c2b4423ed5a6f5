"""Estimators in files: the archive of their network, with one more member.

`keras.saving.load_model` reads such a file too, and returns the network. The member
`estimator.json` holds the parameters and what `fit` learned, as data. Functions and
classes of the user are code, which no file holds: such a parameter has to be passed
again to `load`, if the estimator is to be fitted again.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from hornbeam.core import registry, strict_json
from hornbeam.core.errors import (
    SLIPS,
    DamagedFileError,
    UnsafeFileError,
    check_path,
    damage_of,
    shown,
)
from hornbeam.core.replacing import check_overwrite, folder_beside, replacing
from hornbeam.core.version import version
from hornbeam.core.warning import warn
from hornbeam.models.model import Model
from hornbeam.saving import archive, load_model
from hornbeam.saving.api import load_archive, save_model, write_parts
from hornbeam.wrappers.plain_values import Missing, decode, encode

if TYPE_CHECKING:
    from hornbeam.typing import CustomObjects, PathLike

_MEMBER = "estimator.json"
_MODELS = "parameters"
_SUFFIX = ".keras"
# Attributes without an underscore at the end that are saved too.
_LEARNED = ("_n_features_out",)
_NETWORKS = ("model_", "predictor_")


def save(estimator: Any, filepath: PathLike, overwrite: bool) -> None:
    """Write an estimator to a file; see `KerasEstimator.save`."""
    path = check_path(f"{type(estimator).__name__}.save()", "filepath", filepath)
    if path.suffix != _SUFFIX:
        raise ValueError(
            f"The filename must end in '{_SUFFIX}'. Received: filepath={str(path)!r}"
        )
    check_overwrite(path, overwrite)
    parameters = estimator.get_params(deep=False)
    models = {n: v for n, v in parameters.items() if isinstance(v, Model)}
    document = {
        "hornbeam_version": version(),
        "class_name": type(estimator).__name__,
        "parameters": _encoded_parameters(estimator, parameters, models),
        "models": sorted(models),
        "learned": _encoded_learned(estimator),
    }
    text = strict_json.dumps(document, _MEMBER)
    with replacing(path) as temporary, folder_beside(path) as folder:
        if estimator.initialized_:
            write_parts(estimator.model_, folder)
        (folder / _MEMBER).write_text(text, "utf-8")
        for name, model in models.items():
            (folder / _MODELS).mkdir(exist_ok=True)
            save_model(model, folder / _MODELS / f"{name}{_SUFFIX}")
        archive.write_zip(temporary, folder)


def _encoded_parameters(estimator, parameters, models):
    encoded, left_out = {}, []
    for name, value in parameters.items():
        if name in models:
            continue
        try:
            encoded[name] = encode(value)
        except TypeError:
            reason = f"`{getattr(value, '__name__', type(value).__name__)}`"
            encoded[name] = encode(Missing(reason))
            # That a builder is code is no news.
            left_out += [] if name in ("model", "build_fn") else [f"{name} ({reason})"]
    if left_out:
        kind = type(estimator).__name__
        warn(
            f"The file of a {kind} cannot hold {', '.join(left_out)}. Predicting does "
            f"not need it. For fitting pass it again: `{kind}.load(path, name=value)`."
        )
    return encoded


def _encoded_learned(estimator):
    learned = {}
    for name, value in vars(estimator).items():
        if name in _NETWORKS or not _is_learned(name):
            continue
        try:
            learned[name] = encode(value)
        except TypeError as error:
            raise TypeError(
                f"This {type(estimator).__name__} cannot be saved: its attribute "
                f"`{name}` is no data ({error}). `pickle` writes it, as code."
            ) from None
    return learned


def _is_learned(name):
    return name in _LEARNED or (name.endswith("_") and not name.startswith("_"))


def load(
    cls: Any, filepath: PathLike, custom_objects: CustomObjects, given: dict[str, Any]
) -> Any:
    """Return the estimator that a file holds; see `KerasEstimator.load`."""
    path = check_path(f"{cls.__name__}.load()", "filepath", filepath)
    if not path.is_file():
        raise ValueError(f"File not found: filepath={str(path)!r}.")
    with (
        damage_of(repr(path.name), *SLIPS),
        archive.opened(path) as reader,
        registry.scope_of(custom_objects),
    ):
        if _MEMBER not in reader.names():
            raise ValueError(
                f"{path.name} holds no estimator. A model is loaded with "
                "`keras.saving.load_model()`."
            )
        text = reader.read(_MEMBER, strict_json.MAX_BYTES)
        document = strict_json.loads(text, _MEMBER)
        with damage_of(f"{path.name}: {_MEMBER}", *SLIPS, TypeError, ValueError):
            kind = document["class_name"]
            if not str.isidentifier(kind):
                raise DamagedFileError(f"It names the class {shown(kind)}.")
        if kind != cls.__name__:
            raise ValueError(
                f"{path.name} holds a {kind[:200]}: load it with `{kind[:200]}.load()`,"
                f" not with `{cls.__name__}.load()`."
            )
        with damage_of(f"{path.name}: {_MEMBER}", *SLIPS, TypeError, ValueError):
            estimator = _made(cls, reader, document, len(text), given)
        if archive.CONFIG in reader.names():
            estimator.model_ = load_archive(reader, custom_objects, True)
            estimator.predictor_ = estimator._predictor(estimator.model_)
    return estimator


def _made(cls, reader, document, size, given):
    parameters = {}
    for name, value in document["parameters"].items():
        parameters[name] = None if name in given else decode(value, size)
    for name in document["models"]:
        data = reader.read(f"{_MODELS}/{name}{_SUFFIX}")
        parameters[name] = None if name in given else load_model(io.BytesIO(data))
    for name in parameters:
        is_taken = name not in cls._get_param_names() and hasattr(cls, name)
        if is_taken or not name.isidentifier() or name != name.strip("_"):
            raise UnsafeFileError(f"The file names the parameter {name[:200]!r}.")
    parameters |= given
    estimator = cls(**parameters)
    for name, value in document["learned"].items():
        if not _is_learned(name) or hasattr(cls, name):
            raise UnsafeFileError(f"The file sets the attribute {name[:200]!r}.")
        vars(estimator)[name] = decode(value, size)
    return estimator


def check_complete(estimator: Any) -> None:
    """Raise if parameters are missing that a file could not hold."""
    for name, value in vars(estimator).items():
        if isinstance(value, Missing):
            kind = type(estimator).__name__
            raise ValueError(
                f"This {kind} was loaded from a file, which holds no code: its "
                f"parameter `{name}` ({value.reason}) is missing. It predicts without "
                f"it; to fit it, pass it: `{kind}.load(path, {name}=...)`, or "
                f"`set_params({name}=...)`."
            )
