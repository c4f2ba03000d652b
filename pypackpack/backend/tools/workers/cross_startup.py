"""Makes a Python that runs here report another platform: what every Python started in a cross environment loads first.

It runs in any CPython from 3.10 on, before anything but ``site``, and uses the standard library only. It is copied into the
environment together with ``facts.json``, what the target's Python would say of itself, and comes in twice: by a ``.pth`` file
into the environment's own Python (also where ``PYTHONPATH`` is not listened to), and as ``sitecustomize`` on ``PYTHONPATH`` into
the Pythons of environments that tools make from it (``build`` does).

Whoever asks decides the answer. The standard library and the tools that work on this machine (pip, meson) have to know where
they run, or ``pathlib`` would write paths of Windows on Linux; everything else, and in every tool whatever deals with wheel
tags and markers, hears of the target.
"""

import json
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_OFF = "PYPACKPACK_CROSS"
"""With this variable set to ``off`` a Python stays what it is (``build-python``)."""

_MACHINERY = frozenset(
    [
        *(
            "pip",
            "build",
            "pyproject_hooks",
            "virtualenv",
            "uv",
            "platformdirs",
            "filelock",
            "rich",
            "colorama",
            "click",
            "typer",
        ),
        *("mesonbuild", "ninja", "cmake", "psutil", "requests", "urllib3", "certifi", "distlib", "numpy", "Cython", "pytest"),
        *("_distutils_hack", "tqdm", "keyring", "installer", "packageurl", "pathspec"),
    ]
)
"""Tools that work on this machine, by their top-level names; the standard library belongs to them."""

_COMPILING = frozenset(["setuptools", "distutils", "pkg_resources"])
"""They name files and tags by the target, and find a compiler by the machine that they run on."""


def _asker(depth, skip=()):
    """Return the dotted name of the module that asks; modules in ``skip`` only pass the question on."""
    frame = sys._getframe(depth + 1)
    while frame is not None:
        names = frame.f_globals
        name = names.get("__name__") or ""
        if name == "__main__":
            spec = names.get("__spec__")
            name = getattr(spec, "name", None) or name
        if name not in skip:
            return name
        frame = frame.f_back
    return ""


def _is_here(name):
    """Tell whether a module has to know where it runs."""
    if "packaging." in name:
        return False
    top = name.partition(".")[0]
    if top == "distutils":
        return False
    return top in _MACHINERY or top in sys.stdlib_module_names or top.startswith("_pypackpack")


def _patch_sys(facts):
    here = sys.platform

    class Sys(type(sys)):
        @property
        def platform(self):
            return here if _is_here(_asker(1)) else facts["sys_platform"]

    # The interpreter itself, and what is written in C, reads the module's dictionary, which stays as it is.
    sys.__class__ = Sys
    sys.cross_compiling = True
    if facts["multiarch"]:
        sys.implementation._multiarch = facts["multiarch"]
    elif hasattr(sys.implementation, "_multiarch"):
        del sys.implementation._multiarch


def _patch_os(facts):
    here = os.name

    if facts["os_name"] != here:

        class Os(type(os)):
            @property
            def name(self):
                asks = _asker(1)
                return here if _is_here(asks) or asks.partition(".")[0] in _COMPILING else facts["os_name"]

        os.__class__ = Os
    if not hasattr(os, "uname"):
        return
    real_uname = os.uname
    said = facts["uname"]

    def uname():
        if _is_here(_asker(1)):
            return real_uname()
        return os.uname_result((said["system"], "build", said["release"], said["version"], said["machine"]))

    os.uname = uname


def _patch_platform(facts):
    import platform

    said = facts["uname"]
    real = {name: getattr(platform, name) for name in ("uname", "mac_ver", "libc_ver", "win32_ver", "architecture", "platform")}

    def here(depth=2):
        asks = _asker(depth, ("platform", __name__))
        return _is_here(asks) or asks.partition(".")[0] in _COMPILING

    def uname():
        if here():
            return real["uname"]()
        made = platform.uname_result(said["system"], "build", said["release"], said["version"], said["machine"])
        made.__dict__["processor"] = said["processor"]
        return made

    def fact(name):
        def function(*args, **words):
            return real[name](*args, **words) if here() else getattr(uname_of_target(), name)

        return function

    def uname_of_target():
        made = platform.uname_result(said["system"], "build", said["release"], said["version"], said["machine"])
        made.__dict__["processor"] = said["processor"]
        return made

    for name in ("system", "release", "version", "machine", "processor"):
        real[name] = getattr(platform, name)
        setattr(platform, name, fact(name))

    def mac_ver(release="", versioninfo=("", "", ""), machine=""):
        if here():
            return real["mac_ver"](release, versioninfo, machine)
        return (facts["mac_ver"] or release, versioninfo, said["machine"] if facts["mac_ver"] else machine)

    def libc_ver(*args, **words):
        return real["libc_ver"](*args, **words) if here() or args or words else tuple(facts["libc_ver"])

    def win32_ver(*args, **words):
        if here() or said["system"] != "Windows":
            return real["win32_ver"](*args, **words)
        return (said["release"], said["version"], "", "Multiprocessor Free")

    def architecture(*args, **words):
        return real["architecture"](*args, **words) if here() or args or words else tuple(facts["architecture"])

    def describe(aliased=False, terse=False):
        if here():
            return real["platform"](aliased, terse)
        return "-".join(filter(None, [said["system"], said["release"], "" if terse else said["machine"]]))

    platform.uname, platform.mac_ver, platform.libc_ver = uname, mac_ver, libc_ver
    platform.win32_ver, platform.architecture, platform.platform = win32_ver, architecture, describe


