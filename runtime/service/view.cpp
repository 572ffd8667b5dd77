// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/view.hpp"

namespace memonline::service {

std::string_view state_name(State state) {
  switch (state) {
    case State::InSync: return "in-sync";
    case State::Drift: return "drift";
    case State::Applying: return "applying";
    case State::Failed: return "failed";
    case State::RebootRequired: return "reboot-required";
  }
  return "failed";
}

std::string_view kind_name(Job::Kind kind) {
  switch (kind) {
    case Job::Kind::Settle: return "settle";
    case Job::Kind::Apply: return "apply";
    case Job::Kind::Undo: return "undo";
  }
  return "apply";
}

std::string_view stage_name(Job::Stage stage) {
  switch (stage) {
    case Job::Stage::Queued: return "queued";
    case Job::Stage::Running: return "running";
    case Job::Stage::Confirming: return "confirming";
    case Job::Stage::Waiting: return "waiting";
    case Job::Stage::Cancelling: return "cancelling";
    case Job::Stage::Done: return "done";
  }
  return "done";
}

std::string_view result_name(Job::Result result) {
  switch (result) {
    case Job::Result::None: return "";
    case Job::Result::Done: return "done";
    case Job::Result::Partial: return "partial";
    case Job::Result::Failed: return "failed";
    case Job::Result::Cancelled: return "cancelled";
    case Job::Result::Undone: return "undone";
  }
  return "";
}

}  // namespace memonline::service
