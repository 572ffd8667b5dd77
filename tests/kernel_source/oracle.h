/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a compiled kernel source answers: struct ks_api, from ks_kernel() of a shared object that `run` builds.
 * Page frames count pages of 4 KiB; errors are negative errno values, as in the kernel. */
#ifndef MEMONLINE_KERNEL_SOURCE_ORACLE_H
#define MEMONLINE_KERNEL_SOURCE_ORACLE_H

#ifdef __cplusplus
extern "C" {
#endif

enum { KS_NODES = 4, KS_ZONES = 5 }; /* DMA, DMA32, Normal, Movable, Device */

struct ks_region { /* boot memory, ascending, in whole chunks of 256 pages */
  unsigned long begin, end;
  int nid;
  int hotpluggable;
};

struct ks_zone {
  unsigned long start, spanned, present, early, cma;
};

struct ks_node {
  unsigned long start, spanned, present;
};

struct ks_block {
  int online, nid, several_nodes, holes;
};

struct ks_boot {
  const struct ks_region *regions;
  int count;
  const char *kernelcore, *movablecore; /* values of the parameters; null: not given */
  int movable_node;
  unsigned long block_pages;
};

struct ks_api {
  /* Starts anew, with the zones that the parameters give. */
  void (*boot)(const struct ks_boot *boot);
  /* Reserves pages of a zone for CMA, as cma_init_reserved_areas() counts them. */
  void (*cma)(int nid, int zone, unsigned long pages);
  /* A memory group: of one device (static: all its pages), or of virtio-mem (dynamic: pages of a unit).
   * Returns its number, or -1 where this kernel has no groups. */
  int (*group)(int nid, int dynamic, unsigned long pages);
  /* Adds offline blocks; each holds its own memory map if memmap is not 0. */
  int (*add)(unsigned long first, unsigned long count, int nid, int group, int memmap);
  int (*remove)(unsigned long first, unsigned long count);
  /* Onlines added blocks by auto_online_blocks, as add_memory_resource() does at its end. */
  void (*auto_online)(unsigned long first, unsigned long count);
  /* write(2) of `word` into `state`: 0 or the error. */
  int (*write_state)(unsigned long block, const char *word);
  /* The same for 0 or 1 into the attribute `online`. */
  int (*write_online)(unsigned long block, int value);
  /* A write to a kernel setting by its name; -ENOENT where this kernel does not have it. */
  int (*set)(const char *name, const char *value);
  /* Reads `valid_zones` into buf, without the newline; its length. */
  int (*valid_zones)(unsigned long block, char *buf);
  /* 0: no such block. */
  int (*block)(unsigned long block, struct ks_block *out);
  void (*zone)(int nid, int zone, struct ks_zone *out);
  void (*node)(int nid, struct ks_node *out);
  unsigned long (*movable_start)(int nid); /* zone_movable_pfn[] after boot */
  /* kernelcore= as the kernel parses it: pages, and the percentage. */
  int (*parse_core)(const char *value, unsigned long *pages, unsigned long *percent);
  /* mhp_supports_memmap_on_memory() for a device of so many blocks; -1 where this kernel has none. */
  int (*supports_memmap)(unsigned long block_pages, unsigned long blocks);
  const char *version;
};

const struct ks_api *ks_kernel(void);

#ifdef __cplusplus
}
#endif

#endif
