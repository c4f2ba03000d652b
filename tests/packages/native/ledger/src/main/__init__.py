"""What is asked of C++."""

from __future__ import annotations


def answers() -> dict[str, object]:
    """Return what each module says."""
    from ledger import book, pages

    found: dict[str, object] = {"map": book.balance("ann", 3), "again": book.balance("ann", 4), "cast": book.kind(2)}
    for name, call in {"caught": lambda: book.kind(9), "unknown": lambda: book.entry("nobody")}.items():
        try:
            call()
        except (KeyError, ValueError) as error:
            found[name] = [type(error).__name__, str(error)]
    pages_of = pages.Pages()
    pages_of.add(3)
    pages_of.add(1)
    found["cython"] = pages_of.sorted()
    try:
        pages_of.at(7)
    except IndexError:
        found["translated"] = True
    return found
