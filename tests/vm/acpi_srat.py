# SPDX-License-Identifier: LGPL-2.1-or-later
"""ACPI's System Resource Affinity Table with other memory called hot-pluggable.

QEMU calls only the window for DIMMs so. Firmware of machines with replaceable memory does it for boot
memory, which is what `movable_node` goes by.
"""
import struct

_HEAD = 48
_MEMORY = 1
_ENABLED, _HOT_PLUGGABLE = 1, 2


def hot_pluggable(table: bytes, ranges: tuple[tuple[int, int], ...]) -> bytes:
    """`table` with these addresses (first, end) enabled and hot-pluggable, entries cut where needed."""
    entries = b""
    at = _HEAD
    while at < len(table):
        size = table[at + 1]
        entry = table[at:at + size]
        entries += b"".join(_cut(entry, ranges)) if entry[0] == _MEMORY else entry
        at += size
    head = bytearray(table[:_HEAD])
    struct.pack_into("<I", head, 4, _HEAD + len(entries))
    head[9] = 0
    # The kernel replaces a table by one of a higher OEM revision.
    struct.pack_into("<I", head, 24, struct.unpack_from("<I", head, 24)[0] + 1)
    head[9] = -(sum(head) + sum(entries)) & 0xFF
    return bytes(head) + entries


def _cut(entry: bytes, ranges: tuple[tuple[int, int], ...]) -> list[bytes]:
    first, length = struct.unpack_from("<QQ", entry, 8)
    flags = struct.unpack_from("<I", entry, 28)[0]
    if not flags & _ENABLED or not length:
        return [entry]
    borders = sorted({first, first + length,
                      *(border for pair in ranges for border in pair if first < border < first + length)})
    cut = []
    for low, high in zip(borders, borders[1:]):
        marked = any(begin <= low < end for begin, end in ranges)
        piece = bytearray(entry)
        struct.pack_into("<QQ", piece, 8, low, high - low)
        struct.pack_into("<I", piece, 28, flags | _HOT_PLUGGABLE if marked else flags)
        cut.append(bytes(piece))
    return cut
