"""The public functions: their arguments, and their docstrings from one table.

Most architectures take the same arguments: `standard` makes such a function. Their
docstrings differ in a sentence, a number of parameters and a paper.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

from hornbeam.applications.assembly import Request, assemble
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.models.model import Model
from hornbeam.typing import PathLike

Weights = PathLike | Literal["imagenet"] | None
Pooling = Literal["avg", "max"] | None
Activation = str | Callable[..., Any] | None
Shape = Sequence[int | None] | None

_ARGUMENTS = {
    "alpha": "what the numbers of filters are multiplied by. Default: 1.0",
    "classes": "how many classes the top tells apart. Default: 1000",
    "classifier_activation": "the activation of the top; None gives logits. Default: "
    '`"softmax"`',
    "depth_multiplier": "how many filters a depthwise convolution has for a channel. "
    "Default: 1",
    "dropout": "the dropout rate before the last layer of the top. Default: 0.001",
    "dropout_rate": "the dropout rate before the last layer of the top. Default: 0.2",
    "include_preprocessing": "whether the network scales pixels from 0 to 255 itself. "
    "Default: True",
    "include_top": "whether the network ends with class scores; without, it gives "
    "features. Default: True",
    "input_shape": "the shape of an image. Default: None, which means {shape}",
    "input_tensor": "a KerasTensor of images, in place of a new input. Default: None",
    "minimalistic": "whether to leave out squeeze-and-excitation, hard-swish and 5x5 "
    "kernels. Default: False",
    "name": "the name of the model. Default: {name}",
    "pooling": 'of a network without top, what is taken of each feature map: `"avg"`, '
    'the mean, or `"max"`; None gives the maps. Default: None',
    "weights": '`"imagenet"` (downloaded once, or put into the cache folder), the path '
    'of a file of weights, or None: a random start. Default: `"imagenet"`',
}
_Function = TypeVar("_Function", bound=Callable[..., Model])


def documented(
    function: _Function, title: str, parameters: int, paper: str, **facts: Any
) -> _Function:
    """Give `function` its name and docstring; return it.

    Args:
        function: what makes the model.
        title: the name of the public function.
        parameters: how many weights its default model has.
        paper: authors, title, year, address.
        facts: `says`, more of the architecture; `size`, the side of the images.
    """
    taken = inspect.signature(function).parameters
    size = facts.get("size")
    texts = {
        "shape": f"`({size}, {size}, 3)` with the top and `(None, None, 3)` without"
        if size
        else "`(None, None, 3)`",
        "name": repr(taken["name"].default)
        if taken["name"].default
        else "of the arguments",
    }
    lines = [
        textwrap.fill(
            f"{name}: {_ARGUMENTS[name].format(**texts)}",
            84,
            initial_indent=" " * 4,
            subsequent_indent=" " * 8,
        )
        for name in taken
    ]
    says = facts.get("says", "")
    function.__doc__ = "\n".join(
        [
            f"Return {title}, a network that classifies images.",
            "",
            *([textwrap.fill(says, 84), ""] if says else []),
            "Args:",
            *lines,
            "",
            "Returns:",
            "    a Functional model, from images of the shape `(batch, rows, columns,",
            "    3)` to scores of the shape `(batch, classes)`, or to features.",
            "",
            "Raises:",
            "    ValueError: for arguments that do not fit together.",
            "    OSError: if the weights are neither there nor can be downloaded: it",
            "        names the file, and where to put it.",
            "",
            textwrap.fill(f"Source: {paper}", 84),
            "",
            ">>> import hornbeam as keras",
            f">>> model = keras.applications.{title}(weights=None)",
            '>>> f"{model.count_params():,}"',
            f"'{parameters:,}'",
            "",
        ]
    )
    function.__name__ = function.__qualname__ = title
    return function


class Standard(Protocol):
    """An architecture with the arguments that most have."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        name: str = ...,
    ) -> Model: ...


def standard(
    title: str,
    parameters: int,
    trunk: Callable[[Any], Any],
    *,
    paper: str,
    size: int = 224,
    says: str = "",
    default_name: str | None = None,
    **facts: Any,
) -> Standard:
    """Return the public function of an architecture.

    Args:
        title: its name.
        parameters: how many weights its default model has.
        trunk: from a symbol of images to a symbol of features.
        paper: authors, title, year, address.
        size: the side of the images that its top was trained on. Default: 224
        says: more for its docstring.
        default_name: of the model. Default: None, which means the title in small
            letters
        facts: for `assemble`.
    """

    def application(
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        name: str = default_name or title.lower(),
    ) -> Model:
        request = Request(
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            name=name,
        )
        return assemble(title, trunk, request, size=size, **facts)

    return documented(application, title, parameters, paper, says=says, size=size)
