"""``.dist-info/pypackpack.json``: what a wheel says of its own modules, and why.

The form of the file is ours, documented in ``docs/reference/wheel-report.md`` with a JSON Schema; both are made from the
declarations here (``python -m pypackpack.middleware.bundle.report docs``). Installers take it as one more file of
``.dist-info``, which PEP 427 allows. Nothing of the machine that built is in it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Optional

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pypackpack.model.inspection import (
    ABI3,
    BYTECODE,
    EXTENSION,
    PACKAGE,
    SOURCE,
    VERSION,
    CarriedDistribution,
    CarriedFolder,
    ModuleForm,
    Tool,
    WheelReport,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "pypackpack.json"
FORMAT = 1
"""Raised when a reader of the form before it would be wrong about what it reads; new keys alone do not raise it."""


class NewerReportError(ValueError):
    """The report has a form that a newer pypackpack has written."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class RawTool(_Table):
    """A tool and its version."""

    name: str = Field(description="Its name, as the settings have it.")
    version: str = Field(description="Its version.")


class RawModule(_Table):
    """One module of the wheel."""

    module: str = Field(description="Its dotted name; of a package's `__init__` the package's.")
    file: str = Field(description="The file that Python imports, by its path in the wheel.")
    form: Literal["extension", "bytecode", "source"] = Field(description="What it became.")
    scope: Optional[Literal["version", "abi3", "package"]] = Field(  # noqa: UP045 - pydantic evaluates it on Python 3.10 too
        None,
        description="Of an extension module: bound to one Python (`version`), for all from one on (`abi3`), or part of the one "
        "extension module of a whole package (`package`).",
    )
    reason: str = Field("", description="Why it is no extension module. Lines of a compiler name file, line and column.")
    compiler: Optional[RawTool] = Field(  # noqa: UP045 - as above
        None, description="Of an extension module: what turned it into C, where that is another one than the wheel's `compiler`."
    )


class RawDistribution(_Table):
    """A distribution that the wheel carries."""

    name: str = Field(description="Its name.")
    version: str = Field(description="Its version.")
    level: str = Field(description="The level that its modules were built at.")


class RawCarried(_Table):
    """What a fat wheel carries."""

    folder: str = Field(description="The folder with the package and its dependencies, by its path in the wheel.")
    distributions: tuple[RawDistribution, ...] = Field(description="The dependencies, by name.", strict=False)


class RawReport(_Table):
    """The file."""

    format: int = Field(
        description=f"The form of this file: {FORMAT}. Readers refuse a larger one, and ignore keys they do not know."
    )
    level: str = Field(description="The level that the wheel was built at.")
    type: str = Field(description="`debug` or `release`.")
    python: str = Field(description="The Python it was built for: X.Y, and X.Y.Z where bytecode is in it.")
    compiler: Optional[RawTool] = Field(None, description="What turned modules into C.")  # noqa: UP045 - as above
    toolchain: Optional[RawTool] = Field(None, description="What compiled the C.")  # noqa: UP045 - as above
    modules: tuple[RawModule, ...] = Field(description="Every module, by the order of their files.", strict=False)
    carried: Optional[RawCarried] = Field(None, description="What a fat wheel carries.")  # noqa: UP045 - as above


def write_report(report: WheelReport) -> bytes:
    """Return the bytes of the file; the same report gives the same bytes."""

    def tool(each: Tool | None) -> Mapping[str, str] | None:
        return None if each is None else {"name": each.name, "version": each.version}

    def module(form: ModuleForm) -> Mapping[str, object]:
        fields = {"module": form.module, "file": form.file, "form": form.form, "scope": form.scope, "reason": form.reason}
        fields_and_tool: Mapping[str, object] = {**fields, "compiler": tool(form.compiler)}
        return {name: value for name, value in fields_and_tool.items() if value}

    content = {
        "format": FORMAT,
        "level": report.level,
        "type": report.type,
        "python": report.python,
        "compiler": tool(report.compiler),
        "toolchain": tool(report.toolchain),
        "modules": [module(form) for form in sorted(report.modules, key=lambda form: (form.file, form.module))],
        "carried": None if report.carried is None else asdict(report.carried),
    }
    return (json.dumps({name: value for name, value in content.items() if value is not None}, indent=1) + "\n").encode()


