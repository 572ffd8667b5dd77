/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* struct ks_api (oracle.h) over the functions that were cut out of one kernel. What happens here and not in
 * the kernel's own code: memory_dev_init() and free_area_init() as far as they make blocks and zones,
 * add_memory_resource() without the memory map, and the parameters' table. */

static const char *const zone_names[MAX_NR_ZONES] = {"DMA", "DMA32", "Normal", "Movable", "Device"};

static void reset(const struct ks_boot *boot) {
  memset(nodes, 0, sizeof(nodes));
  memset(chunks, 0, sizeof(chunks));
  memset(section_online, 0, sizeof(section_online));
  memset(section_present, 0, sizeof(section_present));
  memset(section_early, 0, sizeof(section_early));
  memset(blocks, 0, sizeof(blocks));
  memset(block_exists, 0, sizeof(block_exists));
  memset(node_states, 0, sizeof(node_states));
  memset(zone_movable_pfn, 0, sizeof(zone_movable_pfn));
  required_kernelcore = required_kernelcore_percent = required_movablecore = required_movablecore_percent = 0;
  mirrored_kernelcore = false;
  default_online_type = MMOP_OFFLINE;
  pages_per_block = boot->block_pages;
  movable_node_enabled = boot->movable_node;
  for (int nid = 0; nid < MAX_NUMNODES; ++nid) {
    nodes[nid].node_id = nid;
    for (int zone = 0; zone < MAX_NR_ZONES; ++zone) {
      nodes[nid].node_zones[zone].zone_pgdat = &nodes[nid];
      nodes[nid].node_zones[zone].name = zone_names[zone];
    }
  }
#if KERNEL_VERSION >= 6000
  for (int id = 0; id < MAX_GROUPS; ++id) {
    free(memory_groups.slots[id]);
    memory_groups.slots[id] = NULL;
  }
  online_policy = ONLINE_POLICY_CONTIG_ZONES;
  auto_movable_ratio = 301;
  auto_movable_numa_aware = true;
#endif
}

