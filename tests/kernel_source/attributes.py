# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sysfs attributes, module and kernel parameters, and sysctls around memory hotplug that a kernel defines.

An attribute belongs to its directory. A parameter or sysctl is only new if no file of the old tree has it. Of the files
in SYSCTLS nothing else counts; before 6.4 sysctls are in kernel/sysctl.c, which is not kept.
"""
import re

from ctext import Tree

SYSCTLS = ("mm/hugetlb.c", "mm/hugetlb_sysctl.c")
FILES = ("mm/memory_hotplug.c", "mm/mm_init.c", "mm/page_alloc.c", *SYSCTLS,
         "drivers/base/memory.c", "drivers/base/node.c", "drivers/dax/bus.c", "drivers/dax/kmem.c",
         "drivers/virtio/virtio_mem.c", "drivers/hv/hv_balloon.c", "drivers/s390/char/sclp_cmd.c",
         "drivers/s390/char/sclp_mem.c")
_SHAPES = {
    "attribute": r"\b(?:DEVICE|BUS|DRIVER|CLASS|HSTATE|BIN)_ATTR(?:_RO|_RW|_WO)?\s*\(\s*(\w+)"
                 r"|\b__ATTR(?:_RO|_RW|_WO)?\s*\(\s*(\w+)|\bstruct device_attribute dev_attr_(\w+)\s*=",
    "module parameter": r"\b(?:module|core)_param(?:_named|_cb|_string|_array)?\s*\(\s*(\w+)",
    "kernel parameter": r"\b(?:__setup|early_param)\s*\(\s*\"(\w+)=?\"",
    "sysctl": r"\.procname\s*=\s*\"(\w+)\"",
}


def _of(tree: Tree, files: tuple[str, ...]) -> set[tuple[str, str, str]]:
    found = set()
    for file in files:
        text = re.sub(r"/\*.*?\*/", "", tree.texts.get(file, ""), flags=re.DOTALL)
        for kind, shape in _SHAPES.items():
            if file in FILES and (kind == "sysctl") != (file in SYSCTLS):
                continue
            for match in re.finditer(shape, text):
                found.add((kind, next(filter(None, match.groups())), file))
    return found


def _place(kind: str, name: str, file: str) -> tuple[str, str, str]:
    return kind, name, file.rpartition("/")[0] if kind == "attribute" else ""


def differences(old: Tree, new: Tree) -> list[str]:
    """One line for each that only one tree has."""
    lines: list[str] = []
    for sign, tree, other in (("+", new, old), ("-", old, new)):
        elsewhere = {_place(*entry) for entry in _of(other, tuple(other.texts))}
        kinds = {kind for kind, _, _ in _of(other, FILES)}
        for kind, name, file in sorted(_of(tree, FILES), key=lambda entry: (FILES.index(entry[2]), entry)):
            if _place(kind, name, file) not in elsewhere and (kind != "sysctl" or kind in kinds):
                lines.append(f"{sign} {kind} `{name}`, {file}")
    return lines
