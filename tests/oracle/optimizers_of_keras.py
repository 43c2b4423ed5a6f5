"""For test_optimizers.py: what Keras' optimizers do with given gradients."""

import json

import numpy as np


def run(keras, name, arguments, start, gradients):
    optimizer = getattr(keras.optimizers, name)(**arguments)
    variables = [keras.Variable(w, name=f"w{i}") for i, w in enumerate(start)]
    optimizer.build(variables)
    for step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], variables)
    store = {}
    optimizer.save_own_variables(store)
    return {
        # Plain data: Keras has tracked lists in it.
        "config": json.loads(json.dumps(optimizer.get_config())),
        "variables": [np.array(v.numpy()) for v in variables],
        "names": [v.name for v in optimizer.variables],
        "store": {key: np.array(value) for key, value in store.items()},
    }


def of_keras(keras, cases, start, gradients):
    return [run(keras, *case, start, gradients) for case in cases]
