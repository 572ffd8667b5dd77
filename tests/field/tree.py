# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the files of a host (/sys and /proc) into a directory, from a short description.

What `memonline --root DIR` reads is there as the kernel would show it; a file that the description does not
name is absent, as on a host that lacks it.
"""
import os
import shutil

KiB, MiB, GiB, TiB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

CPU = {
    "x86_64": "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU\nflags\t\t: fpu lm sse2{guest}\n\n",
    "aarch64": "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\n\n",
    "s390x": "vendor_id       : IBM/S390\n# processors    : 2\nfeatures\t: esan3 zarch\n",
    "ppc64le": "processor\t: 0\ncpu\t\t: POWER9 (architected), altivec supported\nclock\t\t: 2700.000000MHz\n\n"
               "platform\t: pSeries\nmachine\t\t: CHRP IBM,9008-22L\nMMU\t\t: Radix\n",
    "loongarch64": "system type\t\t: generic-loongson-machine\n\nprocessor\t\t: 0\nCPU Family\t\t: Loongson-64bit\n",
}
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"
GUESTS = {  # DMI, and a file that shows the hypervisor
    "kvm": ({"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"}, CLOCKS, "kvm-clock tsc\n"),
    "vmware": ({"sys_vendor": "VMware, Inc.", "product_name": "VMware Virtual Platform"}, None, None),
    "microsoft": ({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}, CLOCKS,
                  "hyperv_clocksource_tsc_page\n"),
    "xen": ({"sys_vendor": "Xen", "product_name": "HVM domU"}, "sys/hypervisor/type", "xen\n"),
}
MEMORY, NODE = "sys/devices/system/memory", "sys/devices/system/node"
PARAMETERS = "sys/module/memory_hotplug/parameters"
ZONES = ("DMA", "DMA32", "Normal", "Movable", "Device")
VMSTAT = "nr_free_pages 1\nnr_foll_pin_acquired 0\nswap_ra 0\nnr_memmap_pages 0\n"  # of 6.12


def ranges(numbers):
    """As the kernel lists them: 0-3,8"""
    parts = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else "%d-%d" % (a, b) for a, b in parts)


class Tree:
    """One host. `memmap_on_memory`, `policy` (online_policy), `auto` (auto_online_blocks): None where the kernel
    has no such file."""

    def __init__(self, root, arch="x86_64", kernel="6.12.0-1-generic", page=4096, block=128 * MiB,
                 cmdline="root=/dev/sda1 ro", auto="offline", policy="contig-zones", ratio="301", numa_aware="Y",
                 memmap_on_memory="N", guest=None, dmi=None):
        shutil.rmtree(root, ignore_errors=True)
        self.root, self.page, self.block, self.made = root, page, block, set()
        self.blocks, self.cpus, self.iomem, self.firmware_map, self.zones = {}, {}, [], [], {}
        self.write("proc/version", "Linux version %s.%s (b@h) (gcc 12) #1 SMP\n" % (kernel, arch))
        self.write("proc/sys/kernel/osrelease", kernel + "\n")
        self.write("proc/cpuinfo", CPU[arch].format(guest=" hypervisor" if guest else ""))
        self.write("proc/cmdline", cmdline + "\n")
        self.write(MEMORY + "/block_size_bytes", "%x\n" % block)
        parameters = {"memmap_on_memory": memmap_on_memory}
        if policy:
            parameters.update(online_policy=policy, auto_movable_ratio=ratio, auto_movable_numa_aware=numa_aware)
        for name, value in parameters.items():
            if value is not None:
                self.write("%s/%s" % (PARAMETERS, name), value + "\n")
        if auto is not None:
            self.write(MEMORY + "/auto_online_blocks", auto + "\n")
        names = {"sys_vendor": "Acme", "product_name": "Server", "product_family": ""}
        if guest:
            words, path, text = GUESTS[guest]
            names.update(words)
            if path:
                self.write(path, text)
        names.update(dmi or {})
        if arch in ("x86_64", "aarch64", "loongarch64"):
            for name, value in names.items():
                self.write("sys/devices/virtual/dmi/id/" + name, value + "\n")

    def _place(self, path):
        path = os.path.join(self.root, path)
        directory = os.path.dirname(path)
        if directory not in self.made:
            os.makedirs(directory, exist_ok=True)
            self.made.add(directory)
        return path

    def write(self, path, text):
        path = self._place(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def link(self, path, to):
        os.symlink(to, self._place(path))

    def node(self, number, cpus=""):
        self.cpus[number] = cpus

    def add(self, first, last, state="online", zones="Normal", node=0, dimm=None, nodes=None):
        """Blocks, both ends included; `zones` is what valid_zones says (None: there is no such file)."""
        for block in range(first, last + 1):
            self.blocks[block] = (state, zones, nodes or [node], dimm)

    def dax(self, name, size, node, driver="", region="", memory=(), state=None, ranges=()):
        """A dax device; with a region, part of a CXL region; `memory` has its endpoint decoders and their memory devices,
        `ranges` its first and last bytes."""
        host = "sys/devices/platform/ACPI0017:00/root0"
        above = "%s/decoder0.0/%s" % (host, region) if region else "sys/devices/platform/hmem.0"
        path = "%s/%s/%s" % (above, "dax_" + region if region else "dax0", name)
        self.write(path + "/size", "%d\n" % size)
        self.write(path + "/target_node", "%d\n" % node)
        if state:
            self.write(path + "/state", state + "\n")
        for number, (first, last) in enumerate(ranges):
            self.write("%s/mapping%d/start" % (path, number), "%#x\n" % first)
            self.write("%s/mapping%d/end" % (path, number), "%#x\n" % last)
        up = "../" * path.count("/")
        self.link("sys/bus/dax/devices/" + name, "../../../" + path[len("sys/"):])
        if driver:
            self.link(path + "/driver", up + "bus/dax/drivers/" + driver)
        for way, (decoder, device) in enumerate(memory):
            endpoint = "%s/port1/endpoint%s" % (host, decoder[len("decoder"):].split(".")[0])
            self.write("%s/target%d" % (above, way), decoder + "\n")
            self.link("sys/bus/cxl/devices/" + decoder, "../../../%s/%s" % (endpoint[len("sys/"):], decoder))
            if not os.path.islink(os.path.join(self.root, endpoint, "uport")):
                self.link(endpoint + "/uport", "../" * (endpoint.count("/") - 1) + "pci0000:0c/0000:0d:00.0/" + device)

    def tiers(self, nodes, demotion="false"):
        """The tiers of memory: {4: "0", 22: "1"}."""
        for tier, listed in nodes.items():
            self.write("sys/devices/virtual/memory_tiering/memory_tier%d/nodelist" % tier, listed + "\n")
        self.write("sys/kernel/mm/numa/demotion_enabled", demotion + "\n")

    def ram(self, first, last, name="System RAM", under=None):
        """A line of /proc/iomem in bytes; `under`: the resource it lies in (first, last, name)."""
        self.iomem.append((first, last, name, under))

    def firmware(self, first, last, kind="System RAM"):
        """An entry of the firmware's map, in the order of the calls."""
        self.firmware_map.append((first, last, kind))

    def pc(self, top):
        """32 CPUs on node 0; boot memory of blocks of 128 MiB: 2 GiB below the PCI hole, and from 4 GiB up to `top`."""
        self.node(0, "0-31")
        self.add(0, 15, zones="DMA32")
        self.add(0, 0, zones="none")
        self.add(32, top)
        for first, last in ((0x1000, 2 * GiB - 1), (4 * GiB, (top + 1) * 128 * MiB - 1)):
            self.ram(first, last)
            self.firmware(first, last)

    def finish(self, memtotal=None, available=None, vmstat=VMSTAT, zoneinfo=True, free=None):
        """Writes all that follows from the blocks. `free`: free pages of a zone by (node, zone); half of it else."""
        spans = {}
        for number, (state, zones, nodes, dimm) in self.blocks.items():
            self._block(number, state, zones, nodes, dimm)
            if state == "online":
                zone = (zones or "Normal").split()[0]
                zone = "Normal" if zone == "none" else zone
                span = spans.setdefault((nodes[0], zone), [number, number, 0])
                span[:] = [min(span[0], number), max(span[1], number), span[2] + 1]
        with_memory = {node for state, _, nodes, _ in self.blocks.values() if state == "online" for node in nodes}
        for name, nodes in (("has_cpu", [n for n, cpus in self.cpus.items() if cpus]), ("online", self.cpus),
                            ("possible", range(max(self.cpus) + 1)), ("has_memory", with_memory),
                            ("has_normal_memory", {node for node, zone in spans if zone != "Movable"})):
            self.write("%s/%s" % (NODE, name), ranges(nodes) + "\n")
        text, total = "", 0
        for node in sorted(self.cpus):
            self.write("%s/node%d/cpulist" % (NODE, node), self.cpus[node] + "\n")
            for zone in ZONES:
                start, spanned, present = self._span(node, zone, spans)
                managed = present * 98 // 100
                total += managed
                pages = (free or {}).get((node, zone), managed // 2)
                text += ("Node %d, zone %8s\n  pages free     %d\n        boost    0\n        min      10\n"
                         "        low      12\n        high     14\n        spanned  %d\n        present  %d\n"
                         "        managed  %d\n        cma      0\n" % (node, zone, pages, spanned, present, managed))
                if present:
                    text += "  start_pfn:           %d\n" % start
        if zoneinfo:
            self.write("proc/zoneinfo", text)
        memtotal = memtotal or total * self.page
        available = memtotal * 8 // 10 if available is None else available
        self.write("proc/meminfo", "MemTotal:       %d kB\nMemFree:        %d kB\nMemAvailable:   %d kB\n"
                   "KReclaimable:  1000 kB\n" % (memtotal >> 10, available >> 10, available >> 10))
        if vmstat:
            self.write("proc/vmstat", vmstat)
        self._maps()
        return self

    def _span(self, node, zone, spans):
        if (node, zone) in self.zones:
            return self.zones[(node, zone)]
        if (node, zone) not in spans:
            return 0, 0, 0
        pages = self.block // self.page
        first, last, count = spans[(node, zone)]
        return first * pages, (last - first + 1) * pages, count * pages

    def _block(self, number, state, zones, nodes, dimm):
        path = "%s/memory%d" % (MEMORY, number)
        self.write(path + "/state", state + "\n")
        self.write(path + "/phys_index", "%08x\n" % number)
        self.write(path + "/removable", "1\n")
        self.write(path + "/online", "1\n" if state == "online" else "0\n")
        if zones is not None:
            self.write(path + "/valid_zones", zones + "\n")
        for node in nodes:
            self.link("%s/node%d/memory%d" % (NODE, node, number), "../../memory/memory%d" % number)
            self.link("%s/node%d" % (path, node), "../../node/node%d" % node)
            self.cpus.setdefault(node, "")
        if dimm is not None:
            self.link(path + "/firmware_node", "../../../LNXSYSTM:00/LNXSYBUS:00/PNP0C80:%02x" % dimm)

    def _maps(self):
        text = ""
        for first, last, name, under in sorted(self.iomem, key=lambda line: line[0]):
            if under:
                if not text.endswith(": %s\n" % under[2]):
                    text += "%08x-%08x : %s\n" % under
                text += "  "
            text += "%08x-%08x : %s\n" % (first, last, name)
        if text:
            self.write("proc/iomem", text)
        for index, (first, last, kind) in enumerate(self.firmware_map):
            entry = "sys/firmware/memmap/%d/" % index
            self.write(entry + "start", "0x%x\n" % first)
            self.write(entry + "end", "0x%x\n" % last)
            self.write(entry + "type", kind + "\n")

    def hide_addresses(self):
        """/proc/iomem as anyone but root sees it; after finish()."""
        path = os.path.join(self.root, "proc/iomem")
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.write("proc/iomem", "".join(" " * (len(line) - len(line.lstrip())) + "00000000-00000000 : " +
                                         line.split(" : ", 1)[1] + "\n" for line in lines))

    def device_tree(self, path, *cells):
        """A property below /proc/device-tree, in big-endian cells."""
        path = os.path.join(self.root, "proc/device-tree", path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"".join(cell.to_bytes(4, "big") for cell in cells))
