"""The schema of ``[tool.pypackpack]`` and of what we rely on in ``[project]``.

These are the raw settings: what a person may write. The finished ones, with every default and every target's own
values worked in, are `pypackpack.model.project.BuildSettings` and `BundleSettings` (made in ``finish.py``). Errors,
JSON Schema and the reference page all come from the declarations below.

This module imports pydantic; whoever must start fast imports it inside a function.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from pypackpack.backend.urls import urlsplit
from pypackpack.model.cache import DEFAULT_SIZE, is_public_key, parse_size
from pypackpack.model.compiler_options import option_problem
from pypackpack.model.interpreter import NEWEST, OLDEST
from pypackpack.model.names import is_distribution_name

if TYPE_CHECKING:
    from collections.abc import Callable


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class Table(BaseModel):
    """A TOML table: no unknown keys, no conversions (``"true"`` is not true), keys with dashes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=_dashed)


def _refuse(reason: str) -> PydanticCustomError:
    return PydanticCustomError("wrong_value", "{reason}", {"reason": reason})


def _by(check: Callable[[str], object], *errors: type[Exception]) -> AfterValidator:
    """Make a validator of a parser; the parser's own words become the reason."""

    def validate(value: str) -> str:
        try:
            check(value)
        except errors as error:
            raise _refuse(str(error).splitlines()[0]) from None
        return value

    return AfterValidator(validate)


def _check_name(value: str) -> str:
    if not is_distribution_name(value):
        reason = "letters, digits and -_. between them"
        raise _refuse(reason)
    return value


def _check_series(value: str) -> str:
    if not re.fullmatch(r"3\.(0|[1-9]\d*)", value):
        reason = "two numbers, without the third"
        raise _refuse(reason)
    if not OLDEST[1] <= int(value[2:]) <= NEWEST[1]:
        reason = f"from 3.{OLDEST[1]} to 3.{NEWEST[1]}"
        raise _refuse(reason)
    return value


def _check_entry(value: str) -> str:
    module, _, attribute = value.partition(":")
    names = module.split(".") + (attribute.split(".") if ":" in value else [])
    if not all(name.isidentifier() for name in names):
        reason = "a module, or a module and what to call in it"
        raise _refuse(reason)
    return value


def _check_folder(value: str) -> str:
    if not is_distribution_name(value):
        reason = "the name of a folder in the project's root"
        raise _refuse(reason)
    return value


def _check_program(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", value):
        reason = "the name of a program, without folders: what comes with a clone must not say which file runs"
        raise _refuse(reason)
    return value


def _check_pattern(value: str) -> str:
    if not value or value.startswith(("/", "\\")) or ".." in value.split("/"):
        reason = "a pattern over module paths inside the package, with / between folders"
        raise _refuse(reason)
    return value


def _check_option(value: str) -> str:
    if problem := option_problem(value):
        raise _refuse(problem)
    return value


def _check_define(value: str) -> str:
    if not value.isprintable():
        reason = "one line of text"
        raise _refuse(reason)
    return value


def _check_macro(value: str) -> str:
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value):
        reason = "letters, digits and _"
        raise _refuse(reason)
    return value


def _check_library(value: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_.+-]*", value):
        reason = "the name of a library of the system, without lib and suffix"
        raise _refuse(reason)
    return value


def _check_cache_folder(value: str) -> str:
    if not value or "\0" in value or os.path.expanduser(value).startswith("~"):  # noqa: PTH111 - the other one raises
        reason = "a path; `~` stands for the home folder"
        raise _refuse(reason)
    return value


def _check_remote_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _refuse(str(error)) from None
    if "@" in parts.netloc:
        reason = "who we are does not belong into a file that others read: use netrc or PYPACKPACK_CACHE_TOKEN"
        raise _refuse(reason)
    is_plain = value.isprintable() and not set(value) & set(" ?#")
    if parts.scheme not in {"http", "https"} or not host or not is_plain:
        reason = "http or https, a server, and perhaps a path"
        raise _refuse(reason)
    return value


def _check_public_key(value: str) -> str:
    if not is_public_key(value):
        reason = "a public key as `pypackpack cache key` prints it"
        raise _refuse(reason)
    return value


