# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: policies_table.py MEMONLINE SOURCE: the table in policies/README.md is what the packages plan for
three captured hosts. MEMONLINE_UPDATE_GOLDEN=1 writes it anew."""
import json
import os
import subprocess
import sys
from pathlib import Path

HOSTS = {"6.12-a1": "two DIMMs", "6.12-e1": "a node without CPUs", "7.2-h1": "mostly online"}
BEGIN, END = "<!-- made by tests/cli/policies_table.py -->\n", "<!-- end -->\n"


def step(one: dict) -> str:
    """`online_movable 39..32`."""
    if one["action"] == "set":
        return f"`{one['knob']}={one['value']}`"
    first, last = one["blocks"]
    return f"`{one.get('state', one['action'])}` {first}" + ("" if first == last else f"..{last}")


def cell(memonline: str, policy: Path, root: Path) -> str:
    """What is done to the blocks, and who onlines those that come later."""
    command = [memonline, "plan", "--policy", policy, "--root", root, "--format", "json"]
    plan = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    steps = [step(one) for one in plan["steps"] if one["action"] != "set"]
    return f"{', '.join(steps) or 'nothing'}; later the {plan['hotplug']['by']}"


def table(memonline: str, source: Path) -> str:
    """One line a package."""
    names = [f"`{host}`: {what}" for host, what in HOSTS.items()]
    lines = ["| package | " + " | ".join(names) + " |", "|---" * (len(HOSTS) + 1) + "|"]
    for policy in sorted((source / "policies").glob("[0-9][0-9]-*.yaml")):
        cells = [cell(memonline, policy, source / f"tests/hosts/{host}.tar.xz") for host in HOSTS]
        lines.append(f"| `{policy.stem}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    memonline, source = sys.argv[1], Path(sys.argv[2])
    readme = source / "policies/README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    written, _, after = rest.partition(END)
    now = table(memonline, source)
    if os.environ.get("MEMONLINE_UPDATE_GOLDEN"):
        readme.write_text(before + BEGIN + now + END + after)
    elif written != now:
        print(f"policies/README.md says\n{written}\nand the packages plan\n{now}")
        return 1
    for policy in (source / "policies").glob("[0-9][0-9]-*.yaml"):
        assert f"`{policy.name}`" in before, f"{policy.name} is not in the first table of policies/README.md"
    return 0


if __name__ == "__main__":
    sys.exit(main())
