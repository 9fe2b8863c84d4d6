// libpyamp_sherpa.so: Sherpa's tree-level matrix elements as a provider of the Binoth Les Houches Accord, for a
// process of its own (pyamp_blha_worker). One line of the order names the run card: Extra SherpaCard PATH.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <vector>

#include "tree_level/matrix_element.H"

namespace {

struct Provider {
    std::unique_ptr<PyAmp::TreeLevel> element;
    int alpha_s_power = 0, alpha_power = 0;
    double alpha_s = 0.0, alpha = 0.0;
};
/// Never destroyed: Sherpa does not survive the end of main().
Provider& provider = *new Provider;

struct Order {
    std::vector<std::string> lines;
    std::string card, contract, process;
    std::vector<int> incoming, outgoing;
    int alpha_s_power = 0, alpha_power = 0;
};

Order ReadOrder(const char* path) {
    Order order;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        order.lines.push_back(line);
        std::istringstream words(line);
        std::string key, name, value;
        if (line.find("->") != std::string::npos) {
            order.process = line;
            bool is_incoming = true;
            for (std::string word; words >> word;)
                if (word == "->")
                    is_incoming = false;
                else
                    (is_incoming ? order.incoming : order.outgoing).push_back(std::stoi(word));
        } else if (words >> key >> name && std::getline(words >> std::ws, value)) {
            if (key == "Extra" && name == "AnswerFile") order.contract = value;
            if (key == "Extra" && name == "SherpaCard") order.card = value;
            if (key == "CouplingPower" && name == "QCD") order.alpha_s_power = std::stoi(value);
            if (key == "CouplingPower" && name == "QED") order.alpha_power = std::stoi(value);
        }
    }
    return order;
}

void WriteContract(const Order& order, const std::string& answer) {
    std::ofstream file(order.contract);
    for (const auto& line : order.lines)
        if (line.empty() || line[0] == '#')
            file << line << '\n';
        else
            file << line << " | " << (line == order.process ? answer : "OK") << '\n';
}

}  // namespace

extern "C" {

void OLP_Start(const char* path, int* ierr) {
    *ierr = 0;
    try {
        const Order order = ReadOrder(path);
        try {
            if (order.card.empty()) throw std::runtime_error("no line Extra SherpaCard in the order");
            provider.element = std::make_unique<PyAmp::TreeLevel>(order.card, order.incoming, order.outgoing);
            provider.alpha_s_power = order.alpha_s_power;
            provider.alpha_power = order.alpha_power;
            provider.alpha_s = provider.element->AlphaS();
            provider.alpha = provider.element->Alpha();
            WriteContract(order, "1 1");
            *ierr = 1;
        } catch (const std::exception& error) {
            WriteContract(order, std::string("Error: ") + error.what());
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", path, error.what());
    }
}

void OLP_SetParameter(const char* name, const double* value, const double*, int* ierr) {
    *ierr = 1;
    if (!std::strcmp(name, "alphas"))
        provider.alpha_s = *value;
    else if (!std::strcmp(name, "alpha"))
        provider.alpha = *value;
    else
        *ierr = 2;
}

/// The card fixes one order in the couplings, so that other couplings are powers of their ratios.
void OLP_EvalSubProcess2(const int*, const double* momenta, const double*, double* result, double* accuracy) {
    *result = *accuracy = std::numeric_limits<double>::quiet_NaN();
    try {
        auto& element = *provider.element;
        *result = element(momenta) * std::pow(provider.alpha_s / element.AlphaS(), provider.alpha_s_power) *
                  std::pow(provider.alpha / element.Alpha(), provider.alpha_power);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
}

void OLP_Info(char* name, char* version, char* message) {
    std::strcpy(name, ("Sherpa-" + (provider.element ? provider.element->Generator() : "?")).c_str());
    std::strcpy(version, SHERPA_VERSION_TEXT);
    std::strcpy(message, "");
}
}
