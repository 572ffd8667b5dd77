# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares one definition in two kernels: unchanged, changed without effect, changed, moved, renamed, gone or new.

What does not count as a change of behavior is listed in rule_changes; each has a function or a pattern here.
"""
import difflib
import re
from dataclasses import dataclass, field

from ctext import DECLARATION, Item, Statement, Tree, statements

# Whole statements that only report, or only serialize or notify.
_LOG = re.compile(r"(pr_|dev_(err|warn|info|dbg|notice)|printk|WARN|VM_WARN|VM_BUG_ON|trace_|dump_page)\w*\s*\(.*\);$")
_LOCKS = re.compile(
    r"((raw_)?(spin|read|write|mutex|zone_span_(read|write))_?(un)?(try)?lock\w*|(down|up)_(read|write)\w*"
    r"|mem_hotplug_(begin|done)|(get|put)_online_mems|cpus_read_(un)?lock|(un)?lock_device_hotplug"
    r"|rcu_read_(un)?lock|lockdep_\w+|might_sleep|cond_resched|guard|scoped_guard)\s*\(.*\);?$")
_NOTIFIERS = re.compile(r"((ret|rc) = )?(memory_notify|node_notify|notifier_to_errno)\s*\(.*\);$"
                        r"|struct (memory|node)_notify \w+( = \{.*\})?;$|(mem|node)_arg\.\w+ = .*;$|arg\.\w+ = .*;$")
_SAME_TEXT = {"sprintf": "sysfs_emit", "scnprintf": "sysfs_emit", "roundup": "round_up"}
SIMILAR = 0.6  # from this similarity on, a definition of another name is the same one, renamed


@dataclass
class Change:
    """How a definition differs between two kernels."""

    kind: str  # "unchanged", "harmless", "changed", "gone", "new", "absent" (in both), "not kept"
    old: Item | None = None
    new: Item | None = None
    notes: list[str] = field(default_factory=list)  # "moved from …", "renamed from …", "only log texts"
    diff: list[str] = field(default_factory=list)


class Comparison:
    """Two trees, and what is known about names that only one of them has."""

    def __init__(self, old: Tree, new: Tree, named: str = "") -> None:
        self.old = old
        self.new = new
        self.named = frozenset(re.findall(r"`([^`\n]+)`", named))  # words that rules quote

    def change(self, name: str, files: tuple[str, ...], aliases: tuple[str, ...] = ()) -> Change:
        """How `name` changed; it is expected in one of `files`, or under one of `aliases`."""
        old, new = (self._find(tree, name, files, aliases) for tree in (self.old, self.new))
        if not old and not new:
            kept = any(file in tree.texts for tree in (self.old, self.new) for file in files)
            return Change("absent" if kept else "not kept")
        notes: list[str] = []
        if old and not new:
            new = self._renamed(old, self.old, self.new)
        elif new and not old:
            old = self._renamed(new, self.new, self.old)
        if not old or not new:
            return Change("gone" if old else "new", old, new)
        if old.file != new.file:
            notes.append(f"moved from {old.file}")
        if old.name != new.name:
            notes.append(f"renamed from {old.name}")
        return self._compared(old, new, notes)

    def _find(self, tree: Tree, name: str, files: tuple[str, ...], aliases: tuple[str, ...]) -> Item | None:
        found = tree.find(name, files)
        for alias in aliases:
            found = found or tree.find(alias, files, anywhere=False)
        return found

    def _renamed(self, item: Item, source: Tree, target: Tree) -> Item | None:
        """The definition of `target` that is most like `item`, among those that `source` lacks in that file."""
        words = _words(statements(item.text))
        best, best_ratio = None, SIMILAR
        for name, other in target.items(item.file).items():
            if name in source.items(item.file) or not 0.5 <= (len(other.text) + 1) / (len(item.text) + 1) <= 2:
                continue
            matcher = difflib.SequenceMatcher(None, words, _words(statements(other.text)), autojunk=False)
            if matcher.quick_ratio() > best_ratio and matcher.ratio() > best_ratio:
                best, best_ratio = other, matcher.ratio()
        return best

    def _compared(self, old: Item, new: Item, notes: list[str]) -> Change:
        before, after = statements(old.text), statements(new.text)
        if _keys(_rename(before, {old.name: new.name})) == _keys(after):
            return Change("unchanged", old, new, notes)
        if '"' in old.text and re.match(r"[^({;]*\[[^({;]*=\s*\{", old.text):
            return self._texts(old, new, notes)
        moved = self._renamed(old, self.old, self.new) if _ratio(before, after) < SIMILAR else None
        if moved and moved.name != new.name and _ratio(before, statements(moved.text)) > _ratio(before, after):
            body = self._compared(old, moved, notes)
            return Change("changed", old, new, [*body.notes, f"most of it is now in {moved.name}"], body.diff)
        names = {**self._renames(before, after), old.name: new.name}
        renamed = _rename(before, names)
        effects = _effects(renamed, after)
        changed_names = {was: now for was, now in names.items() if was != now and was not in (old.name, new.name)}
        if changed_names and renamed != before:
            effects.reasons.append("names: " + ", ".join(f"{was} → {now}" for was, now in changed_names.items()))
        if effects.real:
            return Change("changed", old, new, notes, effects.diff)
        return Change("harmless", old, new, [*notes, "only " + "; ".join(effects.reasons or ["form"])])

    def _texts(self, old: Item, new: Item, notes: list[str]) -> Change:
        """An array of texts: only the entries that a rule names count, wherever they are in it."""
        before, after = (re.findall(r'"((?:\\.|[^"\\])*)"', item.text) for item in (old, new))
        removed = [text for text in before if text not in after]
        added = [text for text in after if text not in before]
        lines = [f"-{text}" for text in removed] + [f"+{text}" for text in added]
        named = [line for line in lines if line[1:] in self.named]
        if named:
            return Change("changed", old, new, [*notes, f"of {len(lines)} entries a rule names these"], named)
        if not lines:
            return Change("unchanged", old, new, notes)
        return Change("harmless", old, new, [*notes, "only entries that no rule names: " + " ".join(lines)])

    def _renames(self, before: tuple[Statement, ...], after: tuple[Statement, ...]) -> dict[str, str]:
        """Identifiers that one definition has in place of another: local names, and names the trees do not share."""
        pairs: dict[str, set[str]] = {}
        old, new = _words(before), _words(after)
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag == "replace" and i2 - i1 == j2 - j1:
                for was, now in zip(old[i1:i2], new[j1:j2]):
                    pairs.setdefault(was, set()).add(now)
        single = {was: next(iter(now)) for was, now in pairs.items() if len(now) == 1}
        targets = list(single.values())
        old_locals, new_locals = _locals(before), _locals(after)
        return {was: now for was, now in single.items() if targets.count(now) == 1 and re.match(r"[A-Za-z_]", was)
                and re.match(r"[A-Za-z_]", now) and was not in new and now not in old
                and ((was in old_locals and now in new_locals)
                     or self._same_elsewhere(was, now, old[old.index(was) + 1:][:1] == ["("]))}

    def _same_elsewhere(self, was: str, now: str, called: bool) -> bool:
        """Whether the trees have one of the names each, and define it with the same text, if it is a function."""
        wrapper = self.old.find(was, (), headers=True) if now in self.old.words and was in now else None
        if wrapper and re.search(rf"\{{\s*return {now}\(\w+(, \w+)*\);\s*\}}$", wrapper.text):
            return True
        if was in self.new.words or now in self.old.words:
            return False
        old, new = self.old.find(was, ()), self.new.find(now, ())
        if not old or not new:
            return not old and not new and not called
        return _keys(_rename(statements(old.text), {was: now})) == _keys(statements(new.text))


@dataclass
class _Effects:
    real: bool
    reasons: list[str]
    diff: list[str]


def _effects(before: tuple[Statement, ...], after: tuple[Statement, ...]) -> _Effects:
    """Which statements differ, and whether one of them does more than log, lock or declare."""
    removed = _without(before, after)
    added = _without(after, before)
    removed, added, grown = _without_grown(removed, added)
    types = _declared(removed) & _declared(added)
    reasons = ["output that only grew"] if grown else []
    real = False
    for text in [*removed, *added]:
        reason = _reason(text, types)
        real = real or not reason
        if reason and reason not in reasons:
            reasons.append(reason)
    if not removed and not added and _keys(before) != _keys(after):
        ordered = [[part for part in texts if part.text not in grown and not _reason(part.text, set())]
                   for texts in (before, after)]
        real = _keys(ordered[0]) != _keys(ordered[1])
        reasons += [] if grown else ["order of declarations, locks or logs"]
    lines = difflib.unified_diff([part.text for part in before], [part.text for part in after], n=1, lineterm="")
    return _Effects(real, reasons, [line for line in list(lines)[2:] if not line.startswith("@@")
                                    and (line[0] == " " or (line[1:] not in grown and not _reason(line[1:], types)))])


def _without_grown(removed: list[str], added: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Leaves out each seq_printf() whose words another one still has, in their order; those are the third list."""
    removed, added, grown = list(removed), list(added), []
    for was in [text for text in removed if text.startswith("seq_printf")]:
        for grew in [text for text in added if text.startswith("seq_printf")]:
            rest = iter(re.findall(r"\w+", grew))
            if was in removed and all(word in rest for word in re.findall(r"\w+", was)):
                removed.remove(was)
                added.remove(grew)
                grown += [was, grew]
    return removed, added, grown


