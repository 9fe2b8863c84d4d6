// Reading a process.
#include "amplitudes/quark_line/legs.h"

#include <cstdlib>

#include "amplitudes/process_text.h"
#include "amplitudes/quark_line/words.h"
#include "error.h"

namespace pyamp::quark_line {
namespace {

bool is_quark(int pdg_id) { return std::abs(pdg_id) >= 1 && std::abs(pdg_id) <= 5; }
bool is_lepton(int pdg_id) { return std::abs(pdg_id) >= 11 && std::abs(pdg_id) <= 16; }
bool is_neutrino(int pdg_id) { return is_lepton(pdg_id) && pdg_id % 2 == 0; }

Error refusal(const Process& process, const std::string& why) {
    return Error("tree: " + why + " in '" + process_text(process) +
                 "'; a quark and its antiquark (1 to 5), a pair of leptons of one flavour (11 to 16) and up to " +
                 std::to_string(max_gluons) +
                 " gluons expected, in any crossing but incoming neutrinos, as \"21 21 -> 11 -11 21 1 -1\"");
}

}  // namespace

Legs sort_legs(const Process& process) {
    Legs legs;
    int n_quarks = 0, n_leptons = 0;
    int flavour = 0, lepton_flavour = 0;  // of particles less antiparticles
    for (int leg = 0; leg < process.n_legs(); ++leg) {
        const bool is_incoming = leg < process.n_incoming;
        const int id = process.pdg_ids[leg];
        const int outgoing = is_incoming && id != 21 ? -id : id;
        if (id == 21) {
            legs.gluons.push_back(leg);
        } else if (is_quark(id)) {
            ++n_quarks;
            flavour += outgoing;
            legs.quark_id = std::abs(id);
            (outgoing > 0 ? legs.quark : legs.antiquark) = leg;
        } else if (is_lepton(id) && !(is_incoming && is_neutrino(id))) {
            ++n_leptons;
            lepton_flavour += outgoing;
            legs.lepton_id = std::abs(id);
            (outgoing > 0 ? legs.lepton : legs.antilepton) = leg;
        } else {
            throw refusal(process, (is_lepton(id) ? "incoming neutrino " : "particle ") + std::to_string(id));
        }
    }
    if (n_quarks != 2 || flavour != 0)
        throw refusal(process, std::to_string(n_quarks) + " quarks" + (n_quarks == 2 ? " that make no pair" : ""));
    if (n_leptons != 2 || lepton_flavour != 0)
        throw refusal(process, std::to_string(n_leptons) + " leptons" + (n_leptons == 2 ? " that make no pair" : ""));
    if (legs.gluons.size() > max_gluons) throw refusal(process, std::to_string(legs.gluons.size()) + " gluons");
    return legs;
}

double spin_colour_average(const Process& process) {
    double states = 1;
    for (int leg = 0; leg < process.n_incoming; ++leg) {
        const int id = process.pdg_ids[leg];
        states *= 2 * (id == 21 ? 8 : is_quark(id) ? 3 : 1);
    }
    return states;
}

}  // namespace pyamp::quark_line
