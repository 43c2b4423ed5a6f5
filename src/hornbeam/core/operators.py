"""Python's operators for objects that stand for tensors."""

_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}
_COMPARE = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
_UNARY = {"neg": "negative", "pos": None, "abs": "absolute", "invert": "logical_not"}


def _ops():
    from hornbeam import ops

    return ops


def _forward(op):
    def method(self, other):
        return getattr(_ops(), op)(self, other)

    return method


def _reflected(op):
    def method(self, other):
        return getattr(_ops(), op)(other, self)

    return method


def _unary(op):
    def method(self):
        return self if op is None else getattr(_ops(), op)(self)

    return method


class Operators:
    """A base that gives operators, indexing and rounding through `hornbeam.ops`."""

    __hash__ = object.__hash__
    # NumPy arrays and engine tensors on the left leave the operation to us.
    __array_priority__ = 100

    def __getitem__(self, key):
        return _ops().get_item(self, key)

    def __round__(self, ndigits=None):
        return _ops().round(self, decimals=ndigits or 0)


for _name, _op in _BINARY.items():
    setattr(Operators, f"__{_name}__", _forward(_op))
    setattr(Operators, f"__r{_name}__", _reflected(_op))
for _name, _op in _COMPARE.items():
    setattr(Operators, f"__{_name}__", _forward(_op))
for _name, _function in _UNARY.items():
    setattr(Operators, f"__{_name}__", _unary(_function))
