"""What the doctor found: `Finding`, and `Diagnosis`, a list that prints itself."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterable
from typing import Literal

from hornbeam.diagnosis.report import Report

Severity = Literal["error", "warning", "info"]
_ORDER = ("error", "warning", "info")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth to know.

    Args:
        kind: a fixed name, such as "dead-relu".
        where: the path of a layer or weight, or the name of an input or output.
        evidence: what was seen, in numbers.
        advice: what to do, in one sentence.
        severity: "error" (training cannot work), "warning" or "info". Default:
            "warning".
    """

    kind: str
    where: str
    evidence: str
    advice: str
    severity: Severity = "warning"

    def __str__(self) -> str:
        return (
            f"{self.severity}: {self.kind} at {self.where!r}: {self.evidence} "
            f"{self.advice}"
        )


class Diagnosis(list[Finding]):
    """The findings about a model, the gravest first; see `Model.diagnose`.

    Args:
        findings: the findings.
        model_name: the name of the model. Default: ""
        notes: what the doctor could not look at. Default: none

    >>> from hornbeam.diagnosis.findings import Diagnosis, Finding
    >>> found = Diagnosis([Finding("dead-relu", "dense", "All are 0.", "Lower it.")])
    >>> found.healthy, found.kinds
    (False, ['dead-relu'])
    """

    def __init__(
        self,
        findings: Iterable[Finding] = (),
        model_name: str = "",
        notes: Iterable[str] = (),
    ):
        super().__init__(sorted(findings, key=lambda x: _ORDER.index(x.severity)))
        self.model_name = model_name
        self.notes: list[str] = list(notes)

    @property
    def healthy(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.severity == "info" for finding in self)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the findings, in their order."""
        return [finding.kind for finding in self]

    def _title(self):
        counts = {x: sum(f.severity == x for f in self) for x in _ORDER}
        summary = ", ".join(
            f"{n} {name}{'s' if n > 1 and name != 'info' else ''}"
            for name, n in counts.items()
            if n
        )
        return f"Diagnosis of model {self.model_name!r}: {summary or 'nothing found'}"

    def report(self) -> Report:
        """Return the findings as a table."""
        rows = [(f.severity, f.kind, f.where, f.evidence, f.advice) for f in self]
        columns = ("severity", "finding", "where", "evidence", "what to do")
        return Report(self._title(), columns, rows, self.notes)

    def __str__(self) -> str:
        lines = [self._title()]
        for f in self:
            lines.append(f"\n{f.severity.upper()} {f.kind}, at {f.where}")
            for text, mark in ((f.evidence, "  "), (f.advice, "> ")):
                lines += textwrap.wrap(
                    text, 88, initial_indent=f"  {mark}", subsequent_indent="    "
                )
        return "\n".join(lines + [f"\n{note}" for note in self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.report()._repr_html_()
