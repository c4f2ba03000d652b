"""The layer between our functions and typer: one command, its help, and typer's errors in our form."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import typer

from pypackpack.frontend.cli.argv import NEAR
from pypackpack.frontend.cli.overview import general_options, two_columns, wrapped
from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.frontend.cli.table import ELSEWHERE_OPTIONS, LATER_OPTIONS
from pypackpack.model.errors import NotYetError, PyPackPackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typer.core import TyperCommand

    from pypackpack.frontend.cli.session import Answer, Session
    from pypackpack.frontend.cli.table import Row

# The base of typer's wrong-use errors is click's, or newer typers' own copy of it.
TyperUsageError: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


@dataclass(frozen=True)
class Parameter:
    """An argument or option as help, completion and the reference page need it.

    Attributes:
        names: Option names; empty for an argument.
        metavar: What stands for the value; empty for a flag.
        help: What it is.
        required: Whether the call needs it.
        several: Whether it takes several values.
    """

    names: tuple[str, ...]
    metavar: str
    help: str
    required: bool
    several: bool

    @property
    def shown(self) -> str:
        """How help writes it."""
        dots = "..." if self.several else ""
        if self.names:
            return " ".join(word for word in (", ".join(self.names), self.metavar + dots) if word)
        word = self.metavar + dots
        return word if self.required else f"[{word}]"


class _AsTyped:
    """Hands on what was typed: all our values are words, lists of words and flags.

    Newer typers check values with pydantic, whose import costs more than all else that the command line does.
    """

    def coerce(self, value: Any, **_: Any) -> Any:  # noqa: ANN401 - typer's interface
        return value


def load(row: Row) -> TyperCommand:
    """Import a command's function and return it as a typer command."""
    module = importlib.import_module(f"pypackpack.frontend.cli.commands.{row.module}")
    return as_command(getattr(module, row.function))


def as_command(function: Callable[..., Answer]) -> TyperCommand:
    """Return a function as a typer command without typer's own help and completion."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(add_help_option=False)(function)
    command: Any = typer.main.get_command(app)
    for parameter in command.params:
        if hasattr(parameter, "get_runtime_param"):
            parameter.get_runtime_param = _AsTyped
    found: TyperCommand = command
    return found


def call(command: TyperCommand, row: Row, words: Sequence[str], session: Session) -> Answer:
    """Run a command on the words that follow its own.

    Raises:
        UsageError: typer cannot make sense of the words.
    """
    if row.uv:
        words, session = _without_uv(command, row, words, session)
    try:
        # Not `command.main`: that one has its own idea of what an interrupt and a broken pipe are.
        with command.make_context(f"pypackpack {row.shown}", list(words), obj=session) as context:
            answer: Answer = command.invoke(context)
    except TyperUsageError as error:
        raise usage_error(error, row, words, session.uv_options) from error
    return answer


def _without_uv(command: TyperCommand, row: Row, words: Sequence[str], session: Session) -> tuple[Sequence[str], Session]:
    """Take uv's options out of the words, for a command that ends in uv."""
    general = {name.split(" ")[0] for name, _ in general_options()}
    own = {name: bool(each.metavar) for each in parameters(command) for name in each.names}
    if all(word.partition("=")[0] in own or not word.startswith("-") for word in words):
        return words, session  # the common case needs nothing of uv
    from pypackpack.backend.tools import uv_options  # noqa: PLC0415 - import cost

    ours, theirs = uv_options.split(row.uv, words, {**dict.fromkeys(general, False), **own}, row.words)
    return ours, replace(session, uv_options=theirs)


def parameters(command: TyperCommand) -> list[Parameter]:
    """Return a command's arguments and options in the order in which they are declared, without hidden ones."""
    found = []
    for each in command.params:
        parameter: Any = each
        if getattr(parameter, "hidden", False):
            continue
        is_option = parameter.param_type_name == "option"
        is_flag = is_option and parameter.is_flag
        found.append(
            Parameter(
                names=tuple(parameter.opts) if is_option else (),
                metavar="" if is_flag else parameter.metavar or parameter.name.upper(),
                help=parameter.help or "",
                required=bool(parameter.required),
                several=bool(parameter.nargs == -1 or (is_option and parameter.multiple)),
            )
        )
    return found


