// The Binoth Les Houches Accord over the functions of pyamp.h.
#include "capi/olp.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "capi/olp_contract.h"
#include "error.h"

namespace {

using pyamp::olp::SubProcess;

constexpr int failed = 0, succeeded = 1, ignored = 2;

/// The accord has one state for the process.
struct Server {
    std::mutex mutex;
    std::vector<SubProcess> sub_processes;
    double alpha_s = 0.118;
    double alpha = 1.0 / 137.035999084;
};

/// Never destroyed: at the end of the program LibTorch may be gone before the handles are.
Server& server = *new Server;

void complain(const std::string& reason) { std::fprintf(stderr, "pyamp: %s\n", reason.c_str()); }

void start(const std::string& path) {
    auto contract = pyamp::olp::make_contract(path);
    if (contract.is_order) {
        std::ofstream file(contract.answer_file);
        for (const auto& line : contract.lines) file << line << '\n';
        if (!file.flush()) throw pyamp::Error(contract.answer_file + ": the contract cannot be written there");
    }
    if (!contract.first_complaint.empty()) throw pyamp::Error(path + ": " + contract.first_complaint);
    server.sub_processes = std::move(contract.sub_processes);
}

int set_parameter(const std::string& name, double value) {
    const std::string key = pyamp::blha::lower_case(name);
    const bool strong = key == "alphas" || key == "alpha_s";
    if (!strong && key != "alpha" && key != "alpha_qed") return ignored;
    if (!pyamp::is_coupling(value)) {
        complain("OLP_SetParameter: " + name + " is " + std::to_string(value) + ", a positive number expected");
        return failed;
    }
    (strong ? server.alpha_s : server.alpha) = value;
    return succeeded;
}

struct Result {
    double value = std::numeric_limits<double>::quiet_NaN();
    double accuracy = std::numeric_limits<double>::infinity();
};

Result evaluate(const SubProcess& sub_process, const double* momenta, double alpha_s) {
    const std::size_t n_legs = sub_process.legs.size();
    std::vector<double> point(4 * n_legs);
    for (std::size_t leg = 0; leg < n_legs; ++leg)
        for (std::size_t mu = 0; mu < 4; ++mu)
            point[leg + n_legs * mu] = momenta[5 * static_cast<std::size_t>(sub_process.legs[leg]) + mu];
    const int in_keys[] = {PYAMP_IN_MOMENTA, PYAMP_IN_ALPHA_S};
    const void* in[] = {point.data(), &alpha_s};
    const int out_keys[] = {PYAMP_OUT_AMPLITUDE, PYAMP_OUT_SIGMA_SYST, PYAMP_OUT_SIGMA_STAT, PYAMP_OUT_ACCURACY};
    double amplitude = 0.0, sigma_syst = 0.0, sigma_stat = 0.0, accuracy = 0.0;
    void* out[] = {&amplitude, &sigma_syst, &sigma_stat, &accuracy};
    const std::size_t n_out = sub_process.has_accuracy ? 4 : 3;
    if (pyamp_evaluate(sub_process.handle.get(), 1, 1, 0, 2, in_keys, in, n_out, out_keys, out) != PYAMP_SUCCESS) {
        complain(pyamp_last_error());
        return {};
    }
    if (!std::isfinite(amplitude)) return {};
    const double factor = std::pow(server.alpha / sub_process.opened_alpha, sub_process.orders.alpha_power);
    if (!sub_process.has_accuracy) accuracy = std::hypot(sigma_syst, sigma_stat) / std::fabs(amplitude);
    return {amplitude * factor, accuracy};
}

Result evaluate(const int* id, const double* momenta, const double* alpha_s) noexcept {
    try {
        const std::lock_guard lock(server.mutex);
        if (!id || !momenta) {
            complain("OLP_EvalSubProcess: a null pointer");
        } else if (*id < 1 || static_cast<std::size_t>(*id) > server.sub_processes.size()) {
            complain("OLP_EvalSubProcess: there is no process " + std::to_string(*id) +
                     " in the contract, ids go from 1 to " + std::to_string(server.sub_processes.size()));
        } else {
            return evaluate(server.sub_processes[static_cast<std::size_t>(*id - 1)], momenta,
                            alpha_s ? *alpha_s : server.alpha_s);
        }
    } catch (const std::exception& error) {
        complain(error.what());
    }
    return {};
}

template <typename Body>
void guarded(int* ierr, const Body& body) noexcept {
    int status = failed;
    try {
        const std::lock_guard lock(server.mutex);
        status = body();
    } catch (const std::exception& error) {
        complain(error.what());
    }
    if (ierr) *ierr = status;
}

void copy_text(char* target, std::size_t size, const std::string& text) {
    if (!target) return;
    std::memset(target, 0, size);
    std::memcpy(target, text.data(), std::min(size - 1, text.size()));
}

}  // namespace

void OLP_Start(const char* file, int* ierr) {
    guarded(ierr, [&] {
        if (!file) throw pyamp::Error("OLP_Start: the name of the file is a null pointer");
        start(file);
        return succeeded;
    });
}

void OLP_SetParameter(const char* name, const double* re, const double*, int* ierr) {
    guarded(ierr, [&] {
        if (!name || !re) throw pyamp::Error("OLP_SetParameter: a null pointer");
        return set_parameter(name, *re);
    });
}

void OLP_Option(const char* assignment, int* ierr) {
    guarded(ierr, [&] {
        const std::string text = assignment ? assignment : "";
        const auto sign = text.find('=');
        std::size_t used = 0;
        double value = 0.0;
        try {
            value = std::stod(text.substr(sign == std::string::npos ? text.size() : sign + 1), &used);
        } catch (const std::logic_error&) {
            throw pyamp::Error("OLP_Option: '" + text + "', NAME=NUMBER expected");
        }
        std::string name = text.substr(0, sign);
        name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
        return set_parameter(name, value);
    });
}

void OLP_EvalSubProcess2(const int* id, const double* momenta, const double*, double* rval, double* acc) {
    const Result result = evaluate(id, momenta, nullptr);
    if (rval) rval[0] = result.value;
    if (acc) *acc = result.accuracy;
}

void OLP_EvalSubProcess(const int* id, const double* momenta, const double*, const double* alpha_s, double* rval) {
    const Result result = evaluate(id, momenta, alpha_s);
    if (rval) rval[0] = result.value;
}

void OLP_Info(char name[15], char version[15], char message[255]) {
    copy_text(name, 15, "pyamp");
    copy_text(version, 15, PYAMP_VERSION);
    copy_text(message, 255,
              "neural surrogates and one-loop amplitudes; cite the papers of the amplitudes that you use");
}

void OLP_PrintParameter(const char* file) {
    guarded(nullptr, [&] {
        if (!file) throw pyamp::Error("OLP_PrintParameter: the name of the file is a null pointer");
        std::ofstream stream(file);
        stream.precision(17);
        stream << "alphas " << server.alpha_s << "\nalpha " << server.alpha << '\n';
        if (!stream.flush()) throw pyamp::Error(std::string(file) + ": cannot be written");
        return succeeded;
    });
}
