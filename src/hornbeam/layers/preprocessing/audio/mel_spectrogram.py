"""Spectrograms on the mel scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hornbeam import ops
from hornbeam.core.errors import check_choice
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing.data_layer import DataLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DTypeLike, InputShape, Tensor, TensorLike


class MelSpectrogram(DataLayer):
    """Turns sound into the energy of mel bands over time.

    The magnitudes of a short-time Fourier transform, to the power `mag_exp`, are summed
    in triangular bands that are equally wide on the mel scale
    `m = 1127 ln(1 + f / 700 Hz)`, as Young et al., "The HTK Book", section 5.4, define
    them. With `power_to_db` the result is `10 log10(S / ref_power)`, cut off `top_db`
    below its largest value.

    Args:
        fft_length: the size of a transform. Defaults to 2048.
        sequence_stride: samples between the starts of windows. Defaults to 512.
        sequence_length: the length of a window. Default: `fft_length`.
        window: "hann" (default), "hamming", an array of `sequence_length` weights, or
            None.
        sampling_rate: samples per second. Defaults to 16000.
        num_mel_bins: the number of bands. Defaults to 128.
        min_freq: the lower end of the lowest band, in Hz. Defaults to 20.
        max_freq: the upper end of the highest band. Default: `sampling_rate / 2`.
        power_to_db: whether the result is in decibels. Defaults to True.
        top_db: the range of the result in decibels, below the largest value of all
            inputs of a call; None: no limit. Defaults to 80.
        mag_exp: the exponent of the magnitudes. Defaults to 2: power.
        min_power: smaller powers count as this. Defaults to 1e-10.
        ref_power: the power of 0 dB. Defaults to 1.

    Input: `(samples,)` or `(batch, samples)`. Output: `(num_mel_bins, time)` or
    `(batch, num_mel_bins, time)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MelSpectrogram(
    ...     num_mel_bins=64, sampling_rate=8000, sequence_stride=256
    ... )
    >>> tuple(layer(keras.random.uniform((16000,), seed=1)).shape)
    (64, 63)
    """

    _is_stateless = True

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float | None = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length: int = positive_integer(self, "fft_length", fft_length)
        self.sequence_stride: int = positive_integer(
            self, "sequence_stride", sequence_stride
        )
        self.sequence_length: int = positive_integer(
            self, "sequence_length", sequence_length or fft_length
        )
        if self.fft_length < self.sequence_length:
            raise ValueError(
                "Argument `fft_length` of MelSpectrogram must be at least "
                f"`sequence_length`. Received: fft_length={fft_length}, "
                f"sequence_length={sequence_length}"
            )
        if isinstance(window, str):
            check_choice("MelSpectrogram", "window", window, ("hann", "hamming"))
        self.window = window
        self.sampling_rate: int = positive_integer(self, "sampling_rate", sampling_rate)
        self.num_mel_bins: int = positive_integer(self, "num_mel_bins", num_mel_bins)
        self.min_freq = min_freq
        self.max_freq: float = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power

    def call(self, inputs: Tensor) -> Tensor:
        """Return the spectrograms of the inputs."""
        dtype = "float64" if inputs.dtype == "float64" else "float32"
        x = ops.cast(inputs, dtype)
        real, imaginary = ops.stft(
            x,
            self.sequence_length,
            self.sequence_stride,
            self.fft_length,
            window=self.window,
        )
        power = ops.square(real) + ops.square(imaginary)
        if self.mag_exp != 2:
            power = ops.power(ops.sqrt(power), self.mag_exp)
        bands = ops.matmul(power, ops.convert_to_tensor(self._mel_weights(), dtype))
        if self.power_to_db:
            bands = self._decibels(bands)
        return ops.cast(ops.swapaxes(bands, -1, -2), self.compute_dtype)

    def _decibels(self, power):
        reference = max(abs(self.ref_power), self.min_power)
        decibels = 10.0 * (
            ops.log10(ops.maximum(power, self.min_power)) - float(np.log10(reference))
        )
        if self.top_db is None:
            return decibels
        return ops.maximum(decibels, ops.max(decibels) - self.top_db)

    def _mel_weights(self):
        return _mel_weights(
            self.num_mel_bins,
            self.fft_length // 2 + 1,
            self.sampling_rate,
            self.min_freq,
            self.max_freq,
        )

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: DTypeLike = "float32",
    ) -> TensorLike:
        """Return the matrix whose columns are the triangles of the bands.

        Args:
            num_mel_bins: the number of bands. Defaults to 20.
            num_spectrogram_bins: the number of frequencies from 0 to half the sampling
                rate. Defaults to 129.
            sampling_rate: samples per second. Defaults to 8000.
            lower_edge_hertz: the lower end of the lowest band. Defaults to 125.
            upper_edge_hertz: the upper end of the highest band. Defaults to 3800.
            dtype: the dtype of the matrix. Defaults to "float32".
        """
        weights = _mel_weights(
            num_mel_bins,
            num_spectrogram_bins,
            sampling_rate,
            lower_edge_hertz,
            upper_edge_hertz,
        )
        return ops.convert_to_tensor(weights, dtype)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return the shape: bands and windows instead of samples."""
        *lead, samples = input_shape
        around = 2 * (self.fft_length // 2) - self.fft_length
        steps = None
        if samples is not None:
            steps = 1 + (samples + around) // self.sequence_stride
        return (*lead, self.num_mel_bins, steps)


def _mel_weights(bands, frequencies, sampling_rate, low, high):
    """Return the triangles over the frequencies, in float64; the mean, 0 Hz, has 0."""

    def mel(hertz):
        return 1127.0 * np.log1p(np.asarray(hertz, "float64") / 700.0)

    places = mel(np.linspace(0.0, sampling_rate / 2, frequencies))[1:, None]
    edges = np.linspace(mel(low), mel(high), bands + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (places - left) / (centre - left)
    falling = (right - places) / (right - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.concatenate([np.zeros((1, bands)), triangles])
