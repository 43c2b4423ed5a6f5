"""Layers that run outside models: in `tf.data`, in a DataLoader, on NumPy arrays."""

import copy
import pickle

import numpy as np
import pytest
import tensorflow as tf
import torch

import hornbeam as keras
from hornbeam import backends

IMAGES = np.random.default_rng(0).random((12, 4, 4, 3)).astype("float32")


def flip(**arguments):
    return keras.layers.RandomFlip("horizontal", seed=7, **arguments)


def in_tf_data(layer, **arguments):
    batches = tf.data.Dataset.from_tensor_slices(IMAGES).batch(4)
    return batches.map(lambda x: layer(x), **arguments)


def together(batches):
    return np.concatenate([np.asarray(x) for x in batches])


def test_tensors_of_another_library_stay_what_they_are(engine):
    layer = flip()
    for other in ("torch", "tensorflow", "jax"):
        with backends.scope(other):
            x = keras.ops.convert_to_tensor(IMAGES)
        y = layer(x)
        assert backends.get(other).is_tensor(y)
        assert y.shape == IMAGES.shape
    assert backends.current().is_tensor(layer(IMAGES))


def test_epochs_of_tf_data_differ_and_a_seed_repeats_them(engine):
    batches = in_tf_data(flip())
    first, second = together(batches), together(batches)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(together(in_tf_data(flip())), first)
    layer = flip()
    eagerly = [keras.ops.convert_to_numpy(layer(x)) for x in np.split(IMAGES, 3)]
    np.testing.assert_array_equal(together(eagerly), first)


def test_statistics_go_into_tf_data(engine):
    layer = keras.layers.Normalization()
    layer.adapt(IMAGES)
    want = keras.ops.convert_to_numpy(layer(IMAGES))
    np.testing.assert_allclose(together(in_tf_data(layer)), want, rtol=1e-5, atol=1e-5)
    scaled = together(in_tf_data(keras.layers.Rescaling(2.0)))
    np.testing.assert_allclose(scaled, 2 * IMAGES, rtol=1e-6)


def test_a_layer_built_by_tf_data_belongs_to_the_engine_in_force(engine):
    layer = keras.layers.Normalization()
    together(in_tf_data(layer))
    assert layer.backend == engine.name


class Flipped(torch.utils.data.Dataset):
    def __init__(self, kind):
        self.layer = flip()
        self.kind = kind

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, index):
        return self.layer(self.kind(IMAGES[0]))


@pytest.mark.filterwarnings("ignore:.*fork:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", [torch.tensor, np.asarray])
def test_workers_and_epochs_of_a_data_loader_differ(kind):
    loader = torch.utils.data.DataLoader(
        Flipped(kind),
        batch_size=6,
        num_workers=2,
        generator=torch.Generator().manual_seed(1),
    )
    first, second = ([np.asarray(x) for x in loader] for _ in range(2))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, second)


def test_copies_draw_alike(python_only):
    layer = flip()
    with backends.scope("torch"):
        x = keras.ops.convert_to_tensor(IMAGES)
    want = layer(x)
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(again(x), want)


def test_other_keys_pass_through(engine):
    given = {"images": IMAGES, "path": "a.png", "labels": np.arange(12)}
    got = flip()(given)
    assert got["path"] == "a.png"
    assert got.keys() == given.keys()
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(got["labels"]), np.arange(12)
    )


def test_strings_are_no_numbers(engine):
    layers = keras.layers
    for layer in (
        layers.Rescaling(2.0),
        layers.CategoryEncoding(3),
        layers.Discretization(bin_boundaries=[1.0]),
        layers.Normalization(mean=0.0, variance=1.0),
    ):
        for strings in (np.array([["1"]]), [["1"]], np.array([["1"]], object)):
            with pytest.raises(TypeError, match=r"expects numbers\. Received strings"):
                layer(strings)
        assert layer([[1.0]]).shape[0] == 1
