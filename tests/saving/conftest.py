"""The fixture `audit`: what Python does while a file is read."""

import contextlib
import os
import pathlib
import socket
import sys
import tempfile

import pytest

import hornbeam

_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "marshal.loads",
    "marshal.load",
    "pickle.find_class",
    "ctypes.dlopen",
    "urllib.",
    "ftplib.",
    "shutil.unpack",
)
_LIBRARIES = tuple(
    str(pathlib.Path(p).resolve())
    for p in {
        *sys.path,
        sys.prefix,
        sys.base_prefix,
        os.path.dirname(hornbeam.__file__),
    }
    if p and p != "."
)
_listeners = []


def _hook(event, args):
    for listener in _listeners:
        listener(event, args)


sys.addaudithook(_hook)


@pytest.fixture
def audit(tmp_path_factory, monkeypatch):
    """Give `audit(*allowed)`: inside, only `allowed` and temporary files are opened.

    The temporary folder is the test's own: other processes write to the common one.
    """
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    @contextlib.contextmanager
    def watching(*allowed):
        allowed = {str(pathlib.Path(p)) for p in allowed}
        found = []

        def listen(event, args):
            # The loops of asyncio wake themselves through a pair of local sockets.
            is_local = event == "socket.__new__" and args[1] == socket.AF_UNIX
            if event.startswith(_FORBIDDEN) and not is_local:
                # The import system reads its own cached bytecode through marshal.
                caller = sys._getframe(2).f_code.co_filename
                if not (event.startswith("marshal") and "importlib" in caller):
                    found.append((event, args))
            if event == "open" and isinstance(args[0], str | bytes):
                path = os.path.abspath(os.fsdecode(args[0]))
                own = (*_LIBRARIES, str(temporary))
                if path not in allowed and not path.startswith(own):
                    found.append((event, args))

        _listeners.append(listen)
        try:
            yield
        finally:
            _listeners.remove(listen)
        assert not found, f"reading did: {found}"
        assert not list(temporary.iterdir())

    return watching
