"""As little as can be compiled."""

from .sand import Grain, answer_grains

__all__ = ["Grain", "answer_grains"]
