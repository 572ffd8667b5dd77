# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: cockpit_test.py MEMONLINED SOURCE [TEST]...: the page `Memory` in headless Chromium, by a real
cockpit-ws and bridge, on a bus of its own with the real polkitd and service. With $MEMONLINE_SCREENSHOTS
a directory, it keeps pictures there to be looked at."""
import json
import re
import sys
from typing import Any

from browser import MISSING, Page, session
from skip import skip

if MISSING:
    skip("cockpit_test", f"not installed: {', '.join(MISSING)}")

from world import Client, World, dbus, eventually, needs_polkit, run

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

HOST = "6.12-a1"  # 16 hot-plugged blocks of 128 MiB, offline
SHARES = "hotplugged: 75% movable, rest normal"


def bars(page: Page, picture: str) -> list[tuple[str, str, float]]:
    """Each run that is drawn: its blocks, its class, its width in pixels."""
    return page.driver.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} rect`)].map(rect =>"
        " [rect.dataset.blocks, rect.getAttribute('class'), rect.getBoundingClientRect().width])", picture)


def blocks_of(page: Page, picture: str) -> dict[str, str]:
    """Which blocks have which class."""
    return {blocks: kind for blocks, kind, _ in bars(page, picture)}


def listed(client: Client, **which: str) -> list:
    """The runs of blocks like that, as the service tells them."""
    return client.manager.ListBlocks(dbus.Dictionary(which, signature="sv"))


def settled_page(page: Page) -> None:
    """Waits until it has drawn the machine and its plan."""
    eventually(lambda: bars(page, "now") and page.text("#plan-summary"), "the page is drawn", 20)


def told_to_screen_readers(page: Page, *roles: str) -> None:
    """Whatever the keyboard reaches has a name, and so has something of each of these roles."""
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]

    def focusable(node: dict[str, Any]) -> bool:
        return any(each["name"] == "focusable" and each["value"]["value"] for each in node.get("properties", []))

    reached = [node for node in tree if not node.get("ignored") and focusable(node)
               and node["role"]["value"] != "RootWebArea"]
    # A dialog shuts off what is behind it: it and its two buttons are left.
    assert len(reached) == 3 if "dialog" in roles else len(reached) > 8, reached
    for node in reached:
        assert node.get("name", {}).get("value"), node
    for role in roles:
        named = [node for node in tree if not node.get("ignored") and node["role"]["value"] == role
                 and node.get("name", {}).get("value")]
        assert named, f"there is a {role}"


def beside(page: Page, width: int) -> bool:
    """Whether the plan's table stands beside the picture of before and after, on a page so wide; else it is below."""
    page.driver.set_window_size(width, 1000)
    pictures, table = page.one("#pictures").rect, page.one("#steps").rect
    assert page.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"), \
        f"nothing stands out at {width} pixels"
    if table["x"] < pictures["x"] + pictures["width"]:
        assert table["y"] >= pictures["y"] + pictures["height"], "one over the other"
        return False
    assert abs(table["y"] - pictures["y"]) < 40, "they begin together"
    return True


def shows_the_machine(w: World) -> None:
    """Memory to scale, and what the pointer and the keys tell of it."""
    w.start("6.12-c1", policy="node1: last 75% movable, rest normal\nnode0: keep\n")
    with session(w.source) as page:
        settled_page(page)
        page.shows("#state", "Differs from the policy")
        drawn = blocks_of(page, "now")
        assert (drawn["36-37"], drawn["38-39"], drawn["0-0"]) == ("offline", "movable", "several"), drawn
        assert drawn["40-40"] == "kernel drift", "blocks that differ from the policy are marked"
        widths = {blocks: width for blocks, _, width in bars(page, "now")}
        assert abs(widths["41-47"] / 7 - widths["40-40"]) < 0.5, "drawn to scale, within a row"
        assert abs(widths["41-47"] / 7 - widths["0-0"]) < 0.5, "and from row to row"
        assert "offline 256 MiB" in page.text("#legend")
        assert page.text("#nodes tbody tr").split("\t")[:3] == ["0", "1.25 GiB", "256 MiB"]
        assert "node1: last 75% movable" in page.one("#policy-text").get_attribute("value")
        last = page.one('#now rect[data-blocks="41-47"]')
        ActionChains(page.driver).move_to_element_with_offset(last, int(widths["41-47"] / 2) - 4, 0).perform()
        page.shows("#tip", "memory47: ")  # the block below the pointer, not the run
        page.shows("#tip", "`last 75% movable` (50-test.mempolicy:1:8)")
        page.driver.execute_script("document.querySelector('#now rect').focus()")
        page.shows("#tip", "memory0: ")
        page.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        page.shows("#tip", "memory1: ")
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        assert page.text("#tip") == ""
        told_to_screen_readers(page)
        page.picture("machine")
        complaints = page.complaints()
        assert not complaints, complaints


