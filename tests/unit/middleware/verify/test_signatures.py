"""Who signed an artifact: real signatures, and made ones that are wrong in one thing each."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import attestations
from pypackpack.frontend.cli import main
from pypackpack.middleware.patch.make import make_patch
from pypackpack.middleware.verify import signatures, verify
from pypackpack.middleware.verify.signatures import ATTESTATION, BUNDLE, PROVENANCE, wanted_signer
from pypackpack.model.errors import MissingToolError, UntrustedArtifactError, UsageError
from pypackpack.model.verification import SignatureQuestion, WantedSigner
from tests.crafted import craft
from tests.crafted_binary import lay_out
from tests.private_sigstore import GITHUB, NOW, REPOSITORY, WORKFLOW, Sigstore, Who, attestation, other, statement, timedelta
from tests.unit.client.forge import pair
from tests.unit.client.resource_forge import archive

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNED = Path(__file__).parent / "signed"
REAL = "rfc8785-0.1.2-py3-none-any.whl"
PERSON = WantedSigner("william@yossarian.net", "https://github.com/login/oauth", "")
ACME = WantedSigner("", GITHUB, REPOSITORY)


def staging() -> Path:
    folder = resources.files("sigstore") / "_store" / "https%3A%2F%2Ftuf-repo-cdn.sigstage.dev"
    return Path(str(folder / "trusted_root.json"))


def said(path: Path, question: SignatureQuestion | None = None) -> tuple[str, tuple[str, ...]]:
    """Return what is found and what is wrong about signatures."""
    (check,) = [each for each in verify(path, question=question).checks if each.name == "signature"]
    return check.found, check.problems


@pytest.fixture
def real(tmp_path: Path) -> Path:
    for each in (REAL, REAL + ATTESTATION):
        shutil.copy(SIGNED / each, tmp_path)
    return tmp_path / REAL


def test_a_wheel_that_somebody_really_signed(real: Path) -> None:
    found, problems = said(real, SignatureQuestion(PERSON, staging()))
    assert problems == ()
    assert found.startswith(f"{REAL}{ATTESTATION} is for this file, signed by william@yossarian.net on 2024-06-06, by the word of ")
    assert found.endswith("; as it should be")
    found, problems = said(real, SignatureQuestion(None, staging()))
    assert (problems, "who should have is not known" in found) == ((), True)
    for wanted in (
        WantedSigner("somebody@yossarian.net", PERSON.issuer, ""),
        WantedSigner(PERSON.identity, "https://accounts.google.com", ""),  # the same address, by the word of somebody else
        WantedSigner(PERSON.identity, PERSON.issuer, "https://github.com/trailofbits/rfc8785.py"),
        ACME,
    ):
        _, (only,) = said(real, SignatureQuestion(wanted, staging()))
        assert "it was signed by william@yossarian.net" in only
        assert f"and not by {wanted.identity or 'a workflow of'}" in only
    _, (only,) = said(real)  # the public instance knows nothing of the other
    assert "its signature proves nothing: " in only


@pytest.mark.parametrize(
    "change",
    [
        lambda whole, entry: whole["envelope"].update(signature=entry["inclusionPromise"]["signedEntryTimestamp"]),
        lambda _whole, entry: entry.update(integratedTime=str(int(entry["integratedTime"]) + 60)),
        lambda _whole, entry: entry["inclusionProof"].update(logIndex=str(int(entry["inclusionProof"]["logIndex"]) - 1)),
        lambda whole, _entry: whole["verification_material"].update(transparency_entries=[]),
    ],
)
def test_a_real_signature_in_which_one_thing_is_another(real: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    place = real.with_name(real.name + ATTESTATION)
    whole = json.loads(place.read_text())
    change(whole, whole["verification_material"]["transparency_entries"][0])
    place.write_text(json.dumps(whole))
    _, (only,) = said(real, SignatureQuestion(None, staging()))
    assert "its signature proves nothing: " in only


def test_what_the_index_says_of_a_file_of_its_own() -> None:
    """The root that comes with the library, and a workflow; the file itself is not needed for that."""
    verifier = attestations.BundleVerifier()
    found = list(signatures._signatures((SIGNED / "pypi_attestations-0.0.19.tar.gz.provenance").read_bytes(), PROVENANCE))
    assert found
    for each in found:
        signer, payload = verifier.statement(each.bundle, WantedSigner("", GITHUB, "https://github.com/trailofbits/pypi-attestations"))
        assert payload == each.statement
        assert signer.identity == f"{signer.repository}/.github/workflows/release.yml@refs/tags/v0.0.19"
        with pytest.raises(attestations.OtherSignerError):
            verifier.statement(each.bundle, WantedSigner("", GITHUB, "https://github.com/trailofbits/pypi-attestation"))


class Made:
    """A wheel, a Sigstore that is believed, and what stands beside the wheel."""

    def __init__(self, folder: Path) -> None:
        self.wheel = craft(folder, {"demo/__init__.py": b"X = 1\n"})
        self.digest = hashlib.sha256(self.wheel.read_bytes()).hexdigest()
        self.sigstore = Sigstore()
        self.root = folder / "root.json"
        self.root.write_bytes(self.sigstore.root())
        self.right = statement((self.wheel.name, self.digest))

    def beside(self, suffix: str, content: object) -> None:
        self.wheel.with_name(self.wheel.name + suffix).write_text(content if isinstance(content, str) else json.dumps(content))

    def problem(self, content: object, suffix: str = ATTESTATION, wanted: WantedSigner | None = ACME) -> str:
        self.beside(suffix, content)
        _, (only,) = said(self.wheel, SignatureQuestion(wanted, self.root))
        return only


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_all_forms_and_all_of_them_count(made: Made) -> None:
    question = SignatureQuestion(ACME, made.root)
    good = made.sigstore.attest(made.right, Who())
    provenance = {"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": [attestation(good)] * 2}]}
    made.beside(ATTESTATION, attestation(good))
    made.beside(PROVENANCE, provenance)
    made.beside(BUNDLE, made.sigstore.sign_file(made.wheel.read_bytes(), Who()))
    checks = [each for each in verify(made.wheel, question=question).checks if each.name == "signature"]
    assert len(checks) == 3
    for each in checks:
        assert each.problems == ()
        assert f"signed by {WORKFLOW} on 2026-03-01, by the word of {GITHUB}; as it should be" in each.found
    provenance["attestation_bundles"][0]["attestations"].append(attestation(made.sigstore.attest(made.right, Who("eve@test.example", repository=""))))  # type: ignore[index]
    made.beside(PROVENANCE, provenance)
    assert "it was signed by eve@test.example" in " ".join(verify(made.wheel, question=question).problems)


@pytest.mark.parametrize("part", ["authority", "certificates", "log"])
def test_who_is_not_believed(made: Made, part: str) -> None:
    only = made.problem(attestation(other(made.sigstore, part).attest(made.right, Who())))
    assert "its signature proves nothing" in only


@pytest.mark.parametrize("minutes", [-1, 11])
def test_a_certificate_that_was_not_good_when_it_signed(made: Made, minutes: int) -> None:
    late = made.sigstore.attest(made.right, Who(), NOW + timedelta(minutes=minutes))
    assert "its signature proves nothing" in made.problem(attestation(late), wanted=None)


@pytest.mark.parametrize(
    ("who", "wanted"),
    [
        (Who(repository="https://github.com/acme/demo2"), ACME),
        (Who(repository=""), ACME),
        (Who(issuer="https://evil.example"), ACME),
        (Who(issuer=""), ACME),
        (Who(identity=WORKFLOW.replace("release", "pwned")), WantedSigner(WORKFLOW, GITHUB, "")),
        (Who(identity=WORKFLOW + "\x1b[2J"), WantedSigner(WORKFLOW, GITHUB, "")),
        (Who(identity="a@acme.example"), WantedSigner("A@acme.example", GITHUB, "")),
    ],
)
def test_who_is_believed_and_was_not_asked_for(made: Made, who: Who, wanted: WantedSigner) -> None:
    only = made.problem(attestation(made.sigstore.attest(made.right, who)), wanted=wanted)
    assert f"it was signed by {who.identity}" in only


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda made: statement((made.wheel.name, "0" * 64)), "and not for this file"),
        (lambda _made: statement(), "it is about 0 files, and not one"),
        (lambda made: statement((made.wheel.name, made.digest), ("x", "0" * 64)), "it is about 2 files, and not one"),
        (lambda made: statement(("demo-2.0-py3-none-any.whl", made.digest)), "it is for a file called demo-2.0-py3-none-any.whl"),
        (lambda made: statement((made.wheel.name, made.digest), predicate="https://x.test/malware/v1"), "neither that the file was published"),
        (lambda made: statement((made.wheel.name, made.digest), kind="https://in-toto.io/Statement/v0.1"), "it is no statement of the form"),
        (lambda _made: b"[]", "there is no table"),
        (lambda _made: b'{"_type": 1, "_type": 2}', "a key stands there twice"),
        (lambda _made: b"[" * 100_000, "it cannot be read"),
        (lambda _made: b"{}", "it has no '_type'"),
    ],
)
def test_a_good_signature_under_something_else(made: Made, what: Callable[[Made], bytes], words: str) -> None:
    assert words in made.problem(attestation(made.sigstore.attest(what(made), Who())))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "there is no table"),
        ("{}", "it has no 'version'"),
        ('{"version": 2}', "it is of version 2"),
        ('{"version": 1, "verification_material": 3, "envelope": {}}', "there is no table"),
        (" " * ((4 << 20) + 1), "more than 4194304 bytes"),
        ('{"a": NaN}', "NaN is no number"),
    ],
)
def test_what_is_no_attestation(made: Made, content: str, words: str) -> None:
    assert words in made.problem(content)


def test_parts_of_two_good_ones(made: Made) -> None:
    """A certificate, a signature or an entry of the log that is good, and another one's."""
    mine, theirs = (attestation(made.sigstore.attest(each, Who())) for each in (made.right, statement(("x", "0" * 64))))
    for part, key in (("envelope", "signature"), ("verification_material", "certificate"), ("verification_material", "transparency_entries")):
        mixed = {**mine, part: {**mine[part], key: theirs[part][key]}}
        assert "its signature proves nothing" in made.problem(mixed)
    mixed = {**mine, "envelope": {**theirs["envelope"], "statement": mine["envelope"]["statement"]}}
    assert "its signature proves nothing" in made.problem(mixed)


