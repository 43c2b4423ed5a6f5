"""The network that an estimator makes where it was given none."""


def default_network(
    meta,
    hidden_layer_sizes=(100,),
    activation="relu",
    dropout_rate=0.0,
    l2=0.0,
):
    """Return a multi-layer perceptron on standardised features.

    Args:
        meta: what the estimator learned from the data.
        hidden_layer_sizes: units of the hidden layers. Default: (100,).
        activation: of the hidden layers. Default: "relu".
        dropout_rate: the fraction of hidden units left out in training. Default: 0.
        l2: the weight of the squares of the kernels in the loss. Default: 0.
    """
    from hornbeam import Input, Model, layers, regularizers

    shape = meta["X_shape_"][1:]
    inputs = Input(shape)
    x = layers.Normalization()(inputs)
    if len(shape) > 1:
        x = layers.Flatten()(x)
    for units in hidden_layer_sizes:
        regularizer = regularizers.L2(l2) if l2 else None
        x = layers.Dense(units, activation, kernel_regularizer=regularizer)(x)
        if dropout_rate:
            x = layers.Dropout(dropout_rate)(x)
    outputs = [layers.Dense(u, a)(x) for u, a in meta["output_layers_"]]
    return Model(inputs, outputs if len(outputs) > 1 else outputs[0])
