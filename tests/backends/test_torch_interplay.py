"""Our models inside torch, torch's modules inside our models, torch's data."""

import warnings

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.training.program import cache

torch = pytest.importorskip("torch")

X = np.random.default_rng(0).random((40, 4), dtype="float32")
Y = X @ np.float32([[1.0], [-2.0], [0.5], [3.0]])


@pytest.fixture
def on_torch():
    with backends.scope("torch"):
        yield


def network():
    return keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(1),
        ]
    )


def train(module, steps=60):
    """Train as one does with torch; return the first and the last loss."""
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((module(torch.from_numpy(X)) - torch.from_numpy(Y)) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses[0], losses[-1]


@pytest.mark.usefixtures("on_torch")
class TestOurModelInTorch:
    def test_it_trains_inside_a_module_and_is_changed_by_it(self):
        model = network()
        kernel = model.layers[0].kernel.numpy()
        mean = model.layers[1].moving_mean.numpy()
        outer = torch.nn.Sequential(model.torch_module(), torch.nn.Linear(1, 1))
        first, last = train(outer)
        assert last < first / 2
        assert np.abs(model.layers[0].kernel.numpy() - kernel).max() > 1e-3
        assert np.abs(model.layers[1].moving_mean.numpy() - mean).max() > 1e-3

    def test_the_mode_of_the_module_is_that_of_the_call(self):
        model = network()
        module, x = model.torch_module(), torch.from_numpy(X)
        module.eval()
        assert torch.equal(module(x), model(x))
        assert torch.equal(module(x), module(x))
        module.train()
        assert not torch.equal(module(x), module(x))

    def test_state_goes_through_a_file_of_torch(self, tmp_path):
        model, other = network(), network()
        train(model.torch_module(), 3)
        torch.save(model.state_dict(), tmp_path / "state.pt")
        state = torch.load(tmp_path / "state.pt", weights_only=True)
        names = dict(zip(model.state_dict(), other.state_dict(), strict=True))
        other.load_state_dict({names[k]: v for k, v in state.items()})
        np.testing.assert_array_equal(
            other.predict(X, verbose=0), model.predict(X, verbose=0)
        )
        with pytest.raises(RuntimeError, match="Missing key"):
            other.load_state_dict({})

    def test_parameters_are_live_and_named_by_path(self):
        model = network()
        names, parameters = zip(*model.named_parameters(), strict=True)
        assert list(names) == [v.path for v in model.trainable_variables]
        module = model.torch_module()
        assert [id(p) for p in module.parameters()] == [id(p) for p in parameters]
        assert len(module.state_dict()) == len(model.variables)

    def test_to_moves_parameters_and_other_variables(self):
        model = network()
        assert model.to("meta") is model
        assert {v._value.device.type for v in model.variables} == {"meta"}

    def test_frozen_weights_are_no_parameters(self):
        model = network()
        model.layers[0].trainable = False
        assert len(list(model.torch_module().parameters())) == 4

    def test_an_unbuilt_layer_says_so(self):
        with pytest.raises(ValueError, match="no weights yet"):
            layers.Dense(2).torch_module()


def test_a_layer_of_another_engine_says_so():
    with backends.scope("numpy"):
        layer = layers.Dense(2)
        layer.build((None, 3))
    with pytest.raises(AttributeError, match="to_backend"):
        layer.torch_module()


@pytest.mark.usefixtures("on_torch")
class TestModuleAsLayer:
    def test_it_trains_in_fit_with_its_own_tensors(self):
        inner = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh()
        )
        wrapper = layers.TorchModuleWrapper(inner)
        model = keras.Sequential([layers.Input((4,)), wrapper, layers.Dense(1)])
        assert model.output_shape == (None, 1)
        assert len(wrapper.trainable_weights) == 4
        assert len(wrapper.non_trainable_weights) == 3
        assert [id(p) for p in wrapper.parameters()] == [
            id(p) for p in inner.parameters()
        ]
        before = inner[0].weight.detach().clone()
        model.compile(keras.optimizers.Adam(0.05), loss="mse")
        losses = model.fit(X, Y, epochs=10, verbose=0).history["loss"]
        assert losses[-1] < losses[0] / 2
        assert not torch.equal(before, inner[0].weight)
        assert int(inner[1].num_batches_tracked) == 20
        np.testing.assert_array_equal(
            wrapper.trainable_weights[0].numpy(), inner[0].weight.detach()
        )

    def test_it_is_called_in_the_mode_of_training(self):
        wrapper, x = layers.TorchModuleWrapper(torch.nn.Dropout(0.5)), torch.ones(50)
        assert torch.equal(wrapper(x), x)
        assert not torch.equal(wrapper(x, training=True), x)

    def test_it_can_be_called_on_other_values(self):
        wrapper = layers.TorchModuleWrapper(torch.nn.Linear(4, 1))
        values = [torch.full((1, 4), 2.0), torch.ones(1)]
        outputs, _ = wrapper.stateless_call(values, [], torch.ones(3, 4))
        np.testing.assert_allclose(outputs.detach(), np.full((3, 1), 9.0))

    def test_the_output_shape_can_be_given(self):
        wrapper = layers.TorchModuleWrapper(
            torch.nn.Linear(4, 5), output_shape=(None, 5)
        )
        assert wrapper(keras.Input((4,))).shape == (None, 5)

    def test_weights_are_saved_but_no_module(self, tmp_path):
        def make():
            wrapper = layers.TorchModuleWrapper(torch.nn.Linear(4, 1))
            return keras.Sequential([layers.Input((4,)), wrapper])

        model, other = make(), make()
        model.save_weights(tmp_path / "a.weights.h5")
        other.load_weights(tmp_path / "a.weights.h5")
        np.testing.assert_array_equal(
            other.predict(X, verbose=0), model.predict(X, verbose=0)
        )
        with pytest.raises(NotImplementedError, match="save_weights"):
            model.save(tmp_path / "a.keras")

    def test_what_is_no_module_is_refused(self):
        with pytest.raises(ValueError, match=r"must be a torch\.nn\.Module"):
            layers.TorchModuleWrapper(lambda x: x)


