"""`MonitorCallback`: the base of callbacks that watch whether a value improves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from hornbeam import ops
from hornbeam.callbacks.callback import Callback
from hornbeam.core.errors import check_number, did_you_mean
from hornbeam.core.naming import to_snake_case
from hornbeam.core.warning import warn
from hornbeam.typing import Logs, Tensor

# The direction by the last of these words in a name, where no metric tells it.
_WORDS: dict[Literal["min", "max"], re.Pattern[str]] = {
    "max": re.compile("acc|accuracy|auc|f1|iou|precision|recall|r2|score|dice"),
    "min": re.compile(
        "loss|error|mse|mae|rmse|mape|msle|hinge|kld|perplexity|.*entropy|.*loss"
    ),
}
_DIRECTIONS: dict[str, Literal["min", "max"]] = {"up": "max", "down": "min"}


class MonitorCallback(Callback):
    """Watches `logs[monitor]`.

    Args:
        monitor: the name of the value. Default: `"val_loss"`
        mode: `"min"` if small is good, `"max"` if large is, `"auto"`: as the metric of
            that name says. Default: `"auto"`
        initial_value_threshold: the value to beat at first. Default: None
        min_delta: smaller changes do not count as improvement. Default: 0
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: Literal["auto", "min", "max"] = "auto",
        initial_value_threshold: float | None = None,
        min_delta: float = 0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(
                f"{type(self).__name__} mode {mode!r} is unknown, so it is 'auto'. "
                "Expected 'auto', 'min' or 'max'.",
            )
            mode = "auto"
        check_number(type(self).__name__, "min_delta", min_delta)
        if not isinstance(monitor, str):
            raise TypeError(
                f"Argument `monitor` of {type(self).__name__} must be the name of a "
                f"value in the logs, such as 'val_loss'. Received: monitor={monitor!r}"
            )
        self.monitor = monitor
        self.mode = mode
        self.best: float | None = initial_value_threshold
        self.min_delta: float = abs(min_delta)
        self._direction = None if mode == "auto" else mode
        self._warned = False

    @property
    def monitor_op(self) -> Callable[..., Tensor] | None:
        """`keras.ops.less` or `keras.ops.greater`; None until it is known."""
        if self._direction is None:
            return None
        return ops.less if self._direction == "min" else ops.greater

    def _set_monitor_op(self, logs=None):
        """Decide, once the metrics are known, whether small or large is good."""
        if self._direction is not None:
            return
        name = self.monitor.removeprefix("val_")
        self._direction = direction_of(self.model, name)
        if self._direction is None:
            absent = bool(logs) and self.monitor not in logs
            reason = ": nothing in the logs has that name" if absent else ""
            raise ValueError(
                f"{type(self).__name__}(monitor={self.monitor!r}) cannot know whether "
                f"small or large is good{reason}. Pass mode='min' or mode='max'."
                f"{_available(self.monitor, logs)}"
            )

    def get_monitor_value(self, logs: Logs) -> Any:
        """Return the watched value, or None with a warning (once) if there is none."""
        value: Any = (logs or {}).get(self.monitor)
        if value is None and not self._warned:
            self._warned = True
            warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not in the "
                f"logs.{_available(self.monitor, logs)}",
            )
        return value.item() if getattr(value, "size", None) == 1 else value

    def _is_improvement(self, value, reference):
        if reference is None:
            return True
        if self._direction == "min":
            return bool(value < reference - self.min_delta)
        return bool(value > reference + self.min_delta)


def _available(name, logs):
    if not logs:
        return ""
    return f" Available: {', '.join(logs)}.{did_you_mean(name, logs)}"


def direction_of(model: Any, name: str) -> Literal["min", "max"] | None:
    """Return "min" or "max", as the metric says that logs call `name`.

    If there is no such metric, the words of the name decide.
    """
    if name == "loss":
        return "min"
    for metric in _metrics_named(name, getattr(model, "metrics", None) or ()):
        direction = getattr(metric, "_direction", None)
        if direction in _DIRECTIONS:
            return _DIRECTIONS[direction]
    for word in reversed(re.findall("[a-z0-9]+", name.lower())):
        for direction, words in _WORDS.items():
            if words.fullmatch(word):
                return direction
    return None


def _metrics_named(name, metrics):
    """Yield the metrics that logs call `name`, the best match first."""
    flat = list(_flat_metrics(metrics))
    yield from (metric for one, metric in flat if one == name)
    yield from (metric for one, metric in flat if name.endswith(f"_{one}"))
    plain = re.sub(r"_\d+$", "", name)
    for one, metric in flat:
        kind = to_snake_case(type(metric).__name__)
        if plain in (re.sub(r"_\d+$", "", one), kind) or plain.endswith(f"_{kind}"):
            yield metric


def _flat_metrics(metrics):
    """Yield `(name in the logs, metric)` for metrics and those that they hold."""
    for metric in metrics:
        yield metric.name, metric
        named = getattr(metric, "names_in_logs", None)
        if named is not None:
            yield from named()
        else:
            inner = getattr(metric, "metrics", None) or ()
            yield from _flat_metrics(inner)
