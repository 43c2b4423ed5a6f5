"""ResNet50, in the namespace where Keras has it too."""

from hornbeam.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
