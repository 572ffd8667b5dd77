// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers that cannot be mistaken for one another: identifiers, positions and quantities.
// Raw integers live in the grammar's literals and in the host reader; everywhere between them
// a number says what it counts.
#pragma once

#include <compare>
#include <cstdint>

namespace memonline {

/// A name that happens to be a number (a node id): equality and order, no arithmetic.
template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(std::uint32_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  std::uint32_t value_ = 0;
};

/// A point on a line (a block id, a page frame number): position + count, position - position.
template <class Tag>
class Position {
 public:
  constexpr Position() = default;
  constexpr explicit Position(std::uint64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  friend constexpr auto operator<=>(Position, Position) = default;
  friend constexpr Position operator+(Position at, std::uint64_t count) {
    return Position(at.value_ + count);
  }
  friend constexpr Position operator-(Position at, std::uint64_t count) {
    return Position(at.value_ - count);
  }
  friend constexpr std::uint64_t operator-(Position a, Position b) { return a.value_ - b.value_; }

 private:
  std::uint64_t value_ = 0;
};

/// An amount of one thing (bytes): adds and compares with its own kind only.
template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(std::uint64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.value_ + b.value_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value_ - b.value_);
  }
  friend constexpr Quantity operator*(Quantity a, std::uint64_t n) {
    return Quantity(a.value_ * n);
  }
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace memonline
