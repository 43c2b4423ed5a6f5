"""The base of cropping and zero padding: amounts at both ends of each axis."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import spatial_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.reshaping.reshaping import Reshaping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from hornbeam.typing import DataFormat


BorderAmounts: TypeAlias = int | Sequence[int] | Sequence[Sequence[int]]


class Borders(Reshaping):
    """A layer that adds or removes `amounts` at the ends of the spatial axes."""

    rank = 0

    def keep_layout(self, data_format: DataFormat | None) -> None:
        """Store the layout, and expect inputs of the right rank."""
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def border_pairs(self, argument: str, value: Any) -> tuple[tuple[int, int], ...]:
        """Return one pair `(before, after)` for each spatial axis.

        An int stands for all ends, one int per axis for both ends of that axis.
        """
        argument_value = value
        if isinstance(value, numbers.Integral):
            value = (value,) * self.rank
        elif self.rank == 1:
            value = (value,)
        try:
            pairs = tuple(
                (int(v), int(v)) if isinstance(v, numbers.Integral) else _pair(v)
                for v in value
            )
        except (TypeError, ValueError):
            pairs = ()
        if len(pairs) != self.rank or any(amount < 0 for p in pairs for amount in p):
            forms = "an integer >= 0, a pair (before, after)"
            if self.rank > 1:
                forms = (
                    f"an integer >= 0, a tuple of {self.rank} integers, or a tuple of "
                    f"{self.rank} pairs (before, after)"
                )
            raise ValueError(
                f"Argument `{argument}` of {type(self).__name__} must be {forms}. "
                f"Received: {argument}={argument_value!r}"
            )
        return pairs

    def axes_and_amounts(
        self, pairs: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, tuple[int, int]]]:
        """Yield each spatial axis with its `(before, after)`."""
        return zip(spatial_axes(self.data_format, self.rank), pairs, strict=True)


def _pair(value):
    before, after = value
    return int(before), int(after)
