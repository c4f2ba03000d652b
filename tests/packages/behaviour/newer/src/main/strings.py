"""PEP 701: f-strings with anything inside."""

from __future__ import annotations


def answer_nested_quotes() -> object:
    words = {"a": 1}
    return [f"{words["a"]}", f"{"\n".join(["x", "y"])}", f"{f"{f"{1}"}"}", f"{
        words  # a comment
    }"]
