"""Keys and certificates of the cluster, made once."""

from __future__ import annotations

import secrets
import subprocess

from tests.cluster.rig.place import HOST, NODE, PKI, SERVICES, sh

DAYS = 3650


def make_keys() -> None:
    """Make what is not there."""
    if (PKI / "done").exists():
        return
    PKI.mkdir(parents=True, exist_ok=True)
    new = ["-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt"]
    _openssl("req", *new, "-days", DAYS, "-subj", "/CN=rig-ca")
    service = SERVICES.replace(".0/16", ".1")
    names = f"IP:{HOST},IP:127.0.0.1,IP:{service},DNS:localhost,DNS:kubernetes.default.svc"
    _signed("apiserver", "/CN=rig-apiserver", f"subjectAltName={names}\n")
    _signed("kubelet-client", "/O=system:masters/CN=apiserver", "extendedKeyUsage=clientAuth\n")
    _signed("kubelet", f"/CN={NODE}", f"subjectAltName=IP:{HOST},DNS:{NODE}\n")
    _openssl("genrsa", "-out", "sa.key", 2048)
    _openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    token = secrets.token_hex(16)
    (PKI / "token").write_text(token)
    (PKI / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    for file in PKI.iterdir():
        file.chmod(0o600)
    (PKI / "done").touch()


def _signed(name: str, subject: str, extension: str) -> None:
    request = ["-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr"]
    _openssl("req", *request, "-subj", subject)
    (PKI / f"{name}.ext").write_text(extension)
    signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS, "-extfile", f"{name}.ext"]
    _openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.crt")


def _openssl(*words: object) -> None:
    sh("openssl", *words, cwd=PKI, stderr=subprocess.DEVNULL)
