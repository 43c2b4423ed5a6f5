"""`get_file`: against a server of the test's own, and real Keras where they agree."""

import functools
import hashlib
import http.server
import io
import multiprocessing
import os
import pathlib
import tarfile
import threading
import zipfile

import pytest

import hornbeam as keras
from hornbeam.saving import DamagedFileError, UnsafeFileError
from hornbeam.utils import download, extraction

DATA = b"some data\n" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()
MD5 = hashlib.md5(DATA).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files; redirects from `/to/ADDRESS`; `/short` is cut off."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path == "/short.bin":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"short")
        else:
            super().do_GET()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of a folder with a text and archives."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "a.txt").write_bytes(DATA)
    for name, mode in (("a.tar.gz", "w:gz"), ("a.tar.xz", "w:xz"), ("a.tgz", "w:gz")):
        with tarfile.open(folder / name, mode) as archive:
            archive.add(folder / "a.txt", "./top/a.txt")
    with tarfile.open(folder / "a.tar", "w") as archive:
        archive.add(folder / "a.txt", "top/a.txt")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "a.txt", "top/a.txt")
    handler = functools.partial(Handler, directory=str(folder))
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    httpd.asked, httpd.folder = [], folder
    httpd.url = f"http://127.0.0.1:{httpd.server_port}"
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()


def files(folder):
    """Return the paths of all files below a folder."""
    folder = pathlib.Path(folder)
    return sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()
    )


@pytest.mark.parametrize(
    "hashes",
    [
        {},
        {"file_hash": SHA256},
        {"file_hash": SHA256.upper()},
        {"file_hash": MD5},
        {"md5_hash": MD5},
        {"file_hash": SHA256, "hash_algorithm": "sha256"},
        {"file_hash": MD5, "hash_algorithm": "md5"},
    ],
)
def test_a_file_is_downloaded_once(server, tmp_path, hashes):
    server.asked.clear()
    for _ in range(2):
        path = keras.utils.get_file(
            origin=f"{server.url}/a.txt?version=1", cache_dir=tmp_path, **hashes
        )
        assert path == str(tmp_path / "datasets" / "a.txt")
        assert pathlib.Path(path).read_bytes() == DATA
    assert len(server.asked) == 1
    assert files(tmp_path) == ["datasets/a.txt"]


def test_the_cache_folder_is_that_of_the_api(server, tmp_path, monkeypatch):
    origin = f"{server.url}/a.txt"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    path = keras.utils.get_file("b.dat", origin)
    assert path == str(tmp_path / "home" / "datasets" / "b.dat")
    path = keras.utils.get_file(origin=origin, cache_subdir="models/x")
    assert path == str(tmp_path / "home" / "models" / "x" / "a.txt")
    path = keras.utils.get_file(origin=origin, cache_subdir=tmp_path / "absolute")
    assert path == str(tmp_path / "absolute" / "a.txt")
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    path = keras.utils.get_file(pathlib.Path("c.txt"), origin)
    assert path == str(tmp_path / "user" / ".keras" / "datasets" / "c.txt")


def test_without_a_home_a_folder_of_the_users_own_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/none")
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr(download.tempfile, "tempdir", str(tmp_path))
    folder = download._cache_folder(None, "datasets")
    assert folder == tmp_path / ".keras" / "datasets"
    (tmp_path / ".keras").chmod(0o777)
    with pytest.raises(PermissionError, match="KERAS_HOME"):
        download._cache_folder(None, "datasets")


def test_what_changed_is_downloaded_again(server, tmp_path):
    get = functools.partial(
        keras.utils.get_file, origin=f"{server.url}/a.txt", cache_dir=tmp_path
    )
    path = pathlib.Path(get())
    path.write_text("changed")
    assert pathlib.Path(get()).read_text() == "changed"
    assert pathlib.Path(get(file_hash=SHA256)).read_bytes() == DATA
    path.write_text("changed")
    assert pathlib.Path(get(force_download=True)).read_bytes() == DATA


@pytest.mark.parametrize(
    ("name", "origin", "fname", "folder", "archive"),
    [
        ("default", "a.tar.gz", None, "a.tar.gz", "a.tar.gz_archive"),
        ("default zip", "a.zip", None, "a.zip", "a.zip_archive"),
        ("xz", "a.tar.xz", None, "a.tar.xz", "a.tar.xz_archive"),
        ("plain tar", "a.tar", "x", "x", "x_archive"),
        ("folder", "a.tgz", "x", "x", "x_archive"),
        ("zip", "a.zip", "x.zip", "x_extracted", "x.zip"),
        ("two suffixes", "a.tar.gz", "x.tar.gz", "x_extracted", "x.tar.gz"),
    ],
)
@pytest.mark.oracle
def test_archives_are_extracted_where_keras_does(
    server, tmp_path, name, origin, fname, folder, archive, capsys
):
    import keras as real

    trees = []
    for library in (keras, real):
        cache = tmp_path / library.__name__
        cache.mkdir()
        path = library.utils.get_file(
            fname, f"{server.url}/{origin}", extract=True, cache_dir=str(cache)
        )
        assert pathlib.Path(path, "top", "a.txt").read_bytes() == DATA
        trees.append((os.path.relpath(path, cache), files(cache)))
    ours, theirs = trees
    assert ours == theirs
    assert ours[0] == f"datasets/{folder}"
    assert f"datasets/{archive}" in ours[1]


