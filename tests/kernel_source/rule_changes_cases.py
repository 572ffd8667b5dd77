# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two tiny kernel trees and a page with rules, for rule_changes_test.py."""

_OLD_HOTPLUG = """
module_param(old_policy, int, 0644);
module_param(kept_policy, int, 0644);

static int __ref only_comments(int nid)
{
	/* a comment { */
	if (nid)
		return fn("a" "b");
	return 0;
}

static int changed(int nr)
{
	if (nr > 1)
		return -EINVAL;
	return 0;
}

int other_zone(void) { return ZONE_NORMAL; }

void logs(void)
{
	pr_info("old\\n");
	work();
}

void locks(void)
{
	mutex_lock(&lock);
	work();
	mutex_unlock(&lock);
}

int names(int nid)
{
	int ret;

	ret = work(nid);
	return ret;
}

void types(void)
{
	int pfn;

	pfn = work();
}

int old_name(int nid)
{
	if (nid == NUMA_NO_NODE)
		return work(nid);
	return other_work(nid, ZONE_MOVABLE);
}

int gone(void) { return ZONE_MOVABLE + ZONE_NORMAL; }
"""

_NEW_HOTPLUG = """
module_param(kept_policy, int, 0644);

int only_comments(int nid)
{
	if (nid) {
		return fn("ab"); // another } comment
	}
	return 0;
}

static int changed(int nr)
{
	if (nr > 2)
		return -EINVAL;
	return 0;
}

int other_zone(void) { return ZONE_MOVABLE; }

void logs(void)
{
	pr_info("new: %d\\n", 1);
	work();
}

void locks(void)
{
	lockdep_assert_held(&lock);
	work();
}

int names(int nid)
{
	int err;

	err = work(nid);
	return err;
}

void types(void)
{
	unsigned long pfn;

	pfn = work();
}

int new_name(int nid)
{
	if (nid == NUMA_NO_NODE)
		return work(nid);
	return other_work(nid, ZONE_MOVABLE);
}

void added(struct page *page, unsigned long flags)
{
	while (flags--)
		put_page(page++);
}
"""

_MOVED = """
void moved(void)
{
	work(ZONE_NORMAL);
}
"""

_PARAMS = """
#define STANDARD_PARAM_DEF(name, type, format, strtolfn)		\\
	int param_set_##name(const char *val)				\\
	{								\\
		return strtolfn(val, %s, (type *)kp->arg);		\\
	}
STANDARD_PARAM_DEF(uint, unsigned int, "%%u", kstrtouint);
"""

_MAKEFILE = "VERSION = 6\nPATCHLEVEL = {}\n"

OLD = {
    "Makefile": _MAKEFILE.format(1),
    "mm/memory_hotplug.c": _OLD_HOTPLUG,
    "mm/mm_init.c": "",
    "mm/page_alloc.c": _MOVED,
    "mm/vmstat.c": 'const char *plain_text[] = {\n\t"one",\n};\nconst char *vmstat_text[] = {\n\t"one",\n};\n',
    "kernel/params.c": _PARAMS % 0,
    "drivers/base/memory.c": "static DEVICE_ATTR_RW(state);\nstatic DEVICE_ATTR_RO(kept);\n",
    "drivers/dax/kmem.c": "",
}
NEW = {
    "Makefile": _MAKEFILE.format(12),
    "mm/memory_hotplug.c": _NEW_HOTPLUG,
    "mm/mm_init.c": _MOVED,
    "mm/page_alloc.c": "",
    "mm/vmstat.c": 'const char *plain_text[] = {\n\t[I(TWO)] = "two",\n\t[I(ONE)] = "one",\n};\n'
                   'const char *vmstat_text[] = {\n\t"one",\n\t"two",\n\t"swap_ra",\n};\n',
    "kernel/params.c": _PARAMS % 10,
    "drivers/base/memory.c": "static DEVICE_ATTR_RW(state);\nstatic DEVICE_ATTR_RO(kept);\n",
    "drivers/dax/kmem.c": "static DEVICE_ATTR_RW(state);\n",
}

RULES = """# Rules

- **1.1** The kernel counts blocks. Two are too many; `swap_ra` proves it.
  Kernel: `mm/memory_hotplug.c` `changed`, 4.14–; `mm/mm_init.c`
  `moved`, ~5.0–.
  Test: `tests/a_test.cpp` "counts: blocks".
- **1.2** A block of two zones is not offlined.
  Kernel: `mm/memory_hotplug.c` `gone`, ~3.18 to 6.5.
  Test: `tests/a_test.cpp` "offline: two zones", `tests/b_test.py`
  "test_two_zones".
- **1.3** The kernel was older.
  Kernel: `mm/memory_hotplug.c` `names`, 3.10 to 4.12.
  Test: `tests/a_test.cpp` "old".
"""
