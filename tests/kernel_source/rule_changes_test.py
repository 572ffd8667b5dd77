#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests rule_changes on two tiny trees: what counts as a change of a function that a rule cites, and what does not."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from compare import Change, Comparison  # noqa: E402
from ctext import Tree  # noqa: E402
from rule_changes_cases import NEW, OLD, RULES  # noqa: E402


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


class Trees(unittest.TestCase):
    """Two trees, and a page with rules."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.old = write(self.root / "old", OLD)
        self.new = write(self.root / "new", NEW)

    def page(self, *options: str) -> str:
        """What rule_changes prints."""
        (self.root / "rules.md").write_text(RULES, encoding="utf-8")
        command = [sys.executable, str(HERE / "rule_changes"), "--rules", str(self.root / "rules.md"), *options]
        return subprocess.run([*command, str(self.old), str(self.new)], check=True, text=True,
                              capture_output=True).stdout


class Definitions(Trees):
    """One definition in both trees."""

    def change(self, name: str, file: str = "mm/memory_hotplug.c") -> Change:
        return Comparison(Tree(self.old), Tree(self.new), RULES).change(name, (file,))

    def test_comments_space_attributes_and_braces_do_not_count(self) -> None:
        self.assertEqual(self.change("only_comments").kind, "unchanged")

    def test_a_statement_that_differs_counts(self) -> None:
        change = self.change("changed")
        self.assertEqual(change.kind, "changed")
        self.assertIn("-if (nr > 1)", change.diff)
        self.assertIn("+if (nr > 2)", change.diff)

    def test_another_constant_of_both_trees_is_not_a_new_name(self) -> None:
        self.assertEqual(self.change("other_zone").kind, "changed")

    def test_logs_locks_and_local_names_are_harmless(self) -> None:
        for name, why in (("logs", "only log texts"), ("locks", "only locks"), ("names", "only names: ret → err")):
            with self.subTest(name):
                change = self.change(name)
                self.assertEqual((change.kind, change.notes), ("harmless", [why]))

    def test_an_int_that_becomes_long_counts(self) -> None:
        self.assertEqual(self.change("types").kind, "changed")

    def test_a_function_is_found_in_another_file(self) -> None:
        change = self.change("moved", "mm/mm_init.c")
        self.assertEqual((change.kind, change.notes), ("unchanged", ["moved from mm/page_alloc.c"]))

    def test_a_function_is_found_under_another_name(self) -> None:
        change = self.change("old_name")
        self.assertEqual((change.kind, change.notes), ("unchanged", ["renamed from old_name"]))

    def test_gone_new_absent_and_not_kept(self) -> None:
        for name, file, kind in (("gone", "mm/memory_hotplug.c", "gone"), ("added", "mm/memory_hotplug.c", "new"),
                                 ("never", "mm/memory_hotplug.c", "absent"), ("never", "kernel/fork.c", "not kept")):
            with self.subTest(kind):
                self.assertEqual(self.change(name, file).kind, kind)

    def test_of_texts_only_those_that_rules_name_count(self) -> None:
        self.assertEqual(self.change("plain_text", "mm/vmstat.c").kind, "harmless")
        self.assertEqual(self.change("vmstat_text", "mm/vmstat.c").diff, ["+swap_ra"])

    def test_a_function_of_a_macro_is_found(self) -> None:
        self.assertEqual(self.change("param_set_uint", "kernel/params.c").kind, "changed")


class Page(Trees):
    """The page as a whole."""

    def test_a_change_names_its_rule_and_test(self) -> None:
        page = self.page()
        self.assertIn("Linux 6.1 → 6.12: 3 cited functions: 1 changed, 1 gone, 1 unchanged\n", page)
        self.assertIn("changed: mm/memory_hotplug.c changed\n  rule 1.1: The kernel counts blocks.\n"
                      '    tests/a_test.cpp "counts: blocks"\n', page)

    def test_a_rule_of_other_versions_is_left_out(self) -> None:
        self.assertNotIn("rule 1.3", self.page())

    def test_a_rule_that_ends_says_so(self) -> None:
        self.assertIn("rule 1.2 (ends with 6.5): ", self.page())

    def test_new_attributes_and_parameters_are_found(self) -> None:
        page = self.page()
        self.assertIn("  + attribute `state`, drivers/dax/kmem.c\n", page)
        self.assertIn("  - module parameter `old_policy`, mm/memory_hotplug.c\n", page)
        self.assertNotIn("`kept", page)

    def test_the_differential_run_is_judged(self) -> None:
        self.assertTrue(self.page().endswith("Differential run: not run (./dev test kernel-source)\n"))
        results = self.root / "results"
        results.write_text("Linux 6.1: 5000272 operations, no difference, 10.7 s\n"
                           "Linux 6.12: 17 operations, 1 difference, 0.1 s\n", encoding="utf-8")
        self.assertTrue(self.page("--differential", str(results)).endswith(
            "Differential run: 6.1 agrees (5000272 operations, no difference, 10.7 s); "
            "6.12 DIFFERS (17 operations, 1 difference, 0.1 s)\n"))

    def test_a_wrong_version_is_an_error_of_usage(self) -> None:
        result = subprocess.run([sys.executable, str(HERE / "rule_changes"), "2.4", str(self.new)], check=False,
                                text=True, capture_output=True)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("`2.4` is not a directory", result.stderr)


if __name__ == "__main__":
    unittest.main()
