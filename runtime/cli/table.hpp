// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables as util-linux prints them, by its own libsmartcols.
#pragma once

#include <string>
#include <vector>

namespace memonline::cli {

struct Column {
  std::string name;
  bool right = false;
};

/// A row has a text for each column. The table is as wide as its longest texts.
std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows);

}  // namespace memonline::cli
