# SPDX-License-Identifier: LGPL-2.1-or-later
# The stages of `./dev test`, sourced by dev: what each runs, which packages it needs, how long it takes, and
# which of them .ci/run rotates. A stage NAME is the function stage_NAME; its packages are NAME_packages.
# shellcheck shell=bash disable=SC2154,SC2034

# Versions of clang-format and clang-tidy differ in their verdicts: only this version counts.
llvm_judge=14
fuzz_seconds=${FUZZ_SECONDS:-60}
tidy_seconds=240  # of `tidy changed`: what is left then is checked by later runs

# NAME, time on 2 cores once the packages are installed (and, but for build, once built), what it does. `test` runs the first four.
stage_table=(
  "build|6 min|everything, with gcc; warnings are errors"
  "tests|2 min|unit, golden, property and architecture tests; the fuzz corpus replayed"
  "bus|2 min|the service on a bus of its own, with the real polkitd"
  "smoke|1 min|a few plans applied on one real kernel in QEMU"
  "format|1 min|the sources are formatted as clang-format $llvm_judge formats them; shellcheck and codespell find nothing"
  "tidy|25 min|clang-tidy $llvm_judge over all files outside tests/ (\`tidy changed\`: recent changes and a third, at most $((tidy_seconds / 60)) min)"
  "clang|6 min|everything and the unit tests, with clang; warnings are errors"
  "tools|9 min|tests that need Chromium, Cockpit, Ansible, fish, zsh, vim, GRUB's tools, systemd-analyze, Doxygen or abidiff; all hosts and policies up to a bound; the examples of CONTRIBUTING.md, built"
  "fuzz|4 min|libFuzzer with sanitizers, $fuzz_seconds s per target"
  "tsan|12 min|the tests of the service and the runner with ThreadSanitizer"
  "asan|12 min|the same with AddressSanitizer and UBSan"
  "load|4 min|1,000 clients of 128 users call every method of the service, with the largest input (root)"
  "fresh|40 min|the commands of README.md in new minimal Debian 12 and 13 roots (root, mmdebstrap)"
  "packages|25 min|Debian packages and RPMs: built twice, installed, upgraded, removed, purged (root)"
  "kernel-source|65 min|the kernel model beside the functions of the kernels' own source; --minutes N for less"
  "vm|20 min|every plan, kill and fault test on kernels 5.10, 6.1, 6.12 and 7.2 in QEMU"
  "systems|15 min|the same in a whole Debian with systemd: the service, Cockpit, Ansible, README.md word for word"
  "long|70 min|512 GiB hot-added to a guest of 1 GiB, in 64 DIMMs and in one; the service killed 50 times during jobs"
)
# Names for parts of `tests` and `bus`, as ctest labels.
labels=(unit golden property arch)
coverage_labels=(unit golden property bus)

tests_packages=("${build_packages[@]}" "${unit_packages[@]}")
quick_packages=("${tests_packages[@]}")
bus_packages=("${build_packages[@]}" "${bus_packages[@]}")
smoke_packages=("${build_packages[@]}" "${smoke_packages[@]}")
format_packages=(shellcheck codespell)
[ "$release" != 12 ] || format_packages+=("clang-format-$llvm_judge")
tidy_packages=("${build_packages[@]}")
[ "$release" != 12 ] || tidy_packages+=("clang-tidy-$llvm_judge")
clang_packages=("${build_packages[@]}" clang)
docs_packages=(doxygen)
coverage_packages=("${tests_packages[@]}" gcovr)
tools_packages=("${tests_packages[@]}" "${bus_packages[@]}" strace systemd grub2-common grub-common mandoc
  chromium chromium-driver cockpit-bridge cockpit-ws python3-selenium ansible-core openssh-client fish zsh vim
  "${docs_packages[@]}" abigail-tools git)
