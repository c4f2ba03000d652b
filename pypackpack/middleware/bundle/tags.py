"""The tags of wheels (PEP 425). Apart from the writing of wheels, since a build with nothing to write needs them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from pypackpack.model.target import PythonVersion, Target


@dataclass(frozen=True)
class WheelTag:
    """A compressed tag set (PEP 425): which interpreters and platforms may install a wheel.

    Attributes:
        python: ``py3`` or ``cp313``.
        abi: ``none``, ``abi3`` or ``cp313``.
        platforms: ``any``, or platform tags.
    """

    python: str
    abi: str
    platforms: tuple[str, ...]

    def __str__(self) -> str:
        """Return the tag as it stands in a file name, sets sorted and joined by dots."""
        return f"{self.python}-{self.abi}-{'.'.join(sorted(set(self.platforms)))}"

    def single(self) -> tuple[str, ...]:
        """Return every combination, as ``WHEEL`` lists them."""
        return tuple(f"{self.python}-{self.abi}-{platform}" for platform in sorted(set(self.platforms)))


def wheel_tags(
    target: Target, python: PythonVersion, *, native: bool, bytecode: bool, same_everywhere: bool, abi3: bool = False
) -> WheelTag:
    """Return the tags of a wheel (spec, section 5 "Tags").

    Args:
        target: What it was built for.
        python: The X.Y that it was built for.
        native: It holds extension modules.
        bytecode: It holds ``.pyc`` files.
        same_everywhere: A wheel without native code would be the same on each of the package's targets.
        abi3: Its extension modules use the limited API of ``python`` only.

    Raises:
        WorkError: The platform has no Python of that version.
    """
    series = f"cp{python[0]}{python[1]}"
    platforms = target.tags.for_python(python)
    if not platforms or python < target.min_python:
        msg = f"{target.name} has no Python {python[0]}.{python[1]}"
        raise WorkError(msg, hint="Leave the target out, or build for another Python with --python.")
    if native:
        return WheelTag(series, "abi3" if abi3 else series, platforms)
    return WheelTag(series if bytecode else "py3", "none", ("any",) if same_everywhere else platforms)
