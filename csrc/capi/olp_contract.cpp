// The answers to an order file.
#include "capi/olp_contract.h"

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "error.h"
#include "whole_number.h"

namespace pyamp::olp {
namespace {

using blha::Line;
using nlohmann::json;

/// Why a line is not granted.
struct Refusal {
    std::string reason;
};

/// What has been ordered so far; settings hold for the processes below them.
struct Order {
    bool loop_induced = false;
    std::string source;  ///< empty: the built-in amplitude of the process
    std::string policy = "nan";
    std::map<std::string, int> powers;  ///< of the couplings "QCD" and "QED", as ordered
    std::string answer_file;
};

int number(const std::string& text) {
    const auto value = whole_number(text);
    if (!value) throw Refusal{"a whole number expected"};
    return *value;
}

std::pair<std::string, std::string> split(const std::string& text) {
    const auto blank = text.find(' ');
    return {text.substr(0, blank), blank == std::string::npos ? "" : text.substr(blank + 1)};
}

void set_extra(const Line& line, Order& order) {
    const auto [name, value] = split(line.value);
    const std::string key = blha::lower_case(name);
    if (value.empty()) throw Refusal{"a value expected"};
    if (key == "answerfile")
        order.answer_file = value;
    else if (key == "pyampsource")
        order.source = value;
    else if (key == "pyamppolicy")
        order.policy = value;
    else
        throw Refusal{"unknown extra key, known: AnswerFile, PyampSource, PyampPolicy"};
}

void grant_setting(const Line& line, Order& order) {
    using Handler = std::function<void()>;
    const auto only = [&line](std::initializer_list<const char*> values) {
        const std::vector<const char*> granted(values);
        return Handler([&line, granted] {
            for (const char* value : granted)
                if (blha::lower_case(line.value) == blha::lower_case(value)) return;
            std::string known;
            for (const char* value : granted) known += (known.empty() ? "" : ", ") + std::string(value);
            throw Refusal{"unsupported flag, supported: " + known};
        });
    };
    const std::map<std::string, Handler> handlers = {
        {"interfaceversion", only({"BLHA1", "BLHA2"})},
        {"model", only({"SM", "SMdiag"})},
        {"correctiontype", only({"QCD"})},
        {"irregularisation", only({"CDR", "DRED", "tHV"})},
        {"irsubtractionmethod", only({"None"})},
        {"matrixelementsquaretype", only({"CHaveraged"})},
        {"ewscheme", only({"alpha0", "alphaMZ", "alphaRUN"})},
        {"amplitudetype",
         [&] {
             only({"LoopInduced"})();
             order.loop_induced = true;
         }},
        {"accuracytarget", [] {}},
        {"alphaspower", [&] { order.powers["QCD"] = number(line.value); }},
        {"alphapower", [&] { order.powers["QED"] = number(line.value); }},
        {"couplingpower",
         [&] {
             const auto [coupling, power] = split(line.value);
             if (coupling != "QCD" && coupling != "QED") throw Refusal{"unsupported coupling, supported: QCD, QED"};
             order.powers[coupling] = number(power);
         }},
        {"extra", [&] { set_extra(line, order); }},
    };
    const auto handler = handlers.find(blha::lower_case(line.key));
    if (handler == handlers.end()) throw Refusal{"unknown key"};
    handler->second();
}

std::string source_of(const Order& order, const Process& process) {
    if (!order.source.empty()) return order.source;
    for (const std::string& name : builtin_amplitudes())
        if (!blha::map_legs(make_builtin_amplitude(name)->process(), process).empty()) return "builtin:" + name;
    throw Refusal{"process not available; Extra PyampSource names a model file"};
}

json describe(pyamp_handle* handle) {
    std::size_t size = 0;
    pyamp_describe(handle, nullptr, 0, &size);
    std::string text(size, '\0');
    pyamp_describe(handle, text.data(), size, nullptr);
    return json::parse(text.c_str());
}

/// |M|^2 has alpha_s^n; loop-induced orders also name the n - 2 of the tree that there is not.
void check_power(const Order& order, const char* coupling, int power) {
    const auto ordered = order.powers.find(coupling);
    if (ordered == order.powers.end() || ordered->second == power) return;
    if (std::string(coupling) == "QCD" && ordered->second == power - 2) return;
    throw Refusal{"|M|^2 has the power " + std::to_string(power) + " of the " + coupling + " coupling, " +
                  std::to_string(ordered->second) + " ordered"};
}

SubProcess open(const Order& order, const Process& process) {
    if (!order.loop_induced) throw Refusal{"AmplitudeType LoopInduced must be ordered before"};
    const std::string source = source_of(order, process);
    const json options = {{"policy", order.policy}, {"identical_particle_factor", true}};
    pyamp_handle* handle = nullptr;
    const int status = pyamp_open(&handle, source.c_str(), options.dump().c_str());
    SubProcess result;
    result.handle.reset(handle);
    if (status != PYAMP_SUCCESS) throw Refusal{pyamp_last_error()};
    const json description = describe(handle);
    Process found;
    found.pdg_ids = description["process"]["pdg_ids"].get<std::vector<int>>();
    found.n_incoming = description["process"]["n_incoming"];
    result.legs = blha::map_legs(found, process);
    if (result.legs.empty()) throw Refusal{source + " is for " + process_text(found)};
    const json& couplings = description["couplings"];
    result.orders = {couplings["alpha_s_power"].get<int>(), couplings["alpha_power"].get<int>()};
    result.opened_alpha = couplings["alpha"];
    result.has_accuracy = description["kind"] == "truth";
    check_power(order, "QCD", result.orders.alpha_s_power);
    check_power(order, "QED", result.orders.alpha_power);
    return result;
}

std::string answer(const Line& line, Order& order, Contract& contract) {
    try {
        if (line.kind == Line::Kind::setting) {
            grant_setting(line, order);
            return "OK";
        }
        contract.sub_processes.push_back(open(order, line.process));
        return "1 " + std::to_string(contract.sub_processes.size());
    } catch (const Refusal& refusal) {
        if (contract.first_complaint.empty()) contract.first_complaint = line.text + ": " + refusal.reason;
        return "Error: " + refusal.reason;
    }
}

}  // namespace

Contract make_contract(const std::string& path) {
    Contract contract;
    Order order;
    for (const Line& line : blha::read_lines(path)) {
        if (line.kind == Line::Kind::empty) {
            contract.lines.push_back(line.text);
            continue;
        }
        const std::string given = answer(line, order, contract);
        contract.lines.push_back(line.text + " | " + given);
        if (!line.answered) continue;
        contract.is_order = false;
        if (line.answer != given && contract.first_complaint.empty())
            contract.first_complaint = line.text + ": the contract says '" + line.answer + "', '" + given + "' today";
    }
    if (contract.sub_processes.empty() && contract.first_complaint.empty())
        contract.first_complaint = "no process is ordered";
    contract.answer_file = order.answer_file.empty() ? std::filesystem::path(path).replace_extension(".olc").string()
                                                     : order.answer_file;
    return contract;
}

}  // namespace pyamp::olp
