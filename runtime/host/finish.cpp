// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/finish.hpp"

#include "compiler/model/detect_era.hpp"
#include "compiler/model/facts.hpp"
#include "runtime/base/digest.hpp"

namespace memonline::runtime {

void finish(model::Host& host) {
  model::DetectedEra era = model::detect_era(host);
  host.era = era.era;
  host.era_evidence = std::move(era.evidence);
  host.fingerprint = sha256_of(model::canonical_text(host));
}

}  // namespace memonline::runtime
