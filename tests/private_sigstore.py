"""A whole Sigstore of a test's own: an authority, a log of certificates, and a log of signatures.

So a signature can be wrong in one thing and right in all others. Forms: RFC 6962 (certificates' log), the signed notes of Go's checksum
database (checkpoints), Rekor's entries ``dsse`` and ``hashedrekord`` 0.0.1, in-toto's DSSE.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
GITHUB = "https://token.actions.githubusercontent.com"
REPOSITORY = "https://github.com/acme/demo"
WORKFLOW = f"{REPOSITORY}/.github/workflows/release.yml@refs/tags/v1.0"
SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
PUBLISHED = "https://docs.pypi.org/attestations/publish/v1"

Key = ec.EllipticCurvePrivateKey


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sign(key: Key, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def spki(key: Key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Key) -> bytes:
    return hashlib.sha256(spki(key)).digest()


def _key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _utf8(text: str) -> bytes:
    data = text.encode()
    return b"\x0c" + (bytes([len(data)]) if len(data) < 128 else bytes([0x81, len(data)])) + data


@dataclass(frozen=True)
class Sigstore:
    """Its keys; what is changed in a copy is not what the trusted root of the original has."""

    authority: Key = field(default_factory=_key)
    certificates: Key = field(default_factory=_key)
    log: Key = field(default_factory=_key)

    def root(self) -> bytes:
        """Return the trusted root."""
        start = {"start": "2020-01-01T00:00:00Z"}

        def log(key: Key) -> dict[str, Any]:
            public = {"rawBytes": b64(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": start}
            return {"baseUrl": "https://log.test", "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": {"keyId": b64(key_id(key))}}

        authority = {
            "subject": {"organization": "test", "commonName": "test"},
            "uri": "https://authority.test",
            "certChain": {"certificates": [{"rawBytes": b64(self.own().public_bytes(serialization.Encoding.DER))}]},
            "validFor": start,
        }
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.log)],
                "certificateAuthorities": [authority],
                "ctlogs": [log(self.certificates)],
                "timestampAuthorities": [],
            }
        ).encode()

    def own(self) -> x509.Certificate:
        """Return the authority's certificate of itself."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
        )
        return (
            x509.CertificateBuilder(name, name, self.authority.public_key(), 1)
            .not_valid_before(NOW - timedelta(days=400))
            .not_valid_after(NOW + timedelta(days=4000))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key()), critical=False)
            .sign(self.authority, hashes.SHA256())
        )

    def certificate(self, key: Key, who: Who) -> x509.Certificate:
        """Return a certificate that says who has a key, with the word of the certificates' log."""
        name: x509.GeneralName = x509.UniformResourceIdentifier(who.identity) if "://" in who.identity else x509.RFC822Name(who.identity)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False
        )
        builder = (
            x509.CertificateBuilder(self.own().subject, x509.Name([]), key.public_key(), 7)
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(minutes=10))
            .add_extension(x509.KeyUsage(**usage, digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        )
        for number, text in ((8, who.issuer), (12, who.repository)):
            if text:
                claim = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}"), _utf8(text))
                builder = builder.add_extension(claim, critical=False)
        tbs = builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        moment = int(NOW.timestamp() * 1000)
        entry = hashlib.sha256(spki(self.authority)).digest() + len(tbs).to_bytes(3, "big") + tbs
        word = sign(self.certificates, struct.pack("!BBQH", 0, 0, moment, 1) + entry + b"\0\0")
        sct = b"\0" + key_id(self.certificates) + struct.pack("!QHBBH", moment, 0, 4, 3, len(word)) + word
        scts = struct.pack("!HH", len(sct) + 2, len(sct)) + sct
        octets = b"\x04" + bytes([len(scts)]) + scts if len(scts) < 128 else b"\x04\x81" + bytes([len(scts)]) + scts
        return builder.add_extension(x509.UnrecognizedExtension(SCTS, octets), critical=False).sign(self.authority, hashes.SHA256())

    def entry(self, kind: str, spec: dict[str, Any], at: datetime) -> dict[str, Any]:
        """Return what the log says of its only entry."""
        body = json.dumps({"apiVersion": "0.0.1", "kind": kind, "spec": spec}).encode()
        leaf = hashlib.sha256(b"\0" + body).digest()
        note = f"log.test - 1\n1\n{b64(leaf)}\n"
        checkpoint = f"{note}\n\N{EM DASH} log.test {b64(key_id(self.log)[:4] + sign(self.log, note.encode()))}\n"
        promised = {"body": b64(body), "integratedTime": int(at.timestamp()), "logID": key_id(self.log).hex(), "logIndex": 0}
        promise = json.dumps(promised, separators=(",", ":"), sort_keys=True).encode()
        return {
            "logIndex": "0",
            "logId": {"keyId": b64(key_id(self.log))},
            "kindVersion": {"kind": kind, "version": "0.0.1"},
            "integratedTime": str(promised["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": b64(sign(self.log, promise))},
            "inclusionProof": {"logIndex": "0", "rootHash": b64(leaf), "treeSize": "1", "hashes": [], "checkpoint": {"envelope": checkpoint}},
            "canonicalizedBody": b64(body),
        }

    def attest(self, statement: bytes, who: Who, at: datetime = NOW + timedelta(minutes=1)) -> dict[str, Any]:
        """Return a bundle with a signed statement."""
        key = _key()
        certificate = self.certificate(key, who)
        kind = "application/vnd.in-toto+json"
        signature = sign(key, f"DSSEv1 {len(kind)} {kind} {len(statement)} ".encode() + statement)
        pem = b64(certificate.public_bytes(serialization.Encoding.PEM))
        digest = hashlib.sha256(statement).hexdigest()
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
            "payloadHash": {"algorithm": "sha256", "value": digest},
            "signatures": [{"signature": b64(signature), "verifier": pem}],
        }
        bundle = self._bundle(certificate, self.entry("dsse", spec, at))
        return {**bundle, "dsseEnvelope": {"payload": b64(statement), "payloadType": kind, "signatures": [{"sig": b64(signature)}]}}

    def sign_file(self, data: bytes, who: Who, at: datetime = NOW + timedelta(minutes=1)) -> dict[str, Any]:
        """Return a bundle with a signature over a file itself."""
        key = _key()
        certificate = self.certificate(key, who)
        digest, signature = hashlib.sha256(data).digest(), sign(key, data)
        spec = {
            "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(certificate.public_bytes(serialization.Encoding.PEM))}},
        }
        bundle = self._bundle(certificate, self.entry("hashedrekord", spec, at))
        message = {"messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)}, "signature": b64(signature)}
        return {**bundle, "messageSignature": message}

    @staticmethod
    def _bundle(certificate: x509.Certificate, entry: dict[str, Any]) -> dict[str, Any]:
        raw = b64(certificate.public_bytes(serialization.Encoding.DER))
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": raw}, "tlogEntries": [entry]},
        }


@dataclass(frozen=True)
class Who:
    """What a certificate says of who signs."""

    identity: str = WORKFLOW
    issuer: str = GITHUB
    repository: str = REPOSITORY


def statement(*subjects: tuple[str, str], predicate: str = PUBLISHED, kind: str = "https://in-toto.io/Statement/v1") -> bytes:
    """Return a statement about files: their names and SHA-256."""
    about = [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects]
    return json.dumps({"_type": kind, "subject": about, "predicateType": predicate, "predicate": None}).encode()


def attestation(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return a bundle in the index's form (PEP 740)."""
    material, envelope = bundle["verificationMaterial"], bundle["dsseEnvelope"]
    return {
        "version": 1,
        "verification_material": {"certificate": material["certificate"]["rawBytes"], "transparency_entries": material["tlogEntries"]},
        "envelope": {"statement": envelope["payload"], "signature": envelope["signatures"][0]["sig"]},
    }


def other(sigstore: Sigstore, part: str) -> Sigstore:
    """Return the same with another key in one part."""
    return replace(sigstore, **{part: _key()})
