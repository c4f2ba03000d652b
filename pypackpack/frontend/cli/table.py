"""Every command of the command line, once: its words, where its function stands, and what help says of it.

Help, completion, the reference page and the dispatch all read this table. It is loaded by the fast paths, so it
imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Row:
    """One command.

    Attributes:
        words: What a person types, ``package add``.
        module: Module in ``pypackpack.frontend.cli.commands`` that has its function.
        function: Name of that function.
        section: Heading that help shows it under.
        shown: How help writes it; the words unless a package name stands before them.
        summary: One line on what it does.
        example: One whole line that a person can type.
    """

    __slots__ = ("example", "function", "module", "section", "shown", "summary", "words")

    def __init__(self, words: str, place: str, section: str, summary: str, example: str, shown: str = "") -> None:
        self.words = words
        self.module, _, self.function = place.partition(":")
        self.section = section
        self.summary = summary
        self.example = example
        self.shown = shown or words


ROWS = (
    Row("init", "init:init", "Project", "Make a new project, or make this folder one.", "pypackpack init shop 3.13"),
    Row("package add", "package:add", "Packages", "Add a package to the project.", "pypackpack package add billing"),
    Row(
        "package remove",
        "package:remove",
        "Packages",
        "Delete a package and all of its files.",
        "pypackpack package remove billing",
    ),
    Row("package list", "package:list_packages", "Packages", "Show the packages of the project.", "pypackpack package list"),
    Row(
        "target add",
        "target:add",
        "Targets",
        "Let a package be built for more platforms.",
        "pypackpack target add windows macos billing",
    ),
    Row("target remove", "target:remove", "Targets", "Take platforms from a package.", "pypackpack target remove macos billing"),
    Row(
        "target list", "target:list_targets", "Targets", "Show every known platform and what builds it.", "pypackpack target list"
    ),
    Row(
        "add",
        "dependency:add",
        "Dependencies",
        "Add dependencies to a package, for all or some of its targets.",
        "pypackpack billing add numpy --target windows linux",
        shown="<package> add",
    ),
    Row(
        "remove",
        "dependency:remove",
        "Dependencies",
        "Take dependencies from a package, for all or some of its targets.",
        "pypackpack billing remove numpy --target windows",
        shown="<package> remove",
    ),
    Row(
        "sync",
        "dependency:sync",
        "Dependencies",
        "Make a package's environments exactly what its lock says.",
        "pypackpack billing sync",
        shown="<package> sync",
    ),
    Row(
        "build",
        "build:build",
        "Build",
        "Build a package for its targets.",
        "pypackpack build billing source single --type release --level native",
        shown="build",
    ),
    Row("completion", "completion:completion", "Help", "Print the completion script of a shell.", "pypackpack completion bash"),
)

# Answered without a function of their own.
BUILT_IN = (
    ("help [<command>]", "Help", "Show this, or the help of one command."),
    ("version", "Help", "Show the versions of pypackpack and of the uv it uses."),
)

# Words of the plan whose work is not there yet. They are refused with one line and stand in no help and no page.
LATER = frozenset(
    {
        "bundle",
        "cache",
        "clean",
        "deploy",
        "env",
        "import",
        "inspect",
        "patch",
        "python",
        "recipe",
        "release",
        "run",
        "runtime",
        "tasks",
        "tree",
        "vendor",
        "verify",
    }
)

# Options that every command has: name, what stands for its value, help.
GENERAL = (
    ("--project", "DIR", "Work on the project of this folder instead of the one we stand in."),
    ("--quiet", "", "Show errors and what was asked for, nothing else."),
    ("--verbose", "", "Show every step as a line, and the traceback of a defect."),
    ("--json", "", "Write the result, or the error, as JSON on stdout; everything else goes to stderr."),
    ("--help", "", "Show the help of the command."),
)

# Options that are documented and not there yet, by the words of their command.
LATER_OPTIONS = {"build": frozenset({"--continuous", "--dry-run", "--explain", "--keep-going", "--profile", "--rerun"})}

# What may stand after a package's name: `pypackpack billing add numpy`.
PACKAGE_VERBS = ("add", "remove", "sync", "tree")


def command_words() -> frozenset[str]:
    """Return every first word that is a command, also of those that are not there yet."""
    built_in = {shown.split(" ", 1)[0] for shown, _, _ in BUILT_IN}
    return frozenset({row.words.split(" ", 1)[0] for row in ROWS} | built_in | LATER)


def rows_below(first: str) -> "Iterator[Row]":
    """Yield the commands whose first word is ``first``."""
    for row in ROWS:
        if row.words.split(" ", 1)[0] == first:
            yield row


def row_of(words: "list[str]") -> Row | None:
    """Return the command that a call's first words name, or None."""
    for row in ROWS:
        own = row.words.split(" ")
        if words[: len(own)] == own:
            return row
    return None
