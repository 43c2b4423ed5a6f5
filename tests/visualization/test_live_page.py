"""The live page: who gets it, what it says, and that nothing is left of it."""

import copy
import http.client
import json
import pickle
import socket
import threading
import time

import numpy as np
import pytest
from sklearn.base import clone

import hornbeam as keras
from hornbeam import backends, layers

draws = np.random.RandomState(0)
X, Y = draws.normal(size=(64, 4)).astype("float32"), draws.normal(size=64)


@pytest.fixture(autouse=True)
def on_torch():
    """It starts at once; and no thread or socket is left."""
    with backends.scope("torch"):
        yield
    names = [thread.name for thread in threading.enumerate()]
    assert "hornbeam-live-page" not in names


class During(keras.callbacks.Callback):
    """Calls a function in the middle of a training."""

    def __init__(self, call):
        super().__init__()
        self.call = call
        self.results = []

    def on_epoch_end(self, epoch, logs=None):
        self.results.append(self.call())


def trained(callbacks, epochs=2, **kwargs):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="only")])
    model.compile("sgd", "mse")
    return model.fit(X, Y, epochs=epochs, verbose=0, callbacks=callbacks, **kwargs)


def ask(page, path, **headers):
    """Return the status and the text of a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(page), timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def port_of(page):
    return int(page.url.split(":")[2].split("/")[0])


def token_of(page):
    return page.url.split("/")[3]


def state(page, since=0):
    return json.loads(ask(page, f"/{token_of(page)}/state?since={since}")[1])


def test_what_it_says(capsys):
    page = keras.callbacks.LivePage()
    during = During(lambda: state(page))
    history = trained([page, during], epochs=3, validation_split=0.25)
    assert page.url is None
    assert "Live page: http://127.0.0.1:" in capsys.readouterr().out
    # The history comes after other callbacks: the page is one epoch behind here.
    first, *_, last = during.results
    sections = dict(last["sections"])
    assert list(sections) == [
        *("curves", "time", "model", "settings"),
        "versions-and-seeds",
    ]
    assert "only" in sections["model"] and "<polyline" in sections["curves"]
    assert f"loss {history.history['loss'][1]:.4g}" in last["status"]
    assert f"val_loss {history.history['val_loss'][1]:.4g}" in last["status"]
    assert "No epoch has ended" in dict(first["sections"])["curves"]
    assert not last["ended"] and last["version"] > first["version"]


def test_what_is_known_is_not_sent_again():
    page = keras.callbacks.LivePage()
    during = During(lambda: state(page, since=state(page)["version"]))
    trained([page, during])
    assert [found["sections"] for found in during.results] == [None, None]


def test_only_who_knows_the_token_gets_it():
    page = keras.callbacks.LivePage()
    with page:
        token = token_of(page)
        assert len(token) >= 22 and page.url.startswith("http://127.0.0.1:")
        status, text = ask(page, f"/{token}/")
        assert status == 200 and "<script>" in text
        other = keras.callbacks.LivePage()
        with other:
            assert token_of(other) != token
        for path in ("/", "/state", f"/{token[:-1]}/", f"/{token}x/"):
            status, text = ask(page, path)
            assert status == 403 and token not in text
        # A name that was made to point here.
        for host in (
            "evil.example",
            f"evil.example:{port_of(page)}",
            "127.0.0.1.evil.example",
            "",
        ):
            assert ask(page, f"/{token}/", Host=host)[0] == 403
        assert ask(page, f"/{token}/", Host=f"localhost:{port_of(page)}")[0] == 200


def test_it_listens_on_this_computer_alone():
    with keras.callbacks.LivePage() as page:
        others = {
            info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)
        } - {"127.0.0.1", "::1"}
        for address in others:
            if ":" in address or address.startswith("127."):
                continue
            with pytest.raises(OSError):
                socket.create_connection((address, port_of(page)), timeout=1)


def test_names_are_escaped():
    page = keras.callbacks.LivePage()
    attack = "<script>alert(1)</script>"
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.layers[0].name = model.name = attack
    model.compile("sgd", "mse")
    during = During(lambda: state(page))
    model.fit(X, Y, verbose=0, callbacks=[page, during])
    assert attack not in json.dumps(during.results)


def test_several_trainings_are_ranked():
    with keras.callbacks.LivePage() as page:
        losses = []
        for rate in (0.1, 0.001, 0.01):
            model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
            model.compile(keras.optimizers.SGD(rate), "mse")
            history = model.fit(
                X, Y, epochs=3, verbose=0, callbacks=[copy.deepcopy(page)]
            )
            losses.append(history.history["loss"][-1])
        found = state(page)
        assert found["status"].startswith("3 of 3 trainings ended")
        sections = dict(found["sections"])
        ranking, ids = sections["ranking"], list(sections)
        assert ids[:4] == [
            *("ranking", "parallel-coordinates", "effects", "learning-curves")
        ]
        rows = ranking.split("<tr data-row=")[1:]
        assert [int(row[1]) for row in rows] == np.argsort(losses).tolist()
        assert "SGD.learning_rate" in ranking and "Dense0.units" not in ranking
    assert page.url is None


@pytest.mark.parametrize("make", [copy.deepcopy, clone])
def test_copies_share_the_page(make):
    with keras.callbacks.LivePage() as page:
        assert make(page).url == page.url is not None


def test_another_process_has_another_page():
    with keras.callbacks.LivePage(stay=True) as page:
        other = pickle.loads(pickle.dumps(page))
        assert other.url is None and other.stay
        page.close()


def test_an_error_ends_it():
    page = keras.callbacks.LivePage()

    def fail():
        raise OverflowError("mine")

    with pytest.raises(OverflowError, match="mine"):
        trained([page, During(fail)])
    assert page.url is None


def test_twice_among_the_callbacks_it_is_one_page_and_ends():
    page = keras.callbacks.LivePage()
    during = During(lambda: state(page)["status"])
    trained([page, during, page])
    assert all("of 2 trainings" not in status for status in during.results)
    assert page.url is None


def test_a_training_within_a_training_on_one_page_ends():
    page = keras.callbacks.LivePage()
    trained([page, During(lambda: trained([page], epochs=1))])
    assert page.url is None


def test_it_stays_if_told_to():
    page = keras.callbacks.LivePage(stay=True)
    trained([page])
    url = page.url
    assert "ended after 2 epochs" in state(page)["status"]
    trained([page])
    assert page.url == url and len(state(page)["sections"]) >= 4
    page.close()
    assert page.url is None


def test_a_stalled_browser_does_not_hold_the_training():
    page = keras.callbacks.LivePage()
    stalled = []
    connect = lambda: stalled.append(  # noqa: E731
        socket.create_connection(("127.0.0.1", port_of(page)))
    )
    started = time.monotonic()
    trained([page, During(connect)])
    assert time.monotonic() - started < 60
    for connection in stalled:
        connection.close()


def test_it_has_no_batch_methods_and_waits_for_no_epoch():
    callbacks = keras.callbacks.CallbackList([keras.callbacks.LivePage()])
    assert not callbacks.wants_batches("train") and not callbacks.wants_epochs


def test_a_wrong_port():
    with pytest.raises(ValueError, match="port"):
        keras.callbacks.LivePage(port=-1)
