// UMAMI over the functions of pyamp.h: the same layout, other names and a few more keys.
#include "capi/umami.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "amplitudes/amplitude_provider.h"
#include "capi/guard.h"

namespace {

using pyamp::capi::Failure;
using pyamp::capi::guarded;
using pyamp::capi::last_error;
using pyamp::capi::require;

constexpr std::array<bool, 6> supported_in = {true, true, true, true, true, true};
constexpr std::array<bool, 6> required_in = {true, false, false, false, false, false};
constexpr std::array<bool, 5> supported_out = {true, true, true, true, true};

struct Instance {
    pyamp_handle* handle = nullptr;
    int n_legs = 0;
    pyamp::CouplingOrders orders;
    double alpha_s = 0.0, alpha = 0.0;                ///< as set
    double opened_alpha_s = 0.0, opened_alpha = 0.0;  ///< those with which the handle computes

    ~Instance() { pyamp_close(handle); }

    /// What set_parameter changed, as a factor of |M|^2.
    double factor(bool alpha_s_given) const {
        const double strong = alpha_s_given ? 1.0 : std::pow(alpha_s / opened_alpha_s, orders.alpha_s_power);
        return strong * std::pow(alpha / opened_alpha, orders.alpha_power);
    }
};

/// How many instances are open by number of legs: the particle count is asked for without naming an instance.
class OpenInstances {
 public:
    void add(int n_legs, int change) {
        const std::lock_guard lock(mutex_);
        if ((counts_[n_legs] += change) == 0) counts_.erase(n_legs);
    }
    int n_legs() {
        const std::lock_guard lock(mutex_);
        require(!counts_.empty(), "umami_get_meta: the particle count is known once an instance is open");
        require(counts_.size() == 1,
                "umami_get_meta: instances with different particle counts are open; give the host the count itself");
        return counts_.begin()->first;
    }

 private:
    std::mutex mutex_;
    std::map<int, int> counts_;
};

/// Never destroyed: a host may free its instances when the program ends.
OpenInstances& open_instances = *new OpenInstances;

/// UMAMI has no messages: without this line a host can only say "error".
template <typename Body>
int guarded_aloud(const Body& body) noexcept {
    const int status = guarded(body);
    if (status != PYAMP_SUCCESS) std::fprintf(stderr, "pyamp: %s\n", last_error().c_str());
    return status;
}

void succeed(int status) {
    if (status != PYAMP_SUCCESS) throw Failure{static_cast<pyamp_status>(status), last_error()};
}

nlohmann::json describe(pyamp_handle* handle) {
    std::size_t size = 0;
    succeed(pyamp_describe(handle, nullptr, 0, &size));
    std::string text(size, '\0');
    succeed(pyamp_describe(handle, text.data(), size, nullptr));
    return nlohmann::json::parse(text.c_str());
}

template <std::size_t n>
int give(const std::array<bool, n>& values, bool const** flags, int* count) {
    return guarded([&] {
        require(flags && count, "umami: flags or count is a null pointer");
        *flags = values.data();
        *count = static_cast<int>(n);
    });
}

double& parameter(Instance& instance, const char* name) {
    require(name, "umami: the name of the parameter is a null pointer");
    if (std::string(name) == "alpha_s") return instance.alpha_s;
    if (std::string(name) == "alpha") return instance.alpha;
    throw Failure{PYAMP_ERROR, "umami: unknown parameter '" + std::string(name) + "'; there are alpha_s and alpha"};
}

/// The inputs that pyamp_evaluate takes.
struct Inputs {
    std::size_t n = 0;
    int keys[2];
    void const* data[2];
    bool alpha_s = false;

    void add(int key, void const* pointer) {
        for (std::size_t i = 0; i < n; ++i) require(keys[i] != key, "umami_matrix_element: an input key came twice");
        keys[n] = key;
        data[n++] = pointer;
        alpha_s = alpha_s || key == PYAMP_IN_ALPHA_S;
    }
};

Inputs read_inputs(std::size_t count, std::size_t offset, std::size_t n_in, int const* keys, void const* const* in) {
    Inputs inputs;
    require(n_in == 0 || (keys && in), "umami_matrix_element: input_keys or inputs is a null pointer");
    for (std::size_t i = 0; i < n_in; ++i) {
        require(in[i], "umami_matrix_element: an input is a null pointer");
        if (keys[i] < 0 || keys[i] >= static_cast<int>(supported_in.size()))
            throw Failure{PYAMP_UNSUPPORTED_INPUT,
                          "umami_matrix_element: unsupported input key " + std::to_string(keys[i])};
        if (keys[i] == UMAMI_IN_MOMENTA) inputs.add(PYAMP_IN_MOMENTA, in[i]);
        if (keys[i] == UMAMI_IN_ALPHA_S) inputs.add(PYAMP_IN_ALPHA_S, in[i]);
        if (keys[i] == UMAMI_IN_FLAVOR_INDEX) {
            const int* flavour = static_cast<const int*>(in[i]) + offset;
            require(std::all_of(flavour, flavour + count, [](int f) { return f == 0; }),
                    "umami_matrix_element: a flavour index is not 0, the only one there is");
        }
    }
    if (inputs.n == 0 || (inputs.n == 1 && inputs.alpha_s))
        throw Failure{PYAMP_MISSING_INPUT, "umami_matrix_element: the momenta (key 0) are missing"};
    return inputs;
}

void check_outputs(std::size_t n_out, int const* keys, void* const* out) {
    require(n_out == 0 || (keys && out), "umami_matrix_element: output_keys or outputs is a null pointer");
    for (std::size_t i = 0; i < n_out; ++i) {
        require(out[i], "umami_matrix_element: an output is a null pointer");
        if (keys[i] < 0 || keys[i] >= static_cast<int>(supported_out.size()))
            throw Failure{PYAMP_UNSUPPORTED_OUTPUT,
                          "umami_matrix_element: unsupported output key " + std::to_string(keys[i])};
    }
}

void evaluate(Instance& instance, std::size_t count, std::size_t stride, std::size_t offset, const Inputs& inputs,
              double* out) {
    const int key = PYAMP_OUT_AMPLITUDE;
    void* const target = out;
    succeed(
        pyamp_evaluate(instance.handle, count, stride, offset, inputs.n, inputs.keys, inputs.data, 1, &key, &target));
    const double factor = instance.factor(inputs.alpha_s);
    if (factor != 1.0) std::for_each_n(out + offset, count, [factor](double& value) { value *= factor; });
}

}  // namespace

