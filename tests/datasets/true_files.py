"""Small files of the true formats of the data sets."""

import gzip
import io
import json
import pickle
import tarfile

import numpy as np

RANDOM = np.random.default_rng(0)
CIFAR_10 = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its `str`, and NumPy's names as of that time."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, data):
        short = len(data) < 256
        size = len(data).to_bytes(1 if short else 4, "little")
        code = pickle.SHORT_BINSTRING if short else pickle.BINSTRING
        self.write(code + size + data)
        self.memoize(data)

    dispatch[bytes] = save_bytes


def python_2_pickle(value):
    target = io.BytesIO()
    Python2Pickler(target, protocol=2).dump(value)
    return target.getvalue().replace(b"cnumpy._core.", b"cnumpy.core.")


def texts(count, longest=12, words=50):
    """Return an array of lists of the ranks of words."""
    array = np.empty(count, object)
    array[:] = [
        RANDOM.integers(1, words, RANDOM.integers(1, longest)).tolist()
        for _ in range(count)
    ]
    return array


def idx(array):
    """Return the bytes of a compressed IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), 1)


def images(*shape):
    return RANDOM.integers(0, 256, shape).astype("uint8")


def cifar_batch(rows, **labels):
    lists = {
        name.encode(): RANDOM.integers(0, high, rows).tolist()
        for name, high in labels.items()
    }
    names = [b"a_%d.png" % i for i in range(rows)]
    return {b"batch_label": b"batch", b"data": images(rows, 3072),
            b"filenames": names, **lists}  # fmt: skip


def cifar_archive(folder, batches):
    """Return the bytes of a CIFAR archive."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as archive:
        for name, batch in batches.items():
            data = python_2_pickle(batch)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def npz(**arrays):
    target = io.BytesIO()
    np.savez_compressed(target, **arrays)
    return target.getvalue()


def all_files(cifar_rows=10):
    """Return `{name at its origin: bytes}`."""
    cifar_10 = {n: cifar_batch(cifar_rows, labels=10) for n in CIFAR_10}
    cifar_100 = {
        name: cifar_batch(rows, fine_labels=100, coarse_labels=20)
        for name, rows in (("train", 5 * cifar_rows), ("test", cifar_rows))
    }
    labels = RANDOM.integers(0, 2, 50)
    index = json.dumps({"the": 1, "écran": 2}).encode()
    return {
        "mnist.npz": npz(
            x_train=images(6, 28, 28), y_train=images(6),
            x_test=images(3, 28, 28), y_test=images(3),
        ),
        "train-images-idx3-ubyte.gz": idx(images(60, 28, 28)),
        "train-labels-idx1-ubyte.gz": idx(images(60)),
        "t10k-images-idx3-ubyte.gz": idx(images(10, 28, 28)),
        "t10k-labels-idx1-ubyte.gz": idx(images(10)),
        "cifar-10-python.tar.gz": cifar_archive("cifar-10-batches-py", cifar_10),
        "cifar-100-python.tar.gz": cifar_archive("cifar-100-python", cifar_100),
        "imdb.npz": npz(
            x_train=texts(30), y_train=labels[:30], x_test=texts(20), y_test=labels[30:]
        ),
        "reuters.npz": npz(x=texts(40), y=RANDOM.integers(0, 46, 40)),
        "boston_housing.npz": npz(x=RANDOM.normal(size=(50, 13)), y=labels * 1.0),
        "california_housing.npz": npz(
            x=RANDOM.normal(size=(700, 8)).astype("float32"),
            y=RANDOM.normal(size=700).astype("float32"),
        ),
        "imdb_word_index.json": index,
        "reuters_word_index.json": index,
    }  # fmt: skip
