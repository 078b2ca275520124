"""The sandbox's certificate authority and the database's certificate for its AWS host names."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files: the authority's bundle, the server's certificate with its chain, its key; the authority."""

    bundle: Path
    chain: Path
    key: Path
    authority: Any = field(repr=False)

    def context_of_any(self) -> ssl.SSLContext:
        """A server's TLS, with a certificate of its own for each host name that is asked for."""
        contexts: dict[str, ssl.SSLContext] = {}

        def answer(sock: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            host = name or "localhost"
            if host not in contexts:
                contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self.authority.issue_cert(host).configure_cert(contexts[host])
            sock.context = contexts[host]

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        context.sni_callback = answer
        return context


def issue(folder: Path, host_names: list[str]) -> Certificates:
    """Create a CA and issue a certificate for all `host_names`."""
    import trustme

    authority = trustme.CA(organization_name="rds_iam_magic sandbox")
    leaf = authority.issue_cert(*host_names)
    certificates = Certificates(folder / "bundle.pem", folder / "server.pem", folder / "server-key.pem", authority)
    authority.cert_pem.write_to_path(certificates.bundle)
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(certificates.chain, append=certificates.chain.exists())
    certificates.key.touch(0o600)
    leaf.private_key_pem.write_to_path(certificates.key)
    return certificates
