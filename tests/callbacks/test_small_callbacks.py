"""Schedulers, loggers, guards."""

import csv
import json
import logging
import os
import re
import subprocess
import sys
import time
import types

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import callbacks as c
from hornbeam.config import switches
from hornbeam.utils.compile_notice import compile_notice
from tests.callbacks.fakes import FakeModel, run


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch: 1 / (epoch + 1), [1, 1 / 2, 1 / 3]),
        (lambda epoch, rate: rate / 2, [0.05, 0.025, 0.0125]),
        (lambda epoch, rate=3.0: rate, [0.1, 0.1, 0.1]),
        (lambda *both: np.float32(both[0] + 1), [1, 2, 3]),
    ],
)
def test_learning_rate_scheduler(schedule, rates):
    history = run(FakeModel(), [c.LearningRateScheduler(schedule)], [1, 1, 1])
    found = history.history["learning_rate"]
    assert all(type(rate) is float for rate in found)
    np.testing.assert_allclose(found, rates, rtol=1e-6)


def test_learning_rate_scheduler_refuses():
    with pytest.raises(ValueError, match="must return a float.*'fast'"):
        run(FakeModel(), [c.LearningRateScheduler(lambda epoch: "fast")], [1])
    model = FakeModel()
    model.optimizer = object()
    with pytest.raises(ValueError, match="`learning_rate`"):
        run(model, [c.LearningRateScheduler(lambda epoch: 1.0)], [1])


def test_an_error_inside_a_schedule_is_not_taken_for_a_signature():
    def schedule(epoch, rate):
        raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        run(FakeModel(), [c.LearningRateScheduler(schedule)], [1])


def test_messages_go_to_the_log_where_interactive_logging_is_off(caplog, capsys):
    caplog.set_level(logging.INFO)
    switches.disable_interactive_logging()
    try:
        callback = c.LearningRateScheduler(lambda epoch: 1.0, verbose=1)
        run(FakeModel(), [callback], [1])
    finally:
        switches.enable_interactive_logging()
    assert "LearningRateScheduler setting learning rate to 1.0" in caplog.text
    assert capsys.readouterr().out == ""


def rows(path, separator=","):
    with open(path, encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


def test_csv_logger(tmp_path):
    path = tmp_path / "log.tsv"
    run(FakeModel(), [c.CSVLogger(path, separator="\t")], [2.0, 1.5])
    expected = [["epoch", "loss", "val_loss"], ["0", "2.0", "NA"], ["1", "1.5", "NA"]]
    assert rows(path, "\t") == expected
    logger = c.CSVLogger(path, separator="\t", append=True)
    run(FakeModel(), [logger], [1.0])
    run(FakeModel(), [logger], [0.5])
    expected += [["0", "1.0", "NA"], ["0", "0.5", "NA"]]
    assert rows(path, "\t") == expected
    run(FakeModel(), [c.CSVLogger(path)], [float("nan")])
    assert rows(path)[1:] == [["0", "nan", "NA"]]


def test_csv_logger_cuts_half_a_row(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss\n0,1.0,NA\n1,0.")
    with pytest.warns(UserWarning, match=r"has no end and is cut: b'1,0\.'"):
        run(FakeModel(), [c.CSVLogger(path, append=True)], [0.5])
    assert rows(path)[1:] == [["0", "1.0", "NA"], ["0", "0.5", "NA"]]


def test_csv_logger_on_a_full_disk(tmp_path):
    path = tmp_path / "log.csv"
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    code = (
        "import resource, signal, sys\n"
        "from hornbeam.callbacks import CSVLogger\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
        "log = CSVLogger(sys.argv[1], append=True)\n"
        "log.on_train_begin()\n"
        "try:\n"
        "    for epoch in range(9): log.on_epoch_end(epoch, {'loss': 0.123456})\n"
        "except OSError as error: print(error)\n"
    )
    for limit, last in ((45, "0"), (63, "1"), (75, "1")):
        command = [sys.executable, "-c", code, str(link), str(limit)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert f"There is no room for {str(link)!r}" in done.stdout, done.stderr
        assert rows(path)[-1] == [last, "0.123456", "NA"]
    assert sorted(os.listdir(tmp_path)) == ["link.csv", "log.csv"]


def test_csv_logger_has_room_for_later_validation(tmp_path):
    path = tmp_path / "log.csv"
    logger = c.CSVLogger(path)
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0, "acc": 0.5})
    logger.on_epoch_end(1, {"loss": 1.0, "acc": 0.5, "val_loss": 2.0, "val_acc": 0.1})
    logger.on_epoch_end(2, {"loss": np.array([1, 2])})
    logger.on_train_end()
    assert rows(path) == [
        ["epoch", "acc", "loss", "val_acc", "val_loss"],
        ["0", "0.5", "1.0", "NA", "NA"],
        ["1", "0.5", "1.0", "0.1", "2.0"],
        ["2", "NA", '"[1, 2]"', "NA", "NA"],
    ]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_terminate_on_nan(loss, capsys):
    model = FakeModel()
    history = run(model, [c.TerminateOnNaN()], [1.0, loss, 1.0])
    assert model.stop_training
    assert len(history.epoch) == 2
    assert "Batch 0" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
        run(FakeModel(), [c.TerminateOnNaN(raise_error=True)], [1.0, loss])


def fake_requests(posts, fails=False):
    class RequestException(Exception):
        pass

    def post(address, **arguments):
        if fails:
            raise RequestException
        posts.append((address, arguments))

    errors = types.SimpleNamespace(RequestException=RequestException)
    return types.SimpleNamespace(post=post, exceptions=errors)


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(monkeypatch, as_json):
    posts = []
    monkeypatch.setitem(sys.modules, "requests", fake_requests(posts))
    monitor = c.RemoteMonitor("http://here", "/end", send_as_json=as_json)
    logs = {"loss": np.float32(0.5), "one": np.arange(1), "two": np.arange(2)}
    monitor.on_epoch_end(3, logs)
    ((address, arguments),) = posts
    sent = arguments["json"] if as_json else json.loads(arguments["data"]["data"])
    assert address == "http://here/end"
    assert sent == {"epoch": 3, "loss": 0.5, "one": 0, "two": [0, 1]}


def test_remote_monitor_without_a_server(monkeypatch):
    monkeypatch.setitem(sys.modules, "requests", fake_requests([], fails=True))
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server"):
        c.RemoteMonitor().on_epoch_end(0, {})
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ImportError, match="pip install requests"):
        c.RemoteMonitor().on_epoch_end(0, {})


