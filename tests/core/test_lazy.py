"""Names from a `.pyi`."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import hornbeam.layers
from hornbeam.core.lazy import names_of


# It also collects what earlier tests left.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_threads_may_read_names_at_the_same_time():
    def collected(*_):
        time.sleep(1e-5)  # lets another thread run while this one parses

    threshold = gc.get_threshold()
    gc.set_threshold(50)
    gc.callbacks.append(collected)
    try:
        with ThreadPoolExecutor(16) as threads:
            read = names_of.__wrapped__
            found = [threads.submit(read, "hornbeam.layers") for _ in range(60)]
    finally:
        gc.callbacks.remove(collected)
        gc.set_threshold(*threshold)
    assert hornbeam.layers.__name__ == "hornbeam.layers"
    assert {future.result()["Dense"] for future in found} == {
        ("hornbeam.layers.core.dense", "Dense")
    }
