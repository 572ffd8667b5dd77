// SPDX-License-Identifier: LGPL-2.1-or-later
// A visitor for std::variant made of lambdas. Visits have no catch-all: a new alternative shows
// its work as compile errors.
#pragma once

namespace memonline {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

}  // namespace memonline
