// Processes as text.
#include "amplitudes/process_text.h"

#include <sstream>

#include "error.h"
#include "whole_number.h"

namespace pyamp {
namespace {

std::vector<int> pdg_ids(const std::string& text, const std::string& where) {
    std::istringstream words(text);
    std::vector<int> ids;
    std::string word;
    while (words >> word) {
        const auto id = whole_number(word);
        if (!id) throw Error(where + ": '" + word + "' in a process, a PDG id expected");
        ids.push_back(*id);
    }
    return ids;
}

}  // namespace

Process parse_process(const std::string& text, const std::string& where, const std::string& example) {
    const auto arrow = text.find("->");
    if (arrow == std::string::npos)
        throw Error(where + ": '" + text + "', a process such as \"" + example + "\" expected");
    Process process;
    process.pdg_ids = pdg_ids(text.substr(0, arrow), where);
    process.n_incoming = process.n_legs();
    const auto outgoing = pdg_ids(text.substr(arrow + 2), where);
    process.pdg_ids.insert(process.pdg_ids.end(), outgoing.begin(), outgoing.end());
    if (process.n_incoming != 2 || outgoing.empty())
        throw Error(where + ": '" + text + "', two incoming and at least one outgoing particle expected");
    return process;
}

std::string process_text(const Process& process) {
    std::string text;
    for (int leg = 0; leg < process.n_legs(); ++leg)
        text += (leg == process.n_incoming ? " -> "
                 : leg                     ? " "
                                           : "") +
                std::to_string(process.pdg_ids[static_cast<std::size_t>(leg)]);
    return text;
}

}  // namespace pyamp
