"""The networks of estimators without a `model`."""

from __future__ import annotations

from typing import Any

from hornbeam import Input, Model, layers, regularizers
from hornbeam.wrappers.distinct_rows import moments


def default_network(
    meta: Any,
    hidden_layer_sizes: Any = (100,),
    activation: Any = "relu",
    dropout_rate: float = 0.0,
    l2: float = 0.0,
) -> Any:
    """Return a multi-layer perceptron on standardised features.

    Args:
        meta: what the estimator learned from the data.
        hidden_layer_sizes: units of the hidden layers. Default: (100,).
        activation: of the hidden layers. Default: "relu".
        dropout_rate: the fraction of hidden units left out in training. Default: 0.
        l2: the weight of the squares of the kernels in the loss. Default: 0.
    """
    inputs, x = _standardised(meta)
    for units in hidden_layer_sizes:
        regularizer = regularizers.L2(l2) if l2 else None
        x = layers.Dense(units, activation, kernel_regularizer=regularizer)(x)
        if dropout_rate:
            x = layers.Dropout(dropout_rate)(x)
    outputs = [layers.Dense(u, a)(x) for u, a in meta["output_layers_"]]
    return Model(inputs, outputs if len(outputs) > 1 else outputs[0])


def default_autoencoder(
    meta: Any,
    n_components: int = 2,
    hidden_layer_sizes: Any = (100,),
    activation: Any = "relu",
) -> Any:
    """Return a network that gives back its input through a layer of few units.

    Args:
        meta: what the estimator learned from the data.
        n_components: units of that layer. Default: 2.
        hidden_layer_sizes: units of the layers before it; those behind it mirror them.
            Default: (100,).
        activation: of the hidden layers. Default: "relu".
    """
    inputs, x = _standardised(meta)
    for units in hidden_layer_sizes:
        x = layers.Dense(units, activation)(x)
    x = layers.Dense(n_components, name=ENCODING)(x)
    for units in reversed(hidden_layer_sizes):
        x = layers.Dense(units, activation)(x)
    ((units, last),) = meta["output_layers_"]
    return Model(inputs, layers.Dense(units, last)(x))


def standardise(model: Any, X: Any, weight: Any = None) -> None:
    """Let a default network standardise features such as `X`.

    Args:
        model: the network.
        X: the features.
        weight: weights of the rows. Default: None, all equal.
    """
    layer = model.layers[1]
    mean, variance = moments(X, weight)
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(variance)


# The layer whose output is what a default KerasTransformer gives.
ENCODING = "encoding"


def _standardised(meta):
    shape = meta["X_shape_"][1:]
    inputs = Input(shape)
    x = layers.Normalization()(inputs)
    return inputs, layers.Flatten()(x) if len(shape) > 1 else x