def test_a_folder_that_was_extracted_is_used_as_it_is(server, tmp_path):
    get = functools.partial(
        keras.utils.get_file, "x", f"{server.url}/a.zip", extract=True,
        cache_dir=tmp_path,
    )  # fmt: skip
    folder = pathlib.Path(get())
    (folder / "top" / "a.txt").write_text("changed")
    (folder / "mine.txt").write_text("mine")
    assert pathlib.Path(get(), "top", "a.txt").read_text() == "changed"
    assert pathlib.Path(get(force_download=True), "top", "a.txt").read_bytes() == DATA
    assert (folder / "mine.txt").read_text() == "mine"
    with pytest.raises(IsADirectoryError, match="extract=True"):
        keras.utils.get_file("x", f"{server.url}/a.txt", cache_dir=tmp_path)


WRONG = {
    "origin": {"origin": None},
    "scheme": {"origin": "gopher://x/y"},
    "fname": {"fname": "../x"},
    "the `fname` argument": {"origin": "http://127.0.0.1:9/"},
    "hash_algorithm": {"hash_algorithm": "sha1"},
    "archive_format": {"extract": True, "archive_format": None},
    "'rar'": {"extract": True, "archive_format": "rar"},
    "path": {"cache_subdir": 3},
}


@pytest.mark.parametrize("word", WRONG)
def test_wrong_arguments_are_named(word, tmp_path):
    options = {"origin": "http://127.0.0.1:9/a.txt", "cache_dir": tmp_path / "x"}
    pattern = "origin" if word == "scheme" else word
    with pytest.raises((TypeError, ValueError), match=pattern):
        keras.utils.get_file(**{**options, **WRONG[word]})
    assert not files(tmp_path)


def test_without_a_connection_the_error_says_what_to_do(tmp_path, server):
    origin = "http://127.0.0.1:9/data.npz"
    place = str(tmp_path / "datasets" / "data.npz")
    with pytest.raises(OSError, match="URL fetch failure") as info:
        keras.utils.get_file(origin=origin, cache_dir=tmp_path, file_hash=SHA256)
    for part in (origin, place, SHA256, "put the file"):
        assert part in str(info.value)
    with pytest.raises(OSError, match="404"):
        keras.utils.get_file(origin=f"{server.url}/none.txt", cache_dir=tmp_path)
    assert not files(tmp_path)


@pytest.mark.parametrize("name", ["a.txt", "short.bin"])
def test_what_is_damaged_leaves_no_file(name, server, tmp_path):
    """S17."""
    with pytest.raises(DamagedFileError, match=f"corrupted.*{name}"):
        keras.utils.get_file(
            origin=f"{server.url}/{name}", cache_dir=tmp_path, file_hash="0" * 64
        )
    assert not files(tmp_path)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirections_to_files_are_refused(to, server, tmp_path):
    """S17."""
    # Python refuses the first, we the second.
    with pytest.raises((OSError, UnsafeFileError), match="[Rr]edirect"):
        keras.utils.get_file("x", f"{server.url}/to/{to}", cache_dir=tmp_path)
    assert not files(tmp_path)


