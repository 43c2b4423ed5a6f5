"""The random states of the process: those of Python, NumPy and torch.

Our own draws do not use them. A user's data, callbacks and steps do, so a training that
is resumed puts them back.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np


def random_states(generators: Sequence[Any] = ()) -> dict[str, Any]:
    """Return the states of the process, and of torch generators, as plain data."""
    version, numbers, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state()
    states = {
        "python": [version, np.array(numbers, np.uint32), gauss],
        "numpy": [keys, int(position), int(has_gauss), float(cached)],
        "generators": [one.get_state().numpy() for one in generators],
    }
    torch = _torch()
    if torch is not None:
        states["torch"] = torch.get_rng_state().numpy()
        if torch.cuda.is_initialized():
            states["cuda"] = [x.numpy() for x in torch.cuda.get_rng_state_all()]
    return states


def set_random_states(states: dict[str, Any], generators: Sequence[Any] = ()) -> None:
    """Put back what `random_states` returned; `{}` leaves them as they are."""
    if not states:
        return
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers.tolist()), gauss))
    np.random.set_state(("MT19937", *states["numpy"]))
    torch = _torch()
    if torch is None:
        return
    # A state that was read from a file is not writeable, which torch does not like.
    as_tensor = lambda state: torch.from_numpy(np.array(state, np.uint8))  # noqa: E731
    for generator, state in zip(generators, states["generators"], strict=True):
        generator.set_state(as_tensor(state))
    if states.get("torch") is not None:
        torch.set_rng_state(as_tensor(states["torch"]))
    if torch.cuda.device_count() == len(states.get("cuda", ())) > 0:
        torch.cuda.set_rng_state_all([as_tensor(x) for x in states["cuda"]])


def _torch():
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "set_rng_state") else None
