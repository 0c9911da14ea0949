# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Debian packages unpacked into a folder: nothing is installed, no list of the machine's own apt
is touched.  A source list of our own names the machine's release, and its backports where the
release itself is too old for us."""
import glob
import os
import re
import subprocess

NEEDS_BACKPORTS = {"bookworm"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
USUAL_HOST = "http://deb.debian.org/debian"


class Missing(Exception):
    """What the laboratory needs and cannot have, in one sentence."""


def release():
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r"^VERSION_CODENAME=\"?(\w+)", file.read(), re.MULTILINE)
    if not found or not os.path.exists(KEYRING):
        raise Missing("the laboratory takes its guests from Debian packages, and this is no Debian")
    return found.group(1)


def archive_host():
    """Where the machine itself gets its packages from."""
    for path in sorted(glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*")):
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.search(r"(https?://[^\s]+/debian)/?(?=\s)", file.read())
        if found:
            return found.group(1)
    return USUAL_HOST


class Packages:
    """A folder with its own list, its own archives and what was unpacked from them."""

    def __init__(self, folder):
        self.folder = folder
        self.suite = release()
        self.newer = f"{self.suite}-backports" if self.suite in NEEDS_BACKPORTS else self.suite
        self.options = ["-q", "-o", f"Dir::Etc::sourcelist={folder}/sources.list",
                        "-o", "Dir::Etc::sourceparts=-", "-o", "Dir::Etc::preferencesparts=-",
                        "-o", "Dir::Etc::preferences=/dev/null",
                        "-o", f"Dir::State::lists={folder}/lists",
                        "-o", f"Dir::Cache={folder}/cache",
                        "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"]

    def _run(self, program, *arguments, cwd=None):
        result = subprocess.run([program, *self.options, *arguments], cwd=cwd, text=True,
                                capture_output=True, check=False,
                                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if result.returncode != 0:
            raise Missing(f"{program} {arguments[0]} failed: "
                          f"{(result.stderr or result.stdout).strip().splitlines()[-1:]}")
        return result.stdout

    def update(self):
        for part in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.folder, part), exist_ok=True)
        with open(os.path.join(self.folder, "sources.list"), "w", encoding="utf-8") as file:
            for suite in sorted({self.suite, self.newer}):
                file.write(f"deb [signed-by={KEYRING}] {archive_host()} {suite} main\n")
        self._run("apt-get", "update")

    def dependency(self, package, pattern):
        """The package that this one depends on and whose name fits."""
        shown = self._run("apt-cache", "show", f"{package}/{self.newer}")
        found = re.search(rf"^Depends:.*?\b({pattern})", shown, re.MULTILINE)
        if not found:
            raise Missing(f"{package} of {self.newer} depends on no {pattern}")
        return found.group(1)

    def unpack(self, package, into):
        """One package alone, the newest that there is."""
        archives = os.path.join(self.folder, "single")
        os.makedirs(archives, exist_ok=True)
        self._run("apt-get", "download", f"{package}/{self.newer}"
                  if self._has_newer(package) else package, cwd=archives)
        self._extract(max(glob.glob(f"{archives}/{package}_*.deb"), key=os.path.getmtime), into)

    def _has_newer(self, package):
        return f"/{self.newer} " in self._run("apt-cache", "madison", package).replace("|", "")

    def unpack_with_libraries(self, packages, into):
        """Packages of the newer suite and all that the machine lacks for them."""
        wanted = [f"{package}/{self.newer}" for package in packages]
        self._run("apt-get", "install", "--download-only", "--no-install-recommends", "-y",
                  "--allow-downgrades", *wanted)
        for archive in sorted(glob.glob(f"{self.folder}/cache/archives/*.deb")):
            self._extract(archive, into)

    @staticmethod
    def _extract(archive, into):
        os.makedirs(into, exist_ok=True)
        subprocess.run(["dpkg", "-x", archive, into], check=True)