int umami_get_meta(int key, void* result) {
    return guarded([&] {
        require(result, "umami_get_meta: result is a null pointer");
        int& value = *static_cast<int*>(result);
        switch (key) {
            case UMAMI_META_DEVICE:
                value = UMAMI_DEVICE_CPU;
                break;
            case UMAMI_META_PARTICLE_COUNT:
                value = open_instances.n_legs();
                break;
            case UMAMI_META_DIAGRAM_COUNT:
            case UMAMI_META_HELICITY_COUNT:
            case UMAMI_META_COLOR_COUNT:
                value = 1;
                break;
            default:
                throw Failure{PYAMP_UNSUPPORTED_META, "umami_get_meta: unsupported key " + std::to_string(key)};
        }
    });
}

int umami_supported_inputs(bool const** flags, int* count) { return give(supported_in, flags, count); }
int umami_required_inputs(bool const** flags, int* count) { return give(required_in, flags, count); }
int umami_supported_outputs(bool const** flags, int* count) { return give(supported_out, flags, count); }

int umami_initialize(void** handle, char const* path) {
    return guarded_aloud([&] {
        require(handle, "umami_initialize: handle is a null pointer");
        *handle = nullptr;
        require(path, "umami_initialize: the path is a null pointer");
        auto instance = std::make_unique<Instance>();
        succeed(pyamp_open(&instance->handle, path, nullptr));
        const auto description = describe(instance->handle);
        const auto& couplings = description["couplings"];
        instance->n_legs = static_cast<int>(description["process"]["pdg_ids"].size());
        instance->orders = {couplings["alpha_s_power"].get<int>(), couplings["alpha_power"].get<int>()};
        instance->alpha_s = instance->opened_alpha_s = couplings["alpha_s"].get<double>();
        instance->alpha = instance->opened_alpha = couplings["alpha"].get<double>();
        open_instances.add(instance->n_legs, +1);
        *handle = instance.release();
    });
}

int umami_set_parameter(void* handle, char const* name, double real, double) {
    return guarded_aloud([&] {
        require(handle, "umami_set_parameter: handle is a null pointer");
        double& value = parameter(*static_cast<Instance*>(handle), name);
        require(pyamp::is_coupling(real), "umami_set_parameter: a positive number expected");
        value = real;
    });
}

int umami_get_parameter(void* handle, char const* name, double* real, double* imaginary) {
    return guarded_aloud([&] {
        require(handle && real, "umami_get_parameter: handle or the pointer for the value is null");
        *real = parameter(*static_cast<Instance*>(handle), name);
        if (imaginary) *imaginary = 0.0;
    });
}

int umami_matrix_element(void* handle, size_t count, size_t stride, size_t offset, size_t n_in, int const* in_keys,
                         void const* const* in, size_t n_out, int const* out_keys, void* const* out) {
    return guarded_aloud([&] {
        require(handle, "umami_matrix_element: handle is a null pointer");
        require(count <= stride && offset <= stride - count,
                "umami_matrix_element: offset + count exceeds the stride");
        const Inputs inputs = read_inputs(count, offset, n_in, in_keys, in);
        check_outputs(n_out, out_keys, out);
        double* amplitude = nullptr;
        for (std::size_t i = 0; i < n_out; ++i) {
            if (out_keys[i] == UMAMI_OUT_MATRIX_ELEMENT || out_keys[i] == UMAMI_OUT_DIAGRAM_AMP2) {
                const auto target = static_cast<double*>(out[i]);
                if (amplitude)
                    std::copy_n(amplitude + offset, count, target + offset);
                else
                    evaluate(*static_cast<Instance*>(handle), count, stride, offset, inputs, amplitude = target);
            } else {
                std::fill_n(static_cast<int*>(out[i]) + offset, count, 0);
            }
        }
    });
}

int umami_free(void* handle) {
    return guarded([&] {
        const std::unique_ptr<Instance> instance(static_cast<Instance*>(handle));
        if (instance) open_instances.add(instance->n_legs, -1);
    });
}
