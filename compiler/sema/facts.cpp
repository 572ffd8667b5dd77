// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/facts.hpp"

#include <algorithm>

#include "compiler/text/utf8.hpp"

namespace memonline::sema {

std::vector<std::string_view> words_of(Fact fact) {
  switch (fact) {
    case Fact::Arch:
      // Those on which Linux hotplugs memory, as uname -m writes them.
      return {"x86_64", "aarch64", "s390x", "ppc64le", "ppc64", "riscv64", "i686", "loongarch64"};
    case Fact::Virtualization:
      return {"none",
              "kvm",
              "amazon",
              "qemu",
              "bochs",
              "xen",
              "uml",
              "vmware",
              "oracle",
              "microsoft",
              "zvm",
              "parallels",
              "bhyve",
              "qnx",
              "acrn",
              "powervm",
              "apple",
              "sre",
              "google",
              "vm-other",
              "systemd-nspawn",
              "lxc-libvirt",
              "lxc",
              "openvz",
              "docker",
              "podman",
              "rkt",
              "wsl",
              "proot",
              "pouch",
              "container-other"};
    case Fact::Kernel:
    case Fact::Memory:
    case Fact::Nodes:
    case Fact::Vendor:
    case Fact::Product:
    case Fact::Family: return {};
  }
  return {};
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  // Greedy with one point to come back to: the last `*`. Costs text times pattern at most.
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    const std::size_t length = std::max<std::size_t>(1, text::utf8_length(text, t));
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += length;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace memonline::sema