def test_a_loader_is_data_on_every_engine(training_engine):
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    loader = torch.utils.data.DataLoader(pairs, batch_size=16)
    only_x = torch.utils.data.DataLoader(torch.from_numpy(X), batch_size=16)
    found = []
    for data in ((loader,), (X, Y)):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Input((4,)), layers.Dense(1)])
        model.compile("sgd", loss="mse")
        options = {} if len(data) == 1 else {"batch_size": 16}
        history = model.fit(*data, epochs=2, verbose=0, shuffle=False, **options)
        found.append((history.history["loss"], model.evaluate(*data, verbose=0)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5)
    np.testing.assert_allclose(
        model.predict(only_x, verbose=0), model.predict(X, verbose=0), rtol=1e-5
    )


@pytest.mark.usefixtures("on_torch")
class TestCompiledStep:
    def losses(self, **options):
        cache.clear()
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [layers.Input((4,)), layers.Dense(3), layers.Dropout(0.2), layers.Dense(1)]
        )
        model.compile("adam", loss="mse", **options)
        # Three epochs of 13 steps and a smaller one.
        return model.fit(X, Y, batch_size=3, epochs=3, verbose=0).history["loss"]

    def test_it_is_compiled_once(self, monkeypatch):
        made = []

        def count(graph, inputs):
            made.append(graph)
            return graph.forward

        compile_ = torch.compile
        monkeypatch.setattr(
            torch,
            "compile",
            lambda fn, **options: compile_(fn, backend=count, **options),
        )
        found = self.losses(jit_compile=True)
        assert len(made) == 1
        np.testing.assert_allclose(found, self.losses(), rtol=1e-4)

    def test_a_failing_compiler_gives_one_warning(self, monkeypatch):
        def fail(fn, **options):
            def compiled(*args):
                raise RuntimeError("no compiler here")

            return compiled

        monkeypatch.setattr(torch, "compile", fail)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = self.losses(jit_compile=True)
        assert [str(w.message)[:25] for w in caught] == ["PyTorch's compiler failed"]
        np.testing.assert_allclose(found, self.losses(), rtol=1e-4)


@pytest.mark.usefixtures("on_torch")
def test_convolutions_take_channels_last_as_it_lies():
    x = torch.rand(2, 8, 8, 3)
    layer = layers.Conv2D(4, 3)
    y = layer(x)
    assert y.is_contiguous()
    expected = torch.nn.functional.conv2d(
        x.permute(0, 3, 1, 2), layer.kernel.value.permute(3, 2, 0, 1), layer.bias.value
    )
    np.testing.assert_allclose(
        y.detach(), expected.permute(0, 2, 3, 1).detach(), rtol=1e-4, atol=1e-5
    )
