"""Warnings point at the line of the user's that leads to them."""

import inspect
import pathlib

import numpy as np
import pytest

import hornbeam as keras


def next_line():
    return inspect.currentframe().f_back.f_lineno + 1


def model(**arguments):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse", **arguments)
    return model


def fit_a_short_generator():
    line = next_line()
    model().fit(iter([(np.ones((2, 2)), np.ones((2, 1)))]), steps_per_epoch=2)
    return line


def watch_what_is_not_there():
    callback = keras.callbacks.EarlyStopping(monitor="loss_of_none", mode="min")
    line = next_line()
    model().fit(np.ones((2, 2)), np.ones((2, 1)), callbacks=[callback])
    return line


def apply_no_gradient():
    variables = [keras.Variable([1.0]), keras.Variable([1.0])]
    line = next_line()
    keras.optimizers.SGD().apply([np.ones(1), None], variables)
    return line


def give_an_old_argument():
    line = next_line()
    keras.optimizers.Adam(decay=0.1)
    return line


class Forgetful(keras.utils.PyDataset):
    def __init__(self):
        pass

    def __len__(self):
        return 1


def forget_the_base_class():
    line = next_line()
    Forgetful().workers  # noqa: B018
    return line


@pytest.mark.parametrize(
    "act",
    [
        fit_a_short_generator,
        watch_what_is_not_there,
        apply_no_gradient,
        give_an_old_argument,
        forget_the_base_class,
    ],
)
def test_warnings_point_at_the_users_line(act):
    with pytest.warns(UserWarning) as record:
        line = act()
    assert {(warning.filename, warning.lineno) for warning in record} == {
        (__file__, line)
    }


def test_warnings_are_given_in_one_place():
    root = pathlib.Path(keras.__file__).parent
    named = [p.name for p in root.rglob("*.py") if "warnings.warn(" in p.read_text()]
    assert named == ["warning.py"]
