"""What a checkpoint of `OrbaxCheckpoint` holds, here and in Keras.

    directory/<step>/pytree        the variables: by group, then by the parts of paths
                    /model_config  {"config": the JSON text of the model}
                    /assets        files of layers, as arrays of bytes, by paths

Each is a tree that Orbax writes; `saving/orbax_checkpoints.py` reads them.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core import strict_json
from hornbeam.core.lambdas import config_for_file
from hornbeam.core.naming import distinct
from hornbeam.core.serialization import serialize_sharing

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable
    from hornbeam.models.model import Model

VARIABLES, CONFIG, ASSETS = "pytree", "model_config", "assets"
_WEIGHTS = ("trainable_variables", "non_trainable_variables")


def orbax() -> Any:
    """Return the package `orbax.checkpoint`."""
    try:
        return importlib.import_module("orbax.checkpoint")
    except ImportError as error:
        raise ImportError(
            "Checkpoints of Orbax need the package orbax-checkpoint: "
            "`pip install 'hornbeam[orbax]'`."
        ) from error


def parts(model: Model, weights_only: bool) -> dict[str, Any]:
    """Return the items of a checkpoint, `{name: tree}`, as copies on the host.

    Args:
        model: a built model.
        weights_only: whether optimizer, metrics, architecture and assets are left out.
    """
    tree: dict[str, Any] = {}
    for (group, *parents, name), variable in variables_by_path(model).items():
        if weights_only and group not in _WEIGHTS:
            continue
        place = tree.setdefault(group, {})
        for parent in parents:
            place = place.setdefault(parent, {})
        # A copy: training goes on in the variable's memory.
        place[name] = np.array(variable.backend.to_numpy(variable.value))
    if weights_only:
        return {VARIABLES: tree}
    config = config_for_file(lambda: serialize_sharing(model))
    items = {VARIABLES: tree, CONFIG: {"config": strict_json.dumps(config, CONFIG)}}
    if any(hasattr(layer, "save_assets") for layer in model._flatten_layers()):
        items[ASSETS] = _assets_of(model)
    return items


def variables_by_path(model: Any) -> dict[tuple[str, ...], Variable]:
    """Return `{(group, *parts of the path): variable}`; repeated paths get numbers."""
    optimizer = getattr(model, "optimizer", None)
    groups = {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
        "optimizer_variables": [] if optimizer is None else optimizer.variables,
        "metrics_variables": model.metrics_variables,
    }
    return {
        (group, *path.split("/")): variable
        for group, variables in groups.items()
        for path, variable in zip(
            distinct([v.path for v in variables]), variables, strict=True
        )
    }


def _assets_of(model):
    """Return the files that layers save, as a tree of arrays of bytes."""
    tree: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        model.save(Path(name) / "model", zipped=False)
        folder = Path(name) / "model" / ASSETS
        for file in (path for path in folder.rglob("*") if path.is_file()):
            place = tree
            *parents, name = file.relative_to(folder).parts
            for parent in parents:
                place = place.setdefault(parent, {})
            place[name] = np.frombuffer(file.read_bytes(), "uint8")
    return tree
