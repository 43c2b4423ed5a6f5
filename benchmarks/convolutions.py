"""Convolutions of hornbeam and of Keras, shape by shape, in one process.

    python benchmarks/convolutions.py [--engine jax] [--only transpose] [--rounds 7]

Each line is a layer on one shape. The figures are milliseconds of processor time, the
medians of rounds in which the libraries take turns, and ours divided by Keras's:
`call` is a layer called as it is, `forward` a compiled call, `gradients` a compiled
call with the gradients of all weights and of the inputs. On JAX hornbeam trains in a
loop on the device: `loop` is a step of such a loop, which subtracts the gradients,
beside the same step of Keras's layer, compiled without a loop.
"""

import argparse
import importlib
import os
import statistics
import time

# name: (layer, its arguments, shape of the inputs)
CASES: dict[str, tuple] = {}


def case(layer, shape, *args, **kwargs):
    """Add a line to the table."""
    words = [layer, "x".join(map(str, shape)), *map(_word, args)]
    words += [f"{key}={_word(value)}" for key, value in kwargs.items()]
    CASES[" ".join(words)] = (layer, args, kwargs, shape)


def _word(value):
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


IMAGE, SMALL, TINY = (16, 28, 28, 32), (32, 14, 14, 48), (32, 7, 7, 64)
SEQUENCE, LONG = (32, 128, 32), (8, 1024, 8)
VOLUME, SCAN = (4, 16, 16, 16, 8), (2, 24, 24, 24, 1)
SAME = {"padding": "same"}
FIRST = {"data_format": "channels_first"}

