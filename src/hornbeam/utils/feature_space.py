"""FeatureSpace: the columns of a table as one vector, or as one for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hornbeam import backends, layers, ops
from hornbeam.core.errors import check_choice, did_you_mean, shown
from hornbeam.core.naming import auto_name
from hornbeam.core.strings import holds_strings, string_array
from hornbeam.graph.host_part import runs_on_host
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.preprocessing import adapt_data
from hornbeam.layers.preprocessing.data_layer import DataLayer
from hornbeam.utils.features import (
    Cross,
    Feature,
    batches_of_columns,
    columns_by_name,
    count_rows,
    depth_of,
    is_adaptable,
    is_adapted,
    saved,
)

if TYPE_CHECKING:
    from typing import Self

    from hornbeam.layers.layer import Layer
    from hornbeam.typing import Config, PathLike

_KINDS = (
    "float float_normalized float_rescaled float_discretized integer_categorical "
    "string_categorical integer_hashed string_hashed"
).split()


class FeatureSpace(DataLayer):
    """Prepares the columns of a table: a dict of columns becomes one vector per row.

    Each column is scaled, put into bins, looked up or hashed, as its kind says, and
    categories become one-hot vectors. `adapt(data)` learns means, boundaries and
    vocabularies. The result is used on data before `fit`, inside `tf.data`, or as the
    beginning of a model, with `get_inputs()` and `get_encoded_features()`.

    Args:
        features: `{name: kind}`: a kind is a string such as "float_normalized" or what
            the method of that name returns, `FeatureSpace.float_normalized()`; the
            kinds are float, float_normalized, float_rescaled, float_discretized,
            integer_categorical, string_categorical, integer_hashed and string_hashed.
            `FeatureSpace.feature` takes any layer.
        output_mode: "concat" (one vector) or "dict" (one for each feature and cross).
            Default: "concat"
        crosses: tuples of names of features of categories, or `FeatureSpace.cross`.
            Default: none
        crossing_dim: bins of crosses given as tuples. Default: 32
        hashing_dim: bins of kinds "integer_hashed" and "string_hashed". Default: 32
        num_discretization_bins: bins of the kind "float_discretized". Default: 32
        name: default: generated.

    >>> import hornbeam as keras
    >>> space = keras.utils.FeatureSpace(
    ...     {"size": "float", "color": "string_categorical"})
    >>> data = {"size": [1.0, 2.0], "color": ["red", "blue"]}
    >>> space.adapt(data)
    >>> space(data).tolist()
    [[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 2.0]]
    """

    _is_stateless = True
    _convert_input_args = False
    _allow_non_tensor_positional_args = True
    _compute_dtype_or_none = None

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: Literal["concat", "dict"] = "concat",
        crosses: Iterable[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError(
                "The `features` argument of FeatureSpace cannot be None or empty. "
                'Expected a dict such as {"age": "float_normalized"}.'
            )
        check_choice("FeatureSpace", "output_mode", output_mode, ("concat", "dict"))
        self.output_mode = output_mode
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features: dict[str, Feature] = {
            key: self._feature_of(key, value) for key, value in features.items()
        }
        self.crosses: list[Cross] = [self._cross_of(cross) for cross in crosses or ()]
        self.preprocessors: dict[str, Any] = {
            key: feature.preprocessor for key, feature in self.features.items()
        }
        self.crossers: dict[str, Any] = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name)
            for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self._kept_inputs: Any = None
        self._kept_outputs: Any = None

    def _feature_of(self, name, value):
        if isinstance(value, Feature):
            return value
        if isinstance(value, dict):
            return Feature.from_config(value.get("config", value))
        if value not in _KINDS:
            raise ValueError(
                f"FeatureSpace: invalid feature type {value!r} of feature {name!r}. "
                f"Expected one of {_KINDS}, or what one of these methods of "
                f"FeatureSpace returns.{did_you_mean(str(value), _KINDS)}"
            )
        arguments: dict[str, Any] = {"name": f"{name}_preprocessor"}
        if value.endswith("_hashed"):
            arguments["num_bins"] = self.hashing_dim
        elif value == "float_discretized":
            arguments["num_bins"] = self.num_discretization_bins
        return getattr(type(self), value)(**arguments)

    def _cross_of(self, value):
        if isinstance(value, dict):
            value = Cross.from_config(value.get("config", value))
        if not isinstance(value, Cross):
            value = Cross(value, self.crossing_dim)
        unknown = [n for n in value.feature_names if n not in self.features]
        if unknown:
            raise ValueError(
                "All features referenced in the `crosses` argument of FeatureSpace "
                f"should be present in the `features` dict. Received: {unknown}. "
                f"Known are {list(self.features)}."
            )
        return value

    # The kinds of features.

    @classmethod
    def cross(
        cls,
        feature_names: Sequence[str],
        crossing_dim: int,
        output_mode: str = "one_hot",
    ) -> Cross:
        """Return a cross: the hash of a combination of values.

        Args:
            feature_names: the names of two or more features of categories.
            crossing_dim: the number of bins.
            output_mode: "int" or "one_hot". Default: "one_hot"
        """
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Layer, output_mode: str) -> Feature:
        """Return a feature that a layer of yours prepares.

        Args:
            dtype: the dtype of the column: "string", "int32" or "float32".
            preprocessor: the layer.
            output_mode: whether it gives "float" or "int", which "one_hot" encodes.
        """
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Return a feature of numbers that stay as they are."""
        return Feature("float32", layers.Identity(name=_named("float", name)), "float")

    @classmethod
    def float_rescaled(
        cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None
    ) -> Feature:
        """Return a feature of numbers `x * scale + offset`."""
        layer = layers.Rescaling(scale, offset, name=_named("float_rescaled", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Return a feature of numbers that get mean 0 and variance 1."""
        return Feature(
            "float32",
            layers.Normalization(axis=-1, name=_named("float_normalized", name)),
            "float",
        )

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None = None,
        bin_boundaries: Sequence[Any] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature of numbers that are put into bins."""
        if bin_boundaries is not None:
            num_bins = None
        layer = layers.Discretization(
            bin_boundaries, num_bins, name=_named("float_discretized", name)
        )
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature of integers that are categories; see IntegerLookup."""
        layer = layers.IntegerLookup(
            max_tokens, num_oov_indices, name=_named("integer_categorical", name)
        )
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature of strings that are categories; see StringLookup."""
        layer = layers.StringLookup(
            max_tokens, num_oov_indices, name=_named("string_categorical", name)
        )
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a feature of integers that are hashed into bins."""
        return Feature(
            "int32",
            layers.Hashing(num_bins, name=_named("integer_hashed", name)),
            output_mode,
        )

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a feature of strings that are hashed into bins."""
        return Feature(
            "string",
            layers.Hashing(num_bins, name=_named("string_hashed", name)),
            output_mode,
        )

    # Learning.

    def adapt(self, dataset: Any) -> None:
        """Learn means, boundaries and vocabularies, in one pass over the data.

        Args:
            dataset: a dict of columns, a data frame, or an iterable of dicts, each with
                a batch or a row: a `tf.data.Dataset`, a PyDataset, a generator. Of
                pairs `(features, labels)` the features are taken.
        """
        adaptable = {n: x for n, x in self.preprocessors.items() if is_adaptable(x)}
        for preprocessor in adaptable.values():
            preprocessor.reset_state()
        received = 0
        for columns in batches_of_columns(self, dataset):
            arrays = {name: self._column(columns, name) for name in adaptable}
            received += count_rows(self, arrays)
            for name, column in arrays.items():
                if len(column):
                    adaptable[name].update_state(column)
        if adaptable and not received:
            raise adapt_data.no_values(self)
        for preprocessor in adaptable.values():
            preprocessor.finalize_state()
        self._kept_inputs = self._kept_outputs = None

    def _column(self, columns, name):
        """Return a column of the data as a host array of shape (rows, 1)."""
        if name not in columns:
            raise ValueError(
                f"FeatureSpace {self.name!r}: the data has no feature {name!r}. "
                f"Expected the keys {list(self.features)}. Received: {list(columns)}"
            )
        column = columns[name]
        if holds_strings(column):
            self._check_takes_strings(column, name)
            column = string_array(column, f"Feature {name!r}")
        else:
            column = np.asarray(adapt_data.host(column))
        return column.reshape(-1, 1) if column.ndim < 2 else column

    def _check_takes_strings(self, x, name):
        dtype = self.features[name].dtype
        if dtype.startswith("float"):
            raise TypeError(
                f"Feature {name!r} of FeatureSpace {self.name!r} expects numbers, of "
                f"dtype {dtype}. Received strings: {shown(x)}. Turn text that spells "
                "numbers into numbers with `astype(float)`, or make it a feature of "
                'strings: "string_categorical" or "string_hashed".'
            )

    def _check_adapted(self):
        missing = [n for n, x in self.preprocessors.items() if not is_adapted(x)]
        if missing:
            raise ValueError(
                f"You need to call `.adapt(dataset)` on the FeatureSpace {self.name!r} "
                f"before you can start using it: the features {missing} learn from "
                "data."
            )

    # Encoding.

    @property
    def runs_on_host(self) -> bool:
        """Whether the layer, in a model, is computed before the compiled steps."""
        parts = [*self.preprocessors.values(), *self.crossers.values()]
        return any(map(runs_on_host, parts))

    def get_inputs(self) -> dict[str, KerasTensor]:
        """Return `{name: keras.Input}` for a model that begins with the features."""
        self._check_adapted()
        if self._kept_inputs is None:
            self._kept_inputs = {
                name: layers.Input((1,), dtype=feature.dtype, name=name)
                for name, feature in self.features.items()
            }
        return self._kept_inputs

    def get_encoded_features(self) -> Any:
        """Return the symbols of the encoded features, made of `get_inputs()`."""
        if self._kept_outputs is None:
            self._kept_outputs = self._encoded(self.get_inputs())
        return self._kept_outputs

    def _convert_inputs(self, args, kwargs, engine):
        (data, *others) = args or (kwargs.pop("data"),)
        given = columns_by_name(data)
        if given is None:
            raise ValueError(
                "A FeatureSpace can only be called with a dict of columns, a data "
                f"frame or a table. Received: {shown(data)} (of type "
                f"{type(data).__name__})"
            )
        columns = {name: self._input(given, name) for name in self.features}
        count_rows(self, columns)
        symbolic = any(isinstance(x, KerasTensor) for x in columns.values())
        return (columns, *others), kwargs, symbolic

    def _input(self, data, name):
        if name not in data:
            return self._column(data, name)  # raises
        x = data[name]
        if isinstance(x, KerasTensor):
            return x
        if holds_strings(x):
            self._check_takes_strings(x, name)
        if type(x) is np.ndarray or backends.of(x) is not None:
            return x
        if holds_strings(x):
            return string_array(x, f"Feature {name!r}")
        return np.asarray(adapt_data.host(x))

    def call(self, data: Mapping[str, Any]) -> Any:
        """Return the encoded features of a batch of rows, or of one row."""
        self._check_adapted()
        ranks = {name: len(x.shape) for name, x in data.items()}
        is_row = all(rank == 0 for rank in ranks.values())
        columns = {name: _as_column(x, ranks[name]) for name, x in data.items()}
        encoded = self._encoded(columns)
        if not is_row:
            return encoded
        if isinstance(encoded, dict):
            return {name: ops.squeeze(x, 0) for name, x in encoded.items()}
        return ops.squeeze(encoded, 0)

    def _encoded(self, columns):
        values = {
            name: self.preprocessors[name](columns[name]) for name in self.features
        }
        crossed = {
            cross.name: self.crossers[cross.name](
                [values[name] for name in cross.feature_names]
            )
            for cross in self.crosses
        }
        parts = {n: self._part(n, values[n], self.features[n]) for n in sorted(values)}
        crosses = {cross.name: cross for cross in self.crosses}
        parts |= {n: self._part(n, crossed[n], crosses[n]) for n in sorted(crossed)}
        if self.output_mode == "dict":
            return parts
        for name, part in parts.items():
            if "int" in str(ops.dtype(part)):
                raise ValueError(
                    f"FeatureSpace {self.name!r} cannot concatenate feature {name!r}, "
                    "which gives integers. Give it `output_mode='one_hot'`, or use "
                    "FeatureSpace with `output_mode='dict'`."
                )
        return ops.concatenate(list(parts.values()), axis=-1)

    def _part(self, name, value, described):
        if described.output_mode == "one_hot":
            if name not in self.one_hot_encoders:
                layer = self.preprocessors.get(name) or self.crossers[name]
                self.one_hot_encoders[name] = layers.CategoryEncoding(
                    depth_of(layer, name), output_mode="one_hot"
                )
            return self.one_hot_encoders[name](value)
        if described.output_mode == "float":
            return ops.cast(value, self.compute_dtype)
        return value

    def compute_output_spec(self, data: Any) -> Any:
        """Return the symbols of the outputs for symbols of the columns."""
        self._check_adapted()
        inputs = {
            name: KerasTensor(x.shape if x.shape[1:] else (*x.shape, 1), x.dtype)
            for name, x in data.items()
        }
        return self._encoded(inputs)

    # Configs and files.

    def get_config(self) -> Config:
        """Return the config.

        Written by hand in the form of Keras's files, whose classes have private names.
        """
        return {
            "features": {
                name: saved("Feature", feature)
                for name, feature in self.features.items()
            },
            "output_mode": self.output_mode,
            "crosses": [saved("Cross", cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a FeatureSpace from what `get_config` returned."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what each preprocessor was built for."""
        return {n: x.get_build_config() for n, x in self.preprocessors.items()}

    def build_from_config(self, config: Config | None) -> None:
        """Build the preprocessors."""
        for name, built_for in (config or {}).items():
            if name in self.preprocessors:
                self.preprocessors[name].build_from_config(built_for)

    def save(self, filepath: PathLike) -> None:
        """Save the FeatureSpace to a `.keras` file; `load_model` loads it.

        Args:
            filepath: the path, which ends in ".keras".
        """
        from hornbeam.saving.api import save_model

        layer: Any = self
        save_model(layer, filepath)


def _named(kind, name):
    return name or f"{auto_name(kind)}_preprocessor"


def _as_column(x, rank):
    """Return a value or a vector as a column."""
    if rank > 1:
        return x
    if isinstance(x, np.ndarray):
        return x.reshape(-1, 1)
    for _ in range(2 - rank):
        x = ops.expand_dims(x, -1)
    return x
