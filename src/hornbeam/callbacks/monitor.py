"""`MonitorCallback`: the base of callbacks that watch whether a value improves."""

import warnings

from hornbeam.callbacks.callback import Callback
from hornbeam.core.errors import did_you_mean

# Parts of names whose direction is known without the metric.
_RISING = ("acc", "auc", "f1", "iou", "precision", "recall", "r2", "_score", "dice")
_FALLING = ("loss", "error", "mse", "mae", "rmse", "mape", "msle", "entropy", "hinge")
_DIRECTIONS = {"up": "max", "down": "min"}


class MonitorCallback(Callback):
    """Watches `logs[monitor]`.

    Args:
        monitor: the name of the value. Default: `"val_loss"`
        mode: `"min"` if small is good, `"max"` if large is, `"auto"`: as the metric of
            that name says. Default: `"auto"`
        initial_value_threshold: the value to beat at first. Default: None
        min_delta: a change by less is no improvement. Default: 0
    """

    def __init__(
        self, monitor="val_loss", mode="auto", initial_value_threshold=None, min_delta=0
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode {mode!r} is unknown, so it is 'auto'. "
                "Expected 'auto', 'min' or 'max'.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = initial_value_threshold
        self.min_delta = abs(min_delta)
        self._direction = None if mode == "auto" else mode
        self._warned = False

    @property
    def monitor_op(self):
        """`keras.ops.less` or `keras.ops.greater`; None until it is known."""
        if self._direction is None:
            return None
        from hornbeam import ops

        return ops.less if self._direction == "min" else ops.greater

    def _set_monitor_op(self, logs=None):
        """Settle, once the metrics are known, whether small or large is good."""
        if self._direction is not None:
            return
        name = self.monitor.removeprefix("val_")
        self._direction = _direction_of(self.model, name)
        if self._direction is None:
            raise ValueError(
                f"{type(self).__name__}(monitor={self.monitor!r}) cannot know whether "
                "small or large is good. Pass mode='min' or mode='max'."
                + _available(self.monitor, logs)
            )

    def get_monitor_value(self, logs):
        """Return the watched value, or None with a warning (once) if there is none."""
        value = (logs or {}).get(self.monitor)
        if value is None and not self._warned:
            self._warned = True
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not in the "
                f"logs.{_available(self.monitor, logs)}",
                stacklevel=3,
            )
        return value

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


def _direction_of(model, name):
    if name == "loss":
        return "min"
    for metric in _flat_metrics(getattr(model, "metrics", None) or ()):
        if name == metric.name or name.endswith("_" + metric.name):
            direction = getattr(metric, "_direction", None)
            if direction in _DIRECTIONS:
                return _DIRECTIONS[direction]
    for parts, direction in ((_RISING, "max"), (_FALLING, "min")):
        if any(part in name.lower() for part in parts):
            return direction
    return None


def _flat_metrics(metrics):
    for metric in metrics:
        yield metric
        yield from _flat_metrics(getattr(metric, "metrics", None) or ())