case("Conv2D", (64, 28, 28, 1), 32, 3)
case("Conv2D", (32, 26, 26, 32), 64, 3)
case("Conv2D", (32, 32, 32, 3), 32, 3, **SAME)
case("Conv2D", IMAGE, 64, 3, **SAME)
case("Conv2D", SMALL, 96, 3, **SAME)
case("Conv2D", TINY, 128, 3, **SAME)
case("Conv2D", IMAGE, 32, 5, **SAME)
case("Conv2D", IMAGE, 64, 1)
case("Conv2D", SMALL, 192, 1)
case("Conv2D", (32, 7, 7, 256), 64, 1)
case("Conv2D", IMAGE, 16, (1, 7), **SAME)
case("Conv2D", IMAGE, 3, 3, **SAME)
case("Conv2D", IMAGE, 1, 5, **SAME)
case("Conv2D", (1, 64, 64, 16), 16, 3, **SAME)
case("Conv2D", (128, 8, 8, 1), 8, 3)
case("Conv2D", (4, 112, 112, 3), 32, 7, strides=2, **SAME)
case("Conv2D", IMAGE, 64, 3, strides=2, **SAME)
case("Conv2D", IMAGE, 64, 3, strides=2)
case("Conv2D", (16, 28, 28, 1), 64, 5, strides=2, **SAME)
case("Conv2D", SMALL, 64, 4, strides=2, **SAME)
case("Conv2D", IMAGE, 64, 1, strides=2)
case("Conv2D", (8, 32, 32, 3), 64, 4, strides=4)
case("Conv2D", IMAGE, 32, 3, strides=(2, 1), **SAME)
case("Conv2D", SMALL, 48, 3, strides=3)
case("Conv2D", IMAGE, 32, 3, dilation_rate=2, **SAME)
case("Conv2D", IMAGE, 32, 3, dilation_rate=(1, 3))
case("Conv2D", IMAGE, 64, 3, groups=2, **SAME)
case("Conv2D", SMALL, 48, 3, groups=4, **SAME)
case("Conv2D", TINY, 64, 3, groups=16, **SAME)
case("Conv2D", SMALL, 48, 3, groups=4, strides=2, **SAME)
case("Conv2D", SMALL, 96, 1, groups=6)
case("Conv2D", (16, 32, 28, 28), 64, 3, **FIRST)
case("Conv2D", (16, 32, 28, 28), 64, 3, strides=2, **SAME, **FIRST)
case("Conv2D", (16, 32, 14, 14), 32, 3, groups=4, **FIRST)
case("Conv2D", IMAGE, 32, 3, dtype="bfloat16", **SAME)
case("Conv2D", IMAGE, 32, 3, dtype="float16", **SAME)
case("Conv1D", SEQUENCE, 64, 5, **SAME)
case("Conv1D", SEQUENCE, 64, 3, padding="causal")
case("Conv1D", SEQUENCE, 64, 3, padding="causal", dilation_rate=8)
case("Conv1D", SEQUENCE, 64, 4, strides=2)
case("Conv1D", LONG, 16, 9, strides=4, **SAME)
case("Conv1D", (8, 4096, 1), 16, 64, strides=16)
case("Conv1D", SEQUENCE, 64, 1)
case("Conv1D", SEQUENCE, 64, 3, groups=4)
case("Conv3D", VOLUME, 16, 3, **SAME)
case("Conv3D", VOLUME, 16, 3)
case("Conv3D", VOLUME, 16, 3, strides=2, **SAME)
case("Conv3D", VOLUME, 32, 1)
case("Conv3D", SCAN, 8, 3, **SAME)
case("Conv3D", VOLUME, 8, 3, dilation_rate=2)
case("Conv3D", VOLUME, 16, 3, groups=2)
case("Conv3D", VOLUME, 8, (1, 3, 3), **SAME)
case("DepthwiseConv2D", IMAGE, 3, **SAME)
case("DepthwiseConv2D", SMALL, 5, **SAME)
case("DepthwiseConv2D", IMAGE, 3, strides=2, **SAME)
case("DepthwiseConv2D", SMALL, 3, depth_multiplier=2)
case("DepthwiseConv2D", SMALL, 3, dilation_rate=2, **SAME)
case("DepthwiseConv2D", (16, 48, 14, 14), 3, **SAME, **FIRST)
case("DepthwiseConv1D", SEQUENCE, 5, **SAME)
case("DepthwiseConv1D", SEQUENCE, 5, strides=2)
case("SeparableConv1D", SEQUENCE, 64, 5, **SAME)
case("SeparableConv2D", IMAGE, 64, 3, **SAME)
case("SeparableConv2D", SMALL, 64, 3, strides=2, **SAME)
case("SeparableConv2D", SMALL, 64, 3, depth_multiplier=2)
case("Conv2DTranspose", (32, 14, 14, 24), 1, 5, strides=2, **SAME)
case("Conv2DTranspose", (32, 7, 7, 48), 24, 5, strides=2, **SAME)
case("Conv2DTranspose", (32, 3, 3, 96), 48, 5)
case("Conv2DTranspose", (128, 7, 7, 8), 8, 3, strides=2, **SAME)
case("Conv2DTranspose", TINY, 32, 3, strides=2, **SAME)
case("Conv2DTranspose", TINY, 32, 4, strides=2, **SAME)
case("Conv2DTranspose", TINY, 32, 2, strides=2)
case("Conv2DTranspose", SMALL, 24, 3, **SAME)
case("Conv2DTranspose", SMALL, 3, 4, strides=2, **SAME)
case("Conv2DTranspose", TINY, 16, 3, strides=3, output_padding=1)
case("Conv2DTranspose", TINY, 16, 3, strides=(2, 1), **SAME)
case("Conv2DTranspose", (16, 64, 7, 7), 32, 3, strides=2, **SAME, **FIRST)
case("Conv1DTranspose", SEQUENCE, 16, 4, strides=2, **SAME)
case("Conv1DTranspose", (8, 256, 16), 1, 16, strides=8, **SAME)
case("Conv1DTranspose", SEQUENCE, 16, 3, dilation_rate=2)
case("Conv3DTranspose", (4, 8, 8, 8, 16), 8, 3, strides=2, **SAME)
case("Conv3DTranspose", (4, 8, 8, 8, 16), 8, 2, strides=2)


