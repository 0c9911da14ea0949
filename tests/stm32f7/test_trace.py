# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the cross-compiled driver writes to the Ethernet block, on an emulated processor, is what it
writes to the model: the end of golden/init.txt, from the reset of the DMA on."""
import os
import re
import shutil
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DRIVER = os.path.join(TOP, "platform", "stm32f7")
FLAGS = ["-std=c11", "-Os", "-mcpu=cortex-m4", "-mthumb", "-ffreestanding", "-ffunction-sections",
         "-fdata-sections", "-fno-tree-loop-distribute-patterns", "-I", TOP,
         "-I", os.path.join(TOP, "core"), "-I", os.path.join(TOP, "core", "include")]
SOURCES = [os.path.join(HERE, "trace.c"), os.path.join(TOP, "core", "base", "time.c"),
           os.path.join(TOP, "core", "base", "real.c"), os.path.join(TOP, "embed", "memory.c"),
           *(os.path.join(DRIVER, f"stm32f7_{part}.c") for part in ("board", "mac", "ptp"))]
MODEL_RINGS = 0x2007C000
ETHERNET = 0x40028000

pytestmark = pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="needs the packages of ./dev firmware")


def register_offsets():
    """Name -> offset in the Ethernet block."""
    with open(os.path.join(DRIVER, "stm32f7_registers.h"), encoding="utf-8") as file:
        return {name: int(offset, 16) for name, offset in
                re.findall(r"#define (ETH_\w+)\s+\(ETH \+ (0x[0-9A-F]+)\)", file.read())}


def golden():
    offsets = register_offsets()
    with open(os.path.join(HERE, "golden", "init.txt"), encoding="utf-8") as file:
        writes = [line.split() for line in file if line.strip()]
    writes = [(offsets[name], int(value, 16)) for name, value in writes if name in offsets]
    return writes[writes.index((offsets["ETH_DMABMR"], 1)):]


def compiled(folder):
    image = os.path.join(folder, "trace.elf")
    subprocess.run(["arm-none-eabi-gcc", *FLAGS, "-nostdlib", "-nostartfiles", "-Wl,--gc-sections",
                    "-Wl,--no-warn-rwx-segments", "-T", os.path.join(HERE, "trace.ld"), *SOURCES,
                    "-lgcc", "-o", image], check=True)
    return image


def address_of(image, name):
    symbols = subprocess.run(["arm-none-eabi-nm", image], check=True, capture_output=True,
                             text=True).stdout
    return int(re.search(rf"^([0-9a-f]+) \w {name}$", symbols, re.MULTILINE)[1], 16)


def written(image, log):
    subprocess.run(["qemu-system-arm", "-M", "netduinoplus2", "-kernel", image, "-display", "none",
                    "-monitor", "none", "-serial", "null", "-semihosting-config",
                    "enable=on,target=native", "-d", "unimp,guest_errors", "-D", log],
                   check=True, timeout=60, stdin=subprocess.DEVNULL)
    with open(log, encoding="utf-8") as file:
        accesses = re.findall(r"(?i)^(\w+): unimplemented device write \(size (\d), "
                              r"offset (0x[0-9a-f]+), value (0x[0-9a-f]+)\)", file.read(), re.M)
    assert all(size == "4" for _, size, _, _ in accesses)
    return [(int(offset, 16), int(value, 16)) for device, _, offset, value in accesses
            if device == "Ethernet"]


def test_machine_code_writes_what_the_golden_file_says(tmp_path):
    image = compiled(tmp_path)
    rings = address_of(image, "rings")
    found = [(offset, value - rings + MODEL_RINGS if rings <= value < rings + 0x200 else value)
             for offset, value in written(image, tmp_path / "log")]
    assert found == golden()
    assert len(found) > 20
