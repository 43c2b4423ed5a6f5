"""Parameters of the estimators: the builder's, routed ones, and their errors."""

import numpy as np
import pytest
from sklearn.base import clone

import hornbeam as keras
from hornbeam import backends, callbacks, losses, metrics, optimizers
from hornbeam.wrappers import KerasClassifier, KerasRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True)
def _nothing_is_compiled():
    with backends.scope("torch"):
        yield


def create(meta, dropout_rate=0.2, units=6):
    layers = [keras.Input((4,)), keras.layers.Dense(units, "relu")]
    layers += [keras.layers.Dropout(dropout_rate)]
    layers += [keras.layers.Dense(n, a) for n, a in meta["output_layers_"]]
    return keras.Sequential(layers)


def compiled(units=6, optimizer="rmsprop"):
    model = create({"output_layers_": [(1, "sigmoid")]}, units=units)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def fitted(model=create, **parameters):
    return KerasClassifier(model, random_state=0, **parameters).fit(X, Y)


@pytest.mark.parametrize("name", ["dropout_rate", "model__dropout_rate"])
def test_arguments_of_the_builder_are_parameters(name):
    given = KerasClassifier(create, **{name: 0.5})
    copied = clone(given)
    assert copied.get_params()[name] == 0.5
    assert copied.fit(X, Y).model_.layers[1].rate == 0.5
    other = "model__dropout_rate" if name == "dropout_rate" else "dropout_rate"
    copied.set_params(**{other: 0.25})
    assert copied.fit(X, Y).model_.layers[1].rate == 0.25
    assert name not in copied.get_params(deep=False)


def test_defaults_of_the_builder_are_parameters():
    found = KerasClassifier(create).get_params()
    assert found["dropout_rate"] == 0.2 and found["units"] == 6
    assert "meta" not in found


def test_builder_class_compiled_model_and_builder():
    class Network(keras.Sequential):
        def __init__(self, units=3):
            last = keras.layers.Dense(1, "sigmoid")
            super().__init__([keras.layers.Dense(units, "relu"), last])

    assert fitted(Network, units=5).model_.layers[0].units == 5
    model = compiled()
    start = [w.numpy().copy() for w in model.trainable_variables]
    found = fitted(model)
    assert found.model_ is not model
    for before, weight in zip(start, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, weight.numpy())
    assert isinstance(found.model_.optimizer, optimizers.RMSprop)
    assert isinstance(fitted(compiled).model_.optimizer, optimizers.RMSprop)
    assert fitted(build_fn=compiled, units=7).model_.layers[0].units == 7


def test_meta_says_what_the_data_is():
    seen = {}

    def builder(meta):
        seen.update(meta)
        return create(meta)

    labels = np.array(["a", "b", "c"])[np.arange(40) % 3]
    KerasClassifier(builder).fit(X, labels)
    assert seen["n_features_in_"] == 4 and seen["X_shape_"] == (40, 4)
    assert seen["n_classes_"] == 3 and seen["target_type_"] == "multiclass"
    assert seen["classes_"].tolist() == ["a", "b", "c"]


def test_a_builder_can_compile_with_what_it_is_given():
    def builder(meta, compile_kwargs):
        model = create(meta)
        model.compile(loss="binary_crossentropy", optimizer=compile_kwargs["optimizer"])
        return model

    made = fitted(builder, optimizer="sgd", optimizer__momentum=0.5).model_.optimizer
    assert isinstance(made, optimizers.SGD) and made.momentum == 0.5


@pytest.mark.parametrize("sgd", [optimizers.SGD, "sgd", optimizers.SGD(0.3)])
def test_routed_optimizer(sgd):
    estimator = KerasClassifier(create, optimizer=sgd, optimizer__momentum=0.9)
    made = clone(estimator).fit(X, Y).model_.optimizer
    assert isinstance(made, optimizers.SGD) and made.momentum == 0.9


def test_routed_optimizer_nested_and_of_a_compiled_model():
    given = {"learning_rate": optimizers.schedules.ExponentialDecay}
    given |= {"learning_rate__initial_learning_rate": 0.5}
    given |= {"learning_rate__decay_steps": 5, "learning_rate__decay_rate": 0.1}
    routed = {f"optimizer__{name}": value for name, value in given.items()}
    made = fitted(**routed).model_.optimizer
    # 40 rows in batches of 32 are two steps.
    np.testing.assert_allclose(float(made.learning_rate), 0.5 * 0.1**0.4, rtol=1e-5)
    made = fitted(compiled, optimizer__rho=0.8).model_.optimizer
    assert isinstance(made, optimizers.RMSprop) and made.rho == 0.8


def test_the_estimators_optimizer_wins_unless_the_builder_takes_it():
    def plain():
        return compiled()

    assert isinstance(fitted(plain, optimizer="sgd").model_.optimizer, optimizers.SGD)
    found = fitted(compiled, optimizer="sgd").model_.optimizer
    assert isinstance(found, optimizers.SGD)
    assert isinstance(fitted(compiled).model_.optimizer, optimizers.RMSprop)