def _of_jax(layer, x):
    import jax

    weights = [v.value for v in layer.variables]

    def forward(weights, x):
        return layer.stateless_call(weights, [], x)[0]

    def loss(weights, x):
        y = forward(weights, x)
        return (y * y).sum().astype("float32")

    gradients = jax.grad(loss, argnums=(0, 1))

    def step(carry, _=None):
        return jax.tree.map(lambda a, b: a - b, carry, gradients(*carry)), None

    def loop(weights, x):
        return jax.lax.scan(step, (weights, x), length=LOOP)[0]

    def once(weights, x):
        return step((weights, x))[0]

    fns = {"forward": forward, "gradients": gradients, "loop": loop, "once": once}
    compiled = {name: jax.jit(fn) for name, fn in fns.items()}
    return {
        "call": lambda: jax.block_until_ready(layer(x)),
        **{
            name: lambda fn=fn: jax.block_until_ready(fn(weights, x))
            for name, fn in compiled.items()
        },
    }


def _of_torch(layer, x):
    import torch

    weights = [v.value for v in layer.variables]

    def call():
        with torch.no_grad():
            return layer(x)

    def gradients():
        inputs = x.clone().requires_grad_()
        y = layer(inputs)
        return torch.autograd.grad((y * y).sum(), [inputs, *weights])

    return {"call": call, "gradients": gradients}


def _of_tensorflow(layer, x):
    import tensorflow as tf

    weights = [v.value for v in layer.variables]

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y * y)
        return tape.gradient(loss, [x, *weights])

    compiled = {"forward": lambda: layer(x), "gradients": gradients}
    compiled = {name: tf.function(fn) for name, fn in compiled.items()}
    return {"call": lambda: layer(x), **compiled}


ENGINES = {"jax": _of_jax, "torch": _of_torch, "tensorflow": _of_tensorflow}
# Steps of a loop, and the processor seconds of a sample: shorter calls are repeated.
LOOP, SAMPLE = 4, 0.004


def runs_of(library, engine, name):
    """Return what is measured of a case in one library, warm: {figure: function}."""
    kind, args, kwargs, shape = CASES[name]
    layer = getattr(library.layers, kind)(*args, **kwargs)
    layer.build(shape)
    x = library.random.normal(shape, seed=1, dtype=kwargs.get("dtype", "float32"))
    return ENGINES[engine](layer, x)


def seconds(run, times):
    """Return the processor seconds of one of several runs."""
    started = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - started) / times


def measure(ours, theirs, rounds):
    """Return the medians of both in seconds."""
    for run in (ours, theirs):
        run()
    once = [seconds(run, 1) for run in (ours, theirs)]
    times = [max(1, min(100, int(SAMPLE / max(s, 1e-6)))) for s in once]
    samples = [
        [seconds(run, n) for run, n in zip((ours, theirs), times, strict=True)]
        for _ in range(rounds)
    ]
    return [statistics.median(column) for column in zip(*samples, strict=True)]


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="jax", choices=ENGINES)
    parser.add_argument("--only", default="", help="part of a line's name")
    parser.add_argument("--figures", default="", help="call,forward,gradients,loop")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = options.engine
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    libraries = [importlib.import_module(name) for name in ("hornbeam", "keras")]
    libraries[0].config.set_backend(options.engine)
    wanted = [name for name in options.figures.split(",") if name]
    slower = []
    for name in CASES:
        if options.only.lower() not in name.lower():
            continue
        ours, theirs = (runs_of(lib, options.engine, name) for lib in libraries)
        words = []
        for figure in wanted or [name for name in ours if name != "once"]:
            peer_figure = "once" if figure == "loop" else figure
            steps = LOOP if figure == "loop" else 1
            mine, peer = measure(ours[figure], theirs[peer_figure], options.rounds)
            mine /= steps
            ratio = mine / peer
            if ratio > 1.1:
                slower.append(f"{name} {figure} {ratio:.2f}")
            words.append(f"{figure} {mine * 1e3:8.3f} {peer * 1e3:8.3f} {ratio:6.3f}")
        print(f"{name:60}", "  ".join(words), flush=True)
    print(f"{len(slower)} figures above 1.1 times Keras's", *slower, sep="\n")


if __name__ == "__main__":
    main()
