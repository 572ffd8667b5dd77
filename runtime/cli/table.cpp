// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/table.hpp"

#include <cstdlib>
#include <memory>
#include <new>

#include <libsmartcols.h>

#include "compiler/text/printable.hpp"

namespace memonline::cli {

namespace {

/// libsmartcols fails only when memory runs out.
void must(bool done) {
  if (!done) throw std::bad_alloc();
}

const char* escape_of(Tint tint) {
  switch (tint) {
    case Tint::None: break;
    case Tint::Kernel: return "\x1b[34m";
    case Tint::Movable: return "\x1b[32m";
    case Tint::Several: return "\x1b[35m";
    case Tint::Faint: return "\x1b[2m";
    case Tint::Attention: return "\x1b[1;33m";
    case Tint::Problem: return "\x1b[1;31m";
  }
  return nullptr;
}

void add_columns(libscols_table* table, const std::vector<Column>& columns, bool colored) {
  for (const Column& column : columns) {
    libscols_column* made =
        scols_table_new_column(table, column.name.c_str(), 0, column.right ? SCOLS_FL_RIGHT : 0);
    must(made != nullptr);
    if (colored) must(scols_cell_set_color(scols_column_get_header(made), "\x1b[1m") == 0);
  }
}

void add_row(libscols_table* table, const std::vector<Cell>& row) {
  libscols_line* line = scols_table_new_line(table, nullptr);
  must(line != nullptr);
  for (std::size_t i = 0; i < row.size(); ++i) {
    // Names of files and devices may contain anything.
    must(scols_line_set_data(line, i, printable(row[i].text).c_str()) == 0);
    const char* escape = row[i].text.empty() ? nullptr : escape_of(row[i].tint);
    if (escape != nullptr) must(scols_cell_set_color(scols_line_get_cell(line, i), escape) == 0);
  }
}

}  // namespace

std::string table(const std::vector<Column>& columns, const std::vector<std::vector<Cell>>& rows,
                  bool colored) {
  if (rows.empty()) return {};
  const std::unique_ptr<libscols_table, void (*)(libscols_table*)> made(scols_new_table(),
                                                                        &scols_unref_table);
  must(made != nullptr);
  // The output must not depend on the terminal: a truncated number is a wrong number.
  scols_table_set_termforce(made.get(), SCOLS_TERMFORCE_NEVER);
  must(scols_table_enable_colors(made.get(), colored ? 1 : 0) == 0);
  // The cells are printable; libsmartcols would escape their backslashes again.
  must(scols_table_enable_noencoding(made.get(), 1) == 0);
  add_columns(made.get(), columns, colored);
  for (const auto& row : rows) add_row(made.get(), row);
  char* printed = nullptr;
  must(scols_print_table_to_string(made.get(), &printed) == 0);
  const std::unique_ptr<char, void (*)(void*)> text(printed, &std::free);
  // Trailing blanks would make copied text and comparisons differ.
  std::string trimmed;
  for (const char* c = text.get(); *c != '\0'; ++c) {
    if (*c == '\n') trimmed.erase(trimmed.find_last_not_of(' ') + 1);
    trimmed += *c;
  }
  trimmed.erase(trimmed.find_last_not_of(" \n") + 1);
  return trimmed + '\n';
}

}  // namespace memonline::cli
