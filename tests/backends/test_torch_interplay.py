"""Our models inside torch, torch's modules inside our models, torch's data."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.training.execution.programs import cache

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


class Net(torch.nn.Module):
    """A user's module, with layers of ours that are built when it is called."""

    def __init__(self):
        super().__init__()
        self.inner = network()
        self.hidden = layers.Dense(3, activation="relu")
        self.drop = layers.Dropout(0.5)
        self.last = torch.nn.Linear(3, 1)
        self.more = torch.nn.ModuleList([layers.Dense(1), layers.LSTM(2)])

    def forward(self, x):
        y = self.inner(x) + self.last(self.drop(self.hidden(x)))
        return y + self.more[0](self.more[1](x.reshape(-1, 2, 2)))


@pytest.mark.usefixtures("on_torch")
class TestOurLayersInTorch:
    def test_they_train_inside_a_module_and_are_changed_by_it(self):
        net = Net()
        net(torch.from_numpy(X))
        net.train()
        before = {name: p.detach().clone() for name, p in net.named_parameters()}
        mean = net.inner.layers[1].moving_mean.numpy()
        first, last = train(net)
        assert last < first / 2
        assert len(before) == 6 + 2 + 2 + 2 + 3
        for name, parameter in net.named_parameters():
            assert not torch.equal(parameter, before[name]), name
        assert np.abs(net.inner.layers[1].moving_mean.numpy() - mean).max() > 1e-3

    def test_a_layer_is_a_module_once_it_is_made(self):
        layer = layers.Dense(2)
        assert isinstance(layer, torch.nn.Module)
        assert type(layer) is layers.Dense
        net = torch.nn.Sequential(layer, torch.nn.ReLU())
        assert list(net.modules()) == [net, layer, net[1]]
        assert not list(net.parameters())
        net(torch.ones(1, 3))
        assert [id(p) for p in net.parameters()] == [
            id(v._value) for v in layer.weights
        ]

    def test_names_do_not_depend_on_what_was_made_before(self):
        names = [list(Net().inner.state_dict()) for _ in range(2)]
        assert names[0] == names[1]
        assert names[0][:4] == [
            *("dense.kernel", "dense.bias"),
            *("batch_normalization.gamma", "batch_normalization.beta"),
        ]

        class Model(keras.Model):
            def __init__(self):
                super().__init__()
                self.encoder = layers.Bidirectional(layers.GRU(2))
                self.heads = [layers.Dense(1), layers.Dense(2)]

            def call(self, x):
                return self.heads[1](self.heads[0](self.encoder(x)))

        model = Model()
        model(torch.ones(1, 2, 3))
        assert {name.rpartition(".")[0] for name in model.state_dict()} == {
            *("encoder.forward_layer.cell", "encoder.backward_layer.cell"),
            *("dense", "dense_1"),
        }

    def test_the_mode_is_the_default_of_training(self):
        net, x = Net(), torch.ones(100)
        assert torch.equal(net.drop(x), x)
        net.train()
        assert net.drop.training
        assert not torch.equal(net.drop(x), x)
        assert torch.equal(net.drop(x, training=False), x)
        assert not torch.equal(net.inner(torch.from_numpy(X)), net.inner(X))
        net.eval()
        assert not net.drop.training
        assert torch.equal(net.drop(x), x)
        assert not torch.equal(net.drop(x, training=True), x)
        np.testing.assert_allclose(
            net.inner(X).detach(), net.inner.predict(X, verbose=0), rtol=1e-5
        )

    def test_state_goes_through_a_file_of_torch(self, tmp_path):
        net, other = Net(), Net()
        other(torch.from_numpy(X))
        train(net, 3)
        torch.save(net.state_dict(), tmp_path / "state.pt")
        state = torch.load(tmp_path / "state.pt", weights_only=True)
        other.load_state_dict(state)
        assert torch.equal(net(torch.from_numpy(X)), other(torch.from_numpy(X)))
        with pytest.raises(RuntimeError, match="Missing key"):
            other.load_state_dict({})

    @pytest.mark.parametrize(
        "copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
    )
    def test_copies_share_nothing(self, copied):
        net, x = Net(), torch.from_numpy(X)
        expected = net(x)
        other = copied(net)
        assert torch.equal(other(x), expected)
        train(other, 2)
        assert torch.equal(net(x), expected)
        assert not torch.equal(other(x), expected)

    def test_functions_of_torch_on_parameters(self):
        net, x = Net(), torch.from_numpy(X)
        net(x)
        doubled = {k: 2 * v for k, v in net.named_parameters() if "inner" in k}
        before = net(x)
        found = torch.func.functional_call(net, doubled, x)
        assert torch.equal(net(x), before)
        net.load_state_dict(doubled, strict=False)
        assert torch.equal(net(x), found)
        assert len(torch.nn.utils.parameters_to_vector(net.parameters())) == sum(
            p.numel() for p in net.parameters()
        )

    def test_to_moves_parameters_and_other_variables(self):
        net = Net()
        net(torch.from_numpy(X))
        assert net.to("meta") is net
        devices = {v._value.device.type for v in net.inner.variables}
        assert devices | {p.device.type for p in net.parameters()} == {"meta"}

    def test_to_changes_the_dtype_of_the_computation(self):
        net, x = Net(), torch.from_numpy(X)
        expected = net(x)
        net.double()
        assert net.hidden.compute_dtype == net.hidden.kernel.dtype == "float64"
        found = net(x.double())
        assert found.dtype is torch.float64
        np.testing.assert_allclose(found.detach(), expected.detach(), rtol=1e-4)
        assert net.drop.variables[0].dtype == "uint32"

    def test_frozen_weights_are_no_parameters(self):
        model = network()
        model.layers[0].trainable = False
        assert len(list(model.parameters())) == 4
        assert len(model.state_dict()) == len(model.variables)
        assert list(model.torch_params) == [v.path for v in model.variables]

    def test_hooks_say_where_they_can_be(self):
        layer, seen = layers.Dense(2), []
        with pytest.raises(NotImplementedError, match=r"Sequential\(layer\)"):
            layer.register_forward_hook(print)
        around = torch.nn.Sequential(layer)
        around.register_forward_hook(lambda *args: seen.append(args[2].shape))
        around(torch.ones(1, 3))
        assert seen == [(1, 2)]

    def test_a_file_holds_what_it_holds_on_any_engine(self, tmp_path):
        model = network()
        model.save(tmp_path / "a.keras")
        with backends.scope("numpy"):
            other = keras.models.load_model(tmp_path / "a.keras")
        np.testing.assert_allclose(
            other.predict(X, verbose=0), model.predict(X, verbose=0), atol=1e-6
        )

    def test_an_attribute_that_is_not_there(self):
        with pytest.raises(AttributeError, match="'Dense' object has no attribute 'x'"):
            _ = layers.Dense(2).x


@pytest.mark.parametrize("method", ["parameters", "named_parameters", "state_dict"])
def test_a_layer_of_another_engine_says_so(method):
    with backends.scope("torch"):
        layers.Dense(2)
    with backends.scope("numpy"):
        layer = layers.Dense(2)
        layer.build((None, 3))
    net = torch.nn.Sequential(layer)
    with pytest.raises(AttributeError, match="to_backend"):
        list(getattr(layer, method)())
    with pytest.raises(AttributeError, match="to_backend"):
        list(net.parameters())
    layer.to_backend("torch")
    assert len(list(net.parameters())) == 2


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