fuzz_packages=("${build_packages[@]}" clang "libclang-rt-LLVM-dev")
tsan_packages=("${build_packages[@]}" "${bus_packages[@]}")
asan_packages=("${tsan_packages[@]}")
load_packages=("${tsan_packages[@]}")
fresh_packages=(mmdebstrap git python3)
kernel_source_packages=("${tests_packages[@]}")
packages_packages=("${package_packages[@]}" mmdebstrap rpm rpmlint)
vm_packages=("${smoke_packages[@]}" mmdebstrap)
systems_packages=("${vm_packages[@]}" "${package_packages[@]}" chromium chromium-driver python3-selenium
  ansible-core openssh-client selinux-policy-dev checkpolicy)
long_packages=("${vm_packages[@]}")

stages_text() {
  local row name
  cat <<'TEXT'

Stages of ./dev test, with their time on 2 cores once built and downloaded. `test` runs the first four. unit,
golden, property and arch are parts of `tests`. Arguments after kernel-source, vm, systems, long, packages and
fresh go to the runner, for example ./dev test vm --kernel 6.12.
TEXT
  for row in "${stage_table[@]}"; do
    IFS='|' read -r name _ _ <<<"$row"
    printf '  %-13s %7s  %s\n' "$name" "$(cut -d'|' -f2 <<<"$row")" "$(cut -d'|' -f3 <<<"$row")"
  done
}

# --- running and counting ------------------------------------------------------------------------

passed=0 failed=0 summary=() failed_logs=()

