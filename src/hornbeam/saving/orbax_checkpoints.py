"""Checkpoints of Orbax that the callback `OrbaxCheckpoint` wrote, here or in Keras.

`callbacks/orbax_layout.py` says what they hold. Orbax and TensorStore read the arrays,
after names and shapes were compared with those of the model; nothing in a checkpoint
names code.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.callbacks.orbax_layout import (
    ASSETS,
    CONFIG,
    VARIABLES,
    orbax,
    variables_by_path,
)
from hornbeam.core import budget, strict_json
from hornbeam.core.errors import DamagedFileError, UnsafeFileError, shown
from hornbeam.core.warning import warn
from hornbeam.saving import archive
from hornbeam.saving.state import saved_objects

if TYPE_CHECKING:
    from hornbeam.models.model import Model

_STRINGS = f"{CONFIG}/_strings.json"
# What may be absent: metrics are reset before they are used, and what a generator of
# random numbers has drawn is no weight.
_LOOSE = ("metrics_variables", "seed_generator_state")


def is_checkpoint(path: Path) -> bool:
    """Whether `path` is a directory of `OrbaxCheckpoint`, or one of its steps."""
    return path.is_dir() and (_is_step(path) or bool(_steps(path)))


def _is_step(path):
    return (path / VARIABLES / "_METADATA").is_file()


def _steps(path):
    names = (p.name for p in path.iterdir() if re.fullmatch(r"\d{1,18}", p.name))
    return [name for name in names if _is_step(path / name)]


class Checkpoint:
    """One step of a directory that `OrbaxCheckpoint` wrote.

    Args:
        path: the directory, of which the last step is taken, or the folder of a step.
    """

    def __init__(self, path: Path):
        self.path: Any = path if _is_step(path) else path / max(_steps(path), key=int)
        # Links, odd names and too many files are refused.
        self._files = archive.FolderReader(self.path)
        self.size: int = self._files.size

    @property
    def has_config(self) -> bool:
        """Whether it holds the architecture of the model."""
        return _STRINGS in self._files.names()

    def arrays(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Return the path, shape and dtype of each variable."""
        with self._damage(VARIABLES):
            return [
                ("/".join(path), tuple(leaf.shape), np.dtype(leaf.dtype).name)
                for path, leaf in self._declared(VARIABLES).items()
            ]

    def config(self) -> Any:
        """Return the config of the model."""
        if not self.has_config:
            raise ValueError(
                f"{str(self.path)!r} holds no architecture: it was saved with "
                "`save_weights_only=True`. Make the model, and load the values with "
                "`model.load_weights()`."
            )
        text = self._files.read(_STRINGS, strict_json.MAX_BYTES)
        strings = strict_json.loads(text, _STRINGS)
        config = strict_json.loads(strings["config"], CONFIG)
        if not isinstance(config, dict) or "class_name" not in config:
            raise DamagedFileError(f"{CONFIG} is damaged: it describes no model.")
        return config

    def load(self, model: Model, skip_mismatch: bool = False) -> None:
        """Load the values into a model; all of them fit, or the model stays as it is.

        Args:
            model: a built model.
            skip_mismatch: leave out what does not fit, with a warning.
        """
        declared = self._declared(VARIABLES)
        optimizer = getattr(model, "optimizer", None)
        if any(path[0] == "optimizer_variables" for path in declared):
            if optimizer is not None and not optimizer.built:
                optimizer.build(model.trainable_variables)
        expected = variables_by_path(model)
        if optimizer is None or not any(
            p[0] == "optimizer_variables" for p in declared
        ):
            drop = "optimizer_variables"
            expected = {p: v for p, v in expected.items() if p[0] != drop}
            declared = {p: d for p, d in declared.items() if p[0] != drop}
        layers = [model, *model._flatten_layers(include_self=False)]
        models = [layer.name for layer in layers if hasattr(layer, "layers")]
        holders = [
            layer.name
            for layer in getattr(model, "layers", [])
            if any(True for _ in layer._flatten_layers(include_self=False))
        ]
        pairs = _paired(list(expected), list(declared), models, holders)
        misfits = _misfits(expected, declared, pairs)
        self._refuse(misfits, model, skip_mismatch)
        pairs = {path: pairs[path] for path in pairs if path not in misfits}
        values = self._read(VARIABLES, {p: declared[p] for p in pairs.values()})
        with self._assets() as folder:
            if folder is not None:
                _load_assets(model, folder)
        for path, stored in pairs.items():
            expected[path].assign(values[stored])

    def _refuse(self, misfits, model, skip_mismatch):
        if not misfits:
            return
        texts = [f"{'/'.join(path)}: {text}" for path, text in misfits.items()]
        more = [f"... and {len(texts) - 20} more"] if len(texts) > 20 else []
        listed = "\n".join([*texts[:20], *more])
        if skip_mismatch:
            warn(f"Skipped of {str(self.path)!r}, as it does not fit:\n{listed}")
            return
        raise ValueError(
            f"{len(misfits)} variables of {str(self.path)!r} do not fit the model "
            f"{model.name!r}; nothing was loaded.\n{listed}"
        )

    def _handler(self):
        return orbax().PyTreeCheckpointHandler()

    def _declared(self, item):
        """Return `{path: what has its shape and dtype}` of the arrays of an item."""
        with self._damage(item):
            return dict(_leaves(self._handler().metadata(self.path / item).tree))

    @contextlib.contextmanager
    def _damage(self, item):
        """Name the checkpoint in what Orbax raises; its errors are of many kinds."""
        try:
            yield
        except Exception as error:
            text = f"{type(error).__name__}: {shown(str(error))}"
            raise DamagedFileError(
                f"{item} of {str(self.path)!r} is damaged: {text}"
            ) from error

    def _read(self, item, declared):
        """Return the arrays of these paths."""
        library = orbax()
        args = library.RestoreArgs(restore_type=np.ndarray)
        wanted = _nested(declared)
        with self._damage(item):
            restored = self._handler().restore(
                self.path / item,
                args=library.args.PyTreeRestore(
                    item=wanted,
                    restore_args=_nested(dict.fromkeys(declared, args)),
                    partial_restore=True,
                ),
            )
            return dict(_leaves(restored))

    @contextlib.contextmanager
    def _assets(self) -> Iterator[Path | None]:
        """Yield a temporary folder with the files of layers, None where are none."""
        if not (self.path / ASSETS).is_dir():
            yield None
            return
        declared = self._declared(ASSETS)
        for path in declared:
            for part in path:  # one that starts with a slash would leave the folder
                archive.check_member_name(part.replace("/", ":"))
        size = sum(int(np.prod(leaf.shape)) for leaf in declared.values())
        if size > budget.declared_limit(self.size):
            raise UnsafeFileError(
                f"The assets of {str(self.path)!r} have {size} bytes."
            )
        with tempfile.TemporaryDirectory() as name:
            for path, value in self._read(ASSETS, declared).items():
                target = Path(name, *path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(np.asarray(value, "uint8").tobytes())
            yield Path(name)


def _load_assets(model, folder):
    for path, value in saved_objects(model):
        if hasattr(value, "load_assets") and (folder / path).is_dir():
            value.load_assets(str(folder / path))


def _leaves(tree, path=()):
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, str(name)))
        else:
            yield (*path, str(name)), value