def usage_line(row: Row, command: TyperCommand) -> str:
    """Return how a command is written, such as ``pypackpack build PACKAGE source [BUNDLE] [options]``."""
    words = [each.shown for each in parameters(command) if not each.names]
    return " ".join(["pypackpack", row.shown, *words, "[options]"])


def command_help(row: Row, command: TyperCommand, width: int, style: Style = PLAIN) -> list[str]:
    """Return the lines of a command's help."""
    known = parameters(command)
    lines = [*wrapped(row.summary, width), "", *_usage(usage_line(row, command), width, style)]
    pairs = {
        "Words": [(each.shown.strip("[]"), each.help) for each in known if not each.names],
        "Options": [(each.shown, each.help) for each in known if each.names],
        "Options of every command": general_options(),
    }
    left = min(max((len(name) for group in pairs.values() for name, _ in group), default=0), width // 2)
    for heading, group in pairs.items():
        if group:
            lines += ["", style.bold(heading), *two_columns(group, width, style, left)]
    if row.uv:
        lines += [
            "",
            *wrapped(f"The options of `uv {row.uv}` work too, with their values; uv's own documentation explains them.", width),
        ]
    first, *rest = wrapped(row.example, width - 6)
    return [*lines, "", style.bold("Example"), f"  {first}", *(f"      {line}" for line in rest)]


def _usage(line: str, width: int, style: Style) -> list[str]:
    first, *rest = wrapped(f"Usage: {line}", width - 4)
    return [first.replace("Usage:", style.bold("Usage:"), 1), *(f"    {part}" for part in rest)]


def usage_error(error: Exception, row: Row, words: Sequence[str] = (), uv_options: Sequence[str] = ()) -> PyPackPackError:
    """Return typer's error in our own form.

    Args:
        error: typer's.
        row: The command.
        words: What typer was given.
        uv_options: What is for uv.
    """
    wrong: Any = error
    kind = type(error).__name__
    message: str = wrong.format_message().strip().rstrip(".")
    hint = f"`pypackpack {row.words} --help` shows how it is written."
    if kind == "NoSuchOption":
        if wrong.option_name in LATER_OPTIONS.get(row.words, ()):
            return NotYetError(f"`pypackpack {row.words} {wrong.option_name}` is not there yet")
        known = parameters(wrong.ctx.command) if wrong.ctx else []
        own = [name for each in known for name in each.names]
        # `--release` is how others say `--type release`.
        word = wrong.option_name.lstrip("-")
        near = [f"{each.names[0]} {word}" for each in known if each.names and word in each.metavar.split("|")]
        if not near:
            own += [name.split(" ")[0] for name, _ in general_options()]
            near = get_close_matches(wrong.option_name, own, n=1, cutoff=NEAR)
        message = f"`{row.words}` has no option {wrong.option_name}"
        hint = f"Did you mean {near[0]}?" if near else hint
        hint = ELSEWHERE_OPTIONS.get((row.words, wrong.option_name), hint)
    elif kind == "MissingParameter" and wrong.param is not None:
        option = f"{wrong.param.opts[0]} " if wrong.param.param_type_name == "option" else ""
        message = f"`{row.words}` needs {option}{wrong.param.metavar or wrong.param.name.upper()}"
        hint = f"Such as `{row.example}`. {hint}"
    elif kind == "BadOptionUsage":
        message = f"{wrong.option_name} needs a value"
    elif message.startswith("Got unexpected extra argument"):
        extra = message.rpartition(" (")[2].rstrip(")")
        message = f"`{row.words}` does not know what to do with ({extra})" if " (" in message else message
        if row.words == "tree" and "--invert" in uv_options:
            hint = f"uv's `tree --invert` takes the name by an option of its own: `--invert --package {extra}`."
        elif "--profile=" in words and extra == "".join(words[words.index("--profile=") + 1 :][:1]):
            hint = f"A page's name ends in .html: `--profile {extra}.html`."
        elif row.words in ("sync", "tree") and extra.isidentifier():
            hint = f"A package stands before it: did you mean `pypackpack {extra} {row.words}`?"
    return UsageError(message[:1].lower() + message[1:] if message[:2].istitle() else message, hint=hint)
