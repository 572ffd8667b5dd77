# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: policy_schema.py MEMONLINE SOURCE: policies/policy.schema.json takes every shipped package, and
refuses what `memonline test` refuses."""
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import skip  # noqa: E402

try:
    import jsonschema
    import yaml
except ImportError as missing:
    skip("policy_schema", f"{missing} (python3-jsonschema, python3-yaml)")


def set_at(*path: object) -> Callable[[dict], None]:
    """Sets what the last of `path` says at the keys before it."""
    def change(package: dict) -> None:
        *keys, last, value = path
        for key in keys:
            package = package[key]
        package[last] = value
    return change


WRONG: dict[str, Callable[[dict], None]] = {
    "another schema": set_at("schema", "memonline.policy/9"),
    "no name": lambda package: package.pop("name"),
    "no policy": lambda package: package.pop("policy"),
    "an unknown key": set_at("sumary", "x"),
    "a list for a text": set_at("summary", ["x"]),
    "tests that are a map": set_at("tests", {"name": "x"}),
    "a test without host": lambda package: package["tests"][0].pop("host"),
    "a test that expects nothing": set_at("tests", 0, "expect", {}),
    "an unknown expectation": set_at("tests", 0, "expect", "zones", []),
    "somebody else for hotplug": set_at("tests", 0, "expect", "hotplug", "udev"),
    "no amount": set_at("tests", 0, "expect", "outcome", {0: {"Movable": "much"}}),
    "no node": set_at("tests", 0, "expect", "outcome", {"first": {"Movable": 0}}),
    "no code": set_at("tests", 0, "expect", "diagnostics", ["wrong"]),
}


def as_json(value: object) -> object:
    """YAML's keys may be numbers, JSON's are texts."""
    if isinstance(value, dict):
        return {str(key): as_json(entry) for key, entry in value.items()}
    return [as_json(entry) for entry in value] if isinstance(value, list) else value


class Literal(str):
    """Written as a literal block, as a policy must be."""


yaml.SafeDumper.add_representer(
    Literal, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|"))


def main() -> int:
    memonline, source = sys.argv[1], Path(sys.argv[2])
    schema = json.loads((source / "policies/policy.schema.json").read_text())
    judge = jsonschema.Draft202012Validator(schema)
    judge.check_schema(schema)
    packages = sorted((source / "policies").glob("[0-9][0-9]-*.yaml"))
    assert len(packages) >= 10, packages
    for path in packages:
        errors = [error.message for error in judge.iter_errors(as_json(yaml.safe_load(path.read_text())))]
        assert not errors, (path, errors)
        assert yaml.safe_load(path.read_text())["who"], path
    right = yaml.safe_load((source / "policies/50-hotplugged-movable.yaml").read_text())
    right["tests"][0]["host"] = str(source / "policies/hosts/two-dimms.yaml")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "50-changed.yaml"
        for what, change in {"nothing wrong": lambda _: None, **WRONG}.items():
            package = copy.deepcopy(right)
            change(package)
            if "policy" in package:
                package["policy"] = Literal(package["policy"])
            file.write_text(yaml.safe_dump(package))
            said = subprocess.run([memonline, "test", file], capture_output=True, text=True, check=False)
            taken = judge.is_valid(as_json(package))
            wanted = what == "nothing wrong"
            assert taken == wanted, f"{what}: the schema {'takes' if taken else 'refuses'} it"
            assert (said.returncode != 2) == wanted, f"{what}: {said.stdout}{said.stderr}"
    print(f"{len(packages)} packages, {len(WRONG)} mistakes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
