// SPDX-License-Identifier: LGPL-2.1-or-later
// A shared library that is loaded when it is needed: linked, it and what it needs would stay
// resident in every run. Never unloaded.
#pragma once

#include <type_traits>

#include <dlfcn.h>

namespace memonline::runtime {

class LateLibrary {
 public:
  /// `name`: as the loader knows it, "libarchive.so.13".
  explicit LateLibrary(const char* name) : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}

  /// Sets a pointer whose type is from the library's own header; null if the symbol is missing.
  template <typename Function>
  void bind(Function& function, const char* symbol) {
    void* found = handle_ == nullptr ? nullptr : ::dlsym(handle_, symbol);
    function = reinterpret_cast<std::decay_t<Function>>(found);
    complete_ = complete_ && found != nullptr;
  }

  /// The library and all requested symbols were found.
  [[nodiscard]] bool complete() const { return handle_ != nullptr && complete_; }

 private:
  void* handle_;
  bool complete_ = true;
};

}  // namespace memonline::runtime
