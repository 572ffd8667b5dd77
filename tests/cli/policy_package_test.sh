#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: policy_package_test.sh MEMONLINE SOURCE: a distribution's own policy package, from a policy and its
# tests: built by dpkg where debhelper is installed, and not built where a test of it fails.
set -euo pipefail
memonline=$(readlink -f "$1") source=$(readlink -f "$2")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
PATH=$(dirname "$memonline"):$PATH
if ! /usr/bin/python3 -c "import yaml" 2>/dev/null; then
  echo "skipped: policy_package: no module named yaml (python3-yaml)"
  exit 77
fi
new=$source/policies/packaging/new-policy-package
mkdir -p captured "other place"
cp "$source/policies/hosts/two-dimms.yaml" captured/host.yaml
cp "$source/policies/hosts/cxl.yaml" "other place/host.yaml"
cp "$source/tests/hosts/6.12-a1.tar.xz" captured/
chmod a-w captured/*  # two tests have the same host, and it may be read-only
printf '# ours\neach dimm: first 25%% normal,\n  rest movable\n' >ours.mempolicy
sed -i 'N;N;s/,\n  rest/, rest/' ours.mempolicy
# Paths in each way that YAML has to write them, two files of one name, and a host that is no file.
cat >tests.yaml <<'END'
# Whoever wrote them may have said why.
tests:
- name: two blocks are the kernel's
  host: captured/host.yaml
  expect: {outcome: {0: {Movable: 768MiB}}}
- {name: "flow, and not a key: host: captured/host.yaml", host: 'captured/host.yaml', expect: {outcome: {0: {Movable: 768MiB}}}}
- name: |-
    host: captured/host.yaml
  "host": "other\x20place/host.yaml"  # it has a space
  expect:
    outcome: {0: {Movable: 768MiB}}
- {name: an archive, host: captured/6.12-a1.tar.xz, expect: {hotplug: service}}
- name: written out
  host:
END
sed 's/^/    /' captured/host.yaml >>tests.yaml
echo '  expect: {outcome: {0: {Movable: 768MiB}}}' >>tests.yaml

"$new" ours ours.mempolicy tests.yaml "a quarter & it's 100% the \\kernel's"
# The tests are those of the package alone: what they were made of may go.
mv captured elsewhere
memonline test memonline-policy-ours/50-ours.yaml | grep -x "1 package, 5 tests: 5 passed, 0 failed"
mv elsewhere captured
[ "$(cd memonline-policy-ours/hosts/ours && echo *)" = "2-host.yaml 6.12-a1.tar.xz host.yaml" ]
grep -q "has a space" memonline-policy-ours/50-ours.yaml
grep -qF "a quarter & it's 100% the \\kernel's" memonline-policy-ours/debian/control
grep -qF "a quarter & it's 100%% the \\kernel's" memonline-policy-ours/memonline-policy-ours.spec
[ ! -e memonline-policy-ours/memonline-policy-NAME.spec ]
if "$new" ours ours.mempolicy tests.yaml 2>said; then
  echo "it overwrote the first one"; exit 1
fi
grep -q "already exists" said
# What cannot be packaged leaves nothing behind.
for wrong in '[{name: no such host, host: nowhere.yaml}]' 'tests: {name: no list}' 'tests: [' 'a: 1'; do
  echo "$wrong" >wrong.yaml
  if "$new" wrong ours.mempolicy wrong.yaml 2>said; then echo "made of $wrong"; exit 1; fi
  grep -q "^new-policy-package: wrong.yaml: " said
  [ ! -e memonline-policy-wrong ]
done
# A list alone, moved to the right, is as good.
printf '  - name: alone\n    host: captured/host.yaml\n    expect: {diagnostics: []}\n' >list.yaml
"$new" list ours.mempolicy list.yaml
memonline test memonline-policy-list/50-list.yaml

for program in dh dpkg-buildpackage; do
  command -v $program >/dev/null && continue
  echo "skipped: policy_package: building the package: not installed: $program (debhelper)"
  exit 0
done
(cd memonline-policy-ours && dpkg-buildpackage -us -uc -b -d) >log 2>&1 || { cat log; exit 1; }
dpkg-deb -x memonline-policy-ours_1_all.deb unpacked
memonline test unpacked/usr/lib/memonline/policy.d | grep -x "1 package, 5 tests: 5 passed, 0 failed"
[ "$(dpkg-deb -f memonline-policy-ours_1_all.deb Provides)" = memonline-policy ]
dpkg-deb -e memonline-policy-ours_1_all.deb control
for script in preinst postinst prerm postrm triggers; do [ ! -e control/$script ]; done

sed -i 's/768MiB/1GiB/' tests.yaml
"$new" wrong ours.mempolicy tests.yaml >/dev/null
if (cd memonline-policy-wrong && dpkg-buildpackage -us -uc -b -d) >log 2>&1; then
  echo "a package whose test fails was built"; exit 1
fi
grep -q "FAIL  50-wrong.yaml" log
