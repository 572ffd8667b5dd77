// SPDX-License-Identifier: LGPL-2.1-or-later
// The members `remaining` and `agents` of documents: the same in plans, in the status and in
// explanations, as JSON or as YAML.
#pragma once

#include <vector>

#include "compiler/model/units.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/text/json_writer.hpp"

namespace memonline::render {

template <class Writer>
void write_remaining(Writer& out, const std::vector<plan::Remaining>& remaining) {
  out.key("remaining").begin_array();
  for (const plan::Remaining& one : remaining) {
    out.begin_object().member("kind", plan::remaining_kind_name(one.kind));
    out.key("ranges").begin_array(text::Layout::Line);
    for (const model::WriteRun& run : one.blocks) {
      out.begin_array(text::Layout::Line).value(run.first).value(run.last).end_array();
    }
    out.end_array().member("bytes", one.bytes).member("wanted", one.wanted);
    out.member("why", one.why).member("needs", one.needs).member("help", one.help);
    if (!one.rule.path.empty())
      out.member("path", one.rule.path)
          .member("line", one.rule.line)
          .member("column", one.rule.column);
    out.end_object();
  }
  out.end_array();
}

template <class Writer>
void write_agents(Writer& out, const std::vector<plan::CompetingAgent>& agents) {
  out.key("agents").begin_array();
  for (const plan::CompetingAgent& agent : agents)
    out.begin_object()
        .member("kind", plan::agent_kind_name(agent.kind))
        .member("path", agent.path)
        .member("line", agent.line)
        .member("column", agent.column)
        .member("text", agent.text)
        .member("does", agent.does)
        .member("remedy", agent.remedy)
        .member("certain", agent.certain)
        .member("settled", agent.settled)
        .end_object();
  out.end_array();
}

}  // namespace memonline::render
