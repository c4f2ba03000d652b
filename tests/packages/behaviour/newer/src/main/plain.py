"""Nothing new: this one is native."""

from __future__ import annotations

import itertools


def answer_batched() -> object:
    return [list(each) for each in itertools.batched("abcde", 2)]
