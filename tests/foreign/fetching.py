"""Bring packages by the ordinary clients (apt-get, npm, pip, mvn), check them, and unpack them safely.

Nothing is opened before its size and sha256 are the pinned ones; apt checks its own by the archive's signatures.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from catalogue import Download

_CHUNK = 1 << 20
_TIMEOUT = 1800.0
_MOST_UNPACKED = 1 << 30
_TAIL = 2000


class ProvideError(Exception):
    """A foreign Python cannot be made; the message says why and what to do."""


@dataclass(frozen=True)
class Tool:
    """An outside program: the names and places it is found by, and the Debian package that has it."""

    names: tuple[str, ...]
    package: str
    others: tuple[str, ...] = ()

    def find(self) -> str | None:
        """The program's path, or None when it is not on this machine."""
        for name in self.names:
            if found := shutil.which(name):
                return found
        return next((path for path in self.others if os.access(path, os.X_OK)), None)


APT = Tool(("apt-get",), "apt")
DPKG_DEB = Tool(("dpkg-deb",), "dpkg")
MAVEN = Tool(("mvn",), "maven")
NPM = Tool(("npm",), "npm")


def tail(text: str) -> str:
    """The end of what a program said: where the reason stands."""
    return text[-_TAIL:].strip()


def call(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return its standard output.

    ``env`` is added to the environment. Raises ProvideError with the end of what it said when it fails.
    """
    try:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"no end after {_TIMEOUT:.0f} s: {' '.join(command)}"
        raise ProvideError(message) from error
    if done.returncode:
        said = f"{tail(done.stdout)}\n{tail(done.stderr)}"
        message = f"exit code {done.returncode} from: {' '.join(command)}\n{said}"
        raise ProvideError(message)
    return done.stdout


@dataclass(frozen=True)
class Tools:
    """Finds outside programs; as root on Debian it may install what is missing (``install``)."""

    install: bool
    say: Callable[[str], None]

    def need(self, tool: Tool) -> str:
        """The path of ``tool``. Raises ProvideError when it is missing and may not, or cannot, be installed."""
        if found := tool.find():
            return found
        if self.install and os.geteuid() == 0 and (apt := APT.find()):
            self.say(f"installing {tool.package} (for {tool.names[0]})")
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            call([apt, "update", "-q"], env=quiet)
            call([apt, "install", "-y", "-q", "--no-install-recommends", tool.package], env=quiet)
            if found := tool.find():
                return found
        message = f"{tool.names[0]} is not on this machine: apt-get install {tool.package}"
        raise ProvideError(message)


class PrivateApt:
    """An apt of one foreign architecture with its own state, beside the machine's own.

    It reads the machine's package sources, keys and settings and believes that nothing is installed, so that apt
    itself works out which packages a Python needs, under the names they have in this release. The system's list of
    architectures and its package lists stay as they are, and root is not needed.
    """

    def __init__(self, tools: Tools, architecture: str, folder: Path, *, sources: bool = False) -> None:
        """Make apt's folders in ``folder`` and bring the package lists of ``architecture`` (Debian's name).

        With ``sources`` also the lists of source packages, which few machines have switched on.
        """
        self._folder = folder
        for part in ("state/lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        status = folder / "state/status"
        status.touch()
        self._archives = folder / "cache/archives"
        settings = {
            "APT::Architecture": architecture,
            "APT::Architectures::": architecture,
            "APT::Sandbox::User": "root",
            "Dir::State": str(folder / "state"),
            "Dir::State::status": str(status),
            "Dir::Cache": str(folder / "cache"),
            # Lists that a desktop asks for and nobody reads here.
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
        }
        if sources:
            settings |= {"Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": str(_with_sources(folder / "sources"))}
        options = [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]
        self._options = options
        self._command = [tools.need(APT), "-q", *options]
        self._preferences = folder / "without-security"
        self._preferences.write_text(_WITHOUT_SECURITY, encoding="utf-8")
        self._trouble = ""
        try:
            call([*self._command, "update"])
        except ProvideError as error:
            # A mirror between two states lacks some lists; apt leaves those out, and the others may do.
            self._trouble = f"\n{error}"

    def download(self, *packages: str) -> list[Path]:
        """Bring ``packages`` and all that they need (not what they recommend); the .deb files, sorted."""
        install = [*self._command, "install", "--download-only", "-y", "--no-install-recommends"]
        try:
            call([*install, *packages])
        except ProvideError as error:
            # The package lists of security updates are at times ahead of the mirror's files, or behind them.
            try:
                call([*install, "-o", f"Dir::Etc::Preferences={self._preferences}", *packages])
            except ProvideError:
                raise ProvideError(f"{error}{self._trouble}\n(has this Debian release the architecture?)") from error
        return sorted(self._archives.glob("*.deb"))

    def only(self, *packages: str) -> list[Path]:
        """Bring ``packages`` and nothing that they need; the .deb files, sorted."""
        call([*self._command, "download", *packages], cwd=self._folder)
        return sorted(self._folder.glob("*.deb"))

    def version(self, package: str) -> str:
        """Version of the package that apt would install."""
        shown = call(["apt-cache", *self._options, "show", "--no-all-versions", package])
        return next(line.split()[1] for line in shown.splitlines() if line.startswith("Version:"))

    def source(self, package: str) -> Path:
        """Bring the original source archive of a package, without Debian's changes."""
        call([*self._command, "source", "--download-only", "--tar-only", package], cwd=self._folder)
        (archive,) = self._folder.glob("*.orig.tar.*")
        return archive


