"""Exceptions of one's own."""

from __future__ import annotations


class AppError(Exception):
    """An error."""

    code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]} ({self.hint})" if self.hint else self.args[0]


class Missing(AppError, LookupError):
    code = 2


def answer_own() -> object:
    try:
        raise Missing("no", hint="look")
    except LookupError as error:
        return [str(error), repr(error), error.code, isinstance(error, AppError), error.args, type(error).__mro__[1].__name__]


def answer_class_and_instance() -> object:
    out = []
    for what in (ValueError, ValueError("x"), Missing):
        try:
            raise what
        except (ValueError, TypeError) as error:
            out.append(type(error).__name__)
        except Missing:
            out.append("missing")
    return out


def answer_not_an_exception() -> object:
    try:
        raise 5
    except TypeError as error:
        return type(error).__name__


def answer_bad_except() -> object:
    try:
        try:
            raise ValueError
        except 5:
            pass
    except (TypeError, ValueError) as error:
        return type(error).__name__


def answer_dynamic_except() -> object:
    def kinds():
        return (KeyError, ValueError)

    try:
        raise ValueError("x")
    except kinds() as error:
        return repr(error)


def answer_nested_context() -> object:
    try:
        try:
            raise KeyError("a")
        except KeyError:
            try:
                raise ValueError("b")
            except ValueError:
                raise TypeError("c")
    except TypeError as error:
        return [repr(error.__context__), repr(error.__context__.__context__)]


def answer_bare_raise_outside() -> object:
    try:
        raise
    except RuntimeError as error:
        return str(error)


def answer_system_exit() -> object:
    try:
        raise SystemExit(3)
    except BaseException as error:
        return [type(error).__name__, error.code]


def answer_generator_exit_in_with() -> object:
    class Noting:
        def __init__(self) -> None:
            self.seen = None

        def __enter__(self):
            return self

        def __exit__(self, kind, error, trace):
            self.seen = kind.__name__ if kind else None

    noting = Noting()

    def inside():
        with noting:
            yield 1

    generator = inside()
    next(generator)
    generator.close()
    return noting.seen


def answer_attribute_error_details() -> object:
    try:
        AppError("x").nothing
    except AttributeError as error:
        return [error.name, type(error.obj).__name__]


def answer_name_error_details() -> object:
    try:
        undefined_name  # noqa: B018, F821
    except NameError as error:
        return str(error)


def answer_name_of_name_error() -> object:
    try:
        undefined_name  # noqa: B018, F821
    except NameError as error:
        return error.name


def answer_key_error() -> object:
    try:
        {}[("a", 1)]
    except KeyError as error:
        return repr(error.args)


def answer_not_an_exception_message() -> object:
    try:
        raise 5
    except TypeError as error:
        return str(error)
