# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the guests are made of, in build/lab: a qemu and a kernel of Debian, unpacked, not
installed; a first file system of busybox and a few modules, one of them ours; and a folder that
all guests mount, with our programs, linuxptp's and the libraries of both."""
import glob
import lzma
import os
import re
import shutil
import stat
import struct
import subprocess

from packages import Missing, Packages

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LAB = os.path.join(TOP, "build", "lab")
MODULES = ("igb", "9pnet_virtio", "9p", "8021q")
MODULES_FOR_CASES = ("tls", "bonding")  # in /extra, for those who need them
OUR_MODULE = "pulse_clocks"  # for cases, too
QEMU_PACKAGES = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios")
LEAP_SECONDS = "/usr/share/zoneinfo/leap-seconds.list"
PEERS = ("ptp4l", "pmc", "phc2sys", "phc_ctl", "hwstamp_ctl", "chronyd")


def lab(*parts):
    return os.path.join(LAB, *parts)


# ---- packages --------------------------------------------------------------------------------

def unpack():
    """Downloads and unpacks what is not there yet; some 110 MB at the first time."""
    if os.path.exists(lab("unpacked")) and os.path.exists(lab("headers")):
        return
    for part in ("host", "kernel", "headers", "tools"):
        shutil.rmtree(lab(part), ignore_errors=True)
    if os.path.exists(lab("unpacked")):  # by an earlier version of us
        os.remove(lab("unpacked"))
    packages = Packages(lab("apt"))
    print("lab: unpacking qemu and a kernel into build/lab, not installing", flush=True)
    packages.update()
    packages.unpack_with_libraries(QEMU_PACKAGES, lab("host"))
    kernel = packages.dependency("linux-image-amd64", r"linux-image-[\w.+-]+")
    packages.unpack(kernel, lab("kernel"))
    unpack_headers(packages, kernel.replace("image", "headers"))
    packages.unpack("busybox-static", lab("tools"))
    shutil.rmtree(lab("apt"))
    open(lab("unpacked"), "w", encoding="utf-8").close()


def unpack_headers(packages, headers):
    """What modules for the kernel are built with, and the library that this is linked with."""
    common, kbuild = (packages.dependency(headers, pattern)
                      for pattern in (r"linux-headers-[\w.+-]+-common", r"linux-kbuild-[\w.+-]+"))
    for package in (headers, common, kbuild, packages.dependency(kbuild, r"libelf1\w*")):
        packages.unpack(package, lab("headers"))


def qemu():
    return lab("host/usr/bin/qemu-system-x86_64")


def qemu_environment():
    folder = lab("host/usr/lib/x86_64-linux-gnu")
    return {**os.environ, "LD_LIBRARY_PATH": folder, "QEMU_MODULE_DIR": f"{folder}/qemu"}


def firmware_folders():
    return [lab("host/usr/share/qemu"), lab("host/usr/share/seabios")]


# ---- kernel and first file system ------------------------------------------------------------