TargetName = Annotated[str, Field(examples=["linux_x86_64"])]
Series = Annotated[str, AfterValidator(_check_series), Field(examples=["3.12"])]
Pattern = Annotated[str, AfterValidator(_check_pattern), Field(examples=["plugins/**"])]
DistributionName = Annotated[str, AfterValidator(_check_name), Field(examples=["numpy"])]
PackageFolder = Annotated[str, AfterValidator(_check_folder), Field(examples=["mypkg"])]
ProgramName = Annotated[str, AfterValidator(_check_program), Field(examples=["aarch64-linux-gnu-gcc"])]
EntryPoint = Annotated[str, AfterValidator(_check_entry), Field(examples=["mypkg.app:main"])]
RequirementText = Annotated[str, _by(Requirement, InvalidRequirement), Field(examples=["numpy>=2"])]
VersionText = Annotated[str, _by(Version, InvalidVersion), Field(examples=["1.0.0"])]
CacheFolder = Annotated[str, AfterValidator(_check_cache_folder), Field(examples=["~/caches/pypackpack"])]
SizeText = Annotated[str, _by(parse_size, ValueError), Field(examples=["10 GB"])]
Seconds = Annotated[float, Field(ge=0.1, le=60)]
TimeLimit = Annotated[float, Field(ge=1, le=604_800)]
RemoteUrl = Annotated[str, AfterValidator(_check_remote_url), Field(examples=["https://cache.example.org/pypackpack"])]
PublicKey = Annotated[
    str, AfterValidator(_check_public_key), Field(examples=["ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])
]
Option = Annotated[str, AfterValidator(_check_option), Field(examples=["-O3"])]
Macro = Annotated[str, AfterValidator(_check_macro), Field(examples=["FAST"])]
MacroText = Annotated[str, AfterValidator(_check_define), Field(examples=["1"])]
Library = Annotated[str, AfterValidator(_check_library), Field(examples=["m"])]
SpecifierText = Annotated[str, _by(SpecifierSet, InvalidSpecifier), Field(examples=[">=3.10"])]


class NativeTable(Table):
    """Which modules are compiled."""

    include: list[Pattern] = Field(
        ["**"], description="Patterns of modules to compile: paths below the package, `**` for any folders."
    )
    exclude: list[Pattern] = Field([], description="Patterns of modules that stay as they are.")


class LimitedTable(Table):
    """With `abi = "abi3"`: which of the native modules use the limited API; the others are made for each Python version."""

    include: list[Pattern] = Field(["**"], description="Patterns of modules, as for `native`.")
    exclude: list[Pattern] = Field([], description="Patterns of modules that are made for each Python version.")


class MypycTable(Table):
    """With `compiler = "mypyc"`: which of the native modules it compiles; Cython compiles the others."""

    include: list[Pattern] = Field(["**"], description="Patterns of modules, as for `native`.")
    exclude: list[Pattern] = Field([], description="Patterns of modules that Cython compiles.")


class ExtensionTable(Table):
    """An extension module of a package's own `.pyx`, C or C++, by its dotted name below the package."""

    sources: list[Pattern] | None = Field(
        None,
        description=(
            "Patterns of the C and C++ files that are compiled into it, besides its own. Left out: those in its folder and below "
            "it that are no modules themselves."
        ),
    )
    include: list[Pattern] = Field([], description="Folders below the package in which `#include` looks; `.` is its own.")
    define: dict[Macro, MacroText] = Field(
        {}, description="Macros and their texts; an empty text defines the name alone. For one target, added to the others."
    )
    options: list[Option] = Field([], description="Words for the compiler, as gcc and clang know them.")
    libraries: list[Library] = Field([], description="Libraries of the target's system that it is linked with.")


class MinifyTable(Table):
    """What goes when code is made smaller, besides comments and blanks."""

    docstrings: bool = Field(False, description="Take docstrings out; what reads `__doc__` at run time gets nothing.")
    annotations: bool = Field(False, description="Take annotations out, but for those that classes are made of.")
    names: Literal["keep", "locals"] = Field("keep", description="`locals`: shorter names inside of functions.")


class BuildValues(Table):
    """How a package is built, for one target or all targets of a family."""

    compiler: Literal["cython", "nuitka", "mypyc"] = Field(
        "cython",
        description="What turns Python into C. `mypyc` is for modules whose author writes types, and changes what they mean.",
    )
    mypyc: MypycTable = Field(
        MypycTable.model_construct(),
        description='With `compiler = "mypyc"`: which of the native modules it compiles; Cython compiles the others.',
    )
    abi: Literal["version", "abi3"] = Field(
        "version",
        description="`version`: a wheel per Python version. `abi3`: one wheel for every later Python (limited API).",
    )
    abi3: LimitedTable = Field(
        LimitedTable.model_construct(),
        description=(
            'With `abi = "abi3"`: which modules use the limited API. If all do, one wheel serves every later Python; otherwise '
            "there is a wheel for each, and these modules are compiled once for all of them."
        ),
    )
    unit: Literal["module", "package"] = Field(
        "module", description="One extension module per module, or one for the whole package."
    )
    dependencies: Literal["all"] | list[DistributionName] = Field(
        "all", description="For `fat` and `binary`: which dependencies are built at the same level."
    )
    native: NativeTable = Field(NativeTable.model_construct(), description="Which modules are compiled at level native.")
    extension: dict[str, ExtensionTable] = Field({}, description="Extension modules of the package's own native sources.")
    include_packages: list[DistributionName] = Field(
        [],
        description=(
            "Dependencies whose C headers and `.pxd` files the package's own code may use, such as `numpy`. They are read in the "
            "environment of each target."
        ),
    )
    ship_sources: list[Pattern] = Field(
        [], description="Patterns of native sources and headers that a release wheel holds; a debug wheel holds all of them."
    )
    minify: bool | MinifyTable = Field(
        False,
        description="Make what stays Python smaller. `true` keeps all that code asks about itself; a table says what else goes.",
    )
    strict: bool = Field(False, description="Fail when a module cannot be compiled, instead of falling back to bytecode.")
    toolchain: Literal["zig", "gcc", "clang", "ndk", "xcode", "msvc", "emcc"] | None = Field(
        None, description="What compiles C and links; otherwise what `pypackpack target list` shows for the target."
    )
    toolchain_program: ProgramName | None = Field(
        None,
        description=(
            "Name of the compiler on `PATH`, for `gcc`, `clang` and `emcc` that are called otherwise, such as cross compilers. "
            "Where a toolchain lies is said by the machine: `PYPACKPACK_GCC`, `PYPACKPACK_NDK` and so on."
        ),
    )
    time_limit: TimeLimit = Field(
        3600, description="Seconds that one call of a tool (a compiler's on one module) may take before it counts as hanging."
    )


class BuildTable(BuildValues):
    """How the package is built, for all its targets."""

    target: dict[str, BuildValues] = Field(
        {}, description="The same keys for one target or one family; a target's own win over its family's."
    )


class ResourceTable(Table):
    """Which data files `build <package> resource` puts into an archive."""

    include: list[Pattern] = Field(["**"], description="Patterns of data files: paths below the package, `**` for any folders.")
    exclude: list[Pattern] = Field([], description="Patterns of data files that stay out of it.")


class BundleTable(Table):
    """What is made of a built package."""

    entry: EntryPoint | None = Field(None, description="What a binary starts.")
    fat_layout: Literal["single", "separate"] = Field(
        "single", description="`single`: one wheel with the dependencies inside. `separate`: a folder of wheels."
    )
    fat_name: DistributionName | None = Field(
        None, description="The distribution name of a fat wheel; unless set, the package's name with `-fat` behind it."
    )
    binary_layout: Literal["folder", "single-file"] = Field("folder", description="The form of a binary.")
    resource: ResourceTable = Field(
        ResourceTable.model_construct(), description="Which data files an archive of them holds; wheels hold all."
    )


class HooksTable(Table):
    """What the build hooks (PEP 517) make, when `pip install`, `python -m build` or `uv build` ask for a wheel."""

    level: Literal["instant", "bytecode", "native"] = Field(
        "instant", description="How far the code is compiled; `-C level=…` on the command line wins."
    )
    type: Literal["debug", "release"] = Field("release", description="`-C type=…` on the command line wins.")


class TargetTable(Table):
    """What one target has of its own."""

    dependencies: list[RequirementText] = Field(
        [], description="Dependencies that a marker cannot say (musl against glibc, an Android API level, a simulator)."
    )
    interpreter: str | None = Field(
        None,
        description=(
            "The target's own Python on this machine, relative to the package, for its cross environment; it need not run."
        ),
        examples=["/opt/arm64/usr/bin/python3.11"],
    )


class PackageTable(Table):
    """`[tool.pypackpack]` in a package's `pyproject.toml`; everything is optional."""

    targets: list[TargetName] = Field([], description="The platforms that the package is built for.")
    python: list[Series] = Field([], description="The Python versions that it is built for; empty: the project's own.")
    build: BuildTable = Field(BuildTable.model_construct(), description="How the package is built.")
    bundle: BundleTable = Field(BundleTable.model_construct(), description="What is made of a built package.")
    hooks: HooksTable = Field(HooksTable.model_construct(), description="What pip, uv and build get when they ask for a wheel.")
    target: dict[str, TargetTable] = Field({}, description="What single targets have of their own.")


class RemoteTable(Table):
    """A cache of build results that several machines share, over HTTP."""

    url: RemoteUrl = Field(description="Where it is: a server with WebDAV such as nginx, bazel-remote, or a Gradle build cache.")
    push: bool = Field(
        False,
        description=(
            "Upload what is made here, signed. `PYPACKPACK_CACHE_PUSH` (`true` or `false`) on one machine wins. A key or a login "
            "in the environment is used for the server that `PYPACKPACK_CACHE_HOST` names."
        ),
    )
    protocol: Literal["cas", "gradle"] = Field(
        "cas", description="`cas`: `<url>/ac/<key>` and `<url>/cas/<sha256>`. `gradle`: one file for each key, at `<url>/<key>`."
    )
    trust: list[PublicKey] = Field(
        [], description="Public keys whose signatures are believed; what anybody else has signed, or nobody, is never used."
    )
    timeout: Seconds = Field(2.0, description="Seconds that the server may take for one answer, 0.1 to 60.")


class CacheTable(Table):
    """Where the results of builds are kept."""

    folder: CacheFolder | None = Field(
        None,
        description=(
            "The cache's folder, absolute or with `~`, outside of the project and its clone; otherwise the one that the system "
            "has for caches. `PYPACKPACK_CACHE_DIR` wins."
        ),
    )
    size: SizeText = Field(DEFAULT_SIZE, description="What the store of results may take; what was not used for long goes first.")
    remote: RemoteTable | None = Field(None, description="A cache that several machines share.")


class RootTable(Table):
    """`[tool.pypackpack]` in the project's `pyproject.toml`."""

    packages: list[PackageFolder] = Field(description="The project's packages: names of folders beside this file.")
    repository: str | None = Field(
        None,
        description="URL of the project's git repository, as its packages' metadata name it; otherwise the checkout's remote.",
        examples=["https://github.com/acme/project"],
    )
    cache: CacheTable = Field(CacheTable.model_construct(), description="Where the results of builds are kept.")


class ProjectTable(Table):
    """The keys of `[project]` (PEP 621, 639, 794): those that we rely on are checked, the others only for their name.

    The rest of their rules is checked where metadata is written.
    """

    name: DistributionName
    version: VersionText | None = None
    description: Any = None
    readme: Any = None
    requires_python: SpecifierText | None = None
    license: Any = None
    license_files: Any = None
    authors: Any = None
    maintainers: Any = None
    keywords: Any = None
    classifiers: Any = None
    urls: Any = None
    scripts: Any = None
    gui_scripts: Any = None
    entry_points: Any = None
    dependencies: list[RequirementText] = []
    optional_dependencies: dict[str, list[RequirementText]] = {}
    import_names: Any = None
    import_namespaces: Any = None
    dynamic: list[str] = []


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``[tool.pypackpack]``, of packages and of projects."""
    from pydantic.json_schema import models_json_schema  # noqa: PLC0415 - only the documentation needs it

    _, schema = models_json_schema([(PackageTable, "validation"), (RootTable, "validation")], by_alias=True)
    definitions: dict[str, Any] = schema["$defs"]
    for definition in definitions.values():
        definition.pop("title", None)
        for value in definition["properties"].values():
            value.pop("title", None)
            without_null(value)
            if "$ref" in value:  # pydantic leaves out what the table says itself, and repeats all defaults of its keys
                value.setdefault("description", definitions[value["$ref"].rpartition("/")[2]]["description"])
                value.pop("default", None)
    for value in definitions["BuildValues"]["properties"].values():
        value.pop("default", None)  # what a target does not say comes from the table above it
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.pypackpack]",
        "description": "Settings of PyPackPack in pyproject.toml, of a package or of a project.",
        "oneOf": [{"$ref": "#/$defs/PackageTable"}, {"$ref": "#/$defs/RootTable"}],
        "$defs": definitions,
    }


def without_null(value: dict[str, Any]) -> None:
    """Take null out of a key's schema: TOML has none, a key is left out instead."""
    if value.get("default", ...) is None:
        del value["default"]
    kinds = [kind for kind in value.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del value["anyOf"]
        value.update({**kinds[0], **value})
