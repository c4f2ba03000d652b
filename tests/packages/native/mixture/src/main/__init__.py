"""What is asked of the native modules; the answers are the same on every platform but for the names of it."""

from __future__ import annotations


def answers() -> dict[str, object]:
    """Return what each module says."""
    from mixture import fast, speedups
    from mixture.wave import table

    found: dict[str, object] = {
        "c": speedups.scaled(14),
        "helper": speedups.checksum(b"mixture"),
        "written": list(speedups.shown()),
        "names": [speedups.__name__, fast.__name__, table.__name__, table.__package__],
        "here": speedups.HERE,
        "cython": fast.total(10),
        "cimported": table.doubled(21),
        "typed": fast.half(3),
        "class": fast.Counter(5).next(),
    }
    try:
        speedups.scaled("x")
    except TypeError as error:
        found["type error"] = type(error).__name__
    try:
        fast.refuse(7)
    except ValueError as error:
        found["raised"] = str(error)
    return found
