"""One row for each optimizer and each structure that it can have."""

from dataclasses import dataclass, field
from typing import Any

from tests.optimizers import reference


@dataclass(frozen=True)
class Row:
    """An optimizer with arguments, and its rule with the same."""

    name: str
    rule: Any
    arguments: dict = field(default_factory=dict)
    rule_arguments: dict | None = None
    rate: float = 0.125
    # The rate, and its factor after each step, with which a quadratic reaches its
    # optimum in 400 steps.
    descent_rate: float = 0.2
    descent_decay: float = 0.99

    @property
    def shapes(self):
        """Shapes of variables for the laws: equal ones where their ranks do not matter.

        Each other shape is another compilation on JAX.
        """
        differ = self.name in ("Adafactor", "Muon")
        return [(4, 3), (3,), (2, 3, 4)] if differ else [(4, 3)] * 3

    @property
    def id(self):
        told = [k for k in self.arguments if k != "epsilon"]
        return "-".join([self.name, *told[:3]])

    def reference(self, w, gradients):
        arguments = self.rule_arguments
        arguments = self.arguments if arguments is None else arguments
        return list(self.rule(w, gradients, self.rate, **arguments))


_FTRL = {
    "learning_rate_power": -0.25,
    "initial_accumulator_value": 0.5,
    "l1_regularization_strength": 0.05,
    "l2_regularization_strength": 0.125,
    "l2_shrinkage_regularization_strength": 0.0625,
    "beta": 0.25,
}
_FTRL_RULE = dict(
    zip(("power", "initial", "l1", "l2", "s", "beta"), _FTRL.values(), strict=True)
)
_MUON = {
    "nesterov": False,
    "rms_rate": None,
    "adam_lr_ratio": 0.5,
    "ns_steps": 3,
    "weight_decay": 0.25,
}
_MUON_RULE = {
    "nesterov": False,
    "rms_rate": None,
    "ratio": 0.5,
    "ns_steps": 3,
    "decay": 0.25,
}

# A large epsilon tells whether it is where the formula has it.
EPSILON = {"epsilon": 0.25}

ROWS = [
    Row("SGD", reference.sgd),
    Row("SGD", reference.sgd, {"momentum": 0.75}),
    Row("SGD", reference.sgd, {"momentum": 0.75, "nesterov": True}),
    Row("Adam", reference.adam, EPSILON),
    Row("Adam", reference.adam, {"amsgrad": True, **EPSILON}),
    Row("AdamW", reference.adam, EPSILON, {"decay": 0.004, **EPSILON}),
    Row("Adamax", reference.adamax, EPSILON),
    Row("Nadam", reference.nadam, EPSILON),
    Row("RMSprop", reference.rmsprop, EPSILON),
    Row("RMSprop", reference.rmsprop, {"momentum": 0.5, **EPSILON}),
    Row(
        "RMSprop",
        reference.rmsprop,
        {"momentum": 0.5, "centered": True, **EPSILON},
    ),
    Row("Adagrad", reference.adagrad, EPSILON, descent_rate=1.0),
    Row("Adadelta", reference.adadelta, EPSILON),
    Row("Adafactor", reference.adafactor),
    Row(
        "Adafactor",
        reference.adafactor,
        {"relative_step": False, "clip_threshold": 0.5, "epsilon_1": 0.25},
        rate=0.5,
    ),
    Row("Ftrl", reference.ftrl, descent_rate=2.0, descent_decay=1.0),
    Row("Ftrl", reference.ftrl, _FTRL, _FTRL_RULE, descent_rate=0.0),
    Row("Lamb", reference.lamb, EPSILON, descent_rate=0.1),
    Row("Lion", reference.lion, rate=0.03125),
    Row("Muon", reference.muon),
    Row("Muon", reference.muon, _MUON, _MUON_RULE),
    Row("ScheduleFreeAdamW", reference.schedule_free_adamw, EPSILON, descent_decay=1.0),
    Row(
        "ScheduleFreeAdamW",
        reference.schedule_free_adamw,
        {"warmup_steps": 5, "weight_decay": 0.25},
        {"warmup_steps": 5, "decay": 0.25},
        descent_decay=1.0,
    ),
]
