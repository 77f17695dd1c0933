"""A throw-away certificate authority, and what it signs: for a secured stack on one machine, and nothing else.

The authority's own key is forgotten as soon as it has signed; a stack that is started again gets all of it anew.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID_DAYS = 30
_CLOCKS_DIFFER = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class Certificates:
    """Where the files are, all PEM. Keys are readable for their owner only."""

    directory: Path

    @property
    def authority(self) -> Path:
        """The authority's certificate, for everybody."""
        return self.directory / "ca.pem"

    def certificate(self, name: str) -> Path:
        """A certificate with that common name."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Its key."""
        return self.directory / f"{name}.key"

    def both(self, name: str) -> Path:
        """Key and certificate in one file, as Kafka wants its key store."""
        return self.directory / f"{name}.pem"

    def make(self, *names: str) -> None:
        """Make an authority and a certificate for each name, good for this machine's own addresses."""
        self.directory.mkdir(parents=True, exist_ok=True)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _authority(authority_key)
        _write(self.authority, _pem(authority), 0o644)
        for name in names:
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _pem(_signed(name, key, authority, authority_key))
            _write(self.certificate(name), certificate, 0o644)
            _write(self.key(name), _key_pem(key), 0o600)
            _write(self.both(name), _key_pem(key) + certificate, 0o600)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:

    name = _name("croupier throw-away authority")
    return (
        _builder(name, name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:

    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name(name), authority.subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(uses, critical=False)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + datetime.timedelta(days=_VALID_DAYS))
    )


def _name(common: str) -> x509.Name:

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    path.chmod(mode)