static void parse_parameter(int (*parse)(char *), const char *value) {
  char text[64];
  if (!value) return;
  strncpy(text, value, sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  parse(text);
}

/* free_area_init() of x86-64: DMA ends at 16 MiB, DMA32 at 4 GiB, Normal with memory. */
static void limit_zones(unsigned long end) {
  const unsigned long ends[] = {min(end, 4096UL), min(end, 1UL << 20), end};
  unsigned long start = regions[0].begin;
  for (int zone = 0; zone < MAX_NR_ZONES; ++zone) {
    arch_zone_lowest_possible_pfn[zone] = arch_zone_highest_possible_pfn[zone] = 0;
    if (zone > ZONE_NORMAL) continue;
    arch_zone_lowest_possible_pfn[zone] = start;
    arch_zone_highest_possible_pfn[zone] = max(ends[zone], start);
    start = arch_zone_highest_possible_pfn[zone];
  }
}

/* Blocks that hold boot memory, and their nodes (register_memory_blocks_under_node()). */
static void add_boot_blocks(void) {
  for (int r = 0; r < region_count; ++r)
    for (unsigned long b = regions[r].begin / pages_per_block; b * pages_per_block < regions[r].end; ++b) {
      if (block_exists[b]) continue;
      block_exists[b] = true;
      blocks[b].start_section_nr = b * sections_per_block;
      blocks[b].state = MEM_ONLINE;
      blocks[b].nid = NUMA_NO_NODE;
    }
  for (int nid = 0; nid < MAX_NUMNODES; ++nid)
    for (int r = 0; r < region_count; ++r) {
      if (regions[r].nid != nid) continue;
      for (unsigned long b = regions[r].begin / pages_per_block; b * pages_per_block < regions[r].end; ++b)
#if KERNEL_VERSION >= 7000
        memory_block_add_nid_early(&blocks[b], nid);
#elif KERNEL_VERSION >= 6000
        memory_block_add_nid(&blocks[b], nid, MEMINIT_EARLY);
#else
        blocks[b].nid = nid;
#endif
    }
}

static void ks_boot(const struct ks_boot *boot) {
  reset(boot);
  region_count = boot->count;
  for (int r = 0; r < boot->count; ++r) {
    const struct ks_region *from = &boot->regions[r];
    regions[r] = (struct memblock_region){PFN_PHYS(from->begin), from->begin, from->end, from->nid, from->hotpluggable};
    for (unsigned long pfn = from->begin; pfn < from->end; pfn += PAGES_PER_CHUNK) pfn_to_page(pfn)->ram = true;
    /* Sections are present, early and online as a whole. */
    set_sections(section_present, SECTION_ALIGN_DOWN(from->begin), SECTION_ALIGN_UP(from->end), true);
    set_sections(section_early, SECTION_ALIGN_DOWN(from->begin), SECTION_ALIGN_UP(from->end), true);
    set_sections(section_online, SECTION_ALIGN_DOWN(from->begin), SECTION_ALIGN_UP(from->end), true);
  }
  parse_parameter(cmdline_parse_kernelcore, boot->kernelcore);
  parse_parameter(cmdline_parse_movablecore, boot->movablecore);
  limit_zones(regions[region_count - 1].end);
  find_zone_movable_pfns_for_nodes();
  for (int nid = 0; nid < MAX_NUMNODES; ++nid) {
    unsigned long start = 0, end = 0;
    get_pfn_range_for_nid(nid, &start, &end);
    if (start == end) continue;
    nodes[nid].node_start_pfn = start;
    calculate_node_totalpages(&nodes[nid], start, end);
    node_set_state(nid, N_MEMORY);
    for (int zone = 0; zone <= ZONE_NORMAL; ++zone)
      if (nodes[nid].node_zones[zone].present_pages) node_set_state(nid, N_NORMAL_MEMORY);
  }
  memmap_init();
  add_boot_blocks();
}

static void ks_cma(int nid, int zone, unsigned long pages) { nodes[nid].node_zones[zone].cma_pages = pages; }

static int ks_group(int nid, int dynamic, unsigned long pages) {
#if KERNEL_VERSION >= 6000
  return dynamic ? memory_group_register_dynamic(nid, pages) : memory_group_register_static(nid, pages);
#else
  return -1;
#endif
}

static int ks_add(unsigned long first, unsigned long count, int nid, int group, int memmap) {
  static struct vmem_altmap altmap;
  for (unsigned long b = first; b < first + count; ++b)
    if (block_exists[b]) return -EEXIST;
  altmap.free = memmap ? pages_per_block * sizeof(struct page) / PAGE_SIZE : 0;
  for (unsigned long b = first; b < first + count; ++b) {
    struct memory_block *mem = &blocks[b];
    memset(mem, 0, sizeof(*mem));
    block_exists[b] = true;
    mem->start_section_nr = b * sections_per_block;
    mem->state = MEM_OFFLINE;
    mem->dev.offline = true;
    mem->nid = nid;
#if KERNEL_VERSION >= 6012
    mem->altmap = memmap ? &altmap : NULL;
#elif KERNEL_VERSION >= 6000
    mem->nr_vmemmap_pages = altmap.free;
#endif
#if KERNEL_VERSION >= 6000
    INIT_LIST_HEAD(&mem->group_next);
    if (group >= 0) {
      mem->group = memory_groups.slots[group];
      list_add(&mem->group_next, &mem->group->memory_blocks);
    }
#endif
    const unsigned long start = b * pages_per_block;
    set_sections(section_present, start, start + pages_per_block, true);
    for (unsigned long pfn = start; pfn < start + pages_per_block; pfn += PAGES_PER_CHUNK) {
      pfn_to_page(pfn)->ram = true;
      pfn_to_page(pfn)->nid = (short)nid;
    }
  }
  return 0;
}

static int ks_remove(unsigned long first, unsigned long count) {
  int nid = 0;
  for (unsigned long b = first; b < first + count; ++b) {
    if (!block_exists[b]) return -ENOENT;
    const int error = check_memblock_offlined_cb(&blocks[b], &nid);
    if (error) return error;
  }
  for (unsigned long b = first; b < first + count; ++b) {
#if KERNEL_VERSION >= 6000
    struct memory_group *group = blocks[b].group;
    if (group) list_del(&blocks[b].group_next);
    /* The driver unregisters the group with the device; the slot is looked up only then. */
    for (int id = 0; group && list_empty(&group->memory_blocks) && id < MAX_GROUPS; ++id)
      if (memory_groups.slots[id] == group) {
        memory_group_unregister(id);
        group = NULL;
      }
#endif
    block_exists[b] = false;
    const unsigned long start = b * pages_per_block;
    set_sections(section_present, start, start + pages_per_block, false);
    set_sections(section_early, start, start + pages_per_block, false);
    for (unsigned long pfn = start; pfn < start + pages_per_block; pfn += PAGES_PER_CHUNK)
      pfn_to_page(pfn)->ram = false;
  }
  return 0;
}

static void ks_auto_online(unsigned long first, unsigned long count) {
  if (default_online_type == MMOP_OFFLINE) return;
  enum mmop type = default_online_type;
  for (unsigned long b = first; b < first + count; ++b)
    if (online_memory_block(&blocks[b], &type)) return;
}

static int ks_write_state(unsigned long block, const char *word) {
  if (block >= NR_SECTIONS || !block_exists[block]) return -ENOENT;
  const ssize_t written = state_store(&blocks[block].dev, NULL, word, strlen(word));
  return written < 0 ? (int)written : 0;
}

/* online_store() of drivers/base/core.c: that there is nothing to do is no error. */
static int ks_write_online(unsigned long block, int value) {
  if (block >= NR_SECTIONS || !block_exists[block]) return -ENOENT;
  const int error = value ? device_online(&blocks[block].dev) : device_offline(&blocks[block].dev);
  return error < 0 ? error : 0;
}

static int ks_set(const char *name, const char *value) {
  if (!strcmp(name, "auto_online_blocks")) {
#if KERNEL_VERSION >= 6000
    const int type = mhp_online_type_from_str(value);
#else
    const int type = memhp_online_type_from_str(value);
#endif
    if (type < 0) return -EINVAL;
    default_online_type = type;
    return 0;
  }
#if KERNEL_VERSION >= 6000
  struct kernel_param parameter = {NULL};
  if (!strcmp(name, "online_policy")) {
    parameter.arg = &online_policy;
    return set_online_policy(value, &parameter);
  }
  if (!strcmp(name, "auto_movable_ratio")) return kstrtouint(value, 0, &auto_movable_ratio);
  if (!strcmp(name, "auto_movable_numa_aware")) {
    parameter.arg = &auto_movable_numa_aware;
    return param_set_bool(value, &parameter);
  }
#endif
  return -ENOENT;
}

static int ks_valid_zones(unsigned long block, char *buf) {
  if (!block_exists[block]) return 0;
  int length = (int)valid_zones_show(&blocks[block].dev, NULL, buf);
  if (length > 0 && buf[length - 1] == '\n') buf[--length] = '\0';
  return length;
}

static int ks_block(unsigned long block, struct ks_block *out) {
  if (block >= NR_SECTIONS || !block_exists[block]) return 0;
  *out = (struct ks_block){blocks[block].state == MEM_ONLINE, blocks[block].nid, 0, 0};
  const unsigned long start = block * pages_per_block;
  unsigned long ram = 0;
  walk_system_ram_range(start, pages_per_block, &ram, count_system_ram_pages_cb);
  out->holes = ram != pages_per_block;
  // As the links in the block's directory: to each node with boot memory in it, of which the lowest counts.
  int lowest = -1;
  for (int r = 0; r < region_count; ++r) {
    const unsigned long first = regions[r].begin > start ? regions[r].begin : start;
    if (regions[r].end <= start || first >= start + pages_per_block || !section_early[pfn_to_section_nr(first)]) continue;
    if (lowest >= 0 && regions[r].nid != lowest) out->several_nodes = 1;
    if (lowest < 0 || regions[r].nid < lowest) lowest = regions[r].nid;
  }
  if (out->several_nodes) out->nid = lowest;
  return 1;
}

static void ks_zone(int nid, int zone, struct ks_zone *out) {
  const struct zone *from = &nodes[nid].node_zones[zone];
  *out = (struct ks_zone){from->zone_start_pfn, from->spanned_pages, from->present_pages,
                          from->present_early_pages, from->cma_pages};
}

static void ks_node(int nid, struct ks_node *out) {
  *out = (struct ks_node){nodes[nid].node_start_pfn, nodes[nid].node_spanned_pages, nodes[nid].node_present_pages};
}

static unsigned long ks_movable_start(int nid) { return zone_movable_pfn[nid]; }

static int ks_parse_core(const char *value, unsigned long *pages, unsigned long *percent) {
  char text[64];
  strncpy(text, value, sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  *pages = *percent = 0;
  return cmdline_parse_core(text, pages, percent);
}

static int ks_supports_memmap(unsigned long block_pages, unsigned long device_blocks) {
#if KERNEL_VERSION >= 6000
  const unsigned long before = pages_per_block;
  pages_per_block = block_pages;
#if KERNEL_VERSION >= 6012
  memmap_mode = 1;
  const int answer = mhp_supports_memmap_on_memory();
#else
  memmap_on_memory = true;
  const int answer = mhp_supports_memmap_on_memory((block_pages * device_blocks) << PAGE_SHIFT);
#endif
  pages_per_block = before;
  return answer;
#else
  return -1;
#endif
}

const struct ks_api *ks_kernel(void) {
  static const struct ks_api api = {
      .boot = ks_boot, .cma = ks_cma, .group = ks_group, .add = ks_add, .remove = ks_remove, .auto_online = ks_auto_online,
      .write_state = ks_write_state, .write_online = ks_write_online, .set = ks_set, .valid_zones = ks_valid_zones, .block = ks_block,
      .zone = ks_zone, .node = ks_node, .movable_start = ks_movable_start, .parse_core = ks_parse_core,
      .supports_memmap = ks_supports_memmap, .version = KERNEL_NAME};
  return &api;
}
