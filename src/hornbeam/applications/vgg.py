"""VGG: stages of 3x3 convolutions and pooling, then dense layers."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.applications.signatures import Standard, standard

# The number of filters of each stage.
_FILTERS = (64, 128, 256, 512, 512)
_PAPER = (
    'Simonyan and Zisserman, "Very deep convolutional networks for large-scale image '
    'recognition", 2015, https://arxiv.org/abs/1409.1556'
)


def vgg(title: str, parameters: int, convolutions: tuple[int, ...]) -> Standard:
    """Return the public function of a VGG with so many convolutions in each stage."""

    def trunk(x):
        for stage, number in enumerate(convolutions):
            name = f"block{stage + 1}"
            for i in range(number):
                x = layers.Conv2D(
                    _FILTERS[stage],
                    3,
                    padding="same",
                    activation="relu",
                    name=f"{name}_conv{i + 1}",
                )(x)
            x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        return x

    return standard(title, parameters, trunk, paper=_PAPER, top=_top)


def _top(x: Any, classes: int, activation: Any) -> Any:
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)
