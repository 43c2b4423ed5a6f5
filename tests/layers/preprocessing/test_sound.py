"""Spectrograms, against NumPy's Fourier transform and the formulas."""

import numpy as np
import pytest
from scipy import signal

import hornbeam as keras
from tests.compilation import applied
from tests.layers.oracles import mel_bands, spectrum

layers = keras.layers
SOUND = np.random.default_rng(0).normal(size=(2, 100, 3)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def density(window):
    return window / np.sqrt(np.sum(window**2))


MODES = {
    "real": np.real,
    "imag": np.imag,
    "magnitude": np.abs,
    "log": lambda z: np.log(np.abs(z)),
    "psd": lambda z: np.abs(z) ** 2 * np.r_[1, np.full(z.shape[-1] - 2, 2), 1],
    "stft": lambda z: np.concatenate([z.real, z.imag], axis=-1),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes(mode, engine):
    x = SOUND.transpose(0, 2, 1)
    z = spectrum(x, 16, 8, 32, density(signal.get_window("hann", 16, False)))
    want = MODES[mode](z)
    layer = layers.STFTSpectrogram(
        mode, frame_length=16, fft_length=32, expand_dims=True
    )
    layer.build(SOUND.shape)
    got = numpy(applied(layer, SOUND))
    np.testing.assert_allclose(got, want.transpose(0, 2, 3, 1), rtol=1e-3, atol=1e-4)
    assert layer.compute_output_shape(SOUND.shape) == got.shape


def test_angle(engine):
    window = signal.get_window("hamming", 16) / signal.get_window("hamming", 16).sum()
    z = spectrum(SOUND.transpose(0, 2, 1), 16, 5, 16, window)
    layer = layers.STFTSpectrogram(
        "angle", 16, 5, window="hamming", periodic=True, scaling="spectrum"
    )
    layer.build(SOUND.shape)
    got = numpy(applied(layer, SOUND)).reshape(2, -1, 3, 9).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(np.cos(got), np.cos(np.angle(z)), atol=1e-2)


def test_arrangements_hold_the_same_numbers(python_only):
    options = {"frame_length": 16, "padding": "same"}
    first = {"data_format": "channels_first"}
    whole = numpy(layers.STFTSpectrogram(expand_dims=True, **options)(SOUND))
    batch, steps, sizes, channels = whole.shape
    assert (steps, sizes) == (13, 9)
    flat = numpy(layers.STFTSpectrogram(**options)(SOUND))
    want = whole.transpose(0, 1, 3, 2).reshape(batch, steps, -1)
    np.testing.assert_allclose(flat, want)
    x = SOUND.transpose(0, 2, 1)
    got = numpy(layers.STFTSpectrogram(expand_dims=True, **options, **first)(x))
    np.testing.assert_allclose(got, whole.transpose(0, 3, 1, 2))
    got = numpy(layers.STFTSpectrogram(**options, **first)(x))
    np.testing.assert_allclose(got, flat.transpose(0, 2, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "power"}, "mode"),
        ({"scaling": "none"}, "scaling"),
        ({"frame_length": 0}, "frame_length"),
        ({"frame_length": 8, "frame_step": 9}, "at most `frame_length`"),
        ({"frame_length": 8, "fft_length": 4}, "at least `frame_length`"),
        ({"frame_length": 8, "window": np.ones(7)}, r"shape \(8,\)"),
        ({"window": "none"}, "(?i)window name"),
    ],
)
def test_wrong_arguments_of_stft(arguments, message, python_only):
    with pytest.raises(ValueError, match=message):
        layers.STFTSpectrogram(**arguments)


def test_integers_are_no_sound(python_only):
    with pytest.raises(TypeError, match="expects floats"):
        layers.STFTSpectrogram(frame_length=8)(np.ones((1, 20, 1), "int32"))


def test_mel_bands(engine):
    x = np.random.default_rng(1).normal(size=(2, 900)).astype("float32")
    arguments = {
        "fft_length": 128,
        "sequence_stride": 40,
        "num_mel_bins": 6,
        "sampling_rate": 8000,
    }
    power = mel_bands(x.astype("float64"), 128, 40, 6, 8000, 20.0, 4000)
    layer = layers.MelSpectrogram(**arguments, power_to_db=False)
    got = numpy(applied(layer, x))
    np.testing.assert_allclose(got, power, rtol=1e-3)
    assert layer.compute_output_shape(x.shape) == got.shape
    layer = layers.MelSpectrogram(**arguments, top_db=6, ref_power=2.0)
    decibels = 10 * np.log10(power / 2)
    want = np.maximum(decibels, decibels.max() - 6)
    np.testing.assert_allclose(numpy(applied(layer, x)), want, rtol=1e-3)
    np.testing.assert_allclose(
        numpy(layer(x[0]))[:, :3].max(), want[0, :, :3].max(), rtol=1e-3
    )


def test_a_tone_is_in_its_band(engine):
    x = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000).astype("float32")
    layer = layers.MelSpectrogram(
        fft_length=256, num_mel_bins=20, sampling_rate=8000, mag_exp=1.0
    )
    got = numpy(applied(layer, x)).mean(1)
    edges = np.linspace(*(1127 * np.log1p(np.array([20, 4000]) / 700)), 22)
    want = np.searchsorted(edges, 1127 * np.log1p(1000 / 700))
    assert abs(int(got.argmax()) - (want - 1)) <= 1


def test_wrong_lengths_of_mel(python_only):
    with pytest.raises(ValueError, match="at least `sequence_length`"):
        layers.MelSpectrogram(fft_length=16, sequence_length=32)
    with pytest.raises(ValueError, match="num_mel_bins"):
        layers.MelSpectrogram(num_mel_bins=0)