def checks_while_one_types(w: World) -> None:
    """The message below its line, the remedy at hand, no plan of what is wrong."""
    w.start(HOST, policy="hotplugged: keep\n")
    with session(w.source) as page:
        settled_page(page)
        page.write("# größer als ASCII\nhotplugged: 75% movabel, rest normal")
        page.shows("#diagnostics", "Error ML")
        wrong = page.one(".marks .wrong")
        assert page.driver.execute_script("return arguments[0].textContent", wrong) == "movabel"
        message = page.one(".marks .message")
        assert wrong.rect["y"] < message.rect["y"] < wrong.rect["y"] + 40, "under its line"
        assert abs(wrong.rect["x"] - message.rect["x"]) < 2, "below the place"
        page.shows("#plan-summary", "The policy has errors")
        assert not page.one("#apply").is_displayed()
        page.picture("wrong")
        page.click("#diagnostics button")
        eventually(lambda: "75% movable," in page.one("#policy-text").get_attribute("value"), "it is put right")
        page.shows("#plan-summary", "2 steps")
        page.shows("#unsaved", "/etc/memonline/policy.d/50-test.mempolicy")
        assert "To disable the active policies" not in page.text("#unsaved")
        page.click("#revert")
        page.shows("#plan-summary", "Nothing to do")
        assert page.one("#policy-text").get_attribute("value") == "hotplugged: keep\n"


def applies_and_undoes(w: World) -> None:
    """A plan seen before and after, carried out with progress, kept, and taken back."""
    w.start(HOST, "--latency", "200", policy="hotplugged: keep\n")
    client = Client(w)
    with session(w.source, dark=True) as page:
        settled_page(page)
        assert page.driver.execute_script("return document.documentElement.className") == "pf-v6-theme-dark"
        page.write(SHARES)
        page.shows("#plan-summary", "2 steps")
        planned = json.loads(client.plan(policy=SHARES)["document"])["steps"]
        rows = [row.text for row in page.all("#steps tbody tr")]
        assert len(rows) == len(planned)
        for row, step in zip(rows, planned):
            assert f"{step['state']} memory{step['blocks'][0]}..{step['blocks'][1]}" in row, row
            assert step["why"] in row and step["zone"] in row, row
        assert blocks_of(page, "before")["32-39"] == "offline"
        after = blocks_of(page, "after")
        assert (after["32-35"], after["36-39"]) == ("kernel changed", "movable changed"), after
        told_to_screen_readers(page, "table", "form")
        page.picture("plan")
        assert [beside(page, width) for width in (1500, 1120, 1000, 500)] == [True, True, False, False]
        page.picture("plan-narrow", 500)
        page.picture("plan-wide", 1600)
        page.driver.set_window_size(1300, 1000)
        page.click("#apply")
        page.shows("#job-title", "Applying the plan")
        page.shows("#job-step", "of 16 blocks online_")
        page.shows("#job-step", "seconds unless you keep them")
        told_to_screen_readers(page, "progressbar")
        page.picture("confirm")
        page.driver.refresh()  # or another browser: how much time is left, it cannot know
        page.shows("#job-step", "The changes will be undone unless they are confirmed in time")
        page.click("#keep")
        page.shows("#job-title", "Done")
        page.shows("#job-report", "16 of 16 blocks")
        eventually(lambda: blocks_of(page, "now").get("32-35") == "kernel", "the picture has it")
        assert len(listed(client, state="offline")) == 0
        page.picture("done")
        page.click("#undo")
        told_to_screen_readers(page, "dialog")
        page.click("#undo-dialog .primary")
        page.shows("#job-title", "Undoing the last change")
        page.shows("#job-title", "Done")
        eventually(lambda: blocks_of(page, "now").get("32-39") == "offline", "it is as it was")
        complaints = page.complaints()
        assert not complaints, complaints


