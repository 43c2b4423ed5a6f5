"""The layer that puts numbers into bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hornbeam import ops
from hornbeam.core import adaptations
from hornbeam.core.errors import check_choice
from hornbeam.layers.preprocessing import adapt_data, encoding
from hornbeam.layers.preprocessing.data_layer import DataLayer
from hornbeam.layers.preprocessing.quantiles import QuantileSummary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from hornbeam.graph.keras_tensor import KerasTensor
    from hornbeam.typing import Config, DTypePolicyLike, InputShape, Tensor

_MODES = ("int", *encoding.VECTOR_MODES)


class Discretization(DataLayer):
    """Returns the index of the bin that each number falls into.

    Bin `i` holds `boundaries[i - 1] <= x < boundaries[i]`; the first and the last have
    no end. NaN falls into the last. The boundaries are given, or `adapt(data)` finds
    those that part the data into bins of equal counts.

    Args:
        bin_boundaries: rising numbers, which part one bin more.
        num_bins: how many bins `adapt` makes; instead of `bin_boundaries`.
        epsilon: how far the rank of a boundary may be from the wanted one, as a
            fraction of the number of values. Up to four million values `adapt` is
            exact. Defaults to 0.01.
        output_mode: "int" (default): the index; "one_hot", "multi_hot" or "count":
            vectors of the size of the number of bins, as `CategoryEncoding` makes them.
        sparse: whether the vectors are a sparse tensor, on engines that have them.
            Defaults to False.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    >>> [int(i) for i in layer(np.array([-1.5, 1.0, 3.4, 0.5]))]
    [0, 2, 3, 1]
    >>> layer = keras.layers.Discretization(num_bins=2)
    >>> layer.adapt(np.arange(1, 7))
    >>> layer.bin_boundaries
    [3.0]
    """

    _is_stateless = True

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: DTypePolicyLike = None,
        name: str | None = None,
    ) -> None:
        # Indices of bins are integers: what is computed with is not.
        super().__init__(name=name, dtype=dtype)
        self.autocast = False
        if bin_boundaries is None and num_bins is None:
            raise ValueError(
                "Discretization needs `num_bins`, for `adapt(data)` to find the "
                "boundaries, or `bin_boundaries`. Received neither."
            )
        if bin_boundaries is not None and num_bins is not None:
            raise ValueError(
                "Arguments `num_bins` and `bin_boundaries` of Discretization exclude "
                f"each other. Received: num_bins={num_bins} and "
                f"bin_boundaries={bin_boundaries}"
            )
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                "Argument `num_bins` of Discretization must be at least 0. Received: "
                f"num_bins={num_bins}"
            )
        if not 0 < epsilon < 1:
            raise ValueError(
                "Argument `epsilon` of Discretization must lie between 0 and 1. "
                f"Received: epsilon={epsilon}"
            )
        self.bin_boundaries = bin_boundaries
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode: str = check_choice(
            "Discretization", "output_mode", output_mode, _MODES
        )
        if sparse and output_mode == "int":
            raise ValueError(
                "Argument `sparse` of Discretization needs `output_mode` 'one_hot', "
                "'multi_hot' or 'count'. Received: sparse=True and output_mode='int'"
            )
        self.sparse = sparse
        self.reset_state()

    @property
    def bin_boundaries(self) -> list[float] | None:
        """The boundaries of the bins, None before they are known."""
        return self._bin_boundaries

    @bin_boundaries.setter
    def bin_boundaries(self, boundaries: Sequence[float] | None) -> None:
        self._bin_boundaries = _checked(boundaries)
        adaptations.note()

    @property
    def input_dtype(self) -> str:
        """The dtype of numbers that the layer takes: floats."""
        return "float32"

    @property
    def output_dtype(self) -> str:
        """The dtype of what the layer returns: int32 for indices."""
        dtype = self.compute_dtype
        return "int32" if self.output_mode == "int" and "int" not in dtype else dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find the boundaries of `data`, in one pass and in bounded memory.

        Args:
            data: an array, tensor or frame, or an iterable of batches: a PyDataset, a
                generator, a dataset of another library. Of a batch that is a tuple the
                first part is taken. NaN is left out.
            steps: the number of batches to read. Default: all.
        """
        self._check_adapts()
        summary = QuantileSummary(self.epsilon)
        for part in adapt_data.batches(self, data, steps):
            summary.add(self._numbers(part))
        self._summary = summary
        self.finalize_state()

    def _check_adapts(self):
        if self.num_bins is None:
            raise ValueError(
                f"Discretization layer {self.path!r} cannot `adapt`: it was made with "
                "`bin_boundaries`. Use `num_bins` instead to find them from data."
            )

    def _numbers(self, part):
        return adapt_data.numbers(self, part).astype("float32")

    def update_state(self, data: Any) -> None:
        """Add values, for `finalize_state` to find the boundaries of them all.

        Args:
            data: an array or tensor.
        """
        self._check_adapts()
        self._summary.add(self._numbers(data))

    def finalize_state(self) -> None:
        """Set the boundaries by what was added; without values they stay."""
        if self.num_bins is None:
            return
        values, _ = self._summary.points
        if len(values):
            self.bin_boundaries = self._summary.boundaries(self.num_bins)

    def reset_state(self) -> None:
        """Forget the values that were added."""
        self._summary = QuantileSummary(self.epsilon)

    @property
    def summary(self) -> np.ndarray[Any, Any]:
        """What was added, as sorted values and how many values each stands for."""
        return np.stack(self._summary.points).astype("float32")

    def call(self, inputs: Tensor) -> Tensor:
        """Return the indices of the bins, or vectors by them."""
        boundaries = self._known_boundaries()
        x = inputs
        if "float" not in ops.dtype(x):
            x = ops.cast(x, "float32")
        edges = ops.convert_to_tensor(np.asarray(boundaries, "float32"), "float32")
        indices = ops.digitize(ops.cast(x, "float32"), edges)
        # Engines disagree about the order of NaN.
        indices = ops.where(ops.isnan(x), len(boundaries), indices)
        if self.output_mode == "int":
            return ops.cast(indices, self.output_dtype)
        return encoding.encode(
            indices,
            len(boundaries) + 1,
            self.output_mode,
            self.output_dtype,
            self.sparse,
        )

    def _known_boundaries(self):
        if self.bin_boundaries is None:
            raise ValueError(
                f"Discretization layer {self.path!r} has no boundaries yet. Call "
                "`adapt(data)` first, or pass `bin_boundaries` when you make it."
            )
        return self.bin_boundaries

    def _depth(self):
        if self.bin_boundaries is not None:
            return len(self.bin_boundaries) + 1
        return self.num_bins

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return the shape of the indices, or of the vectors."""
        return encoding.encoded_shape(input_shape, self._depth(), self.output_mode)

    def compute_output_spec(self, inputs: Any) -> KerasTensor:
        """Return the symbol of the indices, or of the vectors."""
        return encoding.encoded_spec(
            inputs, self._depth(), self.output_mode, self.output_dtype, self.sparse
        )

    def load_own_variables(self, store: Any) -> None:
        """Do nothing: the boundaries are in the config."""

    def get_config(self) -> Config:
        """Return the config.

        Written by hand because the boundaries that `adapt` found are part of it.
        """
        config = super().get_config()
        del config["trainable"]
        if self.bin_boundaries is not None:
            config["bin_boundaries"] = list(self.bin_boundaries)
        return config

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make the layer from a config, with the boundaries that `adapt` had found."""
        config = dict(config)
        if config.get("num_bins") is None or config.get("bin_boundaries") is None:
            return super().from_config(config)
        boundaries = config.pop("bin_boundaries")
        layer = super().from_config(config)
        layer.bin_boundaries = boundaries
        return layer


def _checked(boundaries):
    """Return boundaries as a list of floats, or None; they must not fall."""
    if boundaries is None:
        return None
    boundaries = [float(b) for b in boundaries]
    if any(b < a for a, b in zip(boundaries, boundaries[1:], strict=False)):
        raise ValueError(
            "Argument `bin_boundaries` of Discretization must be in rising order. "
            f"Received: bin_boundaries={boundaries}"
        )
    return boundaries
