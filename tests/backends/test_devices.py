"""Where tensors are made: what is asked for holds for all that an engine makes.

PyTorch's "meta" device, whose tensors hold no numbers, stands in for a GPU: what is
made on the CPU while it is in force would be a copy, or an error, on a real one.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.core import tree
from tests.layers import table
from tests.ops.table import TABLE

torch = pytest.importorskip("torch")
chosen = pytest.importorskip("hornbeam.backends.torch.devices")

ROWS = table.ROWS


class OnOneDevice(torch.utils._python_dispatch.TorchDispatchMode):
    """Notes each operation whose result is not on the device in force.

    Numbers of the host that go over at once are where they should be.
    """

    def __init__(self):
        super().__init__()
        self.elsewhere = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is torch.ops.aten._to_copy.default and self.elsewhere:
            assert self.elsewhere.pop() == "aten.lift_fresh.default"
        for x in torch.utils._pytree.tree_leaves(result):
            if isinstance(x, torch.Tensor) and x.device.type != "meta":
                self.elsewhere.append(str(function))
        return result


def devices_of(tensors):
    return {x.device.type for x in tensors}


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_layer_makes_everything_on_the_device(row):
    x = row.inputs()
    x = [a.astype("float32") if a.dtype.kind == "f" else a
         for a in (x if isinstance(x, list) else [x])]  # fmt: skip
    training = {"training": True} if row.training else {}
    with backends.scope("torch"), keras.device("meta"):
        layer = row.make()
        x = [keras.ops.convert_to_tensor(a) for a in x]
        inputs = row.given(x if isinstance(row.shapes, list) else x[0])
        layer(*inputs, **training, **row.call)
        with OnOneDevice() as mode:
            outputs = layer(*inputs, **training, **row.call)
    assert devices_of(v._value for v in layer.weights) <= {"meta"}
    assert outputs.device.type == "meta"
    assert mode.elsewhere == []


# Their shape, range or course depends on numbers: on a GPU the host waits for it.
LOOK_AT_NUMBERS = {"bincount", "cond", "convert_to_numpy", "ctc_decode", "histogram"}
LOOK_AT_NUMBERS |= {"nonzero", "unique", "where", "while_loop"}


def test_ops_make_everything_on_the_device():
    """Each op of the table, by name."""
    wrong, refused = {}, set()
    with backends.scope("torch"), keras.device("meta"):
        for row in TABLE:
            nest = tree.map_structure(converted, [list(row.args), row.kwargs])
            try:
                with OnOneDevice() as mode:
                    result = row(*nest)
            except (NotImplementedError, RuntimeError) as error:
                assert "meta" in str(error)
                refused.add(row.op)
                continue
            leaves = [x for x in tree.flatten(result) if isinstance(x, torch.Tensor)]
            if mode.elsewhere or devices_of(leaves) - {"meta"}:
                wrong[row.op] = mode.elsewhere
    assert wrong == {}
    assert refused == LOOK_AT_NUMBERS


def converted(x):
    array = isinstance(x, np.ndarray) and x.dtype != object
    return keras.ops.convert_to_tensor(x) if array else x


def test_draws_are_made_on_the_device():
    draws = keras.random
    with backends.scope("torch"), keras.device("meta"):
        seed = keras.random.SeedGenerator(1)
        with OnOneDevice() as mode:
            made = [draw((2, 3), seed=seed) for draw in (draws.normal, draws.uniform)]
            made.append(draws.dropout(made[0], 0.5, seed=seed))
    assert devices_of(made) == {"meta"}
    assert mode.elsewhere == []


@pytest.fixture
def on_torch(monkeypatch):
    """The engine torch, whose device has not been chosen yet."""
    monkeypatch.setattr(chosen, "_default", None)
    monkeypatch.setattr(chosen, "_is_known", False)
    with backends.scope("torch"):
        yield monkeypatch


def test_data_and_results_of_a_model_cross_over(on_torch):
    """A model of the device takes arrays and tensors of the CPU, in fit as well."""
    with keras.device("meta"):
        model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
        model.compile("adam", "mse")
        assert model(np.ones((4, 3))).device.type == "meta"
        assert model(torch.ones(4, 3)).device.type == "meta"
        seen = []
        on_torch.setattr(
            chosen.torch.Tensor, "cpu", lambda x: seen.append(x) or zero(x)
        )
        on_torch.setattr(torch.Tensor, "__bool__", lambda x: False)
        on_torch.setattr(torch, "equal", lambda a, b: True)
        loss = model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
        # Long enough for the step to be recorded.
        rows = np.ones((32, 3)), np.ones((32, 2))
        model.fit(*rows, batch_size=2, epochs=2, verbose=0)
        assert model.predict(np.ones((4, 3)), verbose=0).shape == (4, 2)
    assert float(loss) == 0
    assert devices_of(seen) == {"meta"}
    assert devices_of(v._value for v in model.optimizer.variables) == {"meta"}


def zero(x):
    return torch.zeros(x.shape, dtype=x.dtype)


def test_arrays_go_to_a_gpu_from_pinned_memory(on_torch):
    """Recorded by stand-ins, as there may be no GPU here."""
    calls = []

    def pin_memory(x):
        calls.append("pin_memory")
        return x

    def to(x, device, **options):
        calls.append((str(device), options))
        return x

    on_torch.setattr(chosen, "_device", torch.device)
    on_torch.setattr(torch.Tensor, "pin_memory", pin_memory)
    on_torch.setattr(torch.Tensor, "to", to)
    array = np.ones((2, 3), "float32")
    with keras.device("cuda:1"):
        x = keras.ops.convert_to_tensor(array)
    array[:] = 5
    assert calls == ["pin_memory", ("cuda:1", {"non_blocking": True})]
    assert float(x.sum()) == 6


def test_the_first_gpu_is_the_default(on_torch):
    on_torch.setattr(torch.cuda, "is_available", lambda: True)
    assert keras.config.device() == "cuda:0"


def test_who_has_the_say(on_torch):
    def made():
        return keras.ops.zeros(2).device.type

    assert (made(), keras.config.device()) == ("cpu", "cpu:0")
    on_torch.setattr(chosen, "_is_known", False)
    on_torch.setenv("KERAS_TORCH_DEVICE", "meta")
    assert made() == "meta"
    keras.config.set_device("cpu")
    assert made() == "cpu"
    on_torch.setenv("HORNBEAM_DEVICE", "meta")
    on_torch.delitem(backends._loaded, "torch")
    backends.get("torch")
    assert made() == "meta"
    with keras.device("cpu:0"):
        assert made() == "cpu"
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(in_thread).result() == "meta"
    keras.config.set_device(None)
    on_torch.delenv("KERAS_TORCH_DEVICE")
    assert made() == "cpu"


def in_thread():
    with backends.scope("torch"):
        return keras.ops.zeros(2).device.type


@pytest.mark.parametrize("ask", [keras.device, keras.config.set_device])
@pytest.mark.parametrize("name", ["cuda:7", "gpu:7", "toaster", "cuda:x"])
def test_a_device_that_is_not_there(name, ask, engine):
    with pytest.raises(ValueError, match=f"no device '{name}'. Devices here: .*cpu:0"):
        with ask(name):
            pass


def test_the_device_of_the_config(engine):
    keras.config.set_device("cpu")
    assert keras.config.device() == "cpu:0"
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.ops.ones(2)), 1)
    keras.config.set_device(None)


def test_tensorflow_is_told_before_it_starts(monkeypatch):
    """Which GPUs it sees; stand-ins, as there may be none here."""
    tf = pytest.importorskip("tensorflow")
    gpus = ["first", "second"]
    seen = []

    def start(devices, kind):
        if seen:
            raise RuntimeError("Visible devices cannot be modified")
        seen.append(devices)

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "set_visible_devices", start)
    with backends.scope("tensorflow"):
        keras.config.set_device("cuda:1")
        assert seen == [["second"]]
        with pytest.raises(RuntimeError, match="before it makes its first tensor"):
            keras.config.set_device("cpu")
        with pytest.raises(ValueError, match="cpu:0, gpu:0, gpu:1"):
            keras.config.set_device("gpu:2")
