// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/table.hpp"

#include <cstdlib>
#include <memory>
#include <new>

#include <libsmartcols.h>

namespace memonline::cli {

namespace {

/// libsmartcols reports only want of memory.
void must(bool done) {
  if (!done) throw std::bad_alloc();
}

}  // namespace

std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  const std::unique_ptr<libscols_table, void (*)(libscols_table*)> made(scols_new_table(),
                                                                        &scols_unref_table);
  must(made != nullptr);
  // What is printed must not depend on the terminal: a cut number is a wrong number.
  scols_table_set_termforce(made.get(), SCOLS_TERMFORCE_NEVER);
  for (const Column& column : columns)
    must(scols_table_new_column(made.get(), column.name.c_str(), 0,
                                column.right ? SCOLS_FL_RIGHT : 0) != nullptr);
  for (const auto& row : rows) {
    libscols_line* line = scols_table_new_line(made.get(), nullptr);
    must(line != nullptr);
    for (std::size_t i = 0; i < row.size(); ++i)
      must(scols_line_set_data(line, i, row[i].c_str()) == 0);
  }
  char* printed = nullptr;
  must(scols_print_table_to_string(made.get(), &printed) == 0);
  const std::unique_ptr<char, void (*)(void*)> text(printed, &std::free);
  // Blanks at the ends of lines help nobody.
  std::string trimmed;
  for (const char* c = text.get(); *c != '\0'; ++c) {
    if (*c == '\n') trimmed.erase(trimmed.find_last_not_of(' ') + 1);
    trimmed += *c;
  }
  trimmed.erase(trimmed.find_last_not_of(" \n") + 1);
  return trimmed + '\n';
}

}  // namespace memonline::cli