def test_patches_and_archives_of_data_files(made: Made, tmp_path: Path) -> None:
    old, new = pair(tmp_path / "pair")
    patch = tmp_path / "demo-1.0-p1-py3-none-any.whl.patch"
    patch.write_bytes(make_patch(old, new, number=1))
    data = tmp_path / "demo-1.0-any.resource"
    data.write_bytes(archive())
    for path in (patch, data):
        bundle = made.sigstore.sign_file(path.read_bytes(), Who())
        path.with_name(path.name + BUNDLE).write_text(json.dumps(bundle))
        found, problems = said(path, SignatureQuestion(ACME, made.root))
        assert (problems, "signed by" in found) == ((), True)
        identity = next(each.found for each in verify(path).checks if each.name == "identity")
        assert f"{identity}, as it should be" in [each.found for each in verify(path, expect=identity).checks]
        with pytest.raises(UntrustedArtifactError, match="another one than was expected"):
            verify(path, expect="0" * 64)
        with pytest.raises(UsageError, match="64 hexadecimal digits"):
            verify(path, expect="")
        # How it was built, by a statement that may be about more files.
        about = statement(("x", "0" * 64), (path.name, hashlib.sha256(path.read_bytes()).hexdigest()), predicate="https://slsa.dev/provenance/v1")
        path.with_name(path.name + BUNDLE).write_text(json.dumps(made.sigstore.attest(about, Who())))
        assert said(path, SignatureQuestion(ACME, made.root))[1] == ()
        path.with_name(path.name + BUNDLE).write_text(json.dumps(made.sigstore.sign_file(b"another", Who())))
        _, (only,) = said(path, SignatureQuestion(ACME, made.root))
        assert "its signature proves nothing" in only
    with pytest.raises(UsageError, match="--expect is for patches"):
        verify(made.wheel, expect="0" * 64)