def display(verbose, capsys, events):
    logger = c.ProgbarLogger()
    logger.set_params({"verbose": verbose, "epochs": 2, "steps": 10})
    for name, *arguments in events:
        getattr(logger, name)(*arguments)
    return capsys.readouterr().out


TRAINING = [
    ("on_train_begin",),
    ("on_epoch_begin", 0),
    ("progress", 5, {"loss": 1.0}),
    ("progress", 10, {"loss": 0.5}),
    ("on_test_begin",),
    ("progress", 3, {"loss": 9.0}),
    ("on_test_end", {"loss": 9.0}),
    ("on_epoch_end", 0, {"loss": 0.5, "val_loss": 9.0}),
    ("on_train_end",),
]


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_progress_without_a_terminal_is_a_line_per_epoch(verbose, capsys):
    text = display(verbose, capsys, TRAINING)
    assert text.count("\n") == 1
    assert text.startswith("Epoch 1/2 - 10 steps - ")
    assert text.endswith(" - loss: 0.5000 - val_loss: 9.0000\n")


def test_progress_that_is_silent(capsys):
    assert display(0, capsys, TRAINING) == ""


def test_evaluation_and_prediction_on_their_own(capsys):
    evaluation = [("on_test_begin",), ("progress", 3), ("on_test_end", {"loss": 9.0})]
    assert "Evaluate - 3 steps" in display(1, capsys, evaluation)
    prediction = [("on_predict_begin",), ("progress", 3), ("on_predict_end",)]
    assert "Predict - 3 steps" in display(2, capsys, prediction)
    assert display(1, capsys, prediction) == ""


def test_live_bar_shows_at_most_five_times_a_second(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    asked = []

    def logs():
        asked.append(1)
        return {"loss": 0.5}

    events = [("on_train_begin",), ("on_epoch_begin", 0)]
    events += [("progress", step, logs) for step in range(1, 1000)]
    events += [("on_epoch_end", 0, {"loss": 0.25})]
    text = display(1, capsys, events)
    assert "Epoch 1/2" in text
    assert "loss: 0.2500" in text
    assert "step" in text
    assert len(asked) <= 5


FOUR = ("loss", "accuracy", "precision", "recall", "auc")


def epoch(names, value):
    logs = dict.fromkeys((*names, *(f"val_{name}" for name in names)), value)
    return [
        ("on_train_begin",), ("on_epoch_begin", 0), ("progress", 10, None),
        ("on_epoch_end", 0, logs),
    ]  # fmt: skip


def test_results_in_a_terminal_fit_it_and_the_bar_goes(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", display(1, capsys, epoch(FOUR, 0.5)))
    lines = text[text.rindex("Epoch 1/2") :].splitlines()
    assert 1 < len(lines) <= 4 and all(len(line) <= 80 for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])
    values = " ".join(line.strip() for line in lines)
    assert all(f"- {name}: 0.5000" in values for name in FOUR)
    assert values.endswith(" - val_auc: 0.5000")


def test_results_of_many_outputs_without_a_terminal_take_several_lines(capsys):
    (line,) = display(2, capsys, epoch(FOUR[:3], 0.5)).splitlines()
    assert line.endswith(" - val_accuracy: 0.5000 - val_precision: 0.5000")
    lines = display(2, capsys, epoch(FOUR, 0.5)).splitlines()
    assert len(lines) == 2 and all(len(line) <= 160 for line in lines)
    assert lines[1].startswith("  ")


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_compilations_are_shown_with_their_seconds(verbose, capsys):
    logger = c.ProgbarLogger()
    logger.set_params({"verbose": verbose, "epochs": 1, "steps": 1})
    logger.on_epoch_begin(0)
    with logger.compiling():
        time.sleep(0.2)
        before = capsys.readouterr().out
    logger.progress(1)
    logger.on_epoch_end(0)
    after = capsys.readouterr().out
    assert before == ("compiling ... " if verbose else "")
    if verbose:
        seconds, line = after.splitlines()
        assert 0.2 <= float(seconds.removesuffix("s")) < 2
        assert line.startswith("Epoch 1/1 - 1 steps - 0.0s")


def test_compilations_are_shown_in_the_live_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    logger = c.ProgbarLogger()
    logger.set_params({"verbose": 1, "epochs": 1, "steps": 1})
    logger.on_epoch_begin(0)
    with logger.compiling():
        time.sleep(0.5)
    logger.on_epoch_end(0)
    text = capsys.readouterr().out
    assert len(set(re.findall(r"compiling \.\.\. (\d\.\d)s", text))) >= 3


def test_compilations_in_the_log(capsys, caplog):
    keras.config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", "hornbeam"), compile_notice():
            pass
    finally:
        keras.config.enable_interactive_logging()
    assert caplog.messages == ["compiling ...", "compiled in 0.0s"]
    assert capsys.readouterr().out == ""
