# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: cockpit_texts.py SOURCE: what can be told of the page `Memory` from its sources. Each translation
has all of its texts, and no other; its placeholders are the text's own. Nothing in the page is inline, which
Cockpit forbids. It speaks to org.memonline1 and to nothing else, and changes things by one way alone."""
import json
import pathlib
import re
import sys


def scripts_of(directory: pathlib.Path) -> dict[str, str]:
    """The page's own scripts, without comments: the text below is about what they do."""
    return {path.name: re.sub(r"/\*.*?\*/|^\s*//.*?$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
            for path in sorted(directory.glob("*.js")) if not path.name.startswith("po.")}


def texts_of(directory: pathlib.Path) -> set[str]:
    """What the page and its place in the menu say, as it stands in their sources."""
    found: set[str] = set()
    for source in scripts_of(directory).values():
        found.update(re.findall(r'\b_\(\s*"([^"]+)"\s*\)', source))
        for one, many in re.findall(r'ngettext\("([^"]+)", "([^"]+)"', source):
            found.update((one, many))
    page = (directory / "index.html").read_text()
    found.update(text.strip() for text in re.findall(r'translate="yes">([^<]+)', page))
    return found | menu_of(directory)[0]


def menu_of(directory: pathlib.Path) -> tuple[set[str], set[str]]:
    """The names in Cockpit's menu, and the words to find them by."""
    entries = json.loads((directory / "manifest.json").read_text())["menu"].values()
    return ({entry["label"] for entry in entries},
            {word for entry in entries for keywords in entry["keywords"] for word in keywords["matches"]})


def translation_of(path: pathlib.Path) -> dict[str, list[str]]:
    """What po.LANG.js says, without its header."""
    body = re.fullmatch(r'(?://.*\n)*cockpit\.locale\(\{\n  "": \{\n(?:    .*\n)+?  \},\n(.*)\}\);\n',
                        path.read_text(), re.DOTALL)
    assert body, f"{path} is not written as translations are"
    return json.loads("{" + body[1] + "}")


def check_translations(directory: pathlib.Path) -> int:
    """Each is whole, that of the menu too; how many there are."""
    texts = texts_of(directory)
    assert len(texts) > 60, texts
    labels, keywords = menu_of(directory)
    translations = sorted(path for path in directory.glob("po.*.js") if path.name.count(".") == 2)
    assert translations
    for path in translations:
        said = translation_of(path)
        known = set(said) | {plural for plural, *_ in said.values() if plural}
        assert known == texts, (path.name, "missing", texts - known, "not used", known - texts)
        for text, (_, *words) in said.items():
            for word in words:
                assert sorted(re.findall(r"\$\d", word)) == sorted(re.findall(r"\$\d", text)), (path.name, text)
        menu = translation_of(path.with_name(path.name.replace("po.", "po.manifest.", 1)))
        assert labels <= set(menu) <= labels | keywords, (path.name, menu)
        assert all(menu[label] == said[label] for label in labels), "the page is called as it is in the menu"
    return len(translations)


def check_reach(scripts: dict[str, str]) -> None:
    """Only the one service is spoken to, in one file: to read as who is logged in, to change with
    administrative access where there is some."""
    for name, source in scripts.items():
        other = re.search(r"cockpit\s*\.\s*(spawn|script|file|http|channel|transport|permission)\b|\bfetch\s*\(|"
                          r"\b(XMLHttpRequest|WebSocket|EventSource|sendBeacon|Worker)\b|\beval\s*\(|innerHTML|"
                          r"\bcockpit\s*\[", source)
        assert not other, f"{name}: `{other[0]}`"
        assert name == "service.js" or "dbus" not in source, f"{name} goes to the bus by itself"
        for imported in re.findall(r'(?:\bfrom|\bimport\b\s*\(?)\s*"([^"]+)"', source):
            assert imported.startswith("./") and imported[2:] in scripts, f"{name} imports {imported}"
    service = scripts["service.js"]
    assert re.findall(r'^const NAME = "(.*)";$', service, re.MULTILINE) == ["org.memonline1"]
    calls = re.findall(r"cockpit\.dbus\(([^)]*)\)", service)
    assert calls == ['NAME, { bus: "system" }', 'NAME, { bus: "system", superuser: "try" }'], calls
    assert len(re.findall(r"\bdbus\b", service)) == len(calls)

    # The first is the reader; the second is made in #change(), which all that changes something goes through.
    assert f"this.reader = cockpit.dbus({calls[0]})" in service
    assert service.index("async #change(") < service.index(f"cockpit.dbus({calls[1]})") < service.index("\n    policies()")
    readers = {"GetPolicies", "ListBlocks", "Explain", "Verify", "Check", "Plan"}
    assert '["SubmitPlan", plan.document] : ["Plan", plan.options]' in service and service.count("call(...") == 1
    changers = {"Apply", "Undo", "Confirm", "Cancel", "WriteBootParameters", "Reload"}
    assert set(re.findall(r'this\.#read\("(\w+)"', service)) == readers
    assert set(re.findall(r'\bcall\("(\w+)"', service)) == changers
    for line in service.splitlines():
        assert not re.search(r'\bcall\("', line) or "this.#change(" in line, line


def main() -> None:
    """Checks it all."""
    directory = pathlib.Path(sys.argv[1]) / "dbus/cockpit"
    translations = check_translations(directory)
    check_reach(scripts_of(directory))
    page = (directory / "index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", page), "inline script or style"
    assert set(re.findall(r'(?:src|href)="([^"]+)"', page)) == {
        "memonline.css", "../base1/cockpit.js", "po.js", "memonline.js"}
    assert not re.search(r"url\(|@import", (directory / "memonline.css").read_text()), "the style fetches something"
    print(f"{len(texts_of(directory))} texts, {translations} translations")


main()
