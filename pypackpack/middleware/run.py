"""What ``pypackpack run`` starts: which project, which program, which words, which environment.

Loaded by the fast path, so nothing is imported here that Python did not load by itself, paths are plain strings, and errors
are imported where they are raised.
"""

import os

from pypackpack.backend import handover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE = "pyproject.toml"
SCRIPTS = (".py", ".pyw", ".pyz")

# What ``python -c`` gets for ``module:callable``. The callable sees what a console script's would: its words from sys.argv[1:]
# on; a result that is no number is said on stderr, as sys.exit does. The current folder comes first on the path, as a path,
# since "" would mean another one after a chdir. A traceback begins with the person's code, not with this.
CALL = """\
import os, sys
def _without_us(kind, error, trace, _shown=sys.excepthook):
    while trace is not None and trace.tb_frame.f_code is _own:
        trace = trace.tb_next
    _shown(kind, error.with_traceback(trace), trace)
_own = sys._getframe().f_code
sys.excepthook = _without_us
if sys.path[:1] == [""]:
    sys.path[0] = os.getcwd()
del sys.argv[0]
_module, _, _name = sys.argv[0].partition(":")
__import__(_module)
_found = sys.modules[_module]
for _part in _name.split("."):
    if not hasattr(_found, _part):
        sys.exit(f"error: {sys.argv[0]}: {getattr(_found, '__name__', _found)} has no {_part}")
    _found = getattr(_found, _part)
if not callable(_found):
    sys.exit(f"error: {sys.argv[0]} is no callable, it is {type(_found).__name__}")
sys.exit(_found())
"""


class Start:
    """What is to be started.

    Attributes:
        program: Path of the program.
        words: Its ``argv``.
        environment: Its whole environment.
        missing: Packages of the project that are not in ``.venv``.
    """

    __slots__ = ("environment", "missing", "program", "words")

    def __init__(self, program: str, words: "list[str]", environment: "dict[str, str]", missing: "list[str]") -> None:
        self.program = program
        self.words = words
        self.environment = environment
        self.missing = missing


def plan(start: str, words: "Sequence[str]", environment: "Mapping[str, str]", *, named: bool = False) -> Start:
    """Decide what a call of ``run`` starts. Nothing is changed and nothing is started.

    Args:
        start: The folder to look for the project from; a script that lies in a project finds it from there, when ``start``
            lies in none.
        words: A script, ``module:callable`` or command, and what follows it.
        environment: The environment that we run in.
        named: ``start`` was named by the person: no other project will do.

    Raises:
        NoProjectError: There is no project.
        MissingToolError: It has no ``.venv`` that works, or there is no such program.
        UsageError: There is no such script, or it cannot be run.
    """
    first, *rest = words
    root, packages = _project(start, "" if named else first)
    venv = os.path.join(root, ".venv")
    python = handover.python_of(venv)
    if not os.path.exists(python):
        raise _no_python(venv)
    env = child_environment(root, environment)
    missing = _not_installed(venv, packages)
    if _is_script(first):
        return Start(python, [python, first, *rest], env, missing)
    if _is_call(first):
        return Start(python, [python, "-c", CALL, first, *rest], env, missing)
    program = handover.find_program(first, env["PATH"])
    if not program:
        raise _no_program(first, venv, packages)
    return Start(program, [program, *rest], env, missing)


