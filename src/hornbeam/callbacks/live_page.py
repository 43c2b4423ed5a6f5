"""`LivePage`: the page of a run, while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from hornbeam.callbacks.callback import Callback
from hornbeam.core.errors import check_number
from hornbeam.core.lazy import public
from hornbeam.typing import Logs


class LivePage(Callback):
    """Shows a training, or those of a search, on a page of this computer.

    The page has what `keras.visualization.report` writes, as far as it is known: the
    model, curves, times, settings; and of several trainings their ranking by the
    (validation) loss, parallel coordinates and effects of what differs among them. It
    is served on 127.0.0.1 alone, at an address with a random token, which is printed.
    It has no batch methods: steps run as without it.

    The page ends with the training. Around several, such as those of a search, it is
    kept by a block: `with LivePage() as page: search.fit(x, y)`, where `page` is among
    the callbacks of the estimator. Copies of it, such as a search makes, show their
    trainings on the same page.

    Args:
        port: the port. Default: 0, a free one.
        stay: whether the page stays after the training, until `close()` or the end of
            the program. Default: False.

    >>> import hornbeam as keras
    >>> page = keras.callbacks.LivePage()
    >>> page.url is None  # it is there while a model trains
    True
    """

    # Its `progress` and `pass_ended` are called by the loop.
    shows_progress: bool = True

    def __init__(self, port: int = 0, stay: bool = False) -> None:
        super().__init__()
        check_number("LivePage", "port", port, 0, 65535, integer=True)
        self.port: int = port
        self.stay: bool = stay
        self._board: Any = public("visualization", "LiveBoard")(port, stay)
        self._run: Any = None

    def __deepcopy__(self, memo: Any) -> LivePage:
        copy = LivePage(self.port, self.stay)
        copy._board = self._board
        return copy

    def __sklearn_clone__(self) -> LivePage:
        return self.__deepcopy__({})

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process it is another page.
        return LivePage, (self.port, self.stay)

    @property
    def url(self) -> str | None:
        """The address of the page while it is served, with its token; else None."""
        return self._board.url

    @property
    def epochs_may_wait(self) -> bool:
        """They may: the page reads the history when a browser asks."""
        return True

    def __enter__(self) -> Self:
        self._board.hold(1)
        return self

    def __exit__(self, *exception: Any) -> None:
        self._board.hold(-1)

    def close(self) -> None:
        """End the page."""
        self._board.server.stop()

    def on_train_begin(self, logs: Logs = None) -> None:
        """Serve the page, and show the training on it."""
        before = self._run
        if before is not None and before.history is self.model.history:
            return  # the page is twice among the callbacks
        self._run = self._board.begin(self.model, self.params or {})
        if before is not None:  # within a training that shows itself on this page
            self._board.end(before)

    def progress(self, step: int, logs: Logs | Callable[[], Logs] = None) -> None:
        """Note that `step` steps of the epoch are done."""
        if self._run is not None:
            self._run.step = step

    def on_train_end(self, logs: Logs = None) -> None:
        """End what is shown of the training, and the page if it is not to stay."""
        self.pass_ended()

    def pass_ended(self) -> None:
        """Do the same, also after an error."""
        run, self._run = self._run, None
        if run is not None:
            self._board.end(run)
