// SPDX-License-Identifier: LGPL-2.1-or-later
// The objects /org/memonline1/node/N. org.memonline1.Node.xml describes their members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <node_adaptor.hpp>

#include "dbus/convert.hpp"

namespace memonline::bus {

class Node final
    : public sdbus::AdaptorInterfaces<org::memonline1::Node_adaptor, sdbus::Properties_adaptor,
                                      sdbus::ManagedObject_adaptor> {
 public:
  Node(sdbus::IConnection& connection, model::NodeId id, NodeFigures figures);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Announces the properties that differ.
  void show(const NodeFigures& now);

 private:
  std::uint32_t Number() override;
  std::uint64_t Online() override;
  std::uint64_t Offline() override;
  std::map<std::string, std::uint64_t> Zones() override;
  std::map<std::string, std::uint64_t> Wished() override;

  model::NodeId id_;
  NodeFigures figures_;
};

class Nodes {
 public:
  explicit Nodes(sdbus::IConnection& connection) : connection_(connection) {}
  void show(const service::View& view);
  [[nodiscard]] std::size_t count() const { return nodes_.size(); }
  /// The size of all properties of a node: numbers of six zones.
  static constexpr std::size_t kSize = 1024;

 private:
  sdbus::IConnection& connection_;
  std::map<model::NodeId, std::unique_ptr<Node>> nodes_;
};

}  // namespace memonline::bus
