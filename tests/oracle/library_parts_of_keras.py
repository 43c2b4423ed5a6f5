"""Private parts of Keras that libraries use."""

import numpy as np


def read_store(keras, path):
    """Return the arrays of a store that hornbeam wrote."""
    from keras.src.saving.saving_lib import H5IOStore

    store = H5IOStore(path, mode="r")
    read = [np.array(store.get("lora")["rank"])]
    read.append(np.array(store.get("lora/3")["kernel"]))
    store.close()
    return read


def write_store(keras, path):
    """Write a store for hornbeam to read."""
    from keras.src.saving.saving_lib import H5IOStore

    store = H5IOStore(path, mode="w")
    store.make("lora")["rank"] = 2
    store.make("lora/3")["kernel"] = keras.Variable([[1.0, 2.0]])
    store.close()


def weights_of_classes(keras, labels, class_weight):
    """Return the sample weights of Keras."""
    from keras.src.trainers.data_adapters.data_adapter_utils import (
        class_weight_to_sample_weights,
    )

    return np.asarray(class_weight_to_sample_weights(labels, class_weight))


def attended(keras, query, key, value, mask, shape):
    """Return attention between projected inputs, and its weights."""
    layer = keras.layers.MultiHeadAttention(2, 3)
    layer.build(shape, shape)
    outputs, weights = layer._compute_attention(
        *(keras.ops.array(x) for x in (query, key, value)),
        attention_mask=keras.ops.array(mask),
        return_attention_scores=True,
    )
    return keras.ops.convert_to_numpy(outputs), keras.ops.convert_to_numpy(weights)
