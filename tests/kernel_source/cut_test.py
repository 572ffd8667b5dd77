#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests how definitions are cut out of kernel sources: what is cut, and what is said of what does not fit."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cut  # noqa: E402
import extract  # noqa: E402
from mutants import MUTANTS  # noqa: E402

SOURCE = '''
/* int wanted(void) { in a comment } */
static const char *text = "int wanted(void) {";
enum {
\tFIRST = 0,
\tSECOND,
};
static unsigned int ratio __read_mostly = 301;
static const char * const names[] = {
\t[FIRST] = "first {",
};
struct pair { int a; struct { int b; } inner; };
#define STATE_ON (1<<0)
#define STATE_OFF (1<<1) /* off */
int wanted(void);
static int other(void) { return wanted() + '{'; }
static struct pair * __init
wanted(struct pair *one,
       const unsigned long count, int (*unused)[2])
{
\tif (count) { /* } */
\t\treturn one;
\t}
\treturn 0; // }
}
'''


class Extract(unittest.TestCase):
    """Definitions of a small file."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.tree = Path(scratch.name)
        (self.tree / "a.c").write_text(SOURCE, encoding="utf-8")

    def test_a_function_with_its_types_and_its_line(self) -> None:
        """Comments, strings, calls and declarations of the same name are no definition."""
        found = extract.function(self.tree, "a.c", "wanted")
        self.assertTrue(found.text.startswith("static struct pair * __init\nwanted("), found.text)
        self.assertTrue(found.text.endswith("return 0; // }\n}"), found.text)
        self.assertEqual(found.line, SOURCE[:SOURCE.index("static struct pair *")].count("\n") + 1)
        self.assertTrue(found.signature.startswith("struct pair * (struct pair *, const unsigned long,"),
                        found.signature)
        self.assertTrue(found.prototype().endswith(");\n"), found.prototype())

    def test_other_definitions(self) -> None:
        """Structs, enums, arrays, numbers and macros."""
        self.assertIn("inner; };", extract.aggregate(self.tree, "a.c", "struct", "pair").text)
        self.assertIn("FIRST = 0", extract.enumeration(self.tree, "a.c", "SECOND").text)
        self.assertTrue(extract.array(self.tree, "a.c", "names").text.endswith("};"))
        self.assertEqual(extract.number(self.tree, "a.c", "ratio").text, "static unsigned int ratio = 301;")
        self.assertEqual(extract.macros(self.tree, "a.c", "STATE_").text.count("#define"), 2)

    def test_what_is_missing_is_named(self) -> None:
        """A function that moved, and a file that is not there."""
        with self.assertRaisesRegex(extract.Moved, r"a\.c does not define gone\(\)"):
            extract.function(self.tree, "a.c", "gone")
        with self.assertRaisesRegex(extract.Moved, r"b\.c: No such file"):
            extract.function(self.tree, "b.c", "wanted")

    def test_all_that_does_not_fit_is_named(self) -> None:
        """Not only the first function, each with the version."""
        with self.assertRaises(extract.Moved) as raised:
            cut.definitions("6.12", self.tree)
        self.assertIn("Linux 6.12: zone_for_pfn_range: mm/memory_hotplug.c: No such file", str(raised.exception))
        self.assertIn("Linux 6.12: state_store: ", str(raised.exception))

    def test_other_types_are_named(self) -> None:
        """The shims fit only the types that functions.txt names."""
        for want in cut.wanted("6.12"):
            if want.kind == "function":
                path = self.tree / want.file
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"void {want.name}(short only)\n{{\n}}\n")
        with self.assertRaisesRegex(extract.Moved, r"state_store: its types are void \(short\); functions.txt"):
            cut.definitions("6.12", self.tree)


class Tables(unittest.TestCase):
    """functions.txt and mutants.py."""

    def test_versions(self) -> None:
        """A function stands in one file for each version."""
        files = {version: {want.name: want.file for want in cut.wanted(version)} for version in ("6.1", "6.12")}
        self.assertEqual(files["6.1"]["cmdline_parse_core"], "mm/page_alloc.c")
        self.assertEqual(files["6.12"]["cmdline_parse_core"], "mm/mm_init.c")

    def test_each_fault_changes_one_place(self) -> None:
        """Each fault's text must occur exactly once in its file."""
        model = Path(__file__).resolve().parents[2] / "compiler/kernel"
        for mutant in MUTANTS:
            with self.subTest(mutant.what):
                self.assertEqual((model / mutant.file).read_text(encoding="utf-8").count(mutant.old), 1)
        self.assertGreaterEqual(len(MUTANTS), 20)


if __name__ == "__main__":
    unittest.main()
