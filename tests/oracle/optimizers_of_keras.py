"""Run by test_optimizers.py: what Keras' optimizers do with given gradients."""

import json
import pickle
import sys

import keras
import numpy as np


def run(name, arguments, start, gradients):
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
        "variables": [np.asarray(v) for v in variables],
        "names": [v.name for v in optimizer.variables],
        "store": {key: np.asarray(value) for key, value in store.items()},
    }


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        cases, start, gradients = pickle.load(file)
    results = [run(*case, start, gradients) for case in cases]
    with open(sys.argv[2], "wb") as file:
        pickle.dump(results, file)
