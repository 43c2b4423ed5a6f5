"""What libraries use of Keras's private parts, and layouts: as Keras has them."""

import layout_cases
import library_parts_of_keras
import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import budget
from hornbeam.data.class_weight import class_weight_to_sample_weights
from hornbeam.data.grain_pipeline import in_grain_data_pipeline
from hornbeam.saving.hdf5_store import H5IOStore


def test_layouts_over_one_device(keras_on):
    with backends.scope("jax"):
        expected = keras_on("jax").call("layout_cases.py", "layouts")
        assert layout_cases.layouts(keras) == expected
        expected = keras_on("jax").call("layout_cases.py", "errors")
        assert layout_cases.errors(keras) == expected


def test_a_store_of_arrays_goes_both_ways(keras_on, tmp_path):
    ours, theirs = tmp_path / "ours.h5", tmp_path / "theirs.h5"
    store = H5IOStore(ours, mode="w")
    store.make("lora")["rank"] = 4
    store.make("lora/3")["kernel"] = keras.ops.array([[3.0, 4.0]])
    store.close()
    read = keras_on("torch").call("library_parts_of_keras.py", "read_store", ours)
    assert read[0] == 4
    np.testing.assert_array_equal(read[1], [[3.0, 4.0]])
    keras_on("torch").call("library_parts_of_keras.py", "write_store", theirs)
    store = H5IOStore(theirs)
    assert int(store.get("lora")["rank"][()]) == 2
    np.testing.assert_array_equal(store.get("lora/3")["kernel"], [[1.0, 2.0]])
    assert store.get("nothing") == {}
    store.close()
    with pytest.raises(ValueError, match="mode"):
        H5IOStore(theirs, mode="a")


@pytest.mark.parametrize("labels", [[0, 1, 1, 2], np.eye(3)[[2, 0, 0]]])
def test_weights_of_classes(keras_on, labels):
    table = {0: 0.5, 1: 2.0, 2: 3.0}
    labels = np.asarray(labels)
    expected = keras_on("torch").call(
        "library_parts_of_keras.py", "weights_of_classes", labels, table
    )
    found = class_weight_to_sample_weights(labels, table)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("rank", [3, 4])
def test_attention_for_a_subclass(keras_on, rank):
    """A subclass with a `call` of its own attends between what it has projected."""
    numbers = np.random.default_rng(0)
    lengths = (5,) if rank == 3 else (2, 3)
    heads = [numbers.normal(size=(2, *lengths, 2, 3)).astype("float32") for _ in "qkv"]
    mask = np.tril(np.ones((5, 5), int))[None] if rank == 3 else np.ones(1, int)
    if rank == 4:
        mask = numbers.integers(0, 2, (2, 2, 3, 2, 3))
        mask[..., 0, 0] = 1
    shape = (2, *lengths, 6)
    expected = keras_on("torch").call(
        "library_parts_of_keras.py", "attended", *heads, mask, shape
    )
    found = library_parts_of_keras.attended(keras, *heads, mask, shape)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-6)


def test_a_subclass_changes_a_projection():
    """By the names and arguments that Keras's layer has."""

    class WithoutKeyBias(keras.layers.MultiHeadAttention):
        def build(self, query_shape, value_shape, key_shape=None):
            super().build(query_shape, value_shape, key_shape)
            self._key_dense = keras.layers.EinsumDense(
                "abc,cde->abde",
                output_shape=(None, self._num_heads, self._key_dim),
                name="key",
                **self._get_common_kwargs_for_sublayer(),
            )
            self._key_dense.build(query_shape)
            self._build_attention(4)

    # Softmax does not see what is added to all scores of a target.
    layer = WithoutKeyBias(
        2, 4, bias_initializer="ones", kernel_initializer="he_normal"
    )
    plain = keras.layers.MultiHeadAttention(2, 4, bias_initializer="ones")
    x = keras.random.normal((2, 5, 6))
    layer(x, x), plain(x, x)
    for projection in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(plain, projection).kernel.assign(getattr(layer, projection).kernel)
    assert layer.key_dense.bias is None
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(layer(x, x)),
        keras.ops.convert_to_numpy(plain(x, x)),
        rtol=1e-5,
        atol=1e-6,
    )


def test_whether_grain_or_a_config_asks():
    grain = pytest.importorskip("grain")
    asked = grain.MapDataset.range(2).map(lambda x: in_grain_data_pipeline())
    assert list(asked) == [True, True]
    assert not in_grain_data_pipeline()

    @keras.saving.register_keras_serializable("library_parts")
    class Asks:
        def get_config(self):
            return {}

        @classmethod
        def from_config(cls, config):
            made = cls()
            made.safe = budget.in_safe_mode()
            return made

    config = keras.saving.serialize_keras_object(Asks())
    assert keras.saving.deserialize_keras_object(config).safe
    assert not budget.in_safe_mode()
