"""Tests that compile little: on JAX each program costs 50 ms, however small it is.

An op that JAX runs at once is a program of its own, for each shape and dtype.
"""

import jax

from hornbeam import backends
from hornbeam.core import tree


def program(engine, fn):
    """Return `fn` as one program on JAX, and as it is on the other engines."""
    return engine.jit(fn) if engine.name == "jax" else fn


def traced(engine, fn):
    """Return `fn()`; on JAX without values, which compiles nothing."""
    return jax.eval_shape(fn) if engine.name == "jax" else fn()


def forms(engine, fn, at_once=False):
    """Shapes and dtypes of what `fn()` gives; JAX tells without compiling anything.

    With `at_once` it computes: what cannot be traced.
    """
    results = fn() if at_once else traced(engine, fn)
    leaves = [x for x in tree.flatten(results) if hasattr(x, "shape")]
    return [(tuple(x.shape), engine.dtype_of(x)) for x in leaves]


def applied(layer, *args, **kwargs):
    """Return `layer(*args, **kwargs)` of a built layer.

    On JAX it is one program, with the weights as its inputs, and states stay.
    """
    engine = backends.current()
    if engine.name != "jax":
        return layer(*args, **kwargs)
    values = [
        [v.value for v in variables]
        for variables in (layer.trainable_variables, layer.non_trainable_variables)
    ]
    run = engine.jit(lambda *values: layer.stateless_call(*values, *args, **kwargs)[0])
    return run(*values)


def together(calls, run=True):
    """Return what each `function(*arguments)` gives on JAX, all from one program.

    Without `run` the program is made but not compiled, and shapes and dtypes are given.
    What cannot be part of a program, as its values decide shapes, gives None.
    """

    def everything(arguments):
        results = []
        for (function, _), given in zip(calls, arguments, strict=True):
            try:
                results.append(function(*given))
            except Exception:  # the test that calls it at once shows why
                results.append(None)
        return results

    whole, arguments = jax.jit(everything), [list(given) for _, given in calls]
    return whole(arguments) if run else whole.lower(arguments).out_info
