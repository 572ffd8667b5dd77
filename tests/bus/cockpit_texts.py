# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: cockpit_texts.py SOURCE: each translation of the page `Memory` has all of its texts, and no
other; its placeholders are the text's own. Nothing in the page is inline, which Cockpit forbids."""
import json
import pathlib
import re
import sys


def texts_of(directory: pathlib.Path) -> set[str]:
    """What the page says, as it stands in its sources."""
    found: set[str] = set()
    for path in directory.glob("*.js"):
        if path.name.startswith("po."):
            continue
        source = path.read_text()
        found.update(re.findall(r'\b_\(\s*"([^"]+)"\s*\)', source))
        for one, many in re.findall(r'ngettext\("([^"]+)", "([^"]+)"', source):
            found.update((one, many))
    page = (directory / "index.html").read_text()
    found.update(text.strip() for text in re.findall(r'translate="yes">([^<]+)', page))
    return found


def translation_of(path: pathlib.Path) -> dict[str, list[str]]:
    """What po.LANG.js says, without its header."""
    body = re.fullmatch(r'(?://.*\n)*cockpit\.locale\(\{\n  "": \{\n(?:    .*\n)+?  \},\n(.*)\}\);\n',
                        path.read_text(), re.DOTALL)
    assert body, f"{path} is not written as translations are"
    return json.loads("{" + body[1] + "}")


def main() -> None:
    """Checks them all."""
    directory = pathlib.Path(sys.argv[1]) / "dbus/cockpit"
    texts = texts_of(directory)
    assert len(texts) > 60, texts
    translations = sorted(directory.glob("po.*.js"))
    assert translations
    for path in translations:
        said = translation_of(path)
        known = set(said) | {plural for plural, *_ in said.values() if plural}
        assert known == texts, (path.name, "missing", texts - known, "not used", known - texts)
        for text, (_, *words) in said.items():
            for word in words:
                assert sorted(re.findall(r"\$\d", word)) == sorted(re.findall(r"\$\d", text)), (path.name, text)
    page = (directory / "index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", page), "inline script or style"
    print(f"{len(texts)} texts, {len(translations)} translations")


main()
