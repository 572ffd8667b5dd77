// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers that cannot be mistaken for one another: identifiers, positions and quantities.
// Raw integers live in the grammar's literals and in the host reader; everywhere between them
// a number says what it counts. They are formatted and written into documents as they are;
// value() is for the edges: the bus, paths of sysfs, and the kernel model's page arithmetic.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>

#include <fmt/core.h>

namespace memonline {

/// A name that happens to be a number (a node id): equality and order, no arithmetic.
template <class Tag>
class Id {
 public:
  using Number = std::uint32_t;
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
  using Number = std::uint64_t;
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
  constexpr Position& operator+=(std::uint64_t count) {
    value_ += count;
    return *this;
  }
  constexpr Position& operator++() { return *this += 1; }

 private:
  std::uint64_t value_ = 0;
};

/// An amount of one thing (bytes): adds and compares with its own kind only.
template <class Tag>
class Quantity {
 public:
  using Number = std::uint64_t;
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
  friend constexpr Quantity operator/(Quantity a, std::uint64_t n) {
    return Quantity(a.value_ / n);
  }
  /// How many whole `b` are in `a`, and what is left.
  friend constexpr std::uint64_t operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }
  friend constexpr Quantity operator%(Quantity a, Quantity b) {
    return Quantity(a.value_ % b.value_);
  }
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }

 private:
  std::uint64_t value_ = 0;
};

/// How many `part` cover `whole`: the last may be needed only in part.
template <class Tag>
constexpr std::uint64_t divided_up(Quantity<Tag> whole, Quantity<Tag> part) {
  return whole / part + (whole % part != Quantity<Tag>() ? 1 : 0);
}

/// One of the types above.
template <class T>
concept Strong = requires(T one) {
  typename T::Number;
  { one.value() } -> std::same_as<typename T::Number>;
};

}  // namespace memonline

/// As its number, with the number's format specifications.
template <memonline::Strong T>
struct fmt::formatter<T, char> : fmt::formatter<typename T::Number, char> {
  template <class Context>
  auto format(T one, Context& context) const {
    return fmt::formatter<typename T::Number, char>::format(one.value(), context);
  }
};
