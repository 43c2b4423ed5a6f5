"""DenseNet: what each block makes is put beside all that was before it."""

from __future__ import annotations

from hornbeam import layers
from hornbeam.applications.assembly import channel_axis, channels
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.resnet import convolution, normalized, rectified
from hornbeam.applications.signatures import Standard, standard

__all__ = [
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "decode_predictions",
    "preprocess_input",
]

_GROWTH = 32  # how many channels a block adds
_PAPER = (
    'Huang et al., "Densely connected convolutional networks", 2017, '
    "https://arxiv.org/abs/1608.06993"
)


def _block(x, name):
    """Put beside `x` what 1x1 and 3x3 convolutions make of it, normalised first."""
    new = rectified(normalized(x, f"{name}_0"), f"{name}_0_relu")
    new = convolution(new, 4 * _GROWTH, 1, f"{name}_1", use_bias=False)
    new = rectified(normalized(new, f"{name}_1"), f"{name}_1_relu")
    new = convolution(new, _GROWTH, 3, f"{name}_2", padding="same", use_bias=False)
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, new])


def _transition(x, name):
    """Halve the channels and the sides."""
    x = rectified(normalized(x, name), f"{name}_relu")
    x = convolution(x, channels(x) // 2, 1, name, use_bias=False)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def densenet(title: str, parameters: int, blocks: tuple[int, ...]) -> Standard:
    """Return the public function of a DenseNet with so many blocks in each stage."""

    def trunk(x):
        x = convolution(layers.ZeroPadding2D(3)(x), 64, 7, "conv1", 2, use_bias=False)
        x = rectified(normalized(x, "conv1"), "conv1_relu")
        x = layers.MaxPooling2D(3, 2, name="pool1")(layers.ZeroPadding2D(1)(x))
        for stage, number in enumerate(blocks, 2):
            for i in range(number):
                x = _block(x, f"conv{stage}_block{i + 1}")
            if stage < len(blocks) + 1:
                x = _transition(x, f"pool{stage}")
        x = layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name="bn")(
            x
        )
        return rectified(x, "relu")

    return standard(title, parameters, trunk, paper=_PAPER)


DenseNet121: Standard = densenet("DenseNet121", 8_062_504, (6, 12, 24, 16))
DenseNet169: Standard = densenet("DenseNet169", 14_307_880, (6, 12, 32, 32))
DenseNet201: Standard = densenet("DenseNet201", 20_242_984, (6, 12, 48, 32))
preprocess_input: Preprocessing = preprocessing("torch")
