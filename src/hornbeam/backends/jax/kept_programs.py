"""JAX: programs that this process or an earlier one compiled, by their text.

A step with a user's code in it belongs to one model, as nobody knows what that code
reads. So it is traced for each model; where the traced program says what another one
said, nothing is compiled.
"""

from __future__ import annotations

import collections
import functools
import hashlib
import os
import pickle
import platform
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jaxlib
from jax.experimental import serialize_executable

from hornbeam.backends import program_files
from hornbeam.core.session import on_clear

# Compiled programs of this process that are in use, and the last ones, which are kept:
# a new model may have the code of one that is gone. They hold no model.
_alive: weakref.WeakValueDictionary[str, jax.stages.Compiled] = (
    weakref.WeakValueDictionary()
)
_recent: collections.deque[jax.stages.Compiled] = collections.deque(maxlen=3)
on_clear(lambda free_memory: _recent.clear() if free_memory else None)
_lock = threading.Lock()


def compile_or_load(
    lowered: jax.stages.Lowered, arguments: Sequence[Any]
) -> jax.stages.Compiled:
    """The compiled program of `lowered`: one of this process, from a file, or new.

    JAX's own cache of this kind would be that of the user's functions too, looks at
    every file whenever it adds one, and leaves half a file behind if it is interrupted.
    """
    device = _only_device(arguments)
    if device is None:
        return lowered.compile()
    text = lowered.as_text()
    if "callback" in text:  # which holds an address in this process
        return lowered.compile()
    key = _key(f"{lowered.in_tree}\n{lowered.out_tree}\n{text}", device)
    with _lock:
        program = _alive.get(key)
    if program is None:
        program = _from_file(lowered, key, device)
    with _lock:
        _alive[key] = program
        if program in _recent:
            _recent.remove(program)
        _recent.append(program)
    return program


def _from_file(lowered, key, device):
    """Return the program of a file, or compile it and keep it in one.

    Where a user has given JAX a folder of its own, that one is used: what JAX has
    read from a file cannot be written again (JAX 0.10), parts of it are missing.
    """
    settings: Any = jax.config
    if settings.jax_compilation_cache_dir and settings.jax_enable_compilation_cache:
        return lowered.compile()
    program = _load(program_files.read(key), device)
    if program is None:
        program = lowered.compile()
        if program_files.folder() is not None:
            program_files.write(key, _dump(program))
    return program


def _only_device(arguments):
    """Return the device on which the program will run; None if there are several."""
    arrays = [x for x in jax.tree.leaves(arguments) if isinstance(x, jax.Array)]
    devices = {device for x in arrays for device in x.devices()}
    if not devices:
        settings: Any = jax.config
        default = settings.jax_default_device or jax.devices()[0]
        return default if isinstance(default, jax.Device) else None
    return devices.pop() if len(devices) == 1 else None


def _key(text, device):
    """Return a name for the program: equal where the compiled code would be equal."""
    target = (
        jax.__version__, jaxlib.__version__, device.platform, device.id,
        device.device_kind, device.client.platform_version, _processor(),
        os.environ.get("XLA_FLAGS"), os.environ.get("LIBTPU_INIT_ARGS"),
    )  # fmt: skip
    return hashlib.sha256(f"{target}\n{text}".encode()).hexdigest()


@functools.cache
def _processor():
    """Return what tells processors with different instructions apart."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine(), platform.processor()
    return sorted({x for x in lines if x.startswith(("flags", "Features"))})


def _dump(program):
    """Return the program as bytes, empty where JAX cannot say it in bytes."""
    try:
        return pickle.dumps(serialize_executable.serialize(program))
    except Exception:
        return b""


def _load(data, device):
    """Return the program in `data`, or None where it is no use here."""
    if not data:
        return None
    try:
        program, inputs, outputs = pickle.loads(data)
        return serialize_executable.deserialize_and_load(
            program,
            inputs,
            outputs,
            backend=device.client,
            execution_devices=[device],
        )
    except Exception:  # of another JAX, or of a class that is gone: compile anew
        return None
