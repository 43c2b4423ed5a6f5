"""`keras.backend` and `keras.mixed_precision`: older names of what is elsewhere."""

import hornbeam as keras
from hornbeam.core.lazy import names_of


def test_backend():
    shared = set(names_of("hornbeam.backend")) & set(names_of("hornbeam.config"))
    assert shared >= {"backend", "epsilon", "floatx", "set_image_data_format"}
    for name in shared:
        assert getattr(keras.backend, name) is getattr(keras.config, name)
    assert keras.backend.standardize_dtype(float) == "float32"
    assert keras.backend.result_type("int32", "float32") == "float32"
    assert keras.backend.is_float_dtype("bfloat16")
    assert not keras.backend.is_int_dtype("bfloat16")
    assert keras.backend.is_keras_tensor(keras.Input((2,)))
    assert [keras.backend.get_uid("x") for _ in range(2)] == [1, 2]


def test_mixed_precision():
    names = keras.mixed_precision
    assert names.Policy is names.DTypePolicy is keras.DTypePolicy
    assert names.LossScaleOptimizer is keras.optimizers.LossScaleOptimizer
    before = keras.config.dtype_policy()
    try:
        names.set_global_policy("mixed_bfloat16")
        assert keras.config.dtype_policy().compute_dtype == "bfloat16"
        assert names.global_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(before)
