"""`RemoteMonitor`: send the logs of each epoch to a server."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping

import numpy as np

from hornbeam.callbacks.callback import Callback
from hornbeam.core.warning import warn
from hornbeam.typing import Logs


class RemoteMonitor(Callback):
    """Posts the logs of each epoch to `root + path`.

    It needs the package `requests`.

    Args:
        root: the address of the server. Default: `"http://localhost:9000"`
        path: the path there. Default: `"/publish/epoch/end/"`
        field: the form field that holds the JSON text. Default: `"data"`
        headers: HTTP headers, a dict. Default: None
        send_as_json: whether the body is JSON and not a form. Default: False

    >>> import hornbeam as keras
    >>> monitor = keras.callbacks.RemoteMonitor(send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ):
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Send the logs; warn if the server does not answer."""
        try:
            requests = importlib.import_module("requests")
        except ImportError as error:
            raise ImportError(
                "RemoteMonitor needs the package 'requests': pip install requests"
            ) from error
        values = {name: _plain(value) for name, value in (logs or {}).items()}
        values = {"epoch": epoch, **values}
        if self.send_as_json:
            body: dict = {"json": values}
        else:
            body = {"data": {self.field: json.dumps(values)}}
        try:
            requests.post(self.root + self.path, **body, headers=self.headers)
        except requests.exceptions.RequestException:
            warn(
                f"Could not reach RemoteMonitor root server at {self.root}.",
            )


def _plain(value):
    if not isinstance(value, np.ndarray | np.generic):
        return value
    return value.item() if value.size == 1 else value.tolist()