stage() {  # stage NAME COMMAND...: runs the command and counts its results
  local name=$1 began=$SECONDS status=0 log="$build/test-${1// /-}.log" total bad line
  shift
  say "$name"
  mkdir -p "$build"
  ("$@") 2>&1 | tee "$log" >&2 || status=$?
  # A stage that ran ctest or a test runner of ours counts as its tests, any other as one.
  line=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "$log" || true)
  if [ -n "$line" ]; then
    bad=$(awk '{n += $4} END {print n}' <<<"$line") total=$(awk '{n += $NF} END {print n}' <<<"$line")
    [ "$status" = 0 ] || [ "$bad" -gt 0 ] || { bad=1; total=$((total + 1)); }
    passed=$((passed + total - bad)) failed=$((failed + bad))
  elif line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log"); then
    passed=$((passed + $(awk '{n += $1} END {print n}' <<<"$line")))
    bad=$(awk '{n += $3} END {print n}' <<<"$line")
    [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
    failed=$((failed + bad))
  elif [ "$status" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
  line=ok
  [ "$status" = 0 ] || { line="FAILED (log: $log)"; failed_logs+=("$log"); }
  grep -q '^skipped:' "$log" && [ "$status" = 0 ] && line=$(grep -m1 '^skipped:' "$log")
  [ "$status" != 0 ] || ! grep -q '^partly skipped:' "$log" ||
    line="ok; $(grep -m1 '^partly skipped:' "$log")"
  summary+=("$(printf '%-14s %5d s  %s' "$name" $((SECONDS - began)) "$line")")
  return "$status"
}

report() {
  local log
  # Hours of output lie between a failure and the end: what failed is repeated here.
  for log in "${failed_logs[@]}"; do
    printf '\nlast lines of %s:\n' "$log" >&2
    grep -v '^\[[0-9]*/[0-9]*\]' "$log" | tail -n 25 >&2
  done
  printf '\n' >&2
  printf '%s\n' "${summary[@]}" "$(printf '%-14s %5d s' total "$SECONDS")" >&2
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}

tests() {  # tests DIR [options]: runs ctest, then repeats the reasons of skipped tests
  local status=0
  ctest --test-dir "$1" -j "$jobs" --output-on-failure --no-tests=error "${@:2}" || status=$?
  sed -n 's/^skipped: /partly &/p' "$1/Testing/Temporary/LastTest.log" | sort -u
  return $status
}

sources() { find compiler runtime dbus tests -name '*.[ch]pp' 2>/dev/null | LC_ALL=C sort; }

# --- the stages ----------------------------------------------------------------------------------

stage_build() { build; }
stage_tests() { tests "$build" -LE '^(bus|tools)$' "$@"; }
stage_bus() { tests "$build" -L bus -E cockpit; }
stage_smoke() { tests/vm/run --build "$build" --smoke; }

stage_format() {
  local status=0 check
  for check in shell spelling; do
    # 77: its tool is not installed.
    (tests/architecture/check_$check . || { code=$?; [ $code = 77 ] || exit $code; }) | sed 's/^skipped:/partly &/' || status=$?
  done
  if command -v clang-format-$llvm_judge >/dev/null; then
    sources | xargs clang-format-$llvm_judge --dry-run --Werror || status=$?
  else
    echo "partly skipped: clang-format-$llvm_judge is not installed; other versions format differently"
  fi
  return $status
}

# The files that tidy checks: all, or with `changed` those of the last 30 commits and a third of all, another
# third for each commit.
tidy_sources() {
  local git=(git -c "safe.directory=*") recent=HEAD~30 third
  sources | grep -v '^tests/' | grep '\.cpp$' >"$build/tidy-sources"
  if [ "${1:-}" != changed ] || ! "${git[@]}" rev-parse -q --verify $recent >/dev/null; then
    cat "$build/tidy-sources"
    return
  fi
  third=$((16#$("${git[@]}" rev-parse HEAD | cut -c1-8) % 3))
  {
    "${git[@]}" diff --name-only $recent HEAD -- | grep -xFf "$build/tidy-sources" || true
    awk -v third=$third 'NR % 3 == third' "$build/tidy-sources"
  } | awk '!seen[$0]++'
}

stage_tidy() {
  if ! command -v clang-tidy-$llvm_judge >/dev/null; then
    echo "skipped: clang-tidy-$llvm_judge is not installed; other versions give other verdicts"
    return
  fi
  # The compilation database is gcc's: clang does not know all of its options.
  tidy_sources "$@" | tests/tidy clang-tidy-$llvm_judge "$build" ${1:+$tidy_seconds}
}

stage_clang() {
  configure clang "$build/clang"
  compile "$build/clang" -k 0 && tests "$build/clang" -L unit
}

# What the last stage `tests` ran without skipping a part.
ran_in_full() {
  sed -n 's/^.*Test *#[0-9]*: \([a-z_]*\) .* Passed .*/\1/p' "$build/test-tests.log" |
    grep -vxFf <(sed -n 's/^partly skipped: \([a-z_]*\):.*/\1/p' "$build/test-tests.log")
}

# No test may be skipped: this stage has installed their tools. `recipe` is the longest of them alone, `remaining` all
# others that the last stage `tests` did not run in full.
stage_tools() {
  local status=0 names='completions|editors|ansible_module|cockpit_.*|boot_real_tools|manuals|units|policy_schema|docs|abi|hook|planner_bounded_ranges|recipe'
  case ${1:-} in
    recipe) tests "$build" -R '^recipe$' || status=$? ;;
    remaining) tests "$build" -R "^($names)$" -E "^($(ran_in_full | tr '\n' '|')recipe)$" || status=$? ;;
    *) tests "$build" -R "^($names)$" || status=$? ;;
  esac
  ! grep '^skipped: ' "$build/Testing/Temporary/LastTest.log" || { echo "a test was skipped" && return 1; }
  return $status
}

stage_fuzz() {
  configure fuzz "$build/fuzz"
  compile "$build/fuzz" memonline_fuzzers || return 1
  find "$build/fuzz/bin" -name 'fuzz_*' -type f -perm -u+x | LC_ALL=C sort |
    xargs -P "$jobs" -n1 tests/fuzz/run "$fuzz_seconds"
}

