"""VGG of 19 layers with weights."""

from __future__ import annotations

from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.signatures import Standard
from hornbeam.applications.vgg import vgg

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19: Standard = vgg("VGG19", 143_667_240, (2, 2, 4, 4, 4))
preprocess_input: Preprocessing = preprocessing("caffe")