def child_environment(root: str, environment: "Mapping[str, str]") -> "dict[str, str]":
    """Return the environment of what is started: the project's ``.venv``, whatever is activated, and its root on the path.

    Args:
        root: The project's folder.
        environment: The environment that we run in.
    """
    venv = os.path.join(root, ".venv")
    env = dict(environment)
    # The last two: what makes a macOS or Windows launcher take our Python for the child's, and the name of another environment.
    for name in ("PYTHONHOME", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV_PROMPT"):
        env.pop(name, None)
    programs = handover.programs_folder(venv)
    other = env.get("VIRTUAL_ENV")
    left_out = {os.path.normcase(programs), os.path.normcase(handover.programs_folder(other)) if other else ""}
    path = [
        word for word in env.get("PATH", os.defpath).split(os.pathsep) if os.path.normcase(word.rstrip("/\\")) not in left_out
    ]
    env["PATH"] = os.pathsep.join([programs, *path])
    env["VIRTUAL_ENV"] = venv
    said = [word for word in env.get("PYTHONPATH", "").split(os.pathsep) if word and word != root]
    env["PYTHONPATH"] = os.pathsep.join([root, *said])
    return env


def _project(start: str, script: str) -> "tuple[str, list[str]]":
    """Return the root of the project and its packages' names, as far as a glance tells these."""
    starts = [start]
    if script.endswith(SCRIPTS) and os.path.isfile(script):
        starts.append(os.path.dirname(os.path.realpath(script)))
    for folder in starts:
        found = _glance(os.path.realpath(folder))
        if found is not None:
            return found
    # The slow way: it reads TOML as it should be read, and its errors say what is wrong.
    from pathlib import Path  # noqa: PLC0415 - import cost

    from pypackpack.middleware.project.read import find_root  # noqa: PLC0415 - import cost
    from pypackpack.model.errors import NoProjectError  # noqa: PLC0415 - import cost

    try:
        return os.fspath(find_root(Path(start))), []
    except NoProjectError:
        if len(starts) == 1:
            raise
        return os.fspath(find_root(Path(starts[1]))), []


def _glance(folder: str) -> "tuple[str, list[str]] | None":
    """Find the project around a folder without a TOML parser; None when it takes one to be sure."""
    while True:
        try:
            with open(os.path.join(folder, FILE), "rb") as stream:
                data = stream.read()
        except OSError:
            data = b""
        if b"pypackpack" in data:
            if b"'''" in data or b'"""' in data:
                return None  # what looks like a table may be part of a text
            packages = _recorded(data.decode("utf-8", "replace"))
            if packages is not None:
                return folder, packages
            if b"packages" in data:
                return None  # perhaps in a way of writing that we do not know
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _recorded(text: str) -> "list[str] | None":
    """Return what ``packages`` of a plainly written ``[tool.pypackpack]`` lists; None when there is none."""
    inside = False
    lines = iter(text.splitlines())
    for line in lines:
        word = line.strip()
        if word.startswith("["):
            inside = word.partition("#")[0].strip() == "[tool.pypackpack]"
        elif inside and word.partition("=")[0].strip() == "packages":
            value = word.partition("=")[2]
            while "]" not in value:
                more = next(lines, None)
                if more is None:
                    return None
                value += more.partition("#")[0]
            return value.partition("]")[0].replace("'", '"').split('"')[1::2]
    return None


def _not_installed(venv: str, packages: "list[str]") -> "list[str]":
    """Return the packages of the project that no ``.dist-info`` in its environment names."""
    if not packages:
        return []
    there: set[str] = set()
    for place in handover.libraries_of(venv):
        there.update(_plain(name.partition("-")[0]) for name in os.listdir(place) if name.endswith(".dist-info"))
    return [name for name in packages if _plain(name) not in there]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _is_script(word: str) -> bool:
    """Tell whether Python is to run a word: a file of Python, or a folder with ``__main__.py``.

    Raises:
        UsageError: It is written like a script, and there is none.
    """
    if word.endswith(SCRIPTS):
        if os.path.exists(word):
            return True
        from pypackpack.model.errors import UsageError  # noqa: PLC0415 - import cost

        msg = f"there is no script {word}"
        raise UsageError(msg, hint=f"The current folder is {os.getcwd()}; name the script from there.")
    return os.path.isfile(os.path.join(word, "__main__.py"))


def _is_call(word: str) -> bool:
    module, colon, name = word.partition(":")
    parts = [*module.split("."), *name.split(".")]
    return bool(colon) and all(part.isidentifier() for part in parts) and not os.path.exists(word)


def _no_python(venv: str) -> Exception:
    from pypackpack.model.errors import MissingToolError  # noqa: PLC0415 - import cost

    if os.path.isdir(venv):
        msg = f"the Python of {venv} is not there any more"
        return MissingToolError(msg, hint="`pypackpack python use <version>` makes the environment anew.")
    msg = f"the project has no environment yet: there is no {venv}"
    return MissingToolError(msg, hint="`pypackpack sync` makes it.")


def _no_program(word: str, venv: str, packages: "list[str]") -> Exception:
    from difflib import get_close_matches  # noqa: PLC0415 - import cost

    from pypackpack.model.errors import MissingToolError, UsageError  # noqa: PLC0415 - import cost

    if os.path.dirname(word):
        if not os.path.exists(word):
            msg = f"there is no {word}"
            return UsageError(msg, hint="Name a script, `module:callable` or a command.")
        msg = f"{word} is no program that can be started"
        return UsageError(msg, hint=f"If it is Python, `pypackpack run python {word}` runs it.")
    if not word.replace("-", "").replace("_", "").replace(".", "").replace("+", "").isalnum() or word.startswith("-"):
        msg = f"{word!r} is neither a script, nor module:callable, nor a command"
        hint = 'Name one of these; options of Python stand behind it, as in `pypackpack run python -c "print(1)"`.'
        return UsageError(msg, hint=hint)
    hint = _of_a_package(word, os.path.dirname(venv))
    if hint:
        msg = f"the command {word} is not in {venv} yet"
        return MissingToolError(msg, hint=hint)
    if _plain(word) in map(_plain, packages):
        msg = f"{word} is a package of this project, and no command"
        hint = f"`pypackpack run python -m {word}` runs its `__main__.py`; {word}:main calls a function of it."
        return UsageError(msg, hint=hint)
    try:
        names = [os.path.splitext(name)[0] if handover.WINDOWS else name for name in os.listdir(handover.programs_folder(venv))]
    except OSError:
        names = []
    near = get_close_matches(word, names, n=1)
    msg = f"there is no command {word}, neither in {venv} nor on PATH"
    if near:
        return MissingToolError(msg, hint=f"Did you mean {near[0]}?")
    if os.path.isfile(word + ".py"):
        return MissingToolError(msg, hint=f"The script is `pypackpack run {word}.py`.")
    hint = _own(word, os.path.dirname(venv))
    if hint:
        return MissingToolError(msg, hint=hint)
    return MissingToolError(msg, hint=f"`pypackpack add {word}` puts it into the environment, if a package of that name has it.")


def _of_a_package(word: str, root: str) -> str:
    """Return the hint for a command that a package of the project declares: nothing is to be fetched for it, nor guessed."""
    from pathlib import Path  # noqa: PLC0415 - import cost

    from pypackpack.middleware.project import foreign  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.finish import ours  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - import cost
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - import cost

    try:
        folders = ours(read_toml(Path(root, FILE))).get("packages")
    except PyPackPackError:
        return ""
    for folder in folders if isinstance(folders, list) else ():
        try:
            scripts = foreign.own_scripts(read_toml(Path(root, str(folder), FILE)))
        except PyPackPackError:
            continue  # what is wrong with it, `sync` says
        if word in scripts:
            return f"`pypackpack sync` makes it: {FILE} of the package {folder} declares it."
    return ""


def _own(word: str, root: str) -> str:
    """Return the hint for a command that is the project's own: what the index has under its name is somebody else's."""
    from pathlib import Path  # noqa: PLC0415 - import cost

    from pypackpack.middleware.project import foreign  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - import cost
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - import cost

    try:
        content = read_toml(Path(root, FILE))
        members = {_plain(name): folder for name, folder in foreign.workspace_members(Path(root), content).items()}
    except PyPackPackError:
        return ""
    name = foreign.own_name(content)
    if _plain(word) == _plain(name) or word in foreign.own_scripts(content):
        return f"It is of the project itself, whose own code is not in .venv. {foreign.way_into_a_package(name or '<name>')}"
    if _plain(word) in members:
        place = members[_plain(word)].relative_to(root).as_posix()
        return f"{place} is a member of the uv workspace; `pypackpack add --editable ./{place}` puts it into the environment."
    return ""