def _patch_sysconfig(facts, own):
    import sysconfig

    variables = dict(sysconfig.get_config_vars())
    kept = (
        *("prefix", "exec_prefix", "py_version", "py_version_short", "py_version_nodot", "installed_base", "base", "platbase"),
        *("installed_platbase", "projectbase", "platlibdir", "userbase", "py_version_nodot_plat", "implementation", "abi_thread"),
        *("implementation_lower", "srcdir"),
    )
    variables = {name: variables[name] for name in kept if name in variables}
    variables.update(facts["config_vars"])
    if own:
        variables["base"] = variables["platbase"] = facts["base"]

    def get_config_vars(*names):
        return [variables.get(name) for name in names] if names else variables

    def get_platform():
        return facts["platform"]

    def get_config_h_filename():
        return os.path.join(facts["include"], "pyconfig.h")

    def get_makefile_filename():
        return ""

    # Not only the functions: `get_config_var` and `get_paths` look these names up in their module.
    sysconfig.get_config_vars = get_config_vars
    sysconfig.get_platform = get_platform
    sysconfig.get_config_h_filename = get_config_h_filename
    sysconfig.get_makefile_filename = get_makefile_filename
    for scheme in sysconfig._INSTALL_SCHEMES.values():
        for name in ("include", "platinclude"):
            if name in scheme:
                scheme[name] = facts["include"]


def _patch_machinery(facts):
    import importlib.machinery

    # Only what others read: the import system has its own copy, since what it loads runs here.
    importlib.machinery.EXTENSION_SUFFIXES = list(facts["extension_suffixes"])


def _patch_tags(module, facts):
    """Tell a module ``….packaging.tags`` the target's platform tags."""
    tags = list(facts["platform_tags"])

    def platform_tags():
        return iter(tags)

    module.platform_tags = platform_tags


def _patch_venv(module, facts):
    """Let environments that are made from this Python (``build`` does) report the target as well.

    Not by ``PYTHONPATH``: ``build`` empties it. They are made of the Python behind this one, which may be a script (crossenv's).
    """
    real = module.EnvBuilder.create

    def create(self, env_dir):
        own = sys._base_executable
        sys._base_executable = facts["base_executable"]
        try:
            real(self, env_dir)
        finally:
            sys._base_executable = own
        for folder in _site_packages(str(env_dir)):
            with open(os.path.join(folder, "_pypackpack_cross.pth"), "w", encoding="utf-8") as stream:
                stream.write(_LINE.format(_HERE))

    module.EnvBuilder.create = create


_LINE = "import sys; sys.path.insert(0, {!r}); import _pypackpack_cross as x; sys.path.pop(0); x.start(False)\n"


def _site_packages(folder):
    if sys.platform == "win32":
        return [os.path.join(folder, "Lib", "site-packages")]
    lib = os.path.join(folder, "lib")
    return [os.path.join(lib, name, "site-packages") for name in os.listdir(lib) if name.startswith("python3")]


_OPTIONAL = "PYPACKPACK_OPTIONAL"
"""What becomes of an extension module that setuptools calls optional and that does not compile.

``skip`` leaves it out and says nothing, ``error`` makes it an error. Without the variable it is left out and said when the
command ends, or an error where nobody would say it.
"""

_BUILD_EXT = ("distutils.command.build_ext", "setuptools._distutils.command.build_ext")

_NOTES = "PYPACKPACK_NOTES"
"""The file that tells the first Python of a command what those that it started left out."""


def _patch_build_ext(module, _facts):
    """Let nothing optional be left out of a wheel unsaid: build tools hide the warnings of a build that ends well."""
    real = module.build_ext.build_extension

    def build_extension(self, ext):
        try:
            real(self, ext)
        except Exception as error:
            said = os.environ.get(_OPTIONAL, "")
            notes = os.environ.get(_NOTES)
            if said == "error" or (said != "skip" and not notes):
                target = os.environ.get("PYPACKPACK_TARGET", "the target")
                raise RuntimeError(
                    f"the extension module {ext.name} cannot be built for {target}: {error} "
                    f"({_OPTIONAL}=skip leaves out what is optional)"
                ) from error
            if said != "skip":
                with open(notes, "a", encoding="utf-8") as stream:
                    stream.write(f"{ext.name}: {error}".replace("\n", " ") + "\n")
            raise

    module.build_ext.build_extension = build_extension


