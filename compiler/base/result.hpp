// SPDX-License-Identifier: LGPL-2.1-or-later
// Result<T, E>: a value or the reason there is none. The one place to change when std::expected
// (C++23) may be used.
#pragma once

#include <tl/expected.hpp>

namespace memonline {

template <class T, class E>
using Result = tl::expected<T, E>;

template <class E>
auto fail(E&& error) {
  return tl::make_unexpected(std::forward<E>(error));
}

}  // namespace memonline
