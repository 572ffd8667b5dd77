// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/write.hpp"

#include "compiler/model/block_set.hpp"

namespace memonline::model {

std::string range_name(const WriteRun& run) { return range_name(run.first, run.last); }

std::string_view online_word(OnlineWord word) {
  switch (word) {
    case OnlineWord::Online: return "online";
    case OnlineWord::OnlineKernel: return "online_kernel";
    case OnlineWord::OnlineMovable: return "online_movable";
  }
  return "online";
}

}  // namespace memonline::model
