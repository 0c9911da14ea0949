# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Certificates for servers of a laboratory."""
import subprocess


def certify(lab, name, days=2, address="10.77.1.1"):
    """An authority and a certificate of it: their files, in PEM."""
    path = lab.path
    extension = path(f"{name}.ext")
    with open(extension, "w", encoding="ascii") as file:
        file.write(f"subjectAltName = IP:{address},DNS:{name}.example\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(*"req -x509 -days 2".split(), *key, "-subj", f"/CN={name} authority",
            "-keyout", path(f"{name}.ca.key"), "-out", path(f"{name}.ca.pem"))
    openssl("req", *key, "-subj", f"/CN={name}.example", "-keyout", path(f"{name}.key"),
            "-out", path(f"{name}.csr"))
    openssl("x509", "-req", "-days", str(days), "-in", path(f"{name}.csr"), "-extfile", extension,
            "-CA", path(f"{name}.ca.pem"), "-CAkey", path(f"{name}.ca.key"), "-CAcreateserial",
            "-out", path(f"{name}.pem"))
    return path(f"{name}.ca.pem"), path(f"{name}.pem"), path(f"{name}.key")


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
