"""Where the axes of images lie: alone or in a batch, channels last or first."""

from __future__ import annotations

from typing import Any

from hornbeam.core.config import standardize_data_format
from hornbeam.typing import DataFormat


def spatial_axes(
    owner: str, images: Any, data_format: DataFormat | None, rank: int = 2
) -> tuple[int, int]:
    """Return the index of the first of the `rank` spatial axes and of the channels."""
    axes = len(images.shape)
    if axes not in (rank + 1, rank + 2):
        raise ValueError(
            f"Invalid images rank: {owner}() expects rank {rank + 1} (a single image) "
            f"or rank {rank + 2} (a batch of images). Received: "
            f"images.shape={tuple(images.shape)}"
        )
    if standardize_data_format(data_format) == "channels_last":
        return axes - rank - 1, axes - 1
    return axes - rank, axes - rank - 1
