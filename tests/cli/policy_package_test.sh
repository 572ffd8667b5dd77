#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: policy_package_test.sh MEMONLINE SOURCE: a distribution's own policy package, from a policy and its
# tests: built by dpkg where debhelper is installed, and not built where a test of it fails.
set -euo pipefail
memonline=$(readlink -f "$1") source=$(readlink -f "$2")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
export PATH=$(dirname "$memonline"):$PATH
cp "$source/policies/hosts/two-dimms.yaml" host.yaml
printf '# ours\neach dimm: first 25%% normal,\n  rest movable\n' >ours.mempolicy
sed -i 'N;N;s/,\n  rest/, rest/' ours.mempolicy
cat >tests.yaml <<'END'
tests:
- name: two blocks are the kernel's
  host: host.yaml
  expect: {outcome: {0: {Movable: 768MiB}}}
END

"$source/policies/packaging/new-policy-package" ours ours.mempolicy tests.yaml "a quarter & it's the kernel's"
memonline test memonline-policy-ours/50-ours.yaml
grep -q "a quarter & it's the kernel's" memonline-policy-ours/debian/control
[ ! -e memonline-policy-ours/memonline-policy-NAME.spec ]
if "$source/policies/packaging/new-policy-package" ours ours.mempolicy tests.yaml 2>said; then
  echo "it overwrote the first one"; exit 1
fi
grep -q "is there already" said

if ! command -v dh >/dev/null; then
  echo "not shown: debhelper is not installed here"
  exit 0
fi
(cd memonline-policy-ours && dpkg-buildpackage -us -uc -b -d) >log 2>&1 || { cat log; exit 1; }
dpkg-deb -x memonline-policy-ours_1_all.deb unpacked
[ -f unpacked/usr/lib/memonline/policy.d/50-ours.yaml ]
[ "$(dpkg-deb -f memonline-policy-ours_1_all.deb Provides)" = memonline-policy ]
dpkg-deb -e memonline-policy-ours_1_all.deb control
for script in preinst postinst prerm postrm triggers; do [ ! -e control/$script ]; done

sed -i 's/768MiB/1GiB/' tests.yaml
"$source/policies/packaging/new-policy-package" wrong ours.mempolicy tests.yaml >/dev/null
if (cd memonline-policy-wrong && dpkg-buildpackage -us -uc -b -d) >log 2>&1; then
  echo "a package whose test fails was built"; exit 1
fi
grep -q "FAIL  50-wrong.yaml" log
