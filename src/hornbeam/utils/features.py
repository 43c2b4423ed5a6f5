"""The columns and crosses of a FeatureSpace, and what their layers learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hornbeam import layers
from hornbeam.core.errors import check_choice, check_number, shown
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.core.strings import columns_of

if TYPE_CHECKING:
    from typing import Self

    from hornbeam.layers.layer import Layer
    from hornbeam.typing import Config

# As Keras's files call the parts of a FeatureSpace, and a feature that stays as it is.
_MODULE, _IDENTITY = "keras.src.layers.preprocessing.feature_space", "TFDIdentity"
OUTPUT_MODES = ("float", "int", "one_hot")


class Feature:
    """One column: the layer that prepares it, and the form of the result.

    Args:
        dtype: the dtype of the column: "string", "int32", "float32".
        preprocessor: a layer.
        output_mode: "float", "int" or "one_hot".
    """

    def __init__(self, dtype: str, preprocessor: Layer, output_mode: str) -> None:
        check_choice("a feature", "output_mode", output_mode, OUTPUT_MODES)
        self.dtype = dtype
        self.preprocessor: Any = preprocessor
        self.output_mode = output_mode

    def get_config(self) -> Config:
        """Return the arguments as plain data."""
        preprocessor = serialize_keras_object(self.preprocessor)
        if isinstance(self.preprocessor, layers.Identity):
            preprocessor |= {"module": _MODULE, "class_name": _IDENTITY}
            preprocessor["registered_name"] = _IDENTITY
        return {
            "dtype": self.dtype,
            "preprocessor": preprocessor,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a feature from what `get_config` returned."""
        preprocessor = config["preprocessor"]
        if isinstance(preprocessor, dict):
            if preprocessor.get("class_name") == _IDENTITY:
                module = {"module": "keras.layers", "registered_name": None}
                preprocessor = {**preprocessor, **module, "class_name": "Identity"}
            preprocessor = deserialize_keras_object(preprocessor)
        return cls(config["dtype"], preprocessor, config["output_mode"])


class Cross:
    """A cross of columns, whose combinations of values are hashed.

    Args:
        feature_names: the names of two or more columns of categories.
        crossing_dim: the number of bins.
        output_mode: "int" or "one_hot". Default: "one_hot"
    """

    def __init__(
        self,
        feature_names: Sequence[str],
        crossing_dim: int,
        output_mode: str = "one_hot",
    ) -> None:
        check_number(
            "a cross of FeatureSpace", "crossing_dim", crossing_dim, 1, integer=True
        )
        check_choice("a cross", "output_mode", output_mode, OUTPUT_MODES[1:])
        self.feature_names: tuple[str, ...] = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode

    @property
    def name(self) -> str:
        """The names of the columns, joined."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> Config:
        """Return the arguments as plain data."""
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a cross from what `get_config` returned."""
        return cls(**config)


def saved(class_name: str, part: Feature | Cross) -> Config:
    """Return a part as Keras's files have it."""
    return {
        "module": _MODULE,
        "class_name": class_name,
        "config": part.get_config(),
        "registered_name": class_name,
    }


def is_adaptable(layer: Layer) -> bool:
    """Whether a layer learns something of data."""
    if isinstance(layer, layers.Normalization):
        return layer._mean is None
    if isinstance(layer, layers.Discretization):
        return layer.num_bins is not None
    if isinstance(layer, layers.TextVectorization):
        return layer.vocabulary is None
    if isinstance(layer, layers.StringLookup | layers.IntegerLookup):
        return layer.vocabulary is None
    return False


def is_adapted(layer: Layer) -> bool:
    """Whether a layer knows what it learns of data."""
    if isinstance(layer, layers.Normalization):
        return layer._mean is not None or layer.built
    if isinstance(layer, layers.Discretization):
        return layer.bin_boundaries is not None
    if isinstance(
        layer, layers.TextVectorization | layers.StringLookup | layers.IntegerLookup
    ):
        return bool(layer.get_vocabulary(include_special_tokens=False))
    return True


def depth_of(layer: Any, name: str) -> int:
    """Return how many categories a layer gives."""
    if hasattr(layer, "vocabulary_size"):
        return layer.vocabulary_size()
    if getattr(layer, "num_bins", None) is not None:
        return layer.num_bins
    if getattr(layer, "bin_boundaries", None) is not None:
        return len(layer.bin_boundaries) + 1
    raise ValueError(
        f"FeatureSpace: how many categories the layer {layer.name!r} of feature "
        f"{name!r} gives is not known. Give the feature `output_mode='int'` or 'float'."
    )


def columns_by_name(data: Any) -> Any:
    """Return a dict, frame, table or row of a frame by names, None for all else."""
    is_named = isinstance(data, Mapping) or hasattr(data, "iloc")
    return columns_of(data) or (data if is_named else None)


def count_rows(space: Any, columns: Mapping[str, Any]) -> int:
    """Return the number of rows of arrays, which all columns must share.

    Args:
        space: the FeatureSpace, for the error.
        columns: arrays or symbols by name; values of a single row have no axis.
    """
    counts = {name: x.shape[0] for name, x in columns.items() if len(x.shape)}
    if len({count for count in counts.values() if count is not None}) > 1:
        raise ValueError(
            f"FeatureSpace {space.name!r}: all columns must have equally many rows. "
            f"Received: {counts}"
        )
    return next(iter(counts.values()), 0)


def batches_of_columns(space: Any, dataset: Any) -> Iterator[Any]:
    """Yield the columns by name of what `adapt` is given, batch by batch.

    Args:
        space: the FeatureSpace, for the error.
        dataset: columns by name, or an iterable of them or of `(columns, labels)`.
    """
    whole = columns_by_name(dataset)
    if whole is not None:
        yield whole
        return
    if not hasattr(dataset, "__iter__"):
        raise TypeError(
            f"FeatureSpace {space.name!r}: `adapt` expects a dict of columns, a data "
            f"frame or table, or an iterable of dicts. Received: {shown(dataset)}"
        )
    for item in dataset:
        batch = item[0] if isinstance(item, list | tuple) else item
        columns = columns_by_name(batch)
        yield batch if columns is None else columns
