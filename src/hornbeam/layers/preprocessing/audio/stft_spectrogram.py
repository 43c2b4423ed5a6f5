"""Spectrograms whose Fourier transform can be trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import get_window

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.core.errors import check_choice
from hornbeam.layers.arguments import padding_mode, positive_integer
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.preprocessing.data_layer import DataLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.core.variable import Variable
    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, InputShape, Tensor

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_SCALINGS = (None, "density", "spectrum")


class STFTSpectrogram(DataLayer):
    """Returns the short-time Fourier transform of sound, as a convolution.

    The kernels are the windowed cosines `w[t] cos(a t)` and sines `-w[t] sin(a t)`, for
    `fft_length // 2 + 1` angles `a` evenly spaced from 0 to pi. They are weights: a
    trainable layer learns better ones.

    Args:
        mode: what is returned: "log" (default; the logarithm of the magnitude),
            "magnitude", "psd" (the power of both sides of the spectrum), "real",
            "imag", "angle" (in radians) or "stft" (the real and then the imaginary
            parts).
        frame_length: the length of a window in samples. Defaults to 256.
        frame_step: samples between the starts of windows, at most `frame_length`.
            Default: `frame_length // 2`.
        fft_length: has `fft_length // 2 + 1` frequencies. Default: the smallest power
            of two that is at least `frame_length`.
        window: the name of a window of `scipy.signal`, such as "hann" (default) or
            "hamming"; an array of `frame_length` weights; or None.
        periodic: whether a window by name is periodic. Defaults to False: symmetric.
        scaling: "density" (default; the squared weights of the window have the sum 1),
            "spectrum" (its weights have the sum 1) or None.
        padding: "valid" (default) or "same".
        expand_dims: whether frequencies have an axis of their own, apart from channels.
            Defaults to False.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.

    Input: `(batch, samples, channels)`, or `(batch, channels, samples)` if channels
    come first. Output: `(batch, time, channels * frequencies)`, and with `expand_dims`
    `(batch, time, frequencies, channels)`; or if channels come first
    `(batch, channels * frequencies, time)` and
    `(batch, channels, time, frequencies)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.STFTSpectrogram(frame_length=256, fft_length=512)
    >>> tuple(layer(keras.random.uniform((3, 16000, 1), seed=1)).shape)
    (3, 124, 257)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.mode: str = check_choice("STFTSpectrogram", "mode", mode, _MODES)
        self.frame_length: int = positive_integer(self, "frame_length", frame_length)
        self.frame_step = frame_step
        self.fft_length = fft_length
        self._step = frame_length // 2 or 1 if frame_step is None else frame_step
        self._size = fft_length or 1 << (frame_length - 1).bit_length()
        self._check_lengths()
        self.window = window
        self.periodic = periodic
        self.scaling: str | None = check_choice(
            "STFTSpectrogram", "scaling", scaling, _SCALINGS
        )
        self.padding: Any = padding_mode(self, padding)
        self.expand_dims = expand_dims
        self.data_format: DataFormat = standardize_data_format(data_format)
        self._weights_of_window()
        self.input_spec = InputSpec(ndim=3)

    def _check_lengths(self):
        positive_integer(self, "frame_step", self._step)
        positive_integer(self, "fft_length", self._size)
        if self._step > self.frame_length:
            raise ValueError(
                "Argument `frame_step` of STFTSpectrogram must be at most "
                f"`frame_length`. Received: frame_step={self._step}, "
                f"frame_length={self.frame_length}"
            )
        if self._size < self.frame_length:
            raise ValueError(
                "Argument `fft_length` of STFTSpectrogram must be at least "
                f"`frame_length`. Received: fft_length={self._size}, "
                f"frame_length={self.frame_length}"
            )

    def build(self, input_shape: InputShape) -> None:
        """Make the kernels: the real and the imaginary one, as the mode needs them."""
        frequencies = np.linspace(0, np.pi, self._size // 2 + 1)
        angles = np.outer(np.arange(self.frame_length), frequencies)
        weights = self._weights_of_window()[:, None]
        values = {"real": weights * np.cos(angles), "imag": -weights * np.sin(angles)}
        for part in self._parts():
            kernel = self.add_weight(
                name=f"{part}_kernel",
                shape=(self.frame_length, 1, self._size // 2 + 1),
                initializer=lambda shape, dtype, part=part: ops.convert_to_tensor(
                    values[part].reshape(shape), dtype
                ),
            )
            setattr(self, f"{part}_kernel", kernel)

    if TYPE_CHECKING:
        real_kernel: Variable
        imag_kernel: Variable

    def _parts(self):
        return (self.mode,) if self.mode in ("real", "imag") else ("real", "imag")

    def _weights_of_window(self):
        """Return the weights of the window in float64."""
        if self.window is None:
            weights = np.ones(self.frame_length)
        elif isinstance(self.window, str):
            weights = get_window(self.window, self.frame_length, self.periodic)
        else:
            weights = np.asarray(self.window, dtype="float64")
        if weights.shape != (self.frame_length,):
            raise ValueError(
                "Argument `window` of STFTSpectrogram must have `frame_length` "
                f"weights, of shape ({self.frame_length},). Received: shape="
                f"{weights.shape}"
            )
        if self.scaling == "density":
            return weights / np.sqrt(np.sum(weights**2))
        return weights / np.sum(weights) if self.scaling == "spectrum" else weights

    def call(self, inputs: Tensor) -> Tensor:
        """Return the spectrograms of the inputs."""
        if "float" not in ops.dtype(inputs):
            raise TypeError(
                f"Layer {self.path!r} (STFTSpectrogram) expects floats. Received: "
                f"inputs of dtype {ops.dtype(inputs)}. Convert them, for example with "
                '`x.astype("float32")`.'
            )
        x = ops.cast(inputs, self.compute_dtype)
        if self.data_format == "channels_last":
            x = ops.swapaxes(x, 1, 2)
        _, channels, samples = x.shape
        # Each channel on its own: the same kernels for all of them.
        x = ops.reshape(x, (-1, samples or ops.shape(x)[2], 1))
        kernels = [
            self.convert_weight(getattr(self, f"{part}_kernel"))
            for part in self._parts()
        ]
        kernel = ops.concatenate(kernels, axis=-1) if len(kernels) > 1 else kernels[0]
        y = ops.conv(
            x, kernel, self._step, padding=self.padding, data_format="channels_last"
        )
        y = self._output(y)
        _, steps, size = y.shape
        y = ops.reshape(y, (-1, channels, steps or ops.shape(y)[1], size))
        return self._arranged(y, channels * size)

    def _output(self, y):
        if self.mode in ("real", "imag", "stft"):
            return y
        real, imaginary = ops.split(y, 2, axis=-1)
        if self.mode == "angle":
            return ops.arctan2(imaginary, real)
        power = ops.square(real) + ops.square(imaginary)
        if self.mode == "psd":
            # Negative frequencies count with the positive ones.
            sides = np.full(power.shape[-1], 2.0)
            sides[[0, -1]] = 1.0
            return power * ops.convert_to_tensor(sides, power.dtype)
        # Away from 0, where the slope of the square root is infinite.
        power = ops.maximum(power, 1e-7)
        return ops.sqrt(power) if self.mode == "magnitude" else 0.5 * ops.log(power)

    def _arranged(self, y, size):
        """Bring (batch, channels, time, frequencies) into the shape of the outputs."""
        first = self.data_format == "channels_first"
        if self.expand_dims:
            return y if first else ops.transpose(y, (0, 2, 3, 1))
        y = ops.transpose(y, (0, 1, 3, 2) if first else (0, 2, 1, 3))
        if first:
            return ops.reshape(y, (-1, size, y.shape[3] or ops.shape(y)[3]))
        return ops.reshape(y, (-1, y.shape[1] or ops.shape(y)[1], size))

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return the shape: windows and frequencies instead of samples."""
        first = self.data_format == "channels_first"
        batch, a, b = input_shape
        channels, samples = (a, b) if first else (b, a)
        steps = None
        if samples is not None and self.padding == "same":
            steps = -(-samples // self._step)
        elif samples is not None:
            steps = 1 + (samples - self.frame_length) // self._step
        size = (self._size // 2 + 1) * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            pair = (channels, steps, size) if first else (steps, size, channels)
            return (batch, *pair)
        total = None if channels is None else channels * size
        return (batch, total, steps) if first else (batch, steps, total)
