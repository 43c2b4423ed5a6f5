"""Loss terms: which loss of compile()'s `loss` sees which of the model's outputs.

A loss sees what is at its place: in `{"a": mse}` the output "a". Where the outputs have
parts and the losses another form, a list holds several losses of the whole, as in
`["mse", [f, g]]` for one output or `(whole, [f, g])` for a list of two.
"""

from __future__ import annotations

from typing import Any

from hornbeam.core import tree
from hornbeam.losses.loss import is_ours


class LossTerm:
    """A loss and the outputs that it sees.

    Args:
        entry: the entry of compile()'s `loss`.
        place: the number of an output, or a nest of numbers.
        label: the name in the logs, or None.
    """

    def __init__(self, entry: Any, place: Any, label: Any) -> None:
        self.entry = entry
        self.place = place
        self.label = label
        self.loss: Any = None
        self.weight: Any = None

    @property
    def numbers(self) -> Any:
        """The numbers of the outputs that the loss sees."""
        return tree.flatten(self.place)

    @property
    def compares_targets(self) -> bool:
        """Whether the loss is ours, and so cannot do without targets."""
        return _compares_targets(self.entry)

    def pick(self, values: Any) -> Any:
        """Return what the loss sees of a flat list, in the form of the outputs."""
        return tree.map_structure(lambda number: values[number], self.place)

    def sample_weight(self, weights: Any) -> Any:
        """Return the weights for the loss: those that its outputs have in common."""
        shared = [weights[number] for number in self.numbers]
        if any(one is not shared[0] for one in shared):
            raise ValueError(
                f"The loss {self.entry!r} sees outputs {self.label!r} together, so it "
                "needs one `sample_weight` for all of them."
            )
        return shared[0]


def find_terms(outputs: Any, entry: Any) -> list[Any]:
    """Return the terms of compile()'s `loss`, in the outputs' order."""
    if is_loss(entry):
        each = enumerate(outputs.labels)
        return [LossTerm(entry, number, label) for number, label in each]
    return list(_walk(outputs, entry, outputs.numbered, ()))


def _walk(outputs, entry, place, path):
    if entry is None:
        return
    if is_loss(entry):
        yield from _terms_at(outputs, entry, place, path)
        return
    if isinstance(entry, list | tuple) and _are_alternatives(entry, place):
        parts = [(one, place, path) for one in entry]
    else:
        parts = outputs.parts(entry, place, path, "loss")
    for part in parts:
        yield from _walk(outputs, *part)


def _terms_at(outputs, entry, place, path):
    """Our losses compare tensor by tensor; a user's sees the nest that is there."""
    if isinstance(place, int):
        yield LossTerm(entry, place, outputs.labels[place])
    else:
        whole = LossTerm(entry, place, outputs.label_of(place, path))
        if not whole.compares_targets:
            yield whole
            return
        for number in whole.numbers:
            yield LossTerm(entry, number, outputs.labels[number])


def _are_alternatives(entry, place):
    """Whether a list holds several losses of one thing, not one loss per part."""
    if isinstance(place, int):
        return True
    if type(entry) is type(place):
        return False
    if not all(map(is_loss, entry)):
        return True
    # A user's loss may see all outputs; one of ours sees one.
    return len(entry) == 1 < len(place) and not _compares_targets(entry[0])


def _compares_targets(entry):
    return isinstance(entry, str | dict) or is_ours(entry) or is_ours(type(entry))


def is_loss(x: Any, single: bool = True) -> bool:
    """Whether `x` stands for one loss, and is no container."""
    is_config = isinstance(x, dict) and "class_name" in x
    return is_config or not isinstance(x, list | tuple | dict)
