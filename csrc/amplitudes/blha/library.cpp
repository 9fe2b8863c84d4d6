// A provider's shared library in this process.
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <mutex>
#include <set>

#include "amplitudes/blha/session.h"
#include "error.h"

namespace pyamp::blha {
namespace {

/// Providers keep one global state: a library serves one session of the process, ever.
void claim(const std::string& path) {
    static std::mutex mutex;
    static std::set<std::string> claimed;
    const std::lock_guard lock(mutex);
    if (!claimed.insert(std::filesystem::weakly_canonical(path).string()).second)
        throw Error(path +
                    ": is in use in this process already, and a provider has one global state; use 'isolated': true");
}

class Library final : public Session {
 public:
    explicit Library(const Options& options)
        : path_(options.library), old_call_(options.evaluate == "OLP_EvalSubProcess") {
        for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
        // Not closed: providers do not survive it, and their state would be lost.
        handle_ = dlopen(path_.c_str(), RTLD_LAZY | RTLD_LOCAL);
        if (!handle_) {
            const char* reason = dlerror();
            throw Error(path_ + ": cannot be opened as a BLHA provider (" + (reason ? reason : "no reason given") +
                        ")");
        }
        resolve("OLP_Start", start_);
        if (old_call_)
            resolve("OLP_EvalSubProcess", evaluate_);
        else
            resolve("OLP_EvalSubProcess2", evaluate2_);
        set_parameter_ = reinterpret_cast<SetParameter*>(dlsym(handle_, "OLP_SetParameter"));
        info_ = reinterpret_cast<Info*>(dlsym(handle_, "OLP_Info"));
        claim(path_);
    }

    void start(const std::string& file) override {
        int ierr = 0;
        start_(file.c_str(), &ierr);
        if (ierr != 1)
            throw Error(path_ + ": OLP_Start of " + file + " failed (ierr " + std::to_string(ierr) +
                        "); the provider's own output and the contract say why");
    }

    int set_parameter(const std::string& name, double value) override {
        if (!set_parameter_) return 2;
        int ierr = 0;
        const double zero = 0.0;
        set_parameter_(name.c_str(), &value, &zero, &ierr);
        return ierr;
    }

    void evaluate(const Points& points, PointResult* results) override {
        for (std::size_t k = 0; k < points.n; ++k) {
            std::fill_n(results[k].slots, n_slots, std::numeric_limits<double>::quiet_NaN());
            results[k].accuracy = std::numeric_limits<double>::quiet_NaN();
            const double* momenta = points.momenta + 5 * points.n_legs * k;
            if (old_call_)
                evaluate_(&points.id, momenta, &points.scale, &points.alpha_s, results[k].slots);
            else
                evaluate2_(&points.id, momenta, &points.scale, results[k].slots, &results[k].accuracy);
        }
    }

    std::string version() override {
        const std::string name = std::filesystem::path(path_).filename().string();
        if (!info_) return name;
        char olp[256] = {}, version[256] = {}, message[1024] = {};
        info_(olp, version, message);
        return std::string(olp, strnlen_of(olp)) + " " + std::string(version, strnlen_of(version)) + " (" + name +
               ")";
    }

 private:
    using Start = void(const char*, int*);
    using SetParameter = void(const char*, const double*, const double*, int*);
    using Evaluate = void(const int*, const double*, const double*, const double*, double*);
    using Evaluate2 = void(const int*, const double*, const double*, double*, double*);
    using Info = void(char*, char*, char*);

    static std::size_t strnlen_of(const char (&text)[256]) {
        std::size_t length = 0;
        while (length < 255 && text[length] > ' ') ++length;
        return length;
    }

    template <typename Function>
    void resolve(const char* name, Function*& function) {
        function = reinterpret_cast<Function*>(dlsym(handle_, name));
        if (!function) throw Error(path_ + ": has no function " + name + "; it is no BLHA provider");
    }

    std::string path_;
    bool old_call_;
    void* handle_;
    Start* start_ = nullptr;
    SetParameter* set_parameter_ = nullptr;
    Evaluate* evaluate_ = nullptr;
    Evaluate2* evaluate2_ = nullptr;
    Info* info_ = nullptr;
};

}  // namespace

std::unique_ptr<Session> open_library(const Options& options) { return std::make_unique<Library>(options); }

}  // namespace pyamp::blha
