"""The result of `vectorize`: a function mapped over the leading axes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hornbeam.ops.control import vectorized_map
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import broadcast_shapes
from hornbeam.ops.shaping import broadcast_to, reshape


class Vectorized:
    """`pyfunc` over the leading axes of its arguments, broadcast to each other."""

    def __init__(
        self, pyfunc: Callable[..., Any], excluded: Any, signature: str | None
    ) -> None:
        self.pyfunc = pyfunc
        self.excluded = excluded
        # The number of axes that belong to each argument: "(n,k),(k)" gives [2, 1].
        self.core: list[int] | None = None
        if signature is not None:
            groups = re.findall(r"\(([^)]*)\)", signature.split("->")[0])
            self.core = [len(g.split(",")) if g.strip() else 0 for g in groups]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mapped = [i for i in range(len(args)) if i not in self.excluded]
        tensors = [convert_to_tensor(args[i]) for i in mapped]
        ranks = self.core or [0] * len(tensors)
        if len(ranks) != len(tensors):
            raise ValueError(
                f"The signature names {len(ranks)} arguments. "
                f"Received: {len(tensors)} arguments"
            )
        lead = ()
        for x, rank in zip(tensors, ranks, strict=True):
            lead = broadcast_shapes(lead, x.shape[: len(x.shape) - rank])

        def call(*elements):
            full = list(args)
            for i, element in zip(mapped, elements, strict=True):
                full[i] = element
            return self.pyfunc(*full, **kwargs)

        if not lead:
            return call(*tensors)
        rows = []
        for x, rank in zip(tensors, ranks, strict=True):
            core = tuple(x.shape[len(x.shape) - rank :])
            rows.append(reshape(broadcast_to(x, (*lead, *core)), (-1, *core)))
        result = vectorized_map(lambda elements: call(*elements), rows)
        return _unfolded(result, lead)


def _unfolded(result, lead):
    if isinstance(result, tuple | list):
        return type(result)(_unfolded(r, lead) for r in result)
    return reshape(result, (*lead, *result.shape[1:]))
