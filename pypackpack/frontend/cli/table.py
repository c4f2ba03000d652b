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
        uv: The uv command that it ends in: options that we do not have are handed to that one. Empty for most commands.
    """

    __slots__ = ("example", "function", "module", "section", "shown", "summary", "uv", "words")

    def __init__(self, words: str, place: str, section: str, summary: str, example: str, shown: str = "", uv: str = "") -> None:
        self.words = words
        self.module, _, self.function = place.partition(":")
        self.section = section
        self.summary = summary
        self.example = example
        self.shown = shown or words
        self.uv = uv


ROWS = (
    Row("init", "init:init", "Project", "Make a new project, or make this folder one.", "pypackpack init shop 3.13"),
    Row(
        "python use",
        "python:use",
        "Python",
        "Make .venv anew with another Python.",
        "pypackpack python use 3.13",
        uv="python install",
    ),
    Row(
        "python list",
        "python:list_pythons",
        "Python",
        "Show the Pythons that are here or can be fetched.",
        "pypackpack python list --only-installed",
        uv="python list",
    ),
    Row("python find", "python:find", "Python", "Show where a Python is.", "pypackpack python find 3.13", uv="python find"),
    Row(
        "python install",
        "python:install",
        "Python",
        "Fetch Pythons for this machine, or those of another platform.",
        "pypackpack python install 3.13 --target windows",
        uv="python install",
    ),
    Row(
        "python uninstall",
        "python:uninstall",
        "Python",
        "Remove Pythons that were fetched.",
        "pypackpack python uninstall 3.12",
        uv="python uninstall",
    ),
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
        "Add dependencies: for development, or to a package for all or some of its targets.",
        "pypackpack billing add numpy --target windows linux",
        shown="[<package>] add",
        uv="add",
    ),
    Row(
        "remove",
        "dependency:remove",
        "Dependencies",
        "Take dependencies away: from development, or from a package for all or some of its targets.",
        "pypackpack billing remove numpy --target windows",
        shown="[<package>] remove",
        uv="remove",
    ),
    Row(
        "sync",
        "dependency:sync",
        "Dependencies",
        "Make .venv, or a package's environments, exactly what the lock says.",
        "pypackpack billing sync",
        shown="[<package>] sync",
        uv="sync",
    ),
    Row(
        "tree",
        "dependency:tree",
        "Dependencies",
        "Show what the dependencies resolve to, and what needs what.",
        "pypackpack tree --depth 2",
        shown="[<package>] tree",
        uv="tree",
    ),
    Row(
        "run",
        "run:run",
        "One environment",
        "Run a script, a callable or a command in the project's environment.",
        "pypackpack run services/web/main.py --port 8000",
    ),
    Row(
        "import",
        "import_:import_files",
        "One environment",
        "Turn scattered requirements files into one list of dependencies.",
        "pypackpack import services --delete",
    ),
    Row(
        "vendor",
        "vendor:vendor",
        "One environment",
        "Bring the wheels of all locked dependencies into vendor/, to work without a network.",
        "pypackpack vendor --target linux windows",
    ),
    Row(
        "env",
        "env:env",
        "Build",
        "Show a target's environment, or run something in it.",
        "pypackpack env billing --target linux_arm64 -- python -m build",
    ),
    Row(
        "build",
        "build:build",
        "Build",
        "Build a package for its targets.",
        "pypackpack build billing source single --type release --level native",
        shown="build",
    ),
    Row(
        "tasks",
        "tasks:tasks",
        "Build",
        "Show the steps of a build, what they do, and what is to do.",
        "pypackpack tasks billing source single --level native --all",
    ),
    Row(
        "inspect",
        "inspect_:inspect",
        "Build",
        "Show what each module of a wheel or a binary became, and why; what a patch does; what separates two wheels.",
        "pypackpack inspect billing-1.0-cp313-cp313-win_amd64.whl",
    ),
    Row(
        "verify",
        "verify:verify",
        "Build",
        "Check whether artifacts are what they say they are.",
        "pypackpack verify --rebuild billing-1.0-cp313-cp313-win_amd64.whl",
    ),
    Row(
        "deploy",
        "deploy:deploy",
        "Build",
        "Upload a package's release wheels to an index.",
        "pypackpack deploy billing source --to testpypi",
    ),
    Row(
        "release",
        "patch:release",
        "Patches",
        "Record the release wheels in build/, as what patches are made against.",
        "pypackpack release billing",
    ),
    Row(
        "patch show",
        "patch:show",
        "Patches",
        "Show what a patch begins with, and what it leads to.",
        "pypackpack patch show billing-1.4.0-p1-py3-none-any.whl.patch",
    ),
    Row(
        "patch verify",
        "patch:verify",
        "Patches",
        "Check a patch, and whether it leads where it says.",
        "pypackpack patch verify billing-1.4.0-p1-py3-none-any.whl.patch --to billing-1.4.0-py3-none-any.whl",
    ),
    Row(
        "patch apply",
        "patch:apply",
        "Patches",
        "Make the newer version out of the released one: a wheel, or what is installed.",
        "pypackpack patch apply billing-1.4.0-p1-py3-none-any.whl.patch --to billing-1.4.0-py3-none-any.whl -o new",
    ),
    Row("clean", "clean:clean", "Build", "Empty the build folder of packages.", "pypackpack clean billing"),
    Row("cache info", "cache:info", "Cache", "Show what the cache holds, and where it lies.", "pypackpack cache info"),
    Row(
        "cache prune",
        "cache:prune",
        "Cache",
        "Take from the cache what was not used for longest, and what is of no use any more.",
        "pypackpack cache prune --size 5GB --older-than 30d",
    ),
    Row(
        "cache verify",
        "cache:verify",
        "Cache",
        "Read all that builds keep in the cache, and throw away what is damaged.",
        "pypackpack cache verify",
    ),
    Row(
        "cache clear",
        "cache:clear",
        "Cache",
        "Empty the cache; the tools that were fetched stay.",
        "pypackpack cache clear --yes",
    ),
    Row(
        "cache key",
        "cache_key:key",
        "Cache",
        "Make a pair of keys to sign what is uploaded to a remote cache.",
        "pypackpack cache key",
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
        "recipe",
        "runtime",
    }
)

# What people type who know other tools, and what to do here.
OTHERS = {
    "activate": "`pypackpack run <command>` runs something in .venv, which can be activated as every environment of Python.",
    "check": "`pypackpack sync --check` tells whether the environment is as the lock says.",
    "create": "`pypackpack init <name>` makes a project, `pypackpack package add <name>` a package in it.",
    "export": "The lock is pyproject.lock; `pypackpack tree` shows what it holds.",
    "fmt": "`pypackpack add ruff`, then `pypackpack run ruff format`.",
    "format": "`pypackpack add ruff`, then `pypackpack run ruff format`.",
    "install": "`pypackpack sync` makes .venv what the lock says; `pypackpack add <name>` adds a dependency.",
    "lint": "`pypackpack add ruff`, then `pypackpack run ruff check`.",
    "lock": "`pypackpack sync` brings the lock up to date, and the environment with it.",
    "new": "`pypackpack init <name>` makes a project, `pypackpack package add <name>` a package in it.",
    "publish": "`pypackpack deploy <package> source --to pypi` uploads the wheels of a release.",
    "shell": "`pypackpack run <command>` runs something in .venv, which can be activated as every environment of Python; "
    "`pypackpack env` is for a target's environment.",
    "test": "`pypackpack add pytest`, then `pypackpack run pytest`.",
    "uninstall": "`pypackpack remove <name>` takes a dependency away.",
    "update": "`pypackpack sync --upgrade` takes newer versions.",
    "upgrade": "`pypackpack sync --upgrade` takes newer versions.",
    "upload": "`pypackpack deploy <package> source --to pypi` uploads the wheels of a release.",
    "venv": "`pypackpack sync` makes .venv; `pypackpack python use <version>` makes it anew with another Python.",
}

# Options that every command has: name, what stands for its value, help.
GENERAL = (
    ("--project", "DIR", "Work on the project of this folder instead of the one we stand in."),
    ("--quiet", "", "Show errors and what was asked for, nothing else; -q is the same."),
    ("--verbose", "", "Show every step as a line, and the traceback of a defect."),
    ("--json", "", "Write the result, or the error, as JSON on stdout; everything else goes to stderr."),
    ("--help", "", "Show the help of the command."),
)

# The command whose --json is a stream of events, one JSON object per line.
STREAMING = "build"

# Options that are documented and not there yet, by the words of their command.
LATER_OPTIONS: "dict[str, frozenset[str]]" = {}

# Options that people look for where something else does it, and what does.
_LAST_WORD = (
    "The package is the last word: `pypackpack {} windows macos billing`. Without it, it is the one in whose folder you stand, "
    "the only one, or all."
)
ELSEWHERE_OPTIONS: "dict[tuple[str, str], str]" = {
    (words, "--package"): _LAST_WORD.format(words) for words in ("target add", "target remove")
}

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