def test_a_binary_is_signed_by_its_manifest(made: Made, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "linux_x86_64")
    manifest = (folder / "manifest.json").read_bytes()
    built = statement(("manifest.json", hashlib.sha256(manifest).hexdigest()), predicate="https://slsa.dev/provenance/v1")
    for bundle in (made.sigstore.sign_file(manifest, Who()), made.sigstore.attest(built, Who())):
        folder.with_name(folder.name + BUNDLE).write_text(json.dumps(bundle))
        found, problems = said(folder, SignatureQuestion(ACME, made.root))
        assert (problems, "linux_x86_64.sigstore.json is for this file, signed by" in found) == ((), True)
    (folder / "manifest.json").write_bytes(manifest + b"\n")  # it says the same, and is another
    _, (only,) = said(folder, SignatureQuestion(ACME, made.root))
    assert "and not for this file" in only
    folder.with_name(folder.name + BUNDLE).unlink()
    _, (only,) = said(folder, SignatureQuestion(ACME, made.root))
    assert only == "nothing tells who signed it: there is no linux_x86_64.sigstore.json"


def test_nothing_beside_it(made: Made) -> None:
    assert [each.name for each in verify(made.wheel).checks] == ["archive", "record", "names"]
    _, (only,) = said(made.wheel, SignatureQuestion(ACME))
    assert only.startswith("nothing tells who signed it: there is no ")


