/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shims that need the kernel's own struct memory_block: the blocks, and the driver core around them. */
static unsigned long pages_per_block;
#define sections_per_block (pages_per_block / PAGES_PER_SECTION)
#define memory_block_size_bytes() (pages_per_block << PAGE_SHIFT)
#define to_memory_block(device) container_of(device, struct memory_block, dev)

static struct memory_block blocks[NR_SECTIONS];
static bool block_exists[NR_SECTIONS];

#if KERNEL_VERSION < 6000
struct memory_group { int nid; };
#endif
#if KERNEL_VERSION < 6012
enum mmop { MMOP_UNUSED };
#endif

static int memory_subsys_online(struct device *dev);
static int memory_subsys_offline(struct device *dev);

/* drivers/base/core.c: 1 if there is nothing to do. */
static int device_online(struct device *dev) {
  if (!dev->offline) return 1;
  const int error = memory_subsys_online(dev);
  if (!error) dev->offline = false;
  return error;
}
static int device_offline(struct device *dev) {
  if (dev->offline) return 1;
  const int error = memory_subsys_offline(dev);
  if (!error) dev->offline = true;
  return error;
}

static enum mmop default_online_type;
#define mhp_get_default_online_type() default_online_type
#define memhp_default_online_type default_online_type /* 5.10 */
#define mhp_default_online_type default_online_type   /* 6.1 */