def takes_back_what_nobody_confirms(w: World) -> None:
    """The timer ends it, and the page says so; Cancel ends it earlier."""
    w.start(HOST, "--latency", "200", policy="hotplugged: keep\n")
    client = Client(w)
    with session(w.source) as page:
        settled_page(page)
        page.write(SHARES)
        page.shows("#plan-summary", "2 steps")
        page.driver.execute_script("document.getElementById('confirm-seconds').value = 1")
        page.click("#apply")
        page.shows("#job-title", "Undone: not confirmed in time")
        assert len(listed(client, zone="Movable")) == 0
        eventually(lambda: page.one("#apply").is_enabled(), "it can be tried again")
        page.shows("#plan-summary", "2 steps")
        page.click("#confirm-wanted")
        page.click("#apply")
        page.shows("#job-step", "of 16 blocks online_")
        page.click("#cancel")
        page.shows("#job-title", "Cancelled")
        page.shows("#job-report", "of 16 blocks")
        page.shows("#job-remedies", "Blocks changed before the cancellation stay changed")


def has_the_policy_of_any_editor(w: World) -> None:
    """Lines that end as in DOS are still the active policy: nothing to save or to discard."""
    w.start(HOST, policy="# two lines\r\nhotplugged: keep\r\n")
    with session(w.source) as page:
        settled_page(page)
        page.shows("#plan-summary", "Nothing to do")
        assert page.text("#unsaved") == "" and page.text("#revert") == ""
        page.write("hotplugged: keep")
        page.shows("#unsaved", "This policy is not saved")
        page.click("#revert")
        eventually(lambda: page.text("#unsaved") == "", "it is the active policy again")


def follows_the_shell(w: World) -> None:
    """Light or dark as Cockpit's own menu has it, at once, and over what the browser prefers; the language, too."""
    w.start(HOST, policy="hotplugged: keep\n")

    def background(page: Page) -> int:
        color = page.driver.execute_script("return getComputedStyle(document.querySelector('.card')).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", color)[:3])

    with session(w.source, language="fr") as page:
        settled_page(page)
        assert page.text("h1") == "Mémoire" and page.text("#state") == "Conforme à la politique"
        choose = ("localStorage.setItem('shell:style', arguments[0]);"
                  "window.dispatchEvent(new CustomEvent('cockpit-style', { detail: { style: arguments[0] } }))")
        for style, dark in (("dark", True), ("light", False), ("auto", False), ("dark", True)):
            page.driver.execute_script(choose, style)
            assert (background(page) < 300) == dark, (style, background(page))
        page.driver.refresh()
        settled_page(page)
        assert background(page) < 300, "it is remembered"
        page.driver.execute_script("localStorage.setItem('shell:style', 'light');"
                                   "window.dispatchEvent(new StorageEvent('storage', { key: 'shell:style' }))")
        assert background(page) > 300, "what is chosen in another window counts here"