def decompress(payload):
    if payload[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(payload)
    command = {b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\x1f\x8b\x08\x00": ["gzip", "-dc"]}
    found = command.get(payload[:4])
    if not found or not shutil.which(found[0]):
        raise Missing("the laboratory's kernel is compressed in a way that nothing here knows")
    return subprocess.run(found, input=payload, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False).stdout


def extract_kernel():
    """The ELF image inside of vmlinuz boots in half the time under emulation."""
    with open(glob.glob(lab("kernel/boot/vmlinuz-*"))[0], "rb") as file:
        image = file.read()
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = (image[0x1F1] + 1) * 512 + offset
    with open(lab("vmlinux"), "wb") as file:
        file.write(decompress(image[begin:begin + length]))


def build_module():
    """Ours, in a folder of its own, since kbuild writes beside the source."""
    folder = lab("module")
    root = lab("headers")
    if not shutil.which("make"):
        raise Missing("the laboratory's kernel module is built by make, which is not installed")
    headers = glob.glob(f"{root}/usr/src/linux-headers-*[!n]/Makefile")[0]
    with open(headers, encoding="utf-8") as file:
        text = file.read()
    with open(headers, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^include /usr/src/", f"include {root}/usr/src/", text))
    os.makedirs(folder, exist_ok=True)
    shutil.copy2(os.path.join(HERE, f"{OUR_MODULE}.c"), folder)
    with open(os.path.join(folder, "Makefile"), "w", encoding="utf-8") as file:
        file.write(f"obj-m := {OUR_MODULE}.o\n")
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{root}/usr/lib/x86_64-linux-gnu"}
    result = subprocess.run(["make", "-C", os.path.dirname(headers), f"M={folder}",
                             "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"], env=environment,
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Missing(f"the laboratory's {OUR_MODULE}.c does not compile: {result.stderr.strip()}")


def module_bytes(path):
    with open(path, "rb") as file:
        data = file.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


def modules_in_order():
    """(name, contents) of MODULES and what they need, each after what it needs; and of others."""
    files = {}
    for path in glob.glob(lab("kernel/**/*.ko*"), recursive=True):
        files[re.sub(r"\.ko.*", "", os.path.basename(path)).replace("-", "_")] = path
    ordered = {}

    def add(name):
        if name in ordered or name not in files:  # what has no file is in the kernel itself
            return
        data = module_bytes(files[name])
        for needed in re.search(rb"depends=([^\0]*)\0", data).group(1).decode().split(","):
            add(needed.replace("-", "_"))
        ordered[name] = data
    for name in MODULES:
        add(name)
    return list(ordered.items()), [(name, module_bytes(files[name]))
                                   for name in MODULES_FOR_CASES if name in files]


class Archive:
    """A cpio archive in the form that kernels unpack."""

    def __init__(self):
        self.data = bytearray()
        self.count = 0

    def add(self, name, mode, contents=b""):
        self.count += 1
        fields = (self.count, mode, 0, 0, 1, 0, len(contents), 0, 0, 0, 0, len(name) + 1, 0)
        self.data += b"070701" + b"".join(b"%08x" % field for field in fields)
        for part in (name.encode() + b"\0", contents):
            self.data += part
            self.data += b"\0" * (-len(self.data) % 4)

    def finish(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data)


def make_first_file_system():
    archive = Archive()
    for folder in ("bin", "sbin", "dev", "proc", "sys", "tmp", "run", "var", "var/run", "etc",
                   "lab", "lib", "lib64", "modules", "extra", "root"):
        archive.add(folder, stat.S_IFDIR | 0o755)
    with open(glob.glob(lab("tools/**/bin/busybox"), recursive=True)[0], "rb") as file:
        archive.add("bin/busybox", stat.S_IFREG | 0o755, file.read())
    archive.add("bin/sh", stat.S_IFLNK | 0o777, b"busybox")
    archive.add("lib64/ld-linux-x86-64.so.2", stat.S_IFLNK | 0o777,
                b"/lab/lib/ld-linux-x86-64.so.2")
    if os.path.exists(LEAP_SECONDS):
        for folder in ("usr", "usr/share", "usr/share/zoneinfo"):
            archive.add(folder, stat.S_IFDIR | 0o755)
        with open(LEAP_SECONDS, "rb") as file:
            archive.add(LEAP_SECONDS[1:], stat.S_IFREG | 0o644, file.read())
    archive.add("etc/passwd", stat.S_IFREG | 0o644, b"root:x:0:0:root:/root:/bin/sh\n")
    with open(os.path.join(HERE, "guest_init.sh"), "rb") as file:
        archive.add("init", stat.S_IFREG | 0o755, file.read())
    modules, others = modules_in_order()
    others.append((OUR_MODULE, module_bytes(lab("module", f"{OUR_MODULE}.ko"))))
    for name, contents in others:
        archive.add(f"extra/{name}.ko", stat.S_IFREG | 0o644, contents)
    for number, (name, contents) in enumerate(modules):
        archive.add(f"modules/{number:02}-{name}.ko", stat.S_IFREG | 0o644, contents)
    with open(lab("initrd"), "wb") as file:
        file.write(archive.finish())


# ---- programs --------------------------------------------------------------------------------

def compile_tools():
    for folder in ("share/bin", "share/lib"):
        os.makedirs(lab(folder), exist_ok=True)
    library, program = ["-fPIC", "-shared", "-pthread"], ["-static"]
    for sources, target, flags in (
            (["nic_fix.c", "wire_queue.c"], lab("nic_fix.so"), library),
            (["stamps_all.c"], lab("share/lib/stamps_all.so"), library),
            (["tsc_rate.c"], lab("tsc_rate"), []),
            (["receiver.c"], lab("share/bin/receiver"), program),
            (["kernel_state.c"], lab("share/bin/kernel_state"), program),
            (["truth.c"], lab("share/bin/truth"), program)):
        paths = [os.path.join(HERE, source) for source in sources]
        result = subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", *flags, "-o", target, *paths,
                                 "-ldl"], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise Missing(f"the laboratory's {sources[0]} does not compile: "
                          f"{result.stderr.strip()}")


def tsc_khz():
    return subprocess.run([lab("tsc_rate")], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def libraries_of(program, environment):
    shown = subprocess.run(["ldd", program], capture_output=True, text=True, check=False,
                           env=environment).stdout
    missing = re.findall(r"(\S+) => not found", shown)
    if missing:
        raise Missing(f"{program} lacks {missing[0]}")
    return re.findall(r"(/\S+\.so\S*)", shown)


def copy_program(path, environment=None):
    shutil.copy2(path, lab("share/bin"))
    for library in libraries_of(path, environment):
        target = lab("share/lib", os.path.basename(library))
        if not os.path.exists(target):
            shutil.copy2(library, target)


def copy_programs(build):
    os.makedirs(lab("share/lib"), exist_ok=True)
    for program in ("meantimed/meantimed", "meantime/meantime"):
        copy_program(os.path.join(build, "apps", program))
    copy_program(shutil.which("ip") or "/sbin/ip")
    peers = os.path.join(TOP, "build", "peers")
    with open(os.path.join(peers, "lib.path"), encoding="utf-8") as file:
        environment = {**os.environ, "LD_LIBRARY_PATH": file.read().strip()}
    for peer in PEERS:
        copy_program(os.path.join(peers, "usr", "sbin", peer), environment)


def prepare(build):
    """All of it; `build` is the folder of the programs that are tested."""
    os.makedirs(LAB, exist_ok=True)
    unpack()
    if not os.path.exists(lab("vmlinux")):
        extract_kernel()
    build_module()
    make_first_file_system()
    compile_tools()
    copy_programs(build)
