// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/base/deflate.hpp"

#include <array>

#include <zlib.h>

#include "runtime/base/late_library.hpp"

namespace memonline::runtime {

namespace {

struct Zlib {
  decltype(&::compressBound) compress_bound = nullptr;
  decltype(&::compress) compress = nullptr;
  decltype(&::inflateInit_) inflate_init = nullptr;
  decltype(&::inflate) inflate = nullptr;
  decltype(&::inflateEnd) inflate_end = nullptr;
  bool complete = false;
};

const Zlib& zlib() {
  static const Zlib loaded = [] {
    LateLibrary late(MEMONLINE_ZLIB);
    Zlib library;
    late.bind(library.compress_bound, "compressBound");
    late.bind(library.compress, "compress");
    late.bind(library.inflate_init, "inflateInit_");
    late.bind(library.inflate, "inflate");
    late.bind(library.inflate_end, "inflateEnd");
    library.complete = late.complete();
    return library;
  }();
  return loaded;
}

}  // namespace

std::string_view message_of(DeflateError error) {
  switch (error) {
    case DeflateError::NoLibrary: return "zlib (libz.so.1) is not installed";
    case DeflateError::Damaged: return "invalid or incomplete zlib stream (RFC 1950)";
    case DeflateError::TooLong: return "the uncompressed text is too long";
  }
  return {};
}

Result<std::string, DeflateError> deflate(const std::string& text) {
  if (!zlib().complete) return fail(DeflateError::NoLibrary);
  uLongf size = zlib().compress_bound(text.size());
  std::string stream(size, '\0');
  // Fails only if memory is short: the buffer is large enough.
  if (zlib().compress(reinterpret_cast<Bytef*>(stream.data()), &size,
                      reinterpret_cast<const Bytef*>(text.data()), text.size()) != Z_OK)
    return fail(DeflateError::TooLong);
  stream.resize(size);
  return stream;
}

Result<std::string, DeflateError> inflate(std::string_view stream, std::size_t most) {
  if (!zlib().complete) return fail(DeflateError::NoLibrary);
  z_stream state{};
  if (zlib().inflate_init(&state, ZLIB_VERSION, sizeof state) != Z_OK)
    return fail(DeflateError::NoLibrary);
  std::string copy(stream);  // zlib's input is not const
  state.next_in = reinterpret_cast<Bytef*>(copy.data());
  state.avail_in = static_cast<uInt>(copy.size());
  std::string text;
  std::array<char, 32768> piece{};
  int status = Z_OK;
  while (status == Z_OK && text.size() <= most) {
    state.next_out = reinterpret_cast<Bytef*>(piece.data());
    state.avail_out = piece.size();
    status = zlib().inflate(&state, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - state.avail_out);
  }
  const bool whole = status == Z_STREAM_END && state.avail_in == 0;
  zlib().inflate_end(&state);
  if (text.size() > most) return fail(DeflateError::TooLong);
  if (!whole) return fail(DeflateError::Damaged);
  return text;
}

}  // namespace memonline::runtime
