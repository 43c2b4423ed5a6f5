"""What the machine can do at best with a workload: its products, and its bytes.

The products of a network are counted by XLA in a step written by hand; their seconds
are those at the best speed that BLAS reaches here. The bytes are those that an
optimizer must move: weights, gradients and two slots, read and written.
"""

import functools
import time

import numpy as np

_SIZES = (128, 256, 512, 1024, 2048)


def _best_seconds(function, times=7):
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - started)
    return best


@functools.cache
def flops_per_second():
    """Return the best speed of a float32 matrix product of NumPy."""
    random, best = np.random.default_rng(0), 0.0
    for size in _SIZES:
        a, b = (random.random((size, size), dtype="float32") for _ in range(2))
        times = max(1, (1024 // size) ** 3)

        def run(a=a, b=b, times=times):
            for _ in range(times):
                a @ b

        best = max(best, 2 * size**3 * times / _best_seconds(run))
    return best


@functools.cache
def bytes_per_second():
    """Return the speed at which a large array is copied: each byte read and written."""
    source = np.ones(64 << 20, "float32")
    target = np.empty_like(source)
    return 2 * source.nbytes / _best_seconds(lambda: np.copyto(target, source))


def of_workload(name, workload):
    """Return the least seconds of an epoch and of a forward pass over all rows."""
    import jax
    from by_hand.jax_code import NETWORKS, Loop

    if name not in NETWORKS:
        return {}
    loop = Loop(name, workload, scanned=False)
    rows = np.arange(workload.batch, dtype="int32")
    step = jax.jit(loop._step).lower(loop.state, rows).compile()
    weights, statistics, *_ = loop.state
    forward = loop._apply.lower(weights, statistics, loop.x[: workload.batch])
    steps = workload.rows / workload.batch
    values = sum(w.size for w in weights)
    table = workload.kind == "table"  # of which a step touches a few rows
    moved = 0 if table else 7 * 4 * values

    def seconds(program, moved):
        flops = program.cost_analysis().get("flops", 0.0)
        if table:
            return 0.0
        return steps * (flops / flops_per_second() + moved / bytes_per_second())

    return {
        "epoch": seconds(step, moved),
        "predict": seconds(forward.compile(), 0),
    }
