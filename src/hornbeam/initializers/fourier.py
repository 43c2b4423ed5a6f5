"""The kernel of a short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from hornbeam.core.errors import check_choice
from hornbeam.initializers.initializer import HostInitializer
from hornbeam.typing import TensorLike

_SIDES = {"real": np.cos, "imag": np.sin}
_SCALES: dict[str | None, Callable[[np.ndarray], Any]] = {
    None: lambda window: 1.0,
    "density": lambda window: np.sqrt(np.sum(window**2)),
    "spectrum": np.sum,
}


class STFT(HostInitializer):
    """The real or imaginary part of windowed Fourier waves, a convolution kernel.

    The shape is (frame length, 1, FFT length // 2 + 1); element [t, 0, f] is
    `window[t] * cos(-2 pi t f / FFT length)`, or that with sin.

    Args:
        side: "real" (default) or "imag".
        window: a name of `scipy.signal.get_window`, the values, or None for no window.
            Default: "hann".
        scaling: what the window is divided by: "density" (the root of the sum of its
            squares; default), "spectrum" (its sum) or None (1).
        periodic: whether a window that is named is periodic instead of symmetric.
            Default: False.

    >>> import hornbeam as keras
    >>> kernel = keras.initializers.STFT("imag")(shape=(128, 1, 65))
    >>> kernel.shape
    (128, 1, 65)
    """

    def __init__(
        self,
        side: Literal["real", "imag"] = "real",
        window: str | TensorLike | None = "hann",
        scaling: Literal["density", "spectrum"] | None = "density",
        periodic: bool = False,
    ) -> None:
        self.side: Literal["real", "imag"] = check_choice(
            "STFT", "side", side, tuple(_SIDES)
        )
        self.scaling: Literal["density", "spectrum"] | None = check_choice(
            "STFT", "scaling", scaling, tuple(_SCALES)
        )
        if isinstance(window, str):
            _named_window(window, 1, periodic)
        self.window = window
        self.periodic = periodic

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the kernel."""
        if len(shape) != 3:
            raise ValueError(
                "STFT needs a shape (frame length, 1, FFT length // 2 + 1). Received: "
                f"shape={shape}"
            )
        length, _, bins = shape
        time = np.arange(length).reshape(-1, 1, 1)
        frequency = np.arange(bins) / (2.0 * (bins - 1))
        waves = _SIDES[self.side](-2.0 * np.pi * time * frequency)
        if self.window is None:
            return waves
        window = self.window
        if isinstance(window, str):
            window = _named_window(window, length, self.periodic)
        window = np.asarray(window, dtype=np.float64)
        if window.shape != (length,):
            raise ValueError(
                "Argument `window` of STFT must be as long as the kernel. Expected "
                f"{length} values, received shape {window.shape}."
            )
        return waves * (window / _SCALES[self.scaling](window)).reshape(-1, 1, 1)


def _named_window(name, length, periodic):
    from scipy.signal import get_window

    return get_window(name, length, fftbins=periodic)
