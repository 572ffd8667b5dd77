// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/nodes.hpp"

#include <utility>
#include <vector>

#include "dbus/guard.hpp"

namespace memonline::bus {

Node::Node(sdbus::IConnection& connection, model::NodeId id, NodeFigures figures)
    : AdaptorInterfaces(connection, sdbus::ObjectPath(node_path(id))),
      id_(id),
      figures_(std::move(figures)) {
  registerAdaptor();
  emitInterfacesAddedSignal();
}

Node::~Node() {
  try {
    emitInterfacesRemovedSignal();
  } catch (const sdbus::Error&) {  // The bus is gone.
  }
  unregisterAdaptor();
}

std::uint32_t Node::Number() { return id_.value(); }
std::uint64_t Node::Online() { return figures_.online; }
std::uint64_t Node::Offline() { return figures_.offline; }
std::map<std::string, std::uint64_t> Node::Zones() {
  return guarded([&] { return figures_.zones; });
}
std::map<std::string, std::uint64_t> Node::Wished() {
  return guarded([&] { return figures_.wished; });
}

void Node::show(const NodeFigures& now) {
  std::vector<std::string> changed;
  if (now.online != figures_.online) changed.emplace_back("Online");
  if (now.offline != figures_.offline) changed.emplace_back("Offline");
  if (now.zones != figures_.zones) changed.emplace_back("Zones");
  if (now.wished != figures_.wished) changed.emplace_back("Wished");
  figures_ = now;
  if (!changed.empty())
    emit_changed(getObject(), org::memonline1::Node_adaptor::INTERFACE_NAME, changed);
}

void Nodes::show(const service::View& view) {
  const auto now = node_figures(view);
  for (auto one = nodes_.begin(); one != nodes_.end();)
    one = now.contains(one->first) ? std::next(one) : nodes_.erase(one);
  for (const auto& [id, figures] : now)
    if (const auto known = nodes_.find(id); known != nodes_.end())
      known->second->show(figures);
    else
      nodes_.emplace(id, std::make_unique<Node>(connection_, id, figures));
}

}  // namespace memonline::bus
