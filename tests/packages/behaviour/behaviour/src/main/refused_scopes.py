"""What Cython 3.3 refuses to compile: names that cannot be there, and deleting a variable that an inner function uses. The build has to fall back by itself."""

from __future__ import annotations


def answer_unbound_and_deleted() -> object:
    results = []

    def early():
        return value

    try:
        early()
    except NameError as error:
        results.append(type(error).__name__)
    value = 1
    results.append(early())
    try:
        del value
        early()
    except NameError as error:
        results.append(type(error).__name__)
    return results


def answer_never_bound() -> object:
    try:
        print(local)  # noqa: F821
        local = 1
    except UnboundLocalError as error:
        return type(error).__name__
    return "none"



def answer_unbound_messages() -> object:
    try:
        print(local)  # noqa: F821
        local = 1
    except UnboundLocalError as error:
        return str(error)
    return "none"


def answer_exception_name_is_deleted() -> object:
    try:
        raise ValueError
    except ValueError as error:
        pass
    try:
        error  # noqa: B018, F821
    except NameError as again:
        return type(again).__name__
    return "still there"