def tells_what_to_do_about_failures(w: World) -> None:
    """Blocks that a kernel refuses, and a boot loader that takes nothing: what failed, and the way out."""
    refused = [word for one in ("memory36=EBUSY", "memory37=ENOMEM") for word in ("--refuse", one)]
    w.start(HOST, *refused, policy="hotplugged: keep\n")
    with session(w.source) as page:
        settled_page(page)
        page.write(SHARES)
        page.shows("#plan-summary", "2 steps")
        page.click("#confirm-wanted")
        page.click("#apply")
        page.shows("#job-title", "Partial success", 60)
        page.shows("#job-report", "memory36: EBUSY after 6 tries")
        page.shows("#job-remedies", "Stop the programs that use them")
        page.shows("#job-remedies", "ENOMEM: the kernel could not allocate the memory it needs")
        assert len(page.all("#job-remedies p")) == 2
        told_to_screen_readers(page, "alert")
        page.picture("partly")
        w.write_policy(SHARES)
        page.click("#reload")
        page.shows("#state", "Differs from the policy")
        assert w.stop() == 0
        page.shows("#state", "Not running")
    w.start(HOST, *refused, policy=SHARES)
    with session(w.source) as page:
        page.shows("#alerts", "memory36: EBUSY after 6 tries", 60)
        page.shows("#alerts", "Stop the programs that use them")
        page.shows("#alerts", "journalctl -u memonlined")
        page.shows("#state", "Failed")
        eventually(lambda: blocks_of(page, "now").get("36-37") == "offline drift", "they are marked in the picture")
        told_to_screen_readers(page, "alert")
        page.picture("failing")
        assert w.stop() == 0
    w.start("6.12-c1", policy="node1: last 75% movable, rest normal\nnode0: movable\n")
    with session(w.source) as page:
        page.shows("#alerts", "A reboot is needed", 60)
        page.click("#alerts .warning button")  # no PID 1 is on this bus
        page.shows("#alerts", "Could not set the kernel parameters")
        page.shows("#alerts", "without the service, run `memonline boot apply`")
        page.shows("#alerts", "Set kernel parameters")


def tells_what_is_wrong(w: World) -> None:
    """A wrong file, a reboot that is needed, others' changes, a service that ends: each with a remedy."""
    w.start("6.12-c1", policy="node1: last 75% movable, rest normal\nnode0: movable\n")
    with session(w.source, language="de") as page:
        settled_page(page)
        page.shows("#alerts", "Ein Neustart ist erforderlich")
        page.shows("#alerts", "kernelcore=")
        w.write_policy("hotplugged: movabel\n")
        page.click("#reload")
        page.shows("#alerts", "Die Richtlinien auf der Festplatte konnten nicht angewendet werden")
        page.shows("#alerts", "50-test.mempolicy:1:13")
        told_to_screen_readers(page, "alert")
        page.picture("german")
        w.write_policy("hotplugged: movable\n")
        page.click("#alerts .danger button")
        eventually(lambda: "hotplugged: movable" in page.one("#policy-text").get_attribute("value"), "it is active")
        assert "konnten nicht angewendet werden" not in page.text("#alerts")
        # Somebody else's change needs a kernel's event, which a simulation has none of.
        page.driver.execute_async_script(
            "const done = arguments[0]; import('./alerts.js').then(({ showAlerts }) => done(showAlerts("
            "{ State: 'in-sync', LeftAlone: ['<b>memory3 was taken offline'] }, [], '', {})))")
        page.shows("#alerts", "<b>memory3 was taken offline")
        told_to_screen_readers(page, "note")
        assert w.stop() == 0
        page.shows("#alerts", "systemctl enable --now memonlined")
        w.start(HOST, policy="hotplugged: movable\n")
        page.shows("#state", "Entspricht der Richtlinie")
        eventually(lambda: blocks_of(page, "now").get("32-39") == "movable", "the picture is of the new one")


@needs_polkit
def tells_who_may_not(w: World) -> None:
    """polkit's no is told with a way out, and nothing has happened; reading needs nobody's leave."""
    w.start(HOST, policy="hotplugged: keep\n")
    client = Client(w)
    with session(w.source, user="nobody") as page:
        settled_page(page)
        page.write(SHARES)
        page.shows("#plan-summary", "2 steps")
        page.click("#apply")
        page.shows("#alerts", "Could not apply the plan")
        page.shows("#alerts", "Turn on administrative access")
        assert len(listed(client, zone="Movable")) == 0
        page.picture("denied")
        page.click("#alerts .danger button")
        assert page.text("#alerts") == ""


if __name__ == "__main__":
    sys.exit(run([shows_the_machine, checks_while_one_types, has_the_policy_of_any_editor, follows_the_shell,
                  applies_and_undoes, takes_back_what_nobody_confirms, tells_what_to_do_about_failures,
                  tells_what_is_wrong, tells_who_may_not]))