# What shares memory between threads, in one process and on a bus. ThreadSanitizer of gcc 12 does not find its place
# in memory where addresses are randomized over more than 28 bits, hence setarch.
sanitized() {  # sanitized PRESET
  configure "$1" "$build/$1"
  compile "$build/$1" runtime_tests memonlined || return 1
  setarch -R ctest --test-dir "$build/$1" -j 1 --output-on-failure --no-tests=error -R '^(service_threads|hammer_test)$'
}
stage_tsan() { sanitized tsan; }
stage_asan() { sanitized asan; }

stage_load() { ctest --test-dir "$build" -C load -R '^load_test$' --verbose --no-tests=error; }

stage_fresh() { tests/fresh/run --build "$build" "$@"; }
stage_packages() { tests/packages/run --build "$build" "$@"; }
stage_kernel-source() { tests/kernel_source/run --build "$build" "$@"; }
stage_vm() {
  if [ $# = 0 ]; then set -- --kernels; fi
  tests/vm/run --build "$build" "$@"
}
stage_systems() { tests/vm/run --build "$build" --systems "$@"; }
stage_long() { tests/vm/run --build "$build" --long "$@"; }

# --- what .ci/run runs after ./dev test ----------------------------------------------------------

# Always these, in this order. Before each, the maximum time in seconds on 2 cores.
always=(
  "20 format"
  "250 tidy changed"
  "300 tools remaining"
  "1300 newcomer"
  "600 packages life_in_bookworm library"
  "560 vm --kernels --kernel 6.12"
  "420 systems --only walk --only documents --only upgrade"
)
# A newcomer's release depends on the commit, because each builds everything anew. The packages that are made in
# Debian 12 serve the next stages, which make them if they are missing.
newcomers=("fresh --kind newcomer bookworm" "fresh --kind newcomer --no-packages trixie")

# Then these in rotation: each commit starts at another entry, and runs as many as there is time for.
# Before each, the maximum time in seconds on 2 cores.
turns=(
  "600 fresh --kind root"
  "1900 fresh --kind newcomer trixie"
  "600 fresh --kind readonly bookworm"
  "400 vm --kernels --kernel 6.1"
  "360 vm --architectures --architecture arm64 --only architectures"
  "1200 packages same_bytes_twice"
  "400 vm --kernels --kernel 7.2"
  "360 vm --architectures --architecture cxl"
  "900 vm --architectures --architecture arm64 --only cross_build"
  "1000 long --kernel 6.12 --only in_64_dimms"
  "400 fuzz"
  "360 vm --architectures --architecture ppc64le"
  "600 packages life_in_trixie"
  "400 tools recipe"
  "900 kernel-source --minutes 10"
  "900 fresh --kind kernel-source bookworm"
  "360 vm --architectures --architecture loong64"
  "1000 systems"
  "900 tsan"
  "600 clang"
  "400 vm --kernels --kernel 5.10"
  "360 vm --architectures --architecture s390x"
  "600 packages life_in_sid"
  "1000 long --kernel 7.2 --only in_one_dimm"
  "600 packages rpm"
  "900 asan"
  "1000 long --kernel 7.2 --only in_64_dimms"
  "1000 long --kernel 6.12 --only in_one_dimm"
  "1000 long --kernel 6.1 --only in_64_dimms"
  "1000 long --kernel 6.12 --only killed_during_jobs"
)

run_if_time() {  # run_if_time SECONDS MOST WORDS...: runs the stage if it ends within SECONDS of the start of .ci/run
  if [ $((spent + SECONDS + $2 * slowness / 100)) -le "$1" ]; then
    run_stage "${@:3}" || true
  else
    later+=("${*:3}")
  fi
}

more_stages() {  # more_stages SECONDS SPENT: what fits into SECONDS since a start SPENT seconds ago
  local turn one words commit later=() spent=$2 slowness
  # What ./dev test took, compared with what it takes on 2 cores with nothing compiled: all else takes as much longer.
  slowness=$((spent * 100 / 840))
  [ $slowness -ge 100 ] || slowness=100
  commit=$(git -c "safe.directory=*" rev-parse HEAD 2>/dev/null | cut -c1-8 || true)
  commit=$((16#${commit:-0}))
  # A slow machine gets a little longer for what always runs: what is cut off gives no verdict at all.
  for one in "${always[@]/newcomer/${newcomers[commit % 2]}}"; do
    read -ra words <<<"$one"
    run_if_time $(($1 + 360)) "${words[@]}"
  done
  turn=$((commit / 2 % ${#turns[@]}))
  for one in "${turns[@]:turn}" "${turns[@]:0:turn}"; do
    read -ra words <<<"$one"
    run_if_time "$1" "${words[@]}"
  done
  [ ${#later[@]} = 0 ] || summary+=("not run this time: $(printf '%s; ' "${later[@]}")")
}

# --- ./dev test ----------------------------------------------------------------------------------

stage_names() { printf '%s\n' "${stage_table[@]}" | cut -d'|' -f1; }

run_stage() {  # run_stage NAME [words]: installs the stage's packages, then runs it
  local packages="${1//-/_}_packages[@]"
  # Before the stage, because its output is piped to a log, and apt shows its progress only on a terminal.
  (need "${!packages}") || {
    failed=$((failed + 1)) summary+=("$(printf '%-14s          FAILED (its packages are not installed)' "${*:1:5}")")
    return 1
  }
  stage "${*:1:5}" "stage_$1" "${@:2}"
}

build_or_report() {  # if the build fails, nothing can be tested: print the summary and exit
  run_stage build || { summary+=("not run, because the build failed: $*"); report; exit 1; }
}

other_stages() {
  local row name minutes what
  printf '\nFurther stages (./dev test STAGE, or ./dev test all):\n'
  for row in "${stage_table[@]:4}"; do
    IFS='|' read -r name minutes what <<<"$row"
    printf '  %-13s %7s  %s\n' "$name" "$minutes" "$what"
  done
}

check_words() {  # check_words WHAT WORDS...: rejects wrong words before anything is installed
  local known
  mapfile -t known < <(stage_names; printf '%s\n' "${labels[@]}" quick all more)
  [[ " ${known[*]} " == *" $1 "* ]] || reject stage "$1" "${known[@]}"
  case $1 in
    vm | systems | long | packages | fresh | kernel-source) ;;
    tidy) [ "${*:2}" = "" ] || [ "${*:2}" = changed ] || usage "expected ./dev test tidy [changed]" ;;
    tools) [[ ${*:2} =~ ^(|recipe|remaining)$ ]] || usage "expected ./dev test tools [recipe|remaining]" ;;
    more) [[ ${*:2} =~ ^[0-9]+\ [0-9]+$ ]] || usage "expected ./dev test more MINUTES SPENT-SECONDS" ;;
    *) [ $# = 1 ] || usage "unexpected argument \`$2\`: ./dev test $1 takes none" ;;
  esac
}

test_what() {
  [ $# = 0 ] || check_words "$@"
  local what=${1:-test} name
  shift || true
  case $what in
    test | all)
      build_or_report tests, bus, smoke
      for name in tests bus smoke; do run_stage $name || true; done
      if [ "$what" = all ]; then
        for name in $(stage_names | tail -n +5); do run_stage "$name" || true; done
      else
        other_stages >&2
      fi
      ;;
    quick) stage format stage_format || true; build_or_report tests; run_stage tests || true ;;
    unit | golden | property | arch)
      build_or_report "$what"
      need "${tests_packages[@]}"
      stage "$what" tests "$build" -L "$what" || true ;;
    more)
      more_stages $(($1 * 60)) "$2"
      ;;
    build | format | fresh) run_stage "$what" "$@" || true ;;
    *) build_or_report "$what"; run_stage "$what" "$@" || true ;;
  esac
  report
}
