"""The steps of a build, each described once: for ``pypackpack tasks``, for help and for the profile. Imports nothing heavy."""

from __future__ import annotations

from typing import NamedTuple


class StepText(NamedTuple):
    """What a person is told of a step.

    Attributes:
        group: The heading that it stands under.
        summary: One line on what it does.
    """

    group: str
    summary: str


STEPS: dict[str, StepText] = {
    "bytecode": StepText("Check", "Let Python itself read every module, and keep the bytecode that it makes of it."),
    "transcompile": StepText("Compile", "Turn each module into C, once for all targets."),
    "compile": StepText("Compile", "Turn the C into an extension module, for each target and Python."),
    "environment": StepText("Dependencies", "Bring the dependencies of a target in line with the lock."),
    "pack": StepText("Bundle", "Cut data files into chunks, and compress each chunk once."),
    "bundle": StepText("Bundle", "Put everything together: the wheel, the folder of a target, or the archive of data files."),
    "patch": StepText("Bundle", "Compare each wheel with the released one, and keep what is new."),
}
"""By the word that tasks have as their step, in the order in which a build does them."""
