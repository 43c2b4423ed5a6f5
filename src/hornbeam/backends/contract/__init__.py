"""What every engine provides: the only list of names, signatures and meanings.

Each module here describes the module of the same name of an engine. A name may be
missing in an engine only where an op of that name has a body of its own.
"""

MODULES = (
    "arrays",
    "functions",
    "shaping",
    "linalg",
    "nn",
    "sparse",
    "transforms",
)
CAPABILITIES = {
    "name": "How the engine is called in `backends.get`.",
    "compiles": "Whether `jit` builds a program.",
    "trains": "Whether there are gradients.",
    "live_parameters": "Whether variables are objects that others' optimizers change.",
    "takes_state": "Whether users' steps may take the state and return it.",
    "sparse_has_class": "Whether sparse tensors are of a class of their own.",
    "assigns_in_place": "Whether a program that others trace can assign variables.",
}
