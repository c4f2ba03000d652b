"""logging: who called."""

from __future__ import annotations

import io
import logging


def record(form: str) -> str:
    logger = logging.getLogger("behaviour.test")
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter(form))
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    try:
        logger.info("hello %s %d", "world", 5)
        try:
            raise ValueError("boom")
        except ValueError:
            logger.exception("failed")
    finally:
        logger.removeHandler(handler)
    return out.getvalue()


def answer_messages() -> object:
    text = record("%(levelname)s %(name)s %(message)s")
    lines = text.splitlines()
    return [lines[:2], lines[-1]]


def answer_caller() -> object:
    return record("%(funcName)s %(filename)s").splitlines()[0]
