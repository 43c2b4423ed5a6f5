"""Reductions over no axes, and their dtypes where an engine's own differ."""

import numpy as np
import pytest

from hornbeam import ops

X = np.array([[1.0, np.nan, 0.0], [-2.0, 5.0, 3.0]])
NAMES = "all any sum prod max min amax amin mean var std median average ptp"
NAMES += " count_nonzero nansum nanprod nanmean nanvar nanstd nanmax nanmin nanmedian"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of nan alone
@pytest.mark.parametrize("name", NAMES.split())
def test_a_reduction_over_no_axes_takes_each_element_alone(engine, name):
    x = X if "nan" in name else np.nan_to_num(X)
    found = getattr(ops, name)(x, axis=())
    np.testing.assert_allclose(
        ops.convert_to_numpy(found), getattr(np, name)(x, axis=()), rtol=1e-6
    )


def test_logsumexp_over_no_axes_is_the_tensor(engine):
    found = ops.logsumexp(np.nan_to_num(X), axis=())
    np.testing.assert_allclose(ops.convert_to_numpy(found), np.nan_to_num(X))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "float32", "bool"])
def test_all_and_any_are_booleans(engine, dtype):
    x = np.array([[0, 2], [0, 0], [1, 3]]).astype(dtype)
    for name in ("all", "any"):
        found = getattr(ops, name)(x, axis=1)
        assert ops.dtype(found) == "bool"
        np.testing.assert_array_equal(
            ops.convert_to_numpy(found), getattr(np, name)(x, axis=1)
        )
