/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the functions cut out of a kernel need around them: its types as far as they use them, and what they
 * call and does not decide (locks, notifiers, the page allocator) as nothing. The machine: 4 KiB pages,
 * sections of 128 MiB, four nodes, 64 GiB of addresses. All state is static: one kernel per process. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#ifndef EHWPOISON
#define EHWPOISON 133
#endif

typedef uint64_t u64;
typedef uint32_t u32;
typedef unsigned long phys_addr_t;
typedef unsigned int gfp_t;

/* --- the build: x86-64 as Debian configures it ---------------------------------------------------- */
#define CONFIG_NUMA 1
#define CONFIG_CMA 1
#define CONFIG_ZONE_DEVICE 1
#define CONFIG_MEMORY_HOTPLUG 1
#define CONFIG_MEMORY_HOTREMOVE 1
#define CONFIG_MHP_MEMMAP_ON_MEMORY 1
#define CONFIG_SPARSEMEM 1
#define CONFIG_SPARSEMEM_VMEMMAP 1
#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PMD_SIZE (1UL << 21)
#define PAGES_PER_SECTION 32768UL
#define PAGES_PER_SUBSECTION 512UL
#define MAX_ORDER_NR_PAGES 1024UL
#define pageblock_nr_pages 512UL
#define MAX_NUMNODES KS_NODES
#ifndef MAX_PFN
#define MAX_PFN (1UL << 24)
#endif
#define NR_SECTIONS (MAX_PFN / PAGES_PER_SECTION)
#ifndef PAGES_PER_CHUNK /* zones and nodes begin and end at such pages only */
#define PAGES_PER_CHUNK 256UL
#endif

