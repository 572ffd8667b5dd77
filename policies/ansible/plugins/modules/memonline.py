#!/usr/bin/python
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs a policy on a host, and applies it to the host's memory."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: memonline
short_description: Online memory as a policy requires
description:
  - Installs a policy in C(/etc/memonline/policy.d), makes memonlined read it, and applies the plan of the active
    policies.
  - In check mode, the C(memonline plan) of the host shows what would be done with the new policy.
options:
  policy:
    description: The text of the policy. Without it, the installed policies stay unchanged.
    type: str
  name:
    description: The file name of the policy, C(*.mempolicy), or C(*.yaml) for a package.
    type: str
    default: 50-ansible.mempolicy
  state:
    description: Whether the policy is installed. C(absent) removes its file, and the other policies apply.
    type: str
    choices: [present, absent]
    default: present
  apply:
    description: Whether to change memory. Otherwise, only the policy is installed.
    type: bool
    default: true
  boot_parameters:
    description: Whether to pass the kernel parameters that the policy needs to the boot loader.
    type: bool
    default: false
  executable:
    description: The memonline command.
    type: str
    default: memonline
attributes:
  check_mode:
    description: Makes the plan on the host, and changes nothing.
    support: full
  diff_mode:
    description: The policy's text, each node's zones, and with C(boot_parameters) the kernel parameters, before and after.
    support: full
author: memonline maintainers
"""

EXAMPLES = r"""
- name: A quarter of each node for the kernel
  memonline.memonline.memonline:
    policy: |
      each node: last 75% movable, rest normal

- name: Remove the policy
  memonline.memonline.memonline:
    state: absent
"""

RETURN = r"""
steps:
  description: The steps of the plan, as in C(memonline plan --format json).
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
  description: The boot loader's current and new kernel parameters, as in C(memonline boot show --format json).
  returned: with C(boot_parameters)
  type: dict
boot_report:
  description: What C(memonline boot apply) reports.
  returned: when kernel parameters were passed to the boot loader
  type: str
diagnostics:
  description: Errors, warnings and notes about the policy.
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
    """The host, through its memonline command."""

    def __init__(self, module):
        self.module = module
        self.executable = module.get_bin_path(module.params["executable"], required=True)
        self.changed = False  # true once something was changed, even if a later action fails

    def run(self, *words):
        status, out, error = self.module.run_command([self.executable] + list(words),
                                                     environ_update={"LC_ALL": "C.UTF-8"})
        return status, out, error.strip()

    def fail(self, title, error, **more):
        self.module.fail_json(msg="%s: %s" % (title, error), changed=self.changed, **more)

    def files(self):
        """The policy files that are read, by name, and the files that those in DIRECTORY hide."""
        status, out, error = self.run("cat-policy", "--list")
        used, hidden = {}, {}
        if status == 2:
            return used, hidden
        if status != 0:
            self.fail("cannot list the policies", error)
        for line in out.splitlines()[1:]:
            path, state, by = re.match(r"(.*?)\s+(used|mask|masked|replaced)\b\s*(.*)$", line).groups()
            if state == "used":
                used[os.path.basename(path)] = path
            elif by.startswith(DIRECTORY + "/"):
                hidden.setdefault(os.path.basename(by), path)
        return used, hidden

    def check(self, files):
        """The diagnostics of these files, together."""
        status, out, error = self.run("check", "--format", "json", *policy_words(files))
        if status not in (0, 2) or not out:
            self.fail("cannot check the policy", error)
        diagnostics = json.loads(out)["diagnostics"]
        wrong = [each for each in diagnostics if each["severity"] == "error"]
        if wrong:
            self.fail("invalid policy", "; ".join(described(each) for each in wrong), diagnostics=diagnostics)
        return diagnostics

    def plan(self, files):
        status, out, error = self.run("plan", "--format", "json", *policy_words(files))
        if status != 0:
            self.fail("no plan is possible", error)
        return json.loads(out)

    def boot(self, files):
        """memonline's kernel parameters in the boot loader, and those for these policies."""
        status, out, error = self.run("boot", "show", "--format", "json", *policy_words(files))
        if status != 0:
            self.fail("cannot read the boot loader's configuration", error or out)
        return json.loads(out)

    def write_boot(self):
        status, out, error = self.run("boot", "apply")
        if status != 0:
            self.fail("cannot set the kernel parameters", error or out)
        return out

    def zones(self):
        """Each node's current zones, one line per zone."""
        status, out, error = self.run("status", "--format", "json")
        if not out:  # the exit status only reports drift
            self.fail("cannot read the host", error)
        sums = {}
        document = json.loads(out)
        for run in document["blocks"]:
            first, last = run["blocks"]
            zone = run.get("zone", "online") if run["state"] == "online" else "offline"
            key = (run.get("node", -1), zone)
            sums[key] = sums.get(key, 0) + (last - first + 1) * document["host"]["block_size"]
        return zone_lines(sums)


def described(diagnostic):
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
    """The desired contents of the file; None: no file; False: unchanged."""
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
    # Only a running service is reloaded; otherwise it reads the policies when it starts.
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
        title = "partial success" if status == PARTLY else "the plan was not applied"
        wrong = "; ".join(described(each) for each in report.get("diagnostics", []))
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
        module.fail_json(msg="invalid policy name `%s`: expected *.mempolicy or *.yaml, without a directory" % name)
    path = os.path.join(DIRECTORY, name)
    host = Host(module)
    scratch = tempfile.mkdtemp(dir=module.tmpdir)
    try:
        before, wanted = text_of(path), wanted_text(module.params)
        after = before if wanted is False else wanted
        files, hidden = host.files()
        differs = before != after
        if differs:
            files.pop(name, None)
            if after is not None:
                # Under its own name, so that messages and rules already contain it.
                files[name] = os.path.join(scratch, name)
                with open(files[name], "wb") as file:
                    file.write(to_bytes(after))
            elif name in hidden:
                files[name] = hidden[name]
        diagnostics = host.check(files) if files else []
        plan = host.plan(files) if files else {"steps": [], "outcome": [], "boot": {}}
        boot = host.boot(files) if files and module.params["boot_parameters"] else {}
        # Parameters may be pending without a file to write: then only the prediction is saved again.
        boot_differs = bool(boot.get("files") or boot.get("commands"))
        if boot.get("pending") and boot["back_end"] == "none":
            host.fail("cannot set the kernel parameters",
                      "no supported boot loader found; add `%s` to the kernel command line manually" % " ".join(boot["words"]))
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
                # The plan names the files of the rules: it is made again with the installed files.
                result["report"] = apply_plan(host, host.plan({}), scratch)
            if boot.get("pending"):
                result["boot_report"] = host.write_boot()
        module.exit_json(**result)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