def test_a_public_server_may_not_redirect_into_the_network(
    server, tmp_path, monkeypatch
):
    """S17: the names are resolved by the test."""
    addresses = {"public.test": "93.184.215.14", "inside.test": "10.0.0.1"}
    resolve = download.socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if port is None and host in addresses:
            return [(2, 1, 6, "", (addresses[host], 0))]
        # All servers are that of the test.
        return resolve("127.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(download.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("no_proxy", "*")
    port = server.server_port
    for target in ("inside.test", "127.0.0.1"):
        with pytest.raises(UnsafeFileError, match="network of this machine"):
            keras.utils.get_file(
                "x", f"http://public.test:{port}/to/http://{target}:{port}/a.txt",
                cache_dir=tmp_path,
            )  # fmt: skip
    assert not files(tmp_path)
    for start in ("inside.test", "public.test"):
        path = keras.utils.get_file(
            start, f"http://{start}:{port}/to/http://public.test:{port}/a.txt",
            cache_dir=tmp_path,
        )  # fmt: skip
        assert pathlib.Path(path).read_bytes() == DATA


def fetch(url, cache, results):
    path = keras.utils.get_file(
        "x", f"{url}/a.zip", extract=True, cache_dir=cache, force_download=True
    )
    results.put(pathlib.Path(path, "top", "a.txt").read_bytes() == DATA)


def test_two_threads_and_two_processes_may_ask_at_a_time(server, tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    arguments = (server.url, tmp_path, results)
    workers = [context.Process(target=fetch, args=arguments) for _ in range(2)]
    workers += [threading.Thread(target=fetch, args=arguments) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [results.get() for _ in workers] == [True] * len(workers)
    assert files(tmp_path) == ["datasets/x/top/a.txt", "datasets/x_archive"]


def tar_of(*members, mode="w:gz"):
    """Return the bytes of a tar file of `(name, type, link or bytes)`."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size, info.mode = len(content), 0o6777
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                archive.addfile(info)
    return target.getvalue()


def zip_of(name, content=b"x", mode=0, count=1):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            info = zipfile.ZipInfo(name if count == 1 else f"{name}{number}")
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return target.getvalue()


def with_false_size(data, size):
    """Return a zip file whose member declares another size."""
    place = data.index(b"PK\1\2") + 24
    return data[:place] + size.to_bytes(4, "little") + data[place + 4 :]


def with_long_header():
    """Return a tar file with a header of 100 MB of zeros, packed."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 100 << 20
    target = io.BytesIO()
    with extraction.gzip.open(target, "wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT) + bytes(100 << 20))
    return target.getvalue()


REG, SYM, LNK = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
ZIP_BOMB = zip_of("x", bytes(100 << 20))
ATTACKS = {
    "link and file through it": tar_of(("link", SYM, "."), ("link/../x", REG, b"x")),
    "parent": tar_of(("../x", REG, b"x")),
    "inner parent": tar_of(("a/../../x", REG, b"x")),
    "absolute": tar_of(("/tmp/hornbeam-x", REG, b"x")),
    "drive": tar_of(("C:x", REG, b"x")),
    "backslash": tar_of(("..\\x", REG, b"x")),
    "hard link": tar_of(("x", LNK, "../../outside")),
    "symbolic link": tar_of(("x", SYM, "/etc/passwd")),
    "device": tar_of(("x", tarfile.CHRTYPE, "")),
    "block device": tar_of(("x", tarfile.BLKTYPE, "")),
    "pipe": tar_of(("x", tarfile.FIFOTYPE, "")),
    "tar bomb": tar_of(("x", REG, bytes(100 << 20))),
    "header": with_long_header(),
    "zip parent": zip_of("../x"),
    "zip absolute": zip_of("/tmp/hornbeam-x"),
    "zip NUL": zip_of("aXb").replace(b"aXb", b"a\0b"),
    "zip link": zip_of("x", b"/etc/passwd", 0o120777),
    "zip bomb": ZIP_BOMB,
    "zip of false size": with_false_size(ZIP_BOMB, 10),
    "cut off": zip_of("x", os.urandom(5000))[:3000],
    "tar cut off": tar_of(("x", REG, os.urandom(5000)))[:3000],
    "no archive": DATA,
}


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_extract_nothing(name, inside, tmp_path, monkeypatch):
    """S12, in the folder and outside of it."""
    monkeypatch.setattr(extraction, "_SLACK", 1 << 20)
    cache = tmp_path / "cache" / "datasets"
    cache.mkdir(parents=True)
    monkeypatch.chdir(cache if inside else tmp_path)
    (tmp_path / "origin.bin").write_bytes(ATTACKS[name])
    with pytest.raises((UnsafeFileError, DamagedFileError)) as info:
        keras.utils.get_file(
            "folder", (tmp_path / "origin.bin").as_uri(), extract=True,
            cache_dir=tmp_path / "cache",
        )  # fmt: skip
    assert isinstance(info.value, ValueError)
    assert files(tmp_path) == ["origin.bin"]
    assert not pathlib.Path("/tmp/hornbeam-x").exists()
    assert not list(cache.iterdir())


def test_permissions_of_an_archive_are_not_taken(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(tar_of(("x", REG, b"x"), ("e", b"5", "")))
    extraction.extract_into(tmp_path / "a.tar.gz", tmp_path / "f")
    assert not (tmp_path / "f" / "x").stat().st_mode & 0o7111
    assert (tmp_path / "f" / "e").is_dir()


def test_links_in_the_folder_lead_nowhere(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_of("out/x"))
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "out").symlink_to(tmp_path)
    with pytest.raises(UnsafeFileError, match="link out of"):
        extraction.extract_into(tmp_path / "a.zip", tmp_path / "f")
    assert not (tmp_path / "x").exists()
