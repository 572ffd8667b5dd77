# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults for the kernel model: each must be found by the comparison with a kernel's own code.

A fault replaces a text that occurs once in a file of compiler/kernel. `version` is the kernel that shows it.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault."""

    what: str
    file: str
    old: str
    new: str
    version: str = "6.12"


MUTANTS = (
    Mutant("a span ends one page early", "model.cpp",
           "    node[zone].extend(range);\n  }\n  node[zone].present",
           "    node[zone].extend({range.begin, range.end - 1});\n  }\n  node[zone].present"),
    Mutant("present pages are counted for kernel zones only", "model.cpp",
           "node[zone].present += pages;", "node[zone].present += zone == Zone::Movable ? 0 : pages;"),
    Mutant("hot-added memory counts as boot memory", "model.cpp",
           "if (state_.devices[run.device].origin == model::Origin::Boot) node[zone].early += pages;",
           "node[zone].early += pages;"),
    Mutant("the group does not learn what goes online", "model.cpp",
           "(zone == Zone::Movable ? group.movable : group.kernel) += pages;\n  run.state",
           "group.kernel += 0;\n  run.state"),
    Mutant("the group does not learn what goes offline", "model.cpp",
           "counted -= std::min(counted, pages);", "counted -= 0;"),
    Mutant("spans do not shrink in 5.10", "model.cpp",
           "if (state_.era >= Era::C2 && known)", "if (state_.era > Era::C2 && known)", "5.10"),
    Mutant("the start of a span does not shrink", "model.cpp",
           "const bool at_start = gone.begin <= zone.span.begin;",
           "const bool at_start = gone.begin < zone.span.begin;"),
    Mutant("the end of a span does not jump over a hole", "model.cpp",
           "PageRange{zone.span.begin, *end}", "PageRange{zone.span.begin, gone.begin}"),
    Mutant("blocks with holes go offline", "model.cpp", "if (at->holes &&", "if (false &&"),
    Mutant("valid_zones does not begin with the default zone", "model.cpp",
           "if (state_.era != Era::B) list(zone_by(OnlineWord::Online));", ""),
    Mutant("on is no truth value", "model.cpp",
           'if (second == "n" || second == "N") return true;', ""),
    Mutant("numa_aware is forgotten", "auto_movable.cpp",
           "state.numa_aware && run.node;", "false && state.numa_aware;"),
    Mutant("a DIMM that just fits the ratio does not", "auto_movable.cpp", "if (need <= free) return", "if (need < free) return"),
    Mutant("a DIMM needs its size again for each block", "auto_movable.cpp",
           "static_cast<std::int64_t>(group.max_pages) - static_cast<std::int64_t>(group.movable);",
           "static_cast<std::int64_t>(group.max_pages);"),
    Mutant("a kernel block does not bind its DIMM", "auto_movable.cpp",
           "if (group.kernel > 0) return {kernel, piece.count};", ""),
    Mutant("CMA does not count as Movable", "auto_movable.cpp",
           "stats.movable += static_cast<std::int64_t>(zone.cma);", ""),
    Mutant("memory of other virtio-mem devices counts", "auto_movable.cpp", "stats.movable -= in_groups;", ""),
    Mutant("a virtio-mem device's own kernel memory does not count", "auto_movable.cpp",
           "stats.kernel_early += static_cast<std::int64_t>(current.kernel);", ""),
    Mutant("boot blocks of one write are judged alike", "auto_movable.cpp",
           "if (early) stats.kernel_early += pages;", ""),
    Mutant("movable_node is forgotten", "era_c.cpp", "bool to_movable = state.movable_node;", "bool to_movable = false;"),
    Mutant("where zones overlap, Movable", "era_c.cpp",
           "if (in_kernel != in_movable) to_movable = in_movable;",
           "if (in_kernel != in_movable || in_movable) to_movable = in_movable;"),
    Mutant("a block that meets DMA32 goes to Normal", "memory_state.cpp",
           "for (Zone zone : {Zone::Dma, Zone::Dma32})", "for (Zone zone : {Zone::Dma})"),
    Mutant("blocks on both sides of a border behave alike", "memory_state.cpp",
           "if (block > first && block < end) cuts.push_back(block);", "(void)block;"),
    Mutant("hot-added memory of a host counts as boot memory", "memory_state.cpp",
           "zone.early -= std::min(zone.early, run.count * state.pages_per_block);", ""),
    Mutant("a hole belongs to the zone below", "shared_pages.cpp",
           "add_hole(part, *above_);", "add_hole(part, whole);"),
    Mutant("kernelcore is rounded down", "boot_zones.cpp",
           "return (pages + unit - 1) / unit * unit;",
           "return pages / unit * unit;"),
    Mutant("the smaller of kernelcore and movablecore counts", "boot_zones.cpp",
           "core = std::max(core,", "core = std::min(core,"),
    Mutant("what small nodes lack is not spread", "boot_zones.cpp",
           "if (--nodes == 0 || required <= nodes) break;", "break;"),
    Mutant("memory below the highest zone does not count for kernelcore", "boot_zones.cpp",
           "required -= std::min(below, required);", ""),
    Mutant("octal amounts are read as decimal", "boot_zones.cpp", "base = 8;", "base = 10;"),
)