def _reason(text: str, retyped: set[str]) -> str:
    """Why a changed statement does not count; empty if it does."""
    declared = DECLARATION.match(text)
    if declared and not declared["value"]:
        return "" if declared["name"] in retyped else "declarations"
    if _LOG.match(text):
        return "log texts"
    if _LOCKS.match(text):
        return "locks"
    return "notifiers" if _NOTIFIERS.match(text) else ""


def _declared(texts: list[str]) -> set[str]:
    return {match["name"] for text in texts if (match := DECLARATION.match(text)) and not match["value"]}


def _without(these: tuple[Statement, ...], those: tuple[Statement, ...]) -> list[str]:
    """The texts of `these` that `those` lack, as often as they do."""
    rest = [_key(part) for part in those]
    missing: list[str] = []
    for part in these:
        if _key(part) in rest:
            rest.remove(_key(part))
        else:
            missing.append(part.text)
    return missing


def _key(part: Statement) -> tuple[str, ...]:
    return tuple(_SAME_TEXT.get(token, token) for token in part.tokens)


def _keys(parts: tuple[Statement, ...] | list[Statement]) -> list[tuple[str, ...]]:
    return [_key(part) for part in parts]


def _words(parts: tuple[Statement, ...]) -> list[str]:
    return [token for part in parts for token in part.tokens]


def _ratio(these: tuple[Statement, ...], those: tuple[Statement, ...]) -> float:
    return difflib.SequenceMatcher(None, _words(these), _words(those), autojunk=False).ratio()


def _rename(parts: tuple[Statement, ...], names: dict[str, str]) -> tuple[Statement, ...]:
    def word(token: str) -> str:
        return names.get(token, token)
    return tuple(Statement(tuple(map(word, part.tokens)), re.sub(r"\w+", lambda found: word(found[0]), part.text))
                 for part in parts)


def _locals(parts: tuple[Statement, ...]) -> set[str]:
    """Parameters, and variables that are declared in the definition; also labels."""
    names = set(re.findall(r"(\w+)(?=[,)])", parts[0].text)) if parts else set()
    for part in parts[1:]:
        declared = DECLARATION.match(part.text)
        if declared:
            names.add(declared["name"])
        if len(part.tokens) == 2 and part.tokens[1] == ":":
            names.add(part.tokens[0])
    return names
