#!/usr/bin/python
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A policy in place on a host, and the host's memory as it says."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: memonline
short_description: Bring memory online as a policy says
description:
  - Puts a policy into C(/etc/memonline/policy.d), has memonlined read it, and carries out the plan that the
    policies in force make.
  - In check mode the host's own C(memonline plan) says what would be done, with the policy that would be in place.
options:
  policy:
    description: The text of the policy. Without it the policies that are there stay as they are.
    type: str
  name:
    description: The policy's file name, C(*.mempolicy), or C(*.yaml) for a package.
    type: str
    default: 50-ansible.mempolicy
  state:
    description: Whether the policy is there. With C(absent) its file goes; memory stays as the other policies say.
    type: str
    choices: [present, absent]
    default: present
  apply:
    description: Whether memory is changed. Without it only the policy is put in place.
    type: bool
    default: true
  boot_parameters:
    description: Whether kernel parameters that the policy needs are handed to the boot loader.
    type: bool
    default: false
  executable:
    description: The command.
    type: str
    default: memonline
attributes:
  check_mode:
    description: Plans on the host, and changes nothing.
    support: full
  diff_mode:
    description: The policy's text, each node's zones, and with C(boot_parameters) our kernel parameters, before and after.
    support: full
author: memonline maintainers
"""

EXAMPLES = r"""
- name: A quarter of each node for the kernel
  memonline.memonline.memonline:
    policy: |
      each node: last 75% movable, rest normal

- name: No more policy of ours
  memonline.memonline.memonline:
    state: absent
"""

RETURN = r"""
steps:
  description: What is done, as C(memonline plan --format json) has it.
  returned: success
  type: list
  elements: dict
outcome:
  description: Each node's zones afterwards.
  returned: success
  type: list
  elements: dict
reboot_required:
  description: Whether kernel parameters wait for a reboot.
  returned: success
  type: bool
report:
  description: What C(memonline apply) reports.
  returned: when something was applied
  type: dict
boot:
  description: What the boot loader has and would be told, as C(memonline boot show --format json) has it.
  returned: with C(boot_parameters)
  type: dict
boot_report:
  description: What C(memonline boot apply) reports.
  returned: when the boot loader was told something
  type: str
diagnostics:
  description: What is wrong with the policy, or to be noted.
  returned: always
  type: list
  elements: dict
"""

import json
import os
import re
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_bytes, to_text

DIRECTORY = "/etc/memonline/policy.d"
PARTLY = 64


class Host(object):
    """The host as its memonline shows it."""

    def __init__(self, module):
        self.module = module
        self.executable = module.get_bin_path(module.params["executable"], required=True)
        self.changed = False  # what was done counts, also where what comes after it fails

    def run(self, *words):
        status, out, error = self.module.run_command([self.executable] + list(words),
                                                     environ_update={"LC_ALL": "C.UTF-8"})
        return status, out, error.strip()

    def fail(self, title, error, **more):
        self.module.fail_json(msg="%s: %s" % (title, error), changed=self.changed, **more)

    def files(self):
        """The policy files that are read, by name, and those that `name` in DIRECTORY hides."""
        status, out, error = self.run("cat-policy", "--list")
        used, hidden = {}, {}
        if status == 2:
            return used, hidden
        if status != 0:
            self.fail("the policies cannot be listed", error)
        for line in out.splitlines()[1:]:
            path, state, by = re.match(r"(.*?)\s+(used|mask|masked|replaced)\b\s*(.*)$", line).groups()
            if state == "used":
                used[os.path.basename(path)] = path
            elif by.startswith(DIRECTORY + "/"):
                hidden.setdefault(os.path.basename(by), path)
        return used, hidden

    def check(self, files):
        """What is wrong with these files, together."""
        status, out, error = self.run("check", "--format", "json", *policy_words(files))
        if status not in (0, 2) or not out:
            self.fail("the policy cannot be checked", error)
        diagnostics = json.loads(out)["diagnostics"]
        wrong = [each for each in diagnostics if each["severity"] == "error"]
        if wrong:
            self.fail("the policy is wrong", "; ".join(told(each) for each in wrong), diagnostics=diagnostics)
        return diagnostics

    def plan(self, files):
        status, out, error = self.run("plan", "--format", "json", *policy_words(files))
        if status != 0:
            self.fail("no plan is possible", error)
        return json.loads(out)

    def boot(self, files):
        """What the boot loader has of ours, and what it would be told for these policies."""
        status, out, error = self.run("boot", "show", "--format", "json", *policy_words(files))
        if status != 0:
            self.fail("the boot loader cannot be read", error or out)
        return json.loads(out)

    def write_boot(self):
        status, out, error = self.run("boot", "apply")
        if status != 0:
            self.fail("the boot loader did not take the kernel parameters", error or out)
        return out

    def zones(self):
        """Each node's zones now, a line a zone."""
        status, out, error = self.run("status", "--format", "json")
        if not out:  # its status says whether there is drift
            self.fail("the host cannot be read", error)
        sums = {}
        document = json.loads(out)
        for run in document["blocks"]:
            first, last = run["blocks"]
            zone = run.get("zone", "online") if run["state"] == "online" else "offline"
            key = (run.get("node", -1), zone)
            sums[key] = sums.get(key, 0) + (last - first + 1) * document["host"]["block_size"]
        return zone_lines(sums)


