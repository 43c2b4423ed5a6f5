"""Layouts over several devices and jobs of several processes say what is missing."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import distribution

SEVERAL = distribution.DeviceMesh((2,), ("batch",), ["cpu:0", "cpu:1"])
ONE = distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])


@pytest.fixture(autouse=True)
def none_in_force():
    yield
    distribution.set_distribution(None)


@pytest.mark.parametrize(
    "call",
    [
        lambda: distribution.set_distribution(distribution.DataParallel(SEVERAL)),
        lambda: distribution.distribute_tensor(
            [1.0, 2.0], distribution.TensorLayout(("batch",), SEVERAL)
        ),
        lambda: distribution.initialize(num_processes=2),
        lambda: distribution.initialize("10.0.0.1:1234,10.0.0.2:2345"),
    ],
)
def test_several_are_not_there_yet(call):
    with pytest.raises(NotImplementedError, match="exists in Keras and not yet"):
        call()
    assert distribution.distribution() is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distribution.set_distribution(3), "needs a DataParallel"),
        (lambda: distribution.distribute_tensor([1.0], 3), "TensorLayout with a mesh"),
        (
            lambda: distribution.distribute_tensor(
                [1.0], distribution.TensorLayout((None,))
            ),
            "TensorLayout with a mesh",
        ),
        (
            lambda: distribution.set_distribution(
                distribution.DataParallel(devices=["tpu:7"])
            ),
            "set_device\\('tpu:7'\\)",
        ),
        (
            lambda: distribution.ModelParallel(
                layout_map=distribution.LayoutMap(ONE), batch_dim_name="rows"
            ),
            "batch_dim_name",
        ),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert distribution.distribution() is None


def test_several_axes_for_data_alone():
    with pytest.warns(UserWarning, match="the first axis"):
        made = distribution.DataParallel(ONE)
    assert made.batch_dim_name == "batch"


def test_jobs_of_one_process(monkeypatch):
    distribution.initialize()
    distribution.initialize("10.0.0.1:1234", 1, 0)
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "3")
    with pytest.raises(NotImplementedError, match="3 processes"):
        distribution.initialize()


def test_a_layout_map_forgets_a_key():
    layout_map = distribution.LayoutMap(ONE)
    layout_map["kernel"] = (None, "model")
    assert len(layout_map) == 1
    assert "kernel" in layout_map and "a/kernel" not in layout_map
    del layout_map["kernel"]
    assert layout_map["kernel"] is None
    assert "axes=(None, 'model')" in repr(distribution.TensorLayout((None, "model")))


def test_a_model_computes_on_its_one_device(engine):
    layout_map = distribution.LayoutMap(ONE)
    layout_map[".*kernel"] = (None, "model")
    assert distribution.get_device_count() == len(distribution.list_devices())
    assert distribution.list_devices("cpu")[0] == "cpu:0"
    with distribution.ModelParallel(layout_map=layout_map).scope():
        x = distribution.distribute_tensor(
            np.ones((4, 3), "float32"), distribution.TensorLayout(("batch", None), ONE)
        )
        assert keras.ops.is_tensor(x)
        layer = keras.layers.Dense(2)
        assert layer(x).shape == (4, 2)
