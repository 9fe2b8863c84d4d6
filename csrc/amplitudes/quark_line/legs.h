// Which leg of a process is what.
#pragma once

#include <string>
#include <vector>

#include "amplitudes/amplitude_provider.h"

namespace pyamp::quark_line {

/// All legs taken as outgoing: an incoming antiquark is the quark.
struct Legs {
    int quark_id = 0;  ///< PDG id, positive
    int lepton_id = 0;
    int quark = -1;
    int antiquark = -1;
    int lepton = -1;
    int antilepton = -1;
    std::vector<int> gluons;
};

/// @throws pyamp::Error for anything but a quark line, a pair of leptons of one flavour, and up to four gluons
Legs sort_legs(const Process& process);

/// Number of spin and colour states of the incoming legs.
double spin_colour_average(const Process& process);

}  // namespace pyamp::quark_line
