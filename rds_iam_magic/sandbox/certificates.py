"""The sandbox's certificate authority and the database's certificate for its AWS host names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files: the authority's bundle, the server's certificate with its chain, its key."""

    bundle: Path
    chain: Path
    key: Path


def issue(folder: Path, host_names: list[str]) -> Certificates:
    """Create a CA and issue a certificate for all `host_names`."""
    import trustme

    authority = trustme.CA(organization_name="rds_iam_magic sandbox")
    leaf = authority.issue_cert(*host_names)
    certificates = Certificates(folder / "bundle.pem", folder / "server.pem", folder / "server-key.pem")
    authority.cert_pem.write_to_path(certificates.bundle)
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(certificates.chain, append=certificates.chain.exists())
    certificates.key.touch(0o600)
    leaf.private_key_pem.write_to_path(certificates.key)
    return certificates
