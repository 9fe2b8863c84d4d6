// Orders are written for one process; those that a user wrote are taken as they are.
#include "amplitudes/blha/order.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "error.h"

namespace pyamp::blha {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> settings(const Options& options, const CouplingOrders& orders, const std::string& contract) {
    // OpenLoops takes CorrectionType and CouplingPower of a loop-induced process for those of a Born that there is
    // not, ignores alpha unless that is the input of its electroweak scheme, and writes its answers over the order
    // unless told where else. NJet counts the couplings of that Born.
    if (options.preset == "openloops")
        return {"InterfaceVersion BLHA2", "EWScheme alpha0", "AmplitudeType LoopInduced",
                "Extra AnswerFile " + contract};
    if (options.preset == "njet")
        return {"AmplitudeType loopsq",
                "CorrectionType QCD",
                "IRregularisation CDR",
                "AlphasPower " + std::to_string(orders.alpha_s_power - 2),
                "AlphaPower " + std::to_string(orders.alpha_power),
                "NJetReturnAccuracy 2",
                "Precision 1e-16"};
    return {"InterfaceVersion BLHA2",
            "CorrectionType QCD",
            options.preset == "sherpa" ? "AmplitudeType Tree" : "AmplitudeType LoopInduced",
            "CouplingPower QCD " + std::to_string(orders.alpha_s_power),
            "CouplingPower QED " + std::to_string(orders.alpha_power),
            "Extra AnswerFile " + contract};
}

void write_order(const std::string& path, const Options& options, const Process& process,
                 const CouplingOrders& orders, const std::string& contract) {
    std::ofstream file(path);
    file << "# written by pyamp\n";
    for (const auto& line : settings(options, orders, contract)) file << line << '\n';
    for (const auto& line : options.order_lines) file << line << '\n';
    file << '\n' << process_text(process) << '\n';
    if (!file.flush()) throw Error(path + ": the BLHA order cannot be written there");
}

/// The order of a user. One that does not say where the answers are to go would be written over by some providers, so
/// a copy that says it is started instead.
Agreement take_order(const std::string& order, const std::string& folder) {
    for (const Line& line : read_lines(order))
        if (line.kind == Line::Kind::setting && lower_case(line.key) == "extra" &&
            lower_case(line.value).starts_with("answerfile "))
            return {order, line.value.substr(line.value.find(' ') + 1)};
    const std::string copy = (fs::path(folder) / "order.lh").string();
    const std::string contract = (fs::path(folder) / "contract.olc").string();
    std::ofstream file(copy);
    file << "Extra AnswerFile " << contract << '\n' << std::ifstream(order).rdbuf();
    if (!file.flush()) throw Error(copy + ": the BLHA order cannot be written there");
    return {copy, contract};
}

}  // namespace

Process only_process(const std::string& path) {
    std::vector<Process> found;
    for (const Line& line : read_lines(path))
        if (line.kind == Line::Kind::process) found.push_back(line.process);
    if (found.size() == 1) return found.front();
    throw Error(path + ": " + std::to_string(found.size()) +
                " processes found, one expected; 'process' says which, as \"21 21 -> 22 22 21\"");
}

Agreement make_order(const Options& options, const Process& process, const CouplingOrders& orders,
                     const std::string& folder) {
    if (!options.contract.empty()) {
        if (fs::exists(options.contract)) return {options.contract, options.contract};
        if (options.order.empty() || fs::exists(options.order))
            throw Error(options.contract +
                        ": no such contract file; have the provider's own tool make it from the order");
    }
    const bool made_ahead = options.preset == "njet";
    if (!options.order.empty() && fs::exists(options.order)) {
        if (made_ahead)
            throw Error("blha: NJet takes a contract made ahead; run `njet.py -o CONTRACT " + options.order +
                        "` and give 'contract': CONTRACT");
        return take_order(options.order, folder);
    }
    if (process.pdg_ids.empty())
        throw Error("blha: no process; give 'process' as \"21 21 -> 22 22 21\", or 'order', an order file with one");
    const std::string contract = (fs::path(folder) / "contract.olc").string();
    const std::string order = options.order.empty() ? (fs::path(folder) / "order.lh").string() : options.order;
    if (made_ahead && options.order.empty())
        throw Error(
            "blha: NJet takes a contract made ahead; give 'order', where the order is to be written, run "
            "`njet.py -o CONTRACT ORDER` on it and give 'contract'");
    write_order(order, options, process, orders, contract);
    if (made_ahead)
        throw Error(order + ": written; now run `njet.py -o CONTRACT " + order + "` and give 'contract': CONTRACT");
    return {order, contract};
}

Granted read_contract(const std::string& path, const Process& process) {
    Granted granted{0, {}};
    for (const Line& line : read_lines(path)) {
        const std::string answer = lower_case(line.answer);
        const bool refused = answer.starts_with("error") || answer.find("not found") != std::string::npos;
        const bool is_ours = line.kind == Line::Kind::process && !map_legs(process, line.process).empty();
        std::istringstream numbers(line.answer);
        int n_ids = 0, first = 0;
        if (refused || (is_ours && !(numbers >> n_ids >> first && n_ids >= 1)))
            throw Error(path + ": not granted: " + line.text + " | " + line.answer);
        if (!is_ours) continue;
        if (n_ids != 1)
            throw Error(path + ": " + line.text + " comes in " + std::to_string(n_ids) + " parts, one expected");
        granted = {first, line.process};
    }
    if (granted.process.pdg_ids.empty()) throw Error(path + ": no answer for the process " + process_text(process));
    return granted;
}

}  // namespace pyamp::blha