def _with_sources(folder: Path) -> Path:
    """Copies of the machine's lists of package sources that name the source packages as well."""
    folder.mkdir()
    apt = Path("/etc/apt")
    for file in (apt / "sources.list", *(apt / "sources.list.d").glob("*")):
        if file.suffix not in {".list", ".sources"} or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".sources":
            text = re.sub(r"(?m)^Types:.*$", "Types: deb deb-src", text)
        else:
            text += re.sub(r"(?m)^deb ", "deb-src ", text)
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder


_WITHOUT_SECURITY = """\
Package: *
Pin: release l=Debian-Security
Pin-Priority: -1
"""


def unpack_deb(tools: Tools, package: Path, into: Path) -> None:
    """Unpack the files of a .deb into a folder, running none of its scripts."""
    call([tools.need(DPKG_DEB), "--extract", str(package), str(into)])


@dataclass(frozen=True)
class Downloads:
    """Brings pinned files into one folder. ``maven_plugin`` is the plugin that does it for Maven."""

    tools: Tools
    folder: Path
    maven_plugin: str

    def get(self, one: Download) -> Path:
        """Bring one file, unless it is in the folder, and check it. Raises ProvideError when it is not the pinned one."""
        path = self.folder / one.file
        if not path.is_file():
            self._bring(one)
        if not path.is_file():
            there = ", ".join(sorted(entry.name for entry in self.folder.iterdir())) or "nothing"
            message = f"{one.client} was to bring {one.file}; in its folder there is {there}"
            raise ProvideError(message)
        verify(path, one)
        return path

    def _bring(self, one: Download) -> None:
        folder = str(self.folder)
        if one.client == "maven":
            self.maven([one])
        elif one.client == "npm":
            npm = self.tools.need(NPM)
            call([npm, "pack", "--ignore-scripts", "--pack-destination", folder, one.spec], cwd=self.folder)
        elif one.client == "pip":
            python, abi, platform = one.tags
            command = [*_pip(self.tools), "download", "--no-deps", "--only-binary=:all:", "--dest", folder]
            command += ["--implementation", "cp", "--python-version", python.removeprefix("cp")]
            call([*command, "--abi", abi, "--platform", platform, one.spec], cwd=self.folder)
        else:
            message = f"no such package client: {one.client}"
            raise ProvideError(message)

    def maven(self, wanted: Sequence[Download]) -> None:
        """Bring files from Maven Central, all by one start of Maven, which alone takes several seconds."""
        items = [dict(zip(_MAVEN_PARTS, one.spec.split(":"), strict=True)) for one in wanted]
        project = {"modelVersion": "4.0.0", "groupId": "pypackpack", "artifactId": "foreign", "version": "1"}
        group, artifact, version = self.maven_plugin.split(":")
        plugin = {"groupId": group, "artifactId": artifact, "version": version}
        root = ET.Element("project")
        _elements(root, {**project, "packaging": "pom"})
        element = root
        for name in ("build", "plugins", "plugin"):
            element = ET.SubElement(element, name)
        _elements(element, plugin)
        configuration = ET.SubElement(element, "configuration")
        _elements(configuration, {"outputDirectory": str(self.folder)})
        listed = ET.SubElement(configuration, "artifactItems")
        for item in items:
            _elements(ET.SubElement(listed, "artifactItem"), item)
        pom = self.folder / "pom.xml"
        ET.ElementTree(root).write(pom, encoding="utf-8", xml_declaration=True)
        call([self.tools.need(MAVEN), "-q", "-B", "-f", str(pom), f"{self.maven_plugin}:copy"], cwd=self.folder)