def told(diagnostic):
    place = "%s:%s:%s: " % (diagnostic["path"], diagnostic["line"], diagnostic["column"]) if "line" in diagnostic else ""
    remedy = " (%s)" % diagnostic["help"] if "help" in diagnostic else ""
    return "%s%s[%s]%s" % (place, diagnostic["message"], diagnostic["code"], remedy)


def policy_words(files):
    return [word for name in sorted(files) for word in ("--policy", files[name])]


def lines(words):
    return "".join(word + "\n" for word in words)


def zone_lines(sums):
    return "".join("node%d %s %d MiB\n" % (node, zone, size >> 20) if node >= 0 else "%s %d MiB\n" % (zone, size >> 20)
                   for (node, zone), size in sorted(sums.items()) if size > 0)


def planned_zones(plan):
    sums = {}
    for node in plan["outcome"]:
        for zone, size in list(node["zones"].items()) + [("offline", node["bytes"].get("offline", 0))]:
            sums[(node["node"], zone)] = size
    return zone_lines(sums)


def text_of(path):
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return to_text(file.read(), errors="surrogate_or_strict")


def wanted_text(params):
    """What the file shall hold; None: it shall not be; False: it stays as it is."""
    if params["state"] == "absent":
        return None
    if params["policy"] is None:
        return False
    return params["policy"] if params["policy"].endswith("\n") else params["policy"] + "\n"


def put(module, path, text, scratch):
    if text is None:
        os.unlink(path)
    else:
        if not os.path.isdir(DIRECTORY):
            os.makedirs(DIRECTORY, 0o755)
        staged = os.path.join(scratch, "staged")
        with open(staged, "wb") as file:
            file.write(to_bytes(text))
        os.chmod(staged, 0o644)
        module.atomic_move(staged, path)
    # Where it does not run there is nothing to tell; it reads the policies when it starts.
    module.run_command(["systemctl", "try-reload-or-restart", "memonlined.service"])


def apply_plan(host, plan, scratch):
    file = os.path.join(scratch, "plan.json")
    with open(file, "w") as out:
        json.dump(plan, out)
    status, out, error = host.run("apply", "--format", "json", "--wait", "60s", file)
    report = json.loads(out) if out else {}
    if status in (0, PARTLY):
        host.changed = True
    if status != 0:
        title = "part of the plan was done" if status == PARTLY else "the plan was not carried out"
        wrong = "; ".join(told(each) for each in report.get("diagnostics", []))
        host.fail(title, wrong or error or report.get("result", ""), report=report, steps=plan["steps"])
    return report


def main():
    module = AnsibleModule(
        argument_spec=dict(
            policy=dict(type="str"),
            name=dict(type="str", default="50-ansible.mempolicy"),
            state=dict(type="str", choices=["present", "absent"], default="present"),
            apply=dict(type="bool", default=True),
            boot_parameters=dict(type="bool", default=False),
            executable=dict(type="str", default="memonline"),
        ),
        supports_check_mode=True,
    )
    name = module.params["name"]
    if not re.match(r"^[^./][^/]*\.(mempolicy|yaml)$", name):
        module.fail_json(msg="`%s` is no name of a policy: *.mempolicy or *.yaml, without a directory" % name)
    path = os.path.join(DIRECTORY, name)
    host = Host(module)
    scratch = tempfile.mkdtemp(dir=module.tmpdir)
    try:
        before, wish = text_of(path), wanted_text(module.params)
        after = before if wish is False else wish
        files, hidden = host.files()
        differs = before != after
        if differs:
            files.pop(name, None)
            if after is not None:
                # Under its own name, so that messages and rules name it as they will.
                files[name] = os.path.join(scratch, name)
                with open(files[name], "wb") as file:
                    file.write(to_bytes(after))
            elif name in hidden:
                files[name] = hidden[name]
        diagnostics = host.check(files) if files else []
        plan = host.plan(files) if files else {"steps": [], "outcome": [], "boot": {}}
        boot = host.boot(files) if files and module.params["boot_parameters"] else {}
        # Something may wait that needs no file: what the last plan foretold is then written anew.
        boot_differs = bool(boot.get("files") or boot.get("commands"))
        if boot.get("pending") and boot["back_end"] == "none":
            host.fail("the boot loader did not take the kernel parameters",
                      "memonline knows none here; put `%s` on the kernel command line by hand" % " ".join(boot["words"]))
        steps = plan["steps"] if module.params["apply"] else []
        now = host.zones()
        then = planned_zones(plan) if steps else now
        result = dict(changed=bool(differs or steps or boot_differs), steps=plan["steps"], outcome=plan["outcome"],
                      diagnostics=diagnostics, reboot_required=bool((plan.get("boot") or {}).get("reboot_required")),
                      diff=[dict(before_header=path, after_header=path, before=before or "", after=after or ""),
                            dict(before_header="memory", after_header="memory", before=now, after=then)])
        if boot:
            result["boot"] = boot
            result["diff"].append(dict(before_header="kernel parameters", after_header="kernel parameters",
                                       before=lines(boot["own"]), after=lines(boot["words"])))
        if not module.check_mode:
            if differs:
                put(module, path, after, scratch)
                host.changed = True
            if steps:
                # The plan names the files of the rules: made anew, of those in place.
                result["report"] = apply_plan(host, host.plan({}), scratch)
            if boot.get("pending"):
                result["boot_report"] = host.write_boot()
        module.exit_json(**result)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