def _nested(leaves):
    tree: dict[str, Any] = {}
    for (*parents, name), value in leaves.items():
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return tree


def _is_loose(path):
    return path[0] in _LOOSE or path[-1] in _LOOSE


_NUMBER = r"_(\d+)(?=_|/|$)"


def _paired(expected, stored, models, holders=()):
    """Return `{path in the model: path in the file}` of those that are the same.

    Paths that differ only in the numbers of automatic names are, in the order of the
    numbers (`dense_7` in one process is `dense_1` in another, and its `dense_1` another
    layer); of the rest equal ones; of the rest those that differ besides in the names
    of models before them: the weights of a Sequential are called
    `sequential/dense/kernel` or `dense/kernel`, as the model was built.

    Args:
        expected: the paths of the variables of the model.
        stored: the paths of the arrays of the checkpoint.
        models: the names of the model and of the models in it.
        holders: the names of layers in which layers stand, such as Bidirectional: a
            layer that was made from a config may have been built before it stood there.
    """
    pairs: dict[Any, Any] = {}
    _pair_by_numbers(pairs, expected, stored, None)
    pairs |= {p: p for p in set(expected) & set(stored) if p not in pairs}
    for dropped in (models, [*models, *holders]):
        names = sorted({re.sub(_NUMBER, "", name) for name in dropped}, key=len)
        alternatives = "|".join(re.escape(name) for name in reversed(names))
        before = rf"(?<=[/_])(?:{alternatives})(?:_\d+)?[/_]"
        _pair_by_numbers(pairs, expected, stored, before)
    return pairs


def _pair_by_numbers(pairs, expected, stored, dropped):
    """Add those that are called alike but for numbers, where each has a counterpart."""
    taken = set(pairs.values())
    sides: list[dict[str, list]] = [{}, {}]
    for side, paths, known in zip(
        sides, (expected, stored), (pairs, taken), strict=True
    ):
        for path in paths:
            if path not in known:
                name, numbers = _counted(path, dropped)
                side.setdefault(name, []).append((numbers, path))
    for name, ours in sides[0].items():
        theirs = sides[1].get(name, [])
        if len(ours) == len(theirs) and _are_distinct(ours, theirs):
            both = zip(sorted(ours), sorted(theirs), strict=True)
            pairs |= {path: other for (_, path), (_, other) in both}


def _counted(path, dropped):
    """Return the path without the numbers of automatic names, and these numbers."""
    if path[-1] == "seed_generator_state":  # libraries differ in whose it is
        path = (path[0], *path[-2:])
    text = "/".join(path)
    if dropped is not None:
        text = re.sub(dropped, "", text)
    return re.sub(_NUMBER, "", text), [int(n) for n in re.findall(_NUMBER, text)]


def _are_distinct(*sides):
    return all(len({tuple(n) for n, _ in side}) == len(side) for side in sides)


def _misfits(expected, declared, pairs):
    """Return `{path: what is wrong}` of the variables that do not fit."""
    misfits = {}
    for path, variable in expected.items():
        shape = tuple(variable.shape)
        if path not in pairs:
            if not _is_loose(path):
                misfits[path] = f"expected {shape}, the checkpoint has no such variable"
            continue
        stored = declared[pairs[path]]
        received = tuple(getattr(stored, "shape", None) or ())
        if received != shape or np.dtype(stored.dtype).kind not in "biufcV":
            misfits[path] = f"expected {shape}, received {received} of {stored.dtype}"
    taken = set(pairs.values())
    for path, stored in declared.items():
        if path not in taken and not _is_loose(path):
            received = tuple(getattr(stored, "shape", None) or ())
            misfits[path] = f"not in the model, received {received}"
    return misfits
