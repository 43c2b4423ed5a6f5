"""The list: order, events, and whether batches are wanted."""

import pytest

from hornbeam import callbacks as c
from hornbeam.core.lazy import names_of
from tests.callbacks.fakes import FakeModel, run

EVENTS = [name for name in vars(c.Callback) if name.startswith("on_")]


class Spy(c.Callback):
    def __init__(self, events):
        self.events = events


def _spy_on(name):
    def method(self, *arguments):
        self.events.append((name, arguments))

    return method


for _name in EVENTS:
    setattr(Spy, _name, _spy_on(_name))


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_reaches_every_callback(name):
    first, second = [], []
    events = c.CallbackList([Spy(first), Spy(second)])
    counted = "batch" in name or "epoch" in name
    arguments = (3, {"loss": 1.0}) if counted else ({"loss": 1.0},)
    getattr(events, name)(*arguments)
    assert first == second == [(name, arguments)]


def test_absent_logs_are_an_empty_dict():
    seen = []
    c.CallbackList([Spy(seen)]).on_epoch_begin(0)
    assert seen == [("on_epoch_begin", (0, {}))]


def test_order_and_what_is_added():
    mine = c.Callback()
    model = FakeModel()
    events = c.CallbackList(mine, True, True, model, verbose=0, epochs=2, steps=5)
    kinds = [type(callback) for callback in events.callbacks]
    assert kinds == [c.Callback, c.History, c.ProgbarLogger]
    assert mine.model is model
    assert mine.params == {"verbose": 0, "epochs": 2, "steps": 5}
    assert model.history is events.callbacks[1]
    given = c.History()
    assert c.CallbackList([given], add_history=True).callbacks == [given]
    assert c.CallbackList().callbacks == []


def test_what_is_no_callback():
    with pytest.raises(TypeError, match="Received: 3"):
        c.CallbackList([3])


class Batches(c.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


class OldBatches(c.Callback):
    def on_batch_begin(self, batch, logs=None):
        pass


class TestBatches(c.Callback):
    __test__ = False

    def on_test_batch_end(self, batch, logs=None):
        pass


class PredictBatches(c.Callback):
    def on_predict_batch_begin(self, batch, logs=None):
        pass


def on_instance():
    callback = c.Callback()
    callback.on_train_batch_begin = lambda batch, logs: None
    return callback


def nothing(*arguments):
    return None


WANTS = [
    (c.Callback, ()),
    (Batches, ("train",)),
    (OldBatches, ("train",)),
    (TestBatches, ("test",)),
    (PredictBatches, ("predict",)),
    (on_instance, ("train",)),
    (c.TerminateOnNaN, ("train",)),
    (lambda: c.LambdaCallback(on_train_batch_end=nothing), ("train",)),
    (lambda: c.LambdaCallback(on_test_batch_end=nothing), ("test",)),
    (lambda: c.LambdaCallback(on_epoch_end=nothing), ()),
    (lambda: c.ModelCheckpoint("a.keras"), ()),
    (lambda: c.ModelCheckpoint("a.keras", save_freq=3), ("train",)),
    (lambda: c.OrbaxCheckpoint("a"), ()),
    (lambda: c.OrbaxCheckpoint("a", save_freq=3), ("train",)),
    (lambda: c.TensorBoard("a", 1, True, True, True, embeddings_freq=1), ()),
    (lambda: c.TensorBoard("a", update_freq="batch"), ("train",)),
    (lambda: c.TensorBoard("a", profile_batch=2), ("train",)),
    (lambda: c.MetricsLogger(nothing), ()),
    (lambda: c.MetricsLogger(nothing, update_freq=3), ("train",)),
    (lambda: c.BackupAndRestore("a"), ()),
    (lambda: c.BackupAndRestore("a", save_freq=3), ("train",)),
    (lambda: c.EarlyStopping(), ()),
    (lambda: c.ReduceLROnPlateau(), ()),
    (lambda: c.LearningRateScheduler(nothing), ()),
    (lambda: c.CSVLogger("a.csv"), ()),
    (lambda: c.SwapEMAWeights(), ()),
    (lambda: c.RemoteMonitor(), ()),
    (lambda: c.ProgbarLogger(), ()),
    (lambda: c.History(), ()),
    (lambda: c.LivePage(), ()),
]


def test_every_callback_has_a_row():
    rows = {type(make()).__name__ for make, _ in WANTS}
    assert set(names_of("hornbeam.callbacks")) - {"CallbackList"} <= rows


@pytest.mark.parametrize(("make", "modes"), WANTS)
def test_who_wants_batches(make, modes):
    events = c.CallbackList([c.Callback(), make()])
    assert [m for m in ("train", "test", "predict") if events.wants_batches(m)] == list(
        modes
    )
    late = c.CallbackList()
    late.append(make())
    assert [m for m in ("train", "test", "predict") if late.wants_batches(m)] == list(
        modes
    )


def test_the_old_names_are_called_for_batches():
    class Old(c.Callback):
        seen = ()

        def on_batch_begin(self, batch, logs=None):
            self.seen += (("begin", batch),)

        def on_batch_end(self, batch, logs=None):
            self.seen += (("end", batch),)

    old = Old()
    run(FakeModel(), [old], [1.0])
    assert old.seen == (("begin", 0), ("end", 0), ("begin", 1), ("end", 1))


def test_history():
    history = run(FakeModel(), [], [3.0, 2.0])
    assert history.epoch == [0, 1]
    assert history.history == {"loss": [3.0, 2.0]}


def test_lambda_callback_takes_any_method():
    seen = []
    callback = c.LambdaCallback(
        on_train_begin=lambda logs: seen.append("begin"),
        on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["loss"])),
        on_test_end=lambda logs: seen.append("test"),
        own=1,
    )
    run(FakeModel(), [callback], [3.0, 2.0])
    callback.on_test_end({})
    assert seen == ["begin", (0, 3.0), (1, 2.0), "test"]
    assert callback.own == 1