def _is_frontend(words):
    """Tell whether this is a process that a person started, and not one in an isolated build, whose output is hidden."""
    return not any(os.path.basename(word) == "_in_process.py" for word in words)


def _listen():
    """Say at the end of this process what the builds that it started left out, unless an earlier one does."""
    if os.environ.get(_NOTES):
        return
    import atexit

    here = os.getpid()
    place = os.environ[_NOTES] = os.path.join(_HERE, f"left-out-{here}.txt")
    if os.path.exists(place):
        os.unlink(place)  # of a process that was killed

    def tell():
        if os.getpid() != here or not os.path.exists(place):
            return
        with open(place, encoding="utf-8") as stream:
            lines = sorted(set(stream))
        os.unlink(place)
        for line in lines:
            sys.stderr.write(f"pypackpack: could not be built, and is missing where it is optional: {line}")

    atexit.register(tell)


class _Finder:
    """Finds the modules that are to be changed when somebody imports them."""

    def __init__(self, patches, facts):
        self.patches = patches
        self.facts = facts
        self.busy = set()

    def find_spec(self, name, _path=None, _target=None):
        # Tools bring packaging with them (pip._vendor.packaging.tags); a module of theirs that is called venv is another one.
        patch = self.patches.get("packaging.tags" if name.endswith(".packaging.tags") else name)
        if patch is None or name in self.busy:
            return None
        from importlib.util import find_spec

        self.busy.add(name)
        try:
            spec = find_spec(name)
        finally:
            self.busy.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, patch, self.facts)
        return spec


class _Loader:
    def __init__(self, original, patch, facts):
        self.original = original
        self.patch = patch
        self.facts = facts

    def create_module(self, spec):
        return self.original.create_module(spec)

    def exec_module(self, module):
        self.original.exec_module(module)
        self.patch(module, self.facts)

    def __getattr__(self, name):
        return getattr(self.original, name)


def _is_fetching_build_tools(words, own):
    """Tell whether this is a pip that fills an isolated environment: what it installs has to run here.

    pip starts itself for that with ``--ignore-installed``; ``build`` starts one for the environment that it made.
    """
    names = [os.path.basename(word) for word in words[1:4]]
    if not own:
        return "pip" in names or "__pip-runner__.py" in names
    return names[:1] == ["__pip-runner__.py"] and "--ignore-installed" in words


def _is_asked_by_uv(words):
    """Tell whether uv asks what this interpreter is.

    It hears the truth, since it installs build tools by it, and keeps the answer for whatever else it does with this Python.
    """
    return any("get_interpreter_info" in word for word in words)


def _add_cross_file(words, facts):
    """Let ``meson setup`` know what it compiles for."""
    name = os.path.basename(words[0]) if words else ""
    is_meson = name in ("meson", "meson.py", "meson.exe") or (name == "__main__.py" and "mesonbuild" in words[0])
    if is_meson and words[1:2] == ["setup"] and not any(word.startswith("--cross-file") for word in words):
        words[2:2] = ["--cross-file", facts["meson"]]


def _facts():
    with open(os.path.join(_HERE, "facts.json"), encoding="utf-8") as stream:
        return json.load(stream)


def start(own):
    """Begin to report the target.

    ``own`` says that this is the environment's Python itself, and not one of an environment that a tool made.
    """
    if getattr(sys, "cross_compiling", False) or os.environ.get(_OFF) == "off":
        return
    words = list(getattr(sys, "orig_argv", ()))
    if _is_fetching_build_tools(words, own) or _is_asked_by_uv(words):
        return
    facts = _facts()
    if list(sys.version_info[:2]) != facts["python"] or (not own and sys.base_prefix != facts["base_prefix"]):
        return
    _patch_sysconfig(facts, own)
    _patch_platform(facts)
    _patch_machinery(facts)
    _patch_os(facts)
    _patch_sys(facts)
    patches = {"packaging.tags": _patch_tags, "venv": _patch_venv, **dict.fromkeys(_BUILD_EXT, _patch_build_ext)}
    sys.meta_path.insert(0, _Finder(patches, facts))
    if own and _is_frontend(words):
        _listen()
    _add_cross_file(sys.argv, facts)
    if own and "pip-build-env-" not in os.environ.get("PYTHONPATH", ""):
        sys.path.append(facts["site"])


def start_beside():
    """Only let environments that are made from this Python report the target; it does so itself already (crossenv)."""
    sys.meta_path.insert(0, _Finder({"venv": _patch_venv, **dict.fromkeys(_BUILD_EXT, _patch_build_ext)}, _facts()))
    if _is_frontend(list(getattr(sys, "orig_argv", ()))):
        _listen()