def test_routed_loss_and_metrics():
    found = fitted(
        loss=losses.BinaryCrossentropy,
        loss__label_smoothing=0.1,
        metrics=["accuracy", metrics.AUC],
        metrics__1__name="area",
    )
    assert found.model_.loss.label_smoothing == 0.1
    assert list(found.history_) == ["loss", "accuracy", "area"]
    assert (
        fitted(compiled, loss__label_smoothing=0.2).model_.loss.label_smoothing == 0.2
    )
    assert list(fitted(metrics="accuracy").history_) == ["loss", "accuracy"]


@pytest.mark.parametrize(
    "given",
    [
        {"callbacks": "EarlyStopping", "callbacks__monitor": "loss"},
        {
            "callbacks": callbacks.EarlyStopping(patience=7),
            "callbacks__monitor": "loss",
            "callbacks__patience": 0,
        },
        {"callbacks": [callbacks.EarlyStopping], "callbacks__0__monitor": "loss"},
        {
            "callbacks": {"stop": callbacks.EarlyStopping},
            "callbacks__stop__monitor": "loss",
        },
    ],
)
def test_routed_callbacks(given):
    """Nothing improves by 1 an epoch, so training ends after the second."""
    key = "callbacks__min_delta"
    estimator = KerasClassifier(create, epochs=5, **given, **{key: 10.0})
    assert clone(estimator).fit(X, Y).n_iter_ == 2


def test_callbacks_are_copied_for_each_fit():
    callback = callbacks.EarlyStopping(monitor="loss")
    fitted(callbacks=[callback])
    assert getattr(callback, "model", None) is None


def test_routed_fit_and_predict():
    found = fitted(fit__steps_per_epoch=1, predict__batch_size=3)
    assert int(found.model_.optimizer.iterations.numpy()) == 1
    np.testing.assert_array_equal(found.predict(X), found.predict(X, batch_size=40))
    assert list(fitted(fit__validation_data=(X, Y)).history_) == ["loss", "val_loss"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dropout_rat": 0.1}, "Did you mean 'dropout_rate'"),
        ({"model__dropout_rat": 0.1}, "Did you mean 'dropout_rate'"),
        ({"optimizer": "sgdd", "optimizer__momentum": 0.1}, "Did you mean 'sgd'"),
        ({"optimizer__learning_rat": 0.1}, "learning_rat"),
        (
            {"callbacks": callbacks.EarlyStopping, "callbacks__patiense": 1},
            "Did you mean 'patience'",
        ),
        (
            {"callbacks": [callbacks.EarlyStopping()], "callbacks__patiense": 1},
            "Did you mean 'patience'",
        ),
        (
            {"callbacks": {"stop": callbacks.EarlyStopping}, "callbacks__stp__min": 1},
            "Did you mean 'stop'",
        ),
        ({"callbacks__patience": 1}, "no `callbacks`"),
        ({"optimizer": "sgd", "optimizer__momentun": 1}, "Did you mean 'momentum'"),
        (
            {"optimizer": optimizers.SGD(), "optimizer__momentun": 1},
            "Did you mean 'momentum'",
        ),
        ({"optimiser__momentum": 1}, "Did you mean 'optimizer'"),
        ({"optimiser": "sgd"}, "Did you mean 'optimizer'"),
        ({"fit__batchsize": 1}, "Did you mean 'batch_size'"),
        ({"epochs": "many"}, "epochs='many'"),
        ({"early_stopping": True, "validation_fraction": 3}, "validation_fraction=3"),
    ],
)
def test_errors_of_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        fitted(**parameters)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dropout_rat", "dropout_rate"),
        ("epoch", "epochs"),
        ("optimiser__a", "optimizer"),
        ("model__dropout_rat", "model__dropout_rate"),
    ],
)
def test_set_params_refuses_unknown_names_and_sets_nothing(name, meant):
    estimator = KerasClassifier(create)
    with pytest.raises(ValueError, match=f"Did you mean '{meant}'"):
        estimator.set_params(**{"epochs": 7, name: 1})
    assert estimator.epochs is None


def test_a_network_without_its_function_has_no_arguments():
    with pytest.raises(ValueError, match=r"Give one: `model=create_model`"):
        KerasClassifier(compiled()).set_params(model__dropout_rate=0.5)


@pytest.mark.parametrize("model", [lambda: None, "adam", 3])
def test_what_makes_no_model_is_refused(model):
    with pytest.raises(TypeError, match="must be a model"):
        KerasClassifier(model).fit(X, Y)


def test_a_subclass_in_the_style_of_scikeras():
    class Regressor(KerasRegressor):
        def __init__(self, hidden=(4,), loss="mse", **kwargs):
            super().__init__(loss=loss, **kwargs)
            self.hidden = hidden

        def _keras_build_fn(self, compile_kwargs):
            hidden = [keras.layers.Dense(units) for units in self.hidden]
            model = keras.Sequential([*hidden, keras.layers.Dense(1)])
            model.compile(**compile_kwargs)
            return model

    found = clone(Regressor(hidden=(3, 2), optimizer="sgd")).fit(X, X[:, 0])
    assert [layer.units for layer in found.model_.layers] == [3, 2, 1]
