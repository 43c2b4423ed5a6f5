"""Laws of many ops on JAX without a compilation for each op."""

import jax

from hornbeam.core import tree


def in_one_program(engine, fn, *args):
    """Return `fn(*args)`, with the arrays in `args` as tensors of `engine`.

    JAX compiles each op that is new on its shapes, at 50 ms, but a whole law as one
    program at 100 ms. The other engines run one op after the other.
    """
    tensors = tree.map_structure(engine.convert, args)
    return (jax.jit(fn) if engine.name == "jax" else fn)(*tensors)


def forms(engine, fn):
    """Shapes and dtypes of what `fn()` gives; JAX tells without compiling anything."""
    found = jax.eval_shape(fn) if engine.name == "jax" else fn()
    return [(tuple(x.shape), engine.dtype_of(x)) for x in tree.flatten(found)]
