# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantime check looks into the files that [server] and [ntp] name: keys and certificates."""
import pathlib
import subprocess

import pytest

from test_tool import run

GOOD = "1 AES128 HEX:000102030405060708090a0b0c0d0e0f\n7 SHA256 some-text\n"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def certify(folder, name, days=2):
    """A certificate that signs itself, and its key."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    openssl(*"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(), "-subj",
            f"/CN={name}.example", "-keyout", key, "-out", folder / "request")
    # openssl takes no day before today, but a period of no length ends at once
    openssl("x509", "-req", "-days", days, "-in", folder / "request", "-signkey", key,
            "-out", certificate)
    key.chmod(0o600)
    return certificate, key


def problems_of(config):
    done = run("check", config)
    *problems, last = done.stdout.splitlines()
    count = len(problems)
    if done.returncode == 0:
        assert last.startswith(f"{config}: no problems"), done.stdout
    else:
        assert last == f"{config}: {count} problem{'s' if count != 1 else ''}", done.stdout
    return [problem.removeprefix(f"{config}:") for problem in problems]


@pytest.mark.parametrize("text, mode, expected", [
    (GOOD, 0o600, []),
    (None, 0o600, ["{k}: cannot be read: No such file or directory"]),
    (GOOD, 0o604, ["{k}: everybody may read these keys; take that away: chmod o= {k}"]),
    ("7 SHA256 x\n\n8 AES128 short\n7 SHA1 twice\n", 0o600,
     ["{k}:3: AES128 needs a key of 16 octets, AES256 one of 32",
      "{k}:4: there is a key of this id already"]),
])
def test_check_reads_the_keys_of_servers_and_clients(tmp_path, text, mode, expected):
    keys, config = tmp_path / "ntp.keys", tmp_path / "my.conf"
    if text is not None:
        keys.write_text(text)
        keys.chmod(mode)
    told = [f"key_file: {problem}".format(k=keys) for problem in expected]
    config.write_text(f"[server]\nkey_file = {keys}\nrequire_key = yes\n")
    assert problems_of(config) == [f"2: {problem}" for problem in told]
    config.write_text(f"[ntp]\nkey_file = {keys}\nkey = 7\n[ntp 10.0.0.1]\n[ntp 10.0.0.2]\n")
    assert problems_of(config) == [f"2: {problem}" for problem in told], "once for both"


def test_check_looks_for_the_key_of_each_server_in_its_file(tmp_path):
    keys, config = tmp_path / "ntp.keys", tmp_path / "my.conf"
    keys.write_text(GOOD)
    keys.chmod(0o600)
    config.write_text(f"[ntp]\nkey_file = {keys}\nkey = 7\n[ntp 10.0.0.1]\n[ntp 10.0.0.2]\n"
                      "key = 8\n")
    assert problems_of(config) == [f"6: [ntp 10.0.0.2]: there is no key 8 in {keys}"]


def test_check_leaves_a_key_file_alone_that_nobody_uses(tmp_path):
    config = tmp_path / "my.conf"
    config.write_text("[ntp]\nkey_file = /nonexistent\n[ntp 10.0.0.1]\n")
    assert problems_of(config) == []


def check_server(folder, certificate, key):
    config = folder / "my.conf"
    config.write_text(f"[server]\nnts_certificate = {certificate}\nnts_key = {key}\n")
    return problems_of(config)


def test_check_finds_nothing_wrong_with_a_good_certificate(tmp_path):
    assert check_server(tmp_path, *certify(tmp_path, "good")) == []


def test_check_names_the_file_of_nts_that_cannot_be_read(tmp_path):
    certificate, key = certify(tmp_path, "good")
    missing = tmp_path / "missing"
    assert check_server(tmp_path, missing, key) == \
        [f"2: nts_certificate: {missing} cannot be read: No such file or directory"]
    assert check_server(tmp_path, certificate, missing) == \
        [f"3: nts_key: {missing} cannot be read: No such file or directory"]


def test_check_names_the_file_of_nts_that_holds_something_else(tmp_path):
    certificate, key = certify(tmp_path, "good")
    told, = check_server(tmp_path, key, key)
    assert told.startswith(f"2: nts_certificate: {key}: expected a certificate in PEM: ")
    told, = check_server(tmp_path, certificate, certificate)
    assert told.startswith(f"3: nts_key: {certificate}: expected a private key in PEM, without a "
                           "password: ")
    locked = tmp_path / "locked.key"
    openssl("ec", "-in", key, "-aes128", "-passout", "pass:x", "-out", locked)
    locked.chmod(0o600)
    told, = check_server(tmp_path, certificate, locked)
    assert told.startswith(f"3: nts_key: {locked}: expected a private key in PEM, without a ")


def test_check_says_that_certificate_and_key_are_of_two_pairs(tmp_path):
    certificate, _ = certify(tmp_path, "one")
    _, key = certify(tmp_path, "two")
    told, = check_server(tmp_path, certificate, key)
    assert told == f"3: nts_key: {key}: The certificate and the given key do not match."


def test_check_says_that_a_certificate_has_expired(tmp_path):
    certificate, key = certify(tmp_path, "old", days=0)
    subprocess.run(["sleep", "1.1"], check=True)
    told, = check_server(tmp_path, certificate, key)
    assert told.startswith(f"2: nts_certificate: {certificate}: a certificate was valid until 20")
    assert told.endswith(" UTC, so clients refuse it")


def test_check_says_that_everybody_may_read_the_key_of_a_certificate(tmp_path):
    certificate, key = certify(tmp_path, "good")
    key.chmod(0o644)
    assert check_server(tmp_path, certificate, key) == \
        [f"3: nts_key: everybody may read {key}; take that away: chmod o= {key}"]


def test_check_looks_into_the_authorities_that_a_client_trusts(tmp_path):
    config = tmp_path / "my.conf"
    certificate, key = certify(tmp_path, "authority")

    def check(path):
        config.write_text(f"[ntp a.example]\nnts = yes\nnts_ca = {path}\n")
        return problems_of(config)
    assert check(certificate) == []
    assert check(tmp_path / "missing") == \
        [f"3: nts_ca: {tmp_path}/missing cannot be read: No such file or directory"]
    told, = check(key)
    assert told.startswith(f"3: nts_ca: {key}: expected certificates in PEM: ")
    old, _ = certify(tmp_path, "old", days=0)
    subprocess.run(["sleep", "1.1"], check=True)
    told, = check(old)
    assert told.startswith(f"3: nts_ca: {old}: a certificate was valid until 20")
    both = tmp_path / "both.pem"
    both.write_text(pathlib.Path(old).read_text() + pathlib.Path(certificate).read_text())
    assert check(both) == [], "one of them is good"
