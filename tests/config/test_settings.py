"""The settings of the process: what was set is read, and bad values are refused."""

import numpy as np
import pytest

import hornbeam as keras

config = keras.config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("floatx", "float16"),
        ("epsilon", 1e-3),
        ("image_data_format", "channels_first"),
        ("max_epochs", 3),
        ("max_steps_per_epoch", 3),
    ],
)
def test_a_setting_is_what_was_set(name, value):
    get, put = getattr(config, name), getattr(config, f"set_{name}")
    before = get()
    try:
        put(value)
        assert get() == value
    finally:
        put(before)
    assert get() == before


@pytest.mark.parametrize("name", ["floatx", "image_data_format"])
def test_a_setting_names_its_choices(name):
    with pytest.raises(ValueError, match="float32|channels_last"):
        getattr(config, f"set_{name}")("other")


@pytest.mark.parametrize(
    "name", ["interactive_logging", "traceback_filtering", "flash_attention"]
)
def test_a_switch_is_turned_off_and_on(name):
    enabled = getattr(config, f"is_{name}_enabled")
    before = enabled()
    for verb, expected in (("disable", False), ("enable", True)):
        getattr(config, f"{verb}_{name}")()
        assert enabled() is expected
    if before is None:
        from hornbeam.config import switches

        switches._switches[name] = None
    assert enabled() is before


def test_fits_are_cut_short(monkeypatch):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((12, 2)), np.ones((12, 1))
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "2")
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "3")
    history = model.fit(x, y, epochs=5, batch_size=2, verbose=0)
    assert history.epoch == [0, 1]
    assert history.params["steps"] == 3
    assert int(model.optimizer.iterations) == 6


def test_what_is_never_done():
    assert config.is_nnx_enabled() is False
    with pytest.raises(NotImplementedError, match="custom_objects"):
        config.enable_unsafe_deserialization()
