"""The names of `keras.legacy.saving` under their older place."""

from hornbeam.legacy.saving import deserialize_keras_object as deserialize_keras_object
from hornbeam.legacy.saving import serialize_keras_object as serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