_MAVEN_PARTS = ("groupId", "artifactId", "version", "type", "classifier")


def _elements(parent: ET.Element, values: Mapping[str, str]) -> None:
    for name, text in values.items():
        ET.SubElement(parent, name).text = text


def _pip(tools: Tools) -> list[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    probe = subprocess.run([*command, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if probe.returncode == 0:
        return command
    return [tools.need(Tool(("pip3",), "python3-pip")), "--disable-pip-version-check", "--quiet"]


def verify(path: Path, one: Download) -> None:
    """Raise ProvideError unless the file has the pinned size and sha256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    size = path.stat().st_size
    if (size, digest.hexdigest()) != (one.size, one.sha256):
        message = (
            f"{one.file} is not the pinned one: {size} bytes with sha256 {digest.hexdigest()}, "
            f"expected {one.size} bytes with {one.sha256}. It was not opened."
        )
        raise ProvideError(message)


def unpack(archive: Path, into: Path, rename: Callable[[str], str | None]) -> int:
    """Unpack files of a zip (jar, wheel) or gzipped tar archive; the number of files written.

    ``rename`` is given each name in the archive and returns the path to write below ``into``, or None to leave the
    file out. Only plain files are written: links, devices and names that lead out of ``into`` raise ProvideError,
    as does an archive that unpacks to more than 1 GiB.
    """
    count = 0
    budget = _MOST_UNPACKED
    members = _zip_members if zipfile.is_zipfile(archive) else _tar_members
    with contextlib.closing(members(archive)) as found:
        for name, read in found:
            wanted = rename(_checked(name, archive))
            if wanted is None:
                continue
            data = read(budget + 1)
            budget -= len(data)
            if budget < 0:
                message = f"{archive.name} unpacks to more than {_MOST_UNPACKED >> 20} MiB"
                raise ProvideError(message)
            path = into / _checked(wanted, archive)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            count += 1
    return count


_Member = tuple[str, "Callable[[int], bytes]"]


def _zip_members(archive: Path) -> Generator[_Member, None, None]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.is_dir():
                continue
            mode = info.external_attr >> 16
            # Archives made on Windows, and many made by Java, carry no mode at all.
            if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                raise _not_plain(info.filename, archive)
            with file.open(info) as stream:
                yield info.filename, stream.read


def _tar_members(archive: Path) -> Generator[_Member, None, None]:
    with tarfile.open(archive, "r:gz") as file:
        for info in file:
            if info.isdir():
                continue
            stream = file.extractfile(info) if info.isreg() else None
            if stream is None:
                raise _not_plain(info.name, archive)
            yield info.name, stream.read


def _not_plain(name: str, archive: Path) -> ProvideError:
    return ProvideError(f"{archive.name} holds {name!r}, which is not a plain file")


def _checked(name: str, archive: Path) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        message = f"{archive.name} holds the unsafe name {name!r}"
        raise ProvideError(message)
    return name
