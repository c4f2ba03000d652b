"""Exception groups and except*: raising in it ends the process when Cython 3.3.1 compiled it, so this module has to fall back."""

from __future__ import annotations

import asyncio


class Group(ExceptionGroup):
    def derive(self, errors):
        return Group(self.message + "'", errors)


def answer_split() -> object:
    group = ExceptionGroup("g", [ValueError(1), TypeError(2), ExceptionGroup("inner", [ValueError(3), KeyError(4)])])
    match, rest = group.split(ValueError)
    return [repr(match), repr(rest), repr(group.subgroup(lambda error: isinstance(error, KeyError)))]


def answer_except_star() -> object:
    log = []
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2), ValueError(3), OSError(5)])
    except* ValueError as errors:
        log.append([type(errors).__name__, [str(each) for each in errors.exceptions]])
    except* (TypeError, KeyError) as errors:
        log.append([str(each) for each in errors.exceptions])
    except* OSError:
        log.append("os")
    else:
        log.append("else")
    finally:
        log.append("finally")
    return log


def answer_rest_goes_on() -> object:
    try:
        try:
            raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
        except* ValueError:
            pass
    except ExceptionGroup as rest:
        return repr(rest)
    return "swallowed"


def answer_naked() -> object:
    try:
        raise ValueError("single")
    except* ValueError as errors:
        seen = [type(errors).__name__, repr(errors.exceptions)]
    return seen


def answer_raise_inside() -> object:
    try:
        try:
            raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
        except* ValueError:
            raise KeyError("new")
    except ExceptionGroup as group:
        return sorted(type(each).__name__ for each in group.exceptions)
    return "nothing"


def answer_nothing_raised() -> object:
    log = []
    try:
        log.append("body")
    except* ValueError:
        log.append("never")
    else:
        log.append("else")
    return log


def answer_derived() -> object:
    try:
        try:
            raise Group("own", [ValueError(1), TypeError(2)])
        except* ValueError as errors:
            seen = [type(errors).__name__, errors.message]
    except Group as rest:
        return [seen, type(rest).__name__, rest.message]
    return "swallowed"


def answer_no_match() -> object:
    try:
        try:
            raise ExceptionGroup("g", [OSError(1)])
        except* ValueError:
            pass
    except* OSError as errors:
        text = repr(errors)
    return text


async def answer_task_group_errors() -> object:
    async def fail(kind):
        raise kind("x")

    caught = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError))
            group.create_task(fail(TypeError))
    except* ValueError as errors:
        caught.append([repr(error) for error in errors.exceptions])
    except* TypeError as errors:
        caught.append([repr(error) for error in errors.exceptions])
    return caught
