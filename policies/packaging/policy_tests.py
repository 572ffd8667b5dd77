# SPDX-License-Identifier: LGPL-2.1-or-later
"""policy_tests.py TESTS.yaml NAME TARGET: makes the tests of a self-contained policy package, for new-policy-package.

Prints the section `tests:`, and copies the hosts to TARGET/hosts/NAME, which the section then names. The path
contains NAME because all policies of a system are in one directory, and each package has hosts.
"""
import re
import shutil
import sys
from pathlib import Path

try:
    import yaml
except ImportError:
    sys.exit("new-policy-package: Python's yaml is missing: install python3-yaml (Debian) or python3-pyyaml (RPM)")


def tests_of(root: yaml.Node) -> yaml.SequenceNode:
    """The list itself, whether it is below `tests:` or alone."""
    if isinstance(root, yaml.MappingNode):
        keys = [key.value for key, _ in root.value]
        if keys != ["tests"]:
            raise ValueError(f"found {', '.join(keys) or 'no keys'}, expected only `tests:`")
        root = root.value[0][1]
    if not isinstance(root, yaml.SequenceNode):
        raise ValueError("expected a list of tests")
    return root


def hosts_of(tests: yaml.SequenceNode) -> list[yaml.ScalarNode]:
    """The values of `host:` that are paths; an inline host is a map."""
    return [value for test in tests.value if isinstance(test, yaml.MappingNode) for key, value in test.value
            if key.value == "host" and isinstance(value, yaml.ScalarNode)]


def collect(host: Path, directory: Path, taken: dict[str, Path]) -> str:
    """Copies a host once, and returns its new name, which YAML never needs quoted."""
    wanted = re.sub(r"[^A-Za-z0-9._+-]", "-", host.name)
    name, count = wanted, 1
    while taken.setdefault(name, host) != host:
        count += 1
        name = f"{count}-{wanted}"
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / name).exists():
        return name  # copied for an earlier test
    if host.is_dir():
        shutil.copytree(host, directory / name, symlinks=True)
    else:
        shutil.copyfile(host, directory / name)
    return name


def section(path: Path, name: str, target: Path) -> str:
    """The original text, except for the names of hosts."""
    text = path.read_text(encoding="utf-8")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    tests, taken = tests_of(root), {}
    begin, end = tests.start_mark.index, tests.end_mark.index
    pieces, done = [], begin
    for host in hosts_of(tests):
        copy = collect((path.parent / host.value).resolve(), target / "hosts" / name, taken)
        pieces += [text[done:host.start_mark.index], f"hosts/{name}/{copy}"]
        done = host.end_mark.index
    # The first line has lost its indentation, and the end of the document may follow the last one.
    body = " " * tests.start_mark.column + "".join([*pieces, text[done:end]]).rstrip()
    return "tests:\n" + "".join(f"  {line}".rstrip() + "\n" for line in body.splitlines())


def main() -> None:
    """Prints the section."""
    path, name, target = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    try:
        print(section(path, name, target), end="")
    except (OSError, ValueError, yaml.YAMLError) as reason:
        sys.exit(f"new-policy-package: {path}: {reason}")


main()