#define noinline
#define __weak
#define fallthrough __attribute__((fallthrough))
#define __init
#define __ref
#define __meminit
#define __initdata_memblock
#define __read_mostly
#define EXPORT_SYMBOL_GPL(x)
#define READ_ONCE(x) (x)
#define likely(x) (x)
#define unlikely(x) (x)
#define WARN_ON(x) (x)
#define WARN_ON_ONCE(x) (x)
#define WARN(x, ...) (x)
#define BUG_ON(x) ((void)(x))
#define VM_BUG_ON(x) ((void)(x))
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define min(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define clamp(v, low, high) min(max(v, low), high)
#define roundup(x, y) ((((x) + (y) - 1) / (y)) * (y))
#define round_up(x, y) roundup(x, y)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define ALIGN(x, a) (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)
#define PFN_PHYS(x) ((phys_addr_t)(x) << PAGE_SHIFT)
#define PHYS_PFN(x) ((unsigned long)((x) >> PAGE_SHIFT))
#define SZ_4G 0x100000000UL
#define SECTION_ALIGN_UP(pfn) (((pfn) + PAGES_PER_SECTION - 1) & ~(PAGES_PER_SECTION - 1))
#define SECTION_ALIGN_DOWN(pfn) ((pfn) & ~(PAGES_PER_SECTION - 1))
#define pageblock_aligned(pfn) IS_ALIGNED((unsigned long)(pfn), pageblock_nr_pages)
#define pageblock_align(pfn) ALIGN((unsigned long)(pfn), pageblock_nr_pages)
#define is_power_of_2(n) ((n) != 0 && ((n) & ((n) - 1)) == 0)
#define pr_debug(...) ((void)0)
#define pr_info(...) ((void)0)
#define pr_warn(...) ((void)0)
#define pr_info_once(...) ((void)0)
#define printk(...) ((void)0)
#define KERN_DEBUG ""
#define KERN_WARNING ""

/* --- zones, nodes, pages, sections ---------------------------------------------------------------- */
enum zone_type { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, ZONE_MOVABLE, ZONE_DEVICE, __MAX_NR_ZONES };
#define MAX_NR_ZONES __MAX_NR_ZONES
#define NUMA_NO_NODE (-1)

struct pglist_data;
struct zone {
  struct pglist_data *zone_pgdat;
  unsigned long zone_start_pfn, spanned_pages, present_pages, present_early_pages, cma_pages;
  unsigned long nr_isolate_pageblock;
  const char *name;
  int lock;
};
typedef struct pglist_data {
  struct zone node_zones[MAX_NR_ZONES];
  int node_id;
  unsigned long node_start_pfn, node_present_pages, node_spanned_pages;
} pg_data_t;
static pg_data_t nodes[MAX_NUMNODES];
#define NODE_DATA(nid) (&nodes[nid])
#define zone_idx(zone) ((enum zone_type)((zone) - (zone)->zone_pgdat->node_zones))
#define for_each_populated_zone(zone)                                                     \
  for (int n_ = 0; n_ < MAX_NUMNODES; ++n_)                                               \
    for ((zone) = nodes[n_].node_zones; (zone) < nodes[n_].node_zones + MAX_NR_ZONES; ++(zone)) \
      if ((zone)->present_pages)
static inline int zone_to_nid(const struct zone *zone) { return zone->zone_pgdat->node_id; }

/* One for each chunk; the size is the kernel's, for the memory map's size depends on it. */
struct page {
  short zone, nid;
  bool ram;
} __attribute__((aligned(64)));
static struct page chunks[MAX_PFN / PAGES_PER_CHUNK];
static bool section_online[NR_SECTIONS], section_present[NR_SECTIONS], section_early[NR_SECTIONS];

#define pfn_to_page(pfn) (&chunks[(pfn) / PAGES_PER_CHUNK])
#define page_to_pfn(page) ((unsigned long)((page) - chunks) * PAGES_PER_CHUNK)
#define pfn_to_section_nr(pfn) ((unsigned long)(pfn) / PAGES_PER_SECTION)
#define section_nr_to_pfn(nr) ((unsigned long)(nr) * PAGES_PER_SECTION)
#define page_to_nid(page) ((page)->nid)
#define pfn_to_nid(pfn) page_to_nid(pfn_to_page(pfn))
#define page_zone(page) (&nodes[(page)->nid].node_zones[(page)->zone])
#define is_zone_movable_page(page) ((page)->zone == ZONE_MOVABLE)
#define pfn_valid_within(pfn) (1) /* x86-64 has no CONFIG_HOLES_IN_ZONE */
#define present_section_nr(nr) (section_present[nr])
#define __pfn_to_section(pfn) (&section_early[pfn_to_section_nr(pfn)])
#define early_section(section) (*(section))
static inline struct page *pfn_to_online_page(unsigned long pfn) {
  return section_online[pfn_to_section_nr(pfn)] ? pfn_to_page(pfn) : NULL;
}
static void set_sections(bool *which, unsigned long start, unsigned long end, bool value) {
  for (unsigned long nr = pfn_to_section_nr(start); nr < pfn_to_section_nr(end); ++nr) which[nr] = value;
}
#define online_mem_sections(start, end) set_sections(section_online, start, end, true)
#define offline_mem_sections(start, end) set_sections(section_online, start, end, false)
#define section_taint_zone_device(pfn) ((void)(pfn))

/* memmap_init_range(): whose each page is. */
static void own_pages(unsigned long start, unsigned long nr, int nid, int zone) {
  for (unsigned long c = start / PAGES_PER_CHUNK; c < (start + nr + PAGES_PER_CHUNK - 1) / PAGES_PER_CHUNK; ++c) {
    chunks[c].nid = (short)nid;
    chunks[c].zone = (short)zone;
  }
}
#define memmap_init_zone(nr, nid, zone, start, ...) own_pages(start, nr, nid, zone)
#define memmap_init_range(nr, nid, zone, start, ...) own_pages(start, nr, nid, zone)

/* Pages that are no RAM, in sections that are there. */
static void init_unavailable_range(unsigned long start, unsigned long end, int zone, int nid) {
  for (unsigned long pfn = start; pfn < end; pfn += PAGES_PER_CHUNK)
    if (section_present[pfn_to_section_nr(pfn)]) own_pages(pfn, PAGES_PER_CHUNK, nid, zone);
}

static int walk_system_ram_range(unsigned long start, unsigned long nr, void *arg,
                                 int (*func)(unsigned long, unsigned long, void *)) {
  for (unsigned long pfn = start; pfn < start + nr;) {
    unsigned long next = (pfn / PAGES_PER_CHUNK + 1) * PAGES_PER_CHUNK;
    if (next > start + nr) next = start + nr;
    if (pfn_to_page(pfn)->ram) func(pfn, next - pfn, arg);
    pfn = next;
  }
  return 0;
}

/* --- node states ---------------------------------------------------------------------------------- */
enum node_states { N_NORMAL_MEMORY, N_MEMORY, NR_NODE_STATES };
#define N_HIGH_MEMORY N_NORMAL_MEMORY
typedef struct { unsigned long bits; } nodemask_t;
static nodemask_t node_states[NR_NODE_STATES];
#define node_state(nid, state) ((node_states[state].bits >> (nid)) & 1UL)
#define node_set_state(nid, state) (node_states[state].bits |= 1UL << (nid))
#define node_clear_state(nid, state) (node_states[state].bits &= ~(1UL << (nid)))
#define nodes_weight(mask) __builtin_popcountl((mask).bits)
#define for_each_node_state(nid, state) \
  for ((nid) = 0; (nid) < MAX_NUMNODES; ++(nid)) if (node_state(nid, state))
#define node_possible(nid) ((nid) >= 0 && (nid) < MAX_NUMNODES)

/* --- memblock: the memory of boot ----------------------------------------------------------------- */
struct memblock_region { phys_addr_t base; unsigned long begin, end; int nid; bool hotpluggable; };
static struct memblock_region regions[64];
static int region_count;
static int next_region(int i, int nid) {
  for (++i; i < region_count; ++i)
    if (nid == MAX_NUMNODES || regions[i].nid == nid) return i;
  return -1;
}
static bool region_at(int i, unsigned long *start, unsigned long *end, int *nid) {
  if (i < 0) return false;
  if (start) *start = regions[i].begin;
  if (end) *end = regions[i].end;
  if (nid) *nid = regions[i].nid;
  return true;
}
#define for_each_mem_pfn_range(i, nid, start, end, p_nid) \
  for ((i) = next_region(-1, nid); region_at(i, start, end, p_nid); (i) = next_region(i, nid))
#define for_each_mem_region(r) for ((r) = regions; (r) < regions + region_count; ++(r))
#define memblock_is_hotpluggable(r) ((r)->hotpluggable)
#define memblock_is_mirror(r) (false)
#define memblock_has_mirror() (false)
#define is_kdump_kernel() (false)
#define memblock_get_region_node(r) ((r)->nid)
#define memblock_region_memory_base_pfn(r) ((r)->begin)
#define memblock_region_memory_end_pfn(r) ((r)->end)
static unsigned long arch_zone_lowest_possible_pfn[MAX_NR_ZONES], arch_zone_highest_possible_pfn[MAX_NR_ZONES];
static unsigned long zone_movable_pfn[MAX_NUMNODES];
static unsigned long required_kernelcore, required_kernelcore_percent;
static unsigned long required_movablecore, required_movablecore_percent;
static int movable_zone;
static bool mirrored_kernelcore, movable_node_enabled;
#define movable_node_is_enabled() (movable_node_enabled)

/* --- devices, lists, groups ----------------------------------------------------------------------- */
struct device { bool offline; };
struct device_attribute;
struct list_head { struct list_head *next, *prev; };
struct kernel_param { void *arg; };
struct vmem_altmap { unsigned long free, alloc; bool inaccessible; };
typedef struct { long counter; } atomic_long_t;
enum { NODE_ADDING_FIRST_MEMORY, NODE_ADDED_FIRST_MEMORY, NODE_CANCEL_ADDING_FIRST_MEMORY,
       NODE_REMOVING_LAST_MEMORY, NODE_REMOVED_LAST_MEMORY, NODE_CANCEL_REMOVING_LAST_MEMORY };
struct node_notify { int nid; };
enum meminit_context { MEMINIT_EARLY, MEMINIT_HOTPLUG };
#define INIT_LIST_HEAD(list) ((list)->next = (list)->prev = (list))
#define list_empty(list) ((list)->next == (list))
static inline void list_add(struct list_head *entry, struct list_head *head) {
  entry->next = head->next;
  entry->prev = head;
  head->next->prev = entry;
  head->next = entry;
}
static inline void list_del(struct list_head *entry) {
  entry->next->prev = entry->prev;
  entry->prev->next = entry->next;
}
enum { MAX_GROUPS = 256 };
struct memory_group;
static struct memory_groups { struct memory_group *slots[MAX_GROUPS]; bool dynamic[MAX_GROUPS]; } memory_groups;
#define MEMORY_GROUP_MARK_DYNAMIC 1
#define xa_limit_31b 0
#define GFP_KERNEL 0
#define kzalloc(size, flags) calloc(1, size)
#define kzalloc_obj(object) calloc(1, sizeof(object))
#define kfree(pointer) free(pointer)
static int take_slot(struct memory_groups *groups, uint32_t *id, struct memory_group *group) {
  for (uint32_t i = 0; i < MAX_GROUPS; ++i)
    if (!groups->slots[i]) {
      groups->slots[i] = group;
      groups->dynamic[i] = false;
      *id = i;
      return 0;
    }
  return -EBUSY;
}
#define xa_alloc(groups, id, group, limit, flags) take_slot(groups, id, group)
#define xa_set_mark(groups, id, mark) ((groups)->dynamic[id] = true)
#define xa_load(groups, id) ((id) >= 0 && (id) < MAX_GROUPS ? (groups)->slots[id] : NULL)
#define xa_erase(groups, id) ((groups)->slots[id] = NULL)
#define xa_for_each_marked(groups, index, group, mark)     \
  for ((index) = 0; (index) < MAX_GROUPS; ++(index))       \
    if (((group) = (groups)->slots[index]) && (groups)->dynamic[index])
typedef int (*walk_memory_groups_func_t)(struct memory_group *, void *);

/* --- what is called and does not decide ----------------------------------------------------------- */
#define mem_hotplug_begin() ((void)0)
#define mem_hotplug_done() ((void)0)
#define lock_device_hotplug_sysfs() (0)
#define unlock_device_hotplug() ((void)0)
#define spin_lock_irqsave(lock, flags) ((void)(lock), (void)(flags))
#define spin_unlock_irqrestore(lock, flags) ((void)(lock), (void)(flags))
#define pgdat_resize_lock(pgdat, flags) ((void)(pgdat), (void)(flags))
#define pgdat_resize_unlock(pgdat, flags) ((void)(pgdat), (void)(flags))
#define zone_span_writelock(zone) ((void)(zone))
#define zone_span_writeunlock(zone) ((void)(zone))
#define cond_resched() ((void)0)
#define page_init_poison(page, size) ((void)(page), (void)(size))
#define clear_zone_contiguous(zone) ((void)(zone))
#define set_zone_contiguous(zone) ((void)(zone))
#define init_currently_empty_zone(zone, start, size) ((void)((zone)->zone_start_pfn = (start)))
#define memory_notify(state, arg) ((void)(arg), 0)
#define node_notify(state, arg) ((void)(arg), 0)
#define notifier_to_errno(ret) (ret)
#define setup_zone_pageset(zone) ((void)(zone))
#define build_all_zonelists(pgdat) ((void)0)
#define zone_pcp_update(zone) ((void)(zone))
#define zone_pcp_reset(zone) ((void)(zone))
#define zone_pcp_enable(zone) ((void)(zone))
#define zone_pcp_disable(zone) ((void)(zone))
#define lru_cache_enable() ((void)0)
#define lru_cache_disable() ((void)0)
#define lru_add_drain_all() ((void)0)
#define drain_all_pages(zone) ((void)(zone))
#define shuffle_zone(zone) ((void)(zone))
#define init_per_zone_wmark_min() ((void)0)
#define kswapd_run(nid) ((void)(nid))
#define kswapd_stop(nid) ((void)(nid))
#define kcompactd_run(nid) ((void)(nid))
#define kcompactd_stop(nid) ((void)(nid))
#define writeback_set_ratelimit() ((void)0)
#define undo_isolate_page_range(...) ((void)0)
#define start_isolate_page_range(...) (0)
#define test_pages_isolated(...) (0)
#define dissolve_free_huge_pages(start, end) (0)
#define dissolve_free_hugetlb_folios(start, end) (0)
#define signal_pending(task) (false)
#define scan_movable_pages(start, end, pfn) ((void)(pfn), -ENOENT)
#define do_migrate_range(start, end) ((void)0)
#define adjust_managed_page_count(page, count) ((void)(page), (void)(count))
#define online_pages_range(pfn, nr) \
  set_sections(section_online, SECTION_ALIGN_DOWN(pfn), (pfn) + (nr), true)
static unsigned long __offline_isolated_pages(unsigned long start, unsigned long end) {
  set_sections(section_online, SECTION_ALIGN_DOWN(start), end, false);
  return end - start;
}
#define kasan_add_zero_shadow(start, size) (0)
#define kasan_remove_zero_shadow(start, size) ((void)0)
#define __va(x) ((void *)(x))
#define __ClearPageOffline(page) ((void)(page))
#define SetPageVmemmapSelfHosted(page) ((void)(page))
#define memblk_nr_poison(mem) (0UL)
enum migratetype { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, MIGRATE_ISOLATE };
#define kho_scratch_migratetype(start, type) (type) /* without CONFIG_KEXEC_HANDOVER */
enum { MEMORY_OFFLINE = 1, REPORT_FAILURE = 2, PB_ISOLATE_MODE_MEM_OFFLINE = 1 };
#define GFP_USER 0
#define __GFP_MOVABLE 0
#define __GFP_RETRY_MAYFAIL 0

/* --- sysfs and numbers ---------------------------------------------------------------------------- */
/* As sysfs_emit() for the formats that valid_zones_show() uses: text and %s. */
static int emit_at(char *buf, int at, const char *format, ...) {
  char *out = buf + at;
  va_list values;
  va_start(values, format);
  for (; *format; ++format) {
    if (format[0] == '%' && format[1] == 's') {
      for (const char *text = va_arg(values, const char *); *text; ++text) *out++ = *text;
      ++format;
    } else {
      *out++ = *format;
    }
  }
  va_end(values);
  *out = '\0';
  return (int)(out - buf) - at;
}
#define sysfs_emit(buf, ...) emit_at(buf, 0, __VA_ARGS__)
#define sysfs_emit_at(buf, at, ...) emit_at(buf, at, __VA_ARGS__)
/* Equal but for a newline at the end. */
static bool sysfs_streq(const char *a, const char *b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b || (!*a && b[0] == '\n' && !b[1]) || (!*b && a[0] == '\n' && !a[1]);
}
#define sysfs_match_string(words, text) match_words(words, ARRAY_SIZE(words), text)
static int match_words(const char *const *words, size_t count, const char *text) {
  for (size_t i = 0; i < count; ++i)
    if (sysfs_streq(words[i], text)) return (int)i;
  return -EINVAL;
}
#define _tolower(c) ((c) | 0x20)
#define isxdigit(c) (((c) >= '0' && (c) <= '9') || (_tolower(c) >= 'a' && _tolower(c) <= 'f'))
#define div_u64(a, b) ((a) / (b))
#define KSTRTOX_OVERFLOW (1U << 31)
#define simple_strtoull(text, end, base) strtoull(text, end, base)
#define strtobool(text, value) kstrtobool(text, value)
#define check_shl_overflow(value, shift, out) \
  ({ const unsigned long long v_ = (value); *(out) = v_ << (shift); *(out) >> (shift) != v_; })
#define check_add_overflow(a, b, out) __builtin_add_overflow(a, b, out)
#define check_mul_overflow(a, b, out) __builtin_mul_overflow(a, b, out)
#if KERNEL_VERSION >= 7003 /* a macro of lib/kstrtox.h */
#define _parse_integer(text, base, value) _parse_integer_limit(text, base, value, INT_MAX, 0)
#endif