def read_report(data: bytes) -> WheelReport:
    """Read the bytes of the file.

    Raises:
        NewerReportError: A newer pypackpack has written it.
        ValueError: It is not such a file.
    """
    try:
        content = json.loads(data)
        if isinstance(content, dict) and isinstance(content.get("format"), int) and content["format"] > FORMAT:
            msg = f"its form is {content['format']}, and this version of pypackpack knows {FORMAT}"
            raise NewerReportError(msg)
        raw = RawReport.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        msg = f"{place}: {first['msg']}"
        raise ValueError(msg) from error
    except RecursionError as error:
        msg = "it is nested too deeply"
        raise ValueError(msg) from error

    def tool(each: RawTool | None) -> Tool | None:
        return None if each is None else Tool(each.name, each.version)

    return WheelReport(
        raw.level,
        raw.type,
        raw.python,
        tool(raw.compiler),
        tool(raw.toolchain),
        tuple(
            ModuleForm(each.module, each.file, each.form, each.scope or "", each.reason, tool(each.compiler))
            for each in raw.modules
        ),
        None
        if raw.carried is None
        else CarriedFolder(
            raw.carried.folder,
            tuple(CarriedDistribution(each.name, each.version, each.level) for each in raw.carried.distributions),
        ),
    )


def schema_text() -> str:
    """Return the JSON Schema of the file."""
    schema = RawReport.model_json_schema()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE,
        **{k: v for k, v in schema.items() if k != "title"},
    }
    return json.dumps(schema, indent=2) + "\n"


def page() -> str:
    """Return the reference page."""
    lines = [
        "# The report in a wheel",
        "",
        "<!-- Made from the code by `python -m pypackpack.middleware.bundle.report docs`. Do not edit. -->",
        "",
        "A wheel that was built at level `native`, or that has native sources of the package (`.pyx`, C, C++) in it, says in",
        f"`<name>-<version>.dist-info/{FILE}` what became of each of its modules, and why.",
        "[`pypackpack inspect`](cli.md) reads it; so can any other program. It is JSON, listed in `RECORD` as",
        "every file, the same for the same inputs, and holds nothing of the machine that built. The",
        "[JSON Schema](wheel-report.schema.json) is made from the same declarations as this page.",
        "",
        "Other wheels of the levels `instant` and `bytecode` have none: their files say all. [Fat wheels](../how-to/fat.md)",
        "have one at every level, which says what they carry, and so have wheels of dependencies that were compiled, which",
        "says of the modules that were to be compiled.",
    ]
    for model, title in (
        (RawReport, "The file"),
        (RawTool, "`compiler`, `toolchain`"),
        (RawModule, "One of `modules`"),
        (RawCarried, "`carried`"),
        (RawDistribution, "One of `distributions`"),
    ):
        lines += ["", f"## {title}", "", "| key | meaning |", "| --- | --- |"]
        lines += [f"| `{name}` | {field.description} |" for name, field in model.model_fields.items()]
    names = f"`{EXTENSION}`, `{BYTECODE}` or `{SOURCE}`"
    lines += ["", f"`form` is {names}; `scope` is `{VERSION}`, `{ABI3}` or `{PACKAGE}`."]
    return "\n".join(lines) + "\n"


def main(folder: Path) -> None:
    """Write page and schema into a folder of docs."""
    from pypackpack.backend import filesystem  # noqa: PLC0415 - only for the generator

    filesystem.write_atomic(folder / "reference" / "wheel-report.md", page())
    filesystem.write_atomic(folder / "reference" / "wheel-report.schema.json", schema_text())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
