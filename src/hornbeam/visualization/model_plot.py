"""`plot_model` and `model_to_dot`: pictures of models as files."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import Any, Literal, get_args

from hornbeam.core.errors import check_number, check_path, did_you_mean
from hornbeam.core.replacing import file_to_write
from hornbeam.core.warning import warn
from hornbeam.models.model import Model
from hornbeam.typing import PathLike
from hornbeam.visualization import drawing
from hornbeam.visualization.dot import Dot, as_pydot, drawn_in_time, program_of
from hornbeam.visualization.model_graph import Shows, graph_of
from hornbeam.visualization.optional import optional

Rankdir = Literal["TB", "BT", "LR", "RL"]
Splines = Literal["ortho", "curved", "polyline", "spline", "line"]


def model_to_dot(
    model: Model,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: Rankdir = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: Splines = "ortho",
    **kwargs: Any,
) -> Any:
    """Return a picture of the model in the language of Graphviz.

    A model that was not called yet is drawn too; what is not known about it is "?".

    Args:
        model: the model. A subclass with a `call` of its own is one box.
        show_shapes: whether the boxes say the shapes. Default: False.
        show_dtype: whether they say the dtypes. Default: False.
        show_layer_names: whether they say the layers' names. Default: True.
        rankdir: the direction of the flow: "TB" (from top to bottom, the default),
            "BT", "LR" or "RL".
        expand_nested: whether nested models are drawn in full, in a frame. Default:
            False.
        dpi: dots per inch of pictures of pixels. Default: 200.
        subgraph: whether the result is a cluster, for a picture of your own. Default:
            False.
        show_layer_activations: whether the boxes name the activations. Default: False.
        show_trainable: whether they say what is trained. Default: False.
        splines: how Graphviz draws edges. Default: "ortho".
        **kwargs: none.

    Returns:
        A `pydot.Dot`, or with `subgraph=True` a `pydot.Cluster`, where pydot is
        installed. Elsewhere a `Dot` with the same `to_string()`, `create()`, `write()`,
        `write_png()` and the like, which draws with Graphviz, or itself where that is
        not installed either.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a")])
    >>> "<b>a</b>" in keras.utils.model_to_dot(model).to_string()
    True
    """
    _check(model, "model_to_dot()", rankdir, dpi, splines, kwargs)
    shows = Shows(
        show_shapes, show_dtype, show_layer_names, show_layer_activations,
        show_trainable, expand_nested,
    )  # fmt: skip
    graph = graph_of(model, shows)
    if importlib.util.find_spec("pydot") is not None:
        return as_pydot(graph, rankdir, dpi, splines, is_cluster=subgraph)
    text = program_of(graph, rankdir, dpi, splines, is_cluster=subgraph)
    return Dot(graph, text, rankdir, dpi)


def plot_model(
    model: Model,
    to_file: PathLike = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: Rankdir = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: Splines = "ortho",
    **kwargs: Any,
) -> Any:
    """Write a picture of the model to a file.

    Graphviz draws it where its program `dot` is installed. Elsewhere, and where that
    takes more than a minute, hornbeam does, in a layered layout of its own: an SVG
    needs nothing else, other formats matplotlib (`pip install 'hornbeam[plot]'`).

    Args:
        model: the model. One that was not called yet is drawn too; a subclass with a
            `call` of its own is one box.
        to_file: the path; its ending says the format. Default: "model.png".
        show_shapes: whether the boxes say the shapes. Default: False.
        show_dtype: whether they say the dtypes. Default: False.
        show_layer_names: whether they say the layers' names. Default: False.
        rankdir: the direction of the flow: "TB" (from top to bottom, the default),
            "BT", "LR" or "RL".
        expand_nested: whether nested models are drawn in full, in a frame. Default:
            False.
        dpi: dots per inch of pictures of pixels. Default: 200.
        show_layer_activations: whether the boxes name the activations. Default: False.
        show_trainable: whether they say what is trained. Default: False.
        splines: how Graphviz draws edges; edges of the own layout are always curves.
            Default: "ortho".
        **kwargs: `engine`: "graphviz" or "own", to choose what draws.

    Returns:
        In IPython and notebooks what shows the picture there, else None.

    >>> import hornbeam as keras, pathlib, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "model.svg"
    ...     _ = keras.utils.plot_model(model, path, show_shapes=True)
    ...     "(None, 3) → (None, 2)" in path.read_text("utf-8")
    True
    """
    engine = kwargs.pop("engine", None)
    if engine not in (None, "graphviz", "own"):
        raise ValueError(
            "Argument `engine` of plot_model() must be 'graphviz' or 'own'. Received: "
            f"engine={engine!r}"
        )
    _check(model, "plot_model()", rankdir, dpi, splines, kwargs)
    path = check_path("plot_model()", "to_file", to_file)
    path = path if path.suffix else path.with_suffix(".png")
    format_ = file_to_write("plot_model()", "to_file", path).suffix[1:].lower()
    shows = Shows(
        show_shapes, show_dtype, show_layer_names, show_layer_activations,
        show_trainable, expand_nested,
    )  # fmt: skip
    graph = graph_of(model, shows)
    text = program_of(graph, rankdir, dpi, splines)
    data = None
    if format_ in ("dot", "gv"):
        data = text.encode()
    elif engine == "graphviz":
        data = Dot(graph, text, rankdir, dpi).create("dot", format_)
    elif engine is None and shutil.which("dot"):
        data = drawn_in_time(text, format_)
        if data is None:
            warn(
                f"plot_model(): Graphviz took too long for model {model.name!r}, which "
                "is drawn in hornbeam's own layout. `engine='own'` does so at once."
            )
    path.write_bytes(data or drawing.to_bytes(graph, format_, rankdir, dpi))
    return _shown(path, format_)


def _check(model, caller, rankdir, dpi, splines, kwargs):
    check_number(caller, "dpi", dpi, above=0, finite=True)
    if kwargs:
        known = "show_shapes show_dtype show_layer_names expand_nested".split()
        name = next(iter(kwargs))
        raise ValueError(
            f"Unrecognized keyword arguments of {caller}: {sorted(kwargs)}."
            f"{did_you_mean(name, known)}"
        )
    if not isinstance(model, Model):
        raise TypeError(
            f"Argument `model` of {caller} must be a model. Received: {model!r} (of "
            f"type {type(model).__name__})"
        )
    allowed = {"rankdir": get_args(Rankdir), "splines": get_args(Splines)}
    for name, value in (("rankdir", rankdir), ("splines", splines)):
        if value not in allowed[name]:
            raise ValueError(
                f"Argument `{name}` of {caller} must be one of {allowed[name]}. "
                f"Received: {name}={value!r}"
            )


def _shown(path, format_):
    """Return what shows the picture in a notebook, or None outside of one."""
    if "IPython" not in sys.modules:
        return None
    display = optional("IPython.display")
    if format_ == "svg":
        return display.SVG(filename=str(path))
    if format_ in ("png", "jpg", "jpeg", "gif"):
        return display.Image(filename=str(path))
    return None