def test_without_the_library(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attestations, "installed", lambda: False)
    made.beside(ATTESTATION, attestation(made.sigstore.attest(made.right, Who())))
    found, problems = said(made.wheel)
    assert problems == ()
    assert 'who signed it was not checked: `pip install "pypackpack[attestations]"`' in found
    made.beside(ATTESTATION, attestation(made.sigstore.attest(statement((made.wheel.name, "0" * 64)), Who())))
    assert "and not for this file" in said(made.wheel)[1][0]
    for question in (SignatureQuestion(ACME), SignatureQuestion(None, made.root)):
        with pytest.raises(MissingToolError, match="not installed") as caught:
            verify(made.wheel, question=question)
        assert "pypackpack[attestations]" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", json.dumps({"mediaType": "x"}).encode(), b"\xff"])
def test_what_is_no_trusted_root(made: Made, content: bytes) -> None:
    made.root.write_bytes(content)
    made.beside(ATTESTATION, attestation(made.sigstore.attest(made.right, Who())))
    with pytest.raises(UsageError, match="is no trusted root"):
        said(made.wheel, SignatureQuestion(ACME, made.root))


def test_the_root_of_the_library_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attestations, "_INSTANCE", "https://elsewhere.test")
    with pytest.raises(MissingToolError, match="no trusted root where others have it"):
        attestations.BundleVerifier()


MAIL = "a@b.example"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((None, None, None), None),
        ((None, None, REPOSITORY), ACME),
        ((None, None, f"{REPOSITORY}.git/"[:-1]), ACME),
        ((None, None, "https://gitlab.com/a/b/c/"), WantedSigner("", "https://gitlab.com", "https://gitlab.com/a/b/c")),
        ((None, "https://token.test", REPOSITORY), WantedSigner("", "https://token.test", REPOSITORY)),
        ((WORKFLOW, None, None), WantedSigner(WORKFLOW, GITHUB, "")),
        ((MAIL, "https://accounts.google.com", None), WantedSigner(MAIL, "https://accounts.google.com", "")),
    ],
)
def test_who_is_wanted(words: tuple[str | None, ...], wanted: WantedSigner | None) -> None:
    assert wanted_signer(*words) == wanted


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((MAIL, None, None), "who vouches for a@b.example is not known"),
        ((None, None, "https://codeberg.org/a/b"), "who vouches for https://codeberg.org/a/b"),
        ((None, None, "https://github.com@evil.example/a/b"), "is no address of a repository"),
        ((None, None, "https://github.com.evil.example/a/b"), "who vouches for"),
        ((None, None, "acme/demo"), "is no address of a repository"),
        ((None, GITHUB, None), "--cert-oidc-issuer alone is nobody"),
        ((None, None, ""), "--repository is empty"),  # --repository "$NOT_SET"
        (("", None, REPOSITORY), "--cert-identity is empty"),
        ((MAIL, " ", None), "--cert-oidc-issuer is empty"),
    ],
)
def test_who_cannot_be_wanted(words: tuple[str | None, ...], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        wanted_signer(*words)


def test_nothing_goes_to_the_network_or_into_the_home(made: Made, real: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*_words: object, **_options: object) -> None:
        raise AssertionError("a connection")

    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    made.beside(ATTESTATION, attestation(made.sigstore.attest(made.right, Who())))
    assert said(made.wheel, SignatureQuestion(ACME, made.root))[1] == ()
    assert said(real)[1]
    assert list(home.iterdir()) == []


def test_the_words_of_the_command_line(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    made.beside(ATTESTATION, attestation(made.sigstore.attest(made.right, Who())))

    def run(*words: str) -> int:
        return main.run(["verify", str(made.wheel), "--json", "--trusted-root", str(made.root), *words])

    assert run("--repository", REPOSITORY) == 0
    assert json.loads(capsys.readouterr().out)[0]["checks"][-1]["name"] == "signature"
    assert run("--cert-identity", WORKFLOW, "--cert-oidc-issuer", GITHUB) == 0
    assert run("--repository", "https://github.com/acme/other") == 1
    assert run("--cert-identity", WORKFLOW, "--cert-oidc-issuer", "https://gitlab.com") == 1
    assert run("--repository", "") == 2
    assert run("--expect", "0" * 64) == 2
    made.root.unlink()
    assert run() == 1
