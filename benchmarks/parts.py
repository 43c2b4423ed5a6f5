"""Layers, optimizer steps and ways to feed `fit` alone, beside Keras and by hand.

    python benchmarks/parts.py [--engine jax] [--only dense] [--rounds 7]

hornbeam, Keras and the engine's own code take turns in one process; the table has the
median milliseconds and the medians of the ratios round by round.
"""

import argparse
import functools
import os
import statistics
import time

import numpy as np

# units: 7 and 50 million parameters
_DENSE = {"7M": 2646, "50M": 7071}
_SHAPES = {2: (64,), 3: (8, 8), 4: (4, 4, 4)}


def tensor(keras, *shape):
    return keras.ops.convert_to_tensor(
        np.random.default_rng(0).standard_normal(shape, dtype="float32")
    )


def ready(value, engine):
    """Wait until the engine has computed a value."""
    if engine == "jax":
        import jax

        jax.block_until_ready(value)
    elif engine == "tensorflow" and hasattr(value, "numpy"):
        value.numpy()
    return value


def dense(keras, engine, rank, size):
    """A call of a Dense layer as it is."""
    units = _DENSE[size]
    layer = keras.layers.Dense(units)
    x = tensor(keras, *_SHAPES[rank], units)
    layer(x)
    return lambda: ready(layer(x), engine)


def dense_by_hand(keras, engine, rank, size):
    """The product and the sum of the engine."""
    units = _DENSE[size]
    x = tensor(keras, *_SHAPES[rank], units)
    kernel, bias = tensor(keras, units, units), tensor(keras, units)
    if engine == "torch":
        import torch

        kernel = kernel.T.contiguous()
        return lambda: torch.nn.functional.linear(x, kernel, bias)
    if engine == "tensorflow":
        import tensorflow as tf

        return lambda: ready(tf.tensordot(x, kernel, 1) + bias, engine)
    import jax

    product = jax.jit(lambda x, kernel, bias: x @ kernel + bias)
    return lambda: ready(product(x, kernel, bias), engine)


def layer(keras, engine, name, arguments=(), **options):
    """A layer forward and backward in a compiled call, 2 million elements."""
    made = getattr(keras.layers, name)(*arguments)
    x = tensor(keras, 2048, 1024)
    made(x, **options)

    def loss(x):
        return keras.ops.sum(keras.ops.square(made(x, **options)))

    if engine == "jax":
        return _jax_gradient(keras, made, x, options)
    if engine == "torch":
        x.requires_grad_()

        def step():
            x.grad = None
            loss(x).backward()

        return step
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x)
        return tape.gradient(value, x)

    return lambda: ready(gradient(x), engine)


def _jax_gradient(keras, made, x, options):
    import jax

    weights = [v.value for v in made.trainable_variables]
    others = [v.value for v in made.non_trainable_variables]

    def loss(x, weights, others):
        y, _ = made.stateless_call(weights, others, x, **options)
        return keras.ops.sum(y * y)

    gradient = jax.jit(jax.grad(loss))
    return lambda: ready(gradient(x, weights, others), "jax")


def optimizer(keras, engine, name, count, tensors):
    """One step of an optimizer on `count` numbers in so many tensors."""
    shape = (count // tensors,)
    variables = [keras.Variable(np.zeros(shape, "float32")) for _ in range(tensors)]
    gradients = [tensor(keras, *shape) * 1e-3 for _ in range(tensors)]
    made = getattr(keras.optimizers, name)(1e-3)
    made.build(variables)

    def step():
        made.apply(gradients, variables)
        ready(variables[-1].value, engine)

    step()
    return step


def fed(keras, engine, callbacks=0, generator=False):
    """An epoch of 100 small batches, from a generator or with callbacks."""
    inputs = keras.Input((32,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    x, y = np.ones((3200, 32), "float32"), np.ones((3200, 1), "float32")

    class Counts(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    def batches():
        for begin in range(0, 3200, 32):
            yield x[begin : begin + 32], y[begin : begin + 32]

    def epoch():
        made = [Counts() for _ in range(callbacks)]
        if generator:
            model.fit(batches(), verbose=0, callbacks=made)
        else:
            model.fit(x, y, batch_size=32, verbose=0, callbacks=made)

    epoch()
    return epoch


def cases():
    """Return `{name: (function, function by hand or None)}`."""
    found = {}
    for rank in _SHAPES:
        for size in _DENSE:
            options = {"rank": rank, "size": size}
            found[f"dense {size} rank {rank}"] = (
                functools.partial(dense, **options),
                functools.partial(dense_by_hand, **options),
            )
    training = {"training": True}
    for name, options in (
        ("Dropout", {"arguments": (0.5,), **training}),
        ("LayerNormalization", {}),
        ("BatchNormalization", training),
    ):
        found[name] = functools.partial(layer, name=name, **options), None
    for name in ("Adam", "Adamax", "SGD"):
        for count, tensors in ((10**7, 10), (10**8, 10), (10**7, 2000)):
            part = functools.partial(optimizer, name=name, count=count, tensors=tensors)
            found[f"{name} {count // 10**6}M in {tensors}"] = part, None
    for count in (0, 1, 5):
        found[f"fit, {count} callbacks"] = functools.partial(fed, callbacks=count), None
    found["fit, generator"] = functools.partial(fed, generator=True), None
    return found


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="jax")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = os.environ["HORNBEAM_BACKEND"] = options.engine
    import keras

    import hornbeam

    for name, (function, by_hand) in cases().items():
        if options.only.lower() not in name.lower():
            continue
        makers = {"hornbeam": functools.partial(function, hornbeam)}
        makers["keras"] = functools.partial(function, keras)
        if by_hand:
            makers["hand"] = functools.partial(by_hand, keras)
        runs = {k: make(options.engine) for k, make in makers.items()}
        seconds = {k: [] for k in runs}
        for _ in range(options.rounds):
            for library, run in runs.items():
                started = time.perf_counter()
                run()
                seconds[library].append(time.perf_counter() - started)
        line = f"{name:24}"
        for library, found in seconds.items():
            pairs = zip(seconds["hornbeam"], found, strict=True)
            ratio = statistics.median(a / b for a, b in pairs)
            line += f"  {library} {1e3 * statistics.median(found):9.3f} ms"
            line += f" {ratio:6.3f}" if library != "hornbeam" else ""
        print(line, flush=True)


if __name__ == "__main__":
    main()
