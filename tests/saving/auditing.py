"""What Python does while a file is read, watched by one audit hook.

Nothing is run: no process, no socket, no pickle, no code made of bytes or of text. No
file is opened but the one that is read, temporary ones, and those of libraries.

An import is in order in two cases:

* an `import` statement in the source of a library asks for it, so that no file has a
  say, and it is part of hornbeam, of a library that hornbeam requires, or of Python,
  and nothing that could run or fetch something;
* the table of public names asks for the module in which one of its entries stands.

Modules that are imported so may compile and run code while that lasts.
"""

import contextlib
import dis
import functools
import os
import pathlib
import socket
import sys
import sysconfig
import tempfile

import hornbeam
from hornbeam.core import allowlist, lazy

_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.spawn",
    "os.posix_spawn",
    "pickle.find_class",
    "ctypes.dlopen",
    "urllib.",
    "ftplib.",
    "shutil.unpack",
)
_CODE = ("exec", "compile", "code.__new__", "marshal.load", "marshal.loads")
_REQUIRED = set("hornbeam numpy jax jaxlib h5py ml_dtypes optree rich".split())
_HARMFUL = set(
    "pickle marshal subprocess socket ssl ctypes urllib http ftplib runpy code".split()
)
_OURS = pathlib.Path(hornbeam.__file__).resolve().parent
_LIBRARIES = tuple(
    str(pathlib.Path(p).resolve())
    for p in {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, _OURS}
)
_listeners = []


def _hook(event, args):
    for listener in _listeners:
        listener(event, args)


sys.addaudithook(_hook)


@functools.cache
def _modules_of_the_table():
    """The modules in which what a file may name stands."""
    spaces = (*allowlist._CLASS_SPACES, *allowlist._FUNCTION_SPACES)
    private = set(allowlist._PRIVATE_CLASSES.values())
    return private | {
        module
        for space in spaces
        for module, _ in allowlist.public_names(space).values()
    }


def _callers():
    """Yield the frames of whatever caused an event, the nearest first."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") != __name__:
            yield frame
        frame = frame.f_back


def _is_import_system(frame):
    return frame.f_code.co_filename.startswith("<frozen importlib.")


def _is_statement(frame):
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_NAME"


def _is_wrong_import(name):
    """Whether the import of `name`, which has begun, is none of those in order."""
    frames = (frame for frame in _callers() if not _is_import_system(frame))
    importer = next(frames)
    if _is_statement(importer):
        root = name.partition(".")[0]
        known = root in _REQUIRED or root in sys.stdlib_module_names
        source = importer.f_code.co_filename
        in_library = source.startswith((*_LIBRARIES, "<frozen "))
        return not (in_library and known and root not in _HARMFUL)
    if importer.f_globals.get("__name__") == "importlib":
        importer = next(frames)
    asks = importer.f_globals.get("__name__") in (allowlist.__name__, lazy.__name__)
    return not (asks and _is_of_the_table(name))


def _is_of_the_table(name):
    # The packages around a module are imported with it.
    return any(f"{m}.".startswith(f"{name}.") for m in _modules_of_the_table())


def _name_of(code):
    """The name of the module of hornbeam whose code this is, "" for others."""
    path = pathlib.Path(code.co_filename)
    if not path.is_relative_to(_OURS):
        return ""
    parts = ("hornbeam", *path.relative_to(_OURS).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def _is_wrong_code(event, args):
    """Whether code is made or run that is not a module's in the course of its import.

    `ast.parse` makes a tree, which is data.
    """
    frames = list(_callers())
    if not any(map(_is_import_system, frames)):
        is_tree = event == "compile" and frames[0].f_globals.get("__name__") == "ast"
        return not is_tree
    importer = next(frame for frame in frames if not _is_import_system(frame))
    is_module = event == "exec" and _is_import_system(frames[0])
    if not is_module or _is_statement(importer):
        return False
    # `import_module` causes no event of its own before this one.
    return _is_wrong_import(_name_of(args[0]))


def _is_removing():
    return next(_callers()).f_globals.get("__name__") == "shutil"


@contextlib.contextmanager
def watching(*allowed, temporary, events=()):
    """Inside, only the files `allowed` and those in the folder `temporary` are opened.

    Args:
        *allowed: paths.
        temporary: the folder of temporary files, which is empty in the end.
        events: the starts of the names of further events that are in order.
    """
    allowed = {str(pathlib.Path(p)) for p in allowed}
    found = []

    def is_wrong(event, args):
        if event == "import":
            return _is_wrong_import(args[0])
        if event in _CODE:
            return _is_wrong_code(event, args)
        if event == "open" and isinstance(args[0], str | bytes):
            if not os.path.isabs(args[0]) and _is_removing():
                return False  # the folder around was opened by its path before
            path = os.path.abspath(os.fsdecode(args[0]))
            own = (*_LIBRARIES, str(temporary))
            return path not in allowed and not path.startswith(own)
        # The loops of asyncio wake themselves through a pair of local sockets.
        is_local = event == "socket.__new__" and args[1] == socket.AF_UNIX
        return event.startswith(_FORBIDDEN) and not is_local

    def listen(event, args):
        if is_wrong(event, args) and not (events and event.startswith(events)):
            found.append((event, args))

    _listeners.append(listen)
    try:
        yield
    finally:
        _listeners.remove(listen)
    assert not found, f"reading did: {found}"
    assert not list(pathlib.Path(temporary).iterdir())


@contextlib.contextmanager
def temporary_folder(folder):
    """Inside, the temporary files of this process stand in `folder`."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
