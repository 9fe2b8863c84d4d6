// The legs of g g -> gamma gamma g.
#pragma once

#include <array>

#include "amplitudes/frame.h"

namespace pyamp::gg_to_aag {

constexpr int n_legs = 5;
constexpr int n_incoming = 2;

/// Physical momenta (all energies positive), legs g g -> gamma gamma g.
using Point = std::array<Momentum, n_legs>;

}  // namespace pyamp::gg_to_aag
