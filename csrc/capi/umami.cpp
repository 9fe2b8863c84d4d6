// UMAMI over the functions of pyamp.h: the same layout, other names and a few more keys. Where the buffers lie is the
// business of umami_memory.h.
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
#include "capi/umami_memory.h"

namespace {

using pyamp::capi::Failure;
using pyamp::capi::guarded;
using pyamp::capi::last_error;
using pyamp::capi::require;
using pyamp::umami::Events;
using pyamp::umami::Inputs;

constexpr std::array<bool, 6> supported_in = {true, true, true, true, true, true};
constexpr std::array<bool, 6> required_in = {true, false, false, false, false, false};
/// The stream is an output only where there are streams.
constexpr std::array<bool, 6> supported_out = {true, true, true, true, true, true};
int n_outputs() { return UMAMI_OUT_GPU_STREAM + (pyamp::umami::has_streams() ? 1 : 0); }

struct Instance {
    std::unique_ptr<pyamp::umami::Element> element;
    int n_legs = 0;
    pyamp::CouplingOrders orders;
    double alpha_s = 0.0, alpha = 0.0;                ///< as set
    double opened_alpha_s = 0.0, opened_alpha = 0.0;  ///< those with which the handle computes

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

nlohmann::json describe(pyamp_handle* handle) {
    std::size_t size = 0;
    pyamp::umami::succeed(pyamp_describe(handle, nullptr, 0, &size));
    std::string text(size, '\0');
    pyamp::umami::succeed(pyamp_describe(handle, text.data(), size, nullptr));
    return nlohmann::json::parse(text.c_str());
}

int give(const std::array<bool, 6>& values, int n, bool const** flags, int* count) {
    return guarded([&] {
        require(flags && count, "umami: flags or count is a null pointer");
        *flags = values.data();
        *count = n;
    });
}

double& parameter(Instance& instance, const char* name) {
    require(name, "umami: the name of the parameter is a null pointer");
    if (std::string(name) == "alpha_s") return instance.alpha_s;
    if (std::string(name) == "alpha") return instance.alpha;
    throw Failure{PYAMP_ERROR, "umami: unknown parameter '" + std::string(name) + "'; there are alpha_s and alpha"};
}

void add(Inputs& inputs, int key, void const* pointer) {
    for (std::size_t i = 0; i < inputs.n; ++i)
        require(inputs.keys[i] != key, "umami_matrix_element: an input key came twice");
    inputs.keys[inputs.n] = key;
    inputs.data[inputs.n++] = pointer;
}

bool has(const Inputs& inputs, int key) {
    return std::find(inputs.keys, inputs.keys + inputs.n, key) != inputs.keys + inputs.n;
}

Inputs read_inputs(std::size_t n_in, int const* keys, void const* const* in) {
    Inputs inputs;
    require(n_in == 0 || (keys && in), "umami_matrix_element: input_keys or inputs is a null pointer");
    for (std::size_t i = 0; i < n_in; ++i) {
        require(in[i], "umami_matrix_element: an input is a null pointer");
        if (keys[i] < 0 || keys[i] >= static_cast<int>(supported_in.size()))
            throw Failure{PYAMP_UNSUPPORTED_INPUT,
                          "umami_matrix_element: unsupported input key " + std::to_string(keys[i])};
        if (keys[i] == UMAMI_IN_MOMENTA) add(inputs, PYAMP_IN_MOMENTA, in[i]);
        if (keys[i] == UMAMI_IN_ALPHA_S) add(inputs, PYAMP_IN_ALPHA_S, in[i]);
        if (keys[i] == UMAMI_IN_FLAVOR_INDEX) inputs.flavour = static_cast<const int*>(in[i]);
    }
    if (!has(inputs, PYAMP_IN_MOMENTA))
        throw Failure{PYAMP_MISSING_INPUT, "umami_matrix_element: the momenta (key 0) are missing"};
    return inputs;
}

/// @returns the stream, null where none is given
void* check_outputs(std::size_t n_out, int const* keys, void* const* out) {
    void* stream = nullptr;
    require(n_out == 0 || (keys && out), "umami_matrix_element: output_keys or outputs is a null pointer");
    for (std::size_t i = 0; i < n_out; ++i) {
        if (keys[i] < 0 || keys[i] >= n_outputs())
            throw Failure{PYAMP_UNSUPPORTED_OUTPUT,
                          "umami_matrix_element: unsupported output key " + std::to_string(keys[i])};
        if (keys[i] == UMAMI_OUT_GPU_STREAM)
            stream = out[i];
        else
            require(out[i], "umami_matrix_element: an output is a null pointer");
    }
    return stream;
}

}  // namespace

int umami_get_meta(int key, void* result) {
    return guarded([&] {
        require(result, "umami_get_meta: result is a null pointer");
        int& value = *static_cast<int*>(result);
        switch (key) {
            case UMAMI_META_DEVICE:
                value = pyamp::umami::device();
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

int umami_supported_inputs(bool const** flags, int* count) {
    return give(supported_in, supported_in.size(), flags, count);
}
int umami_required_inputs(bool const** flags, int* count) {
    return give(required_in, required_in.size(), flags, count);
}
int umami_supported_outputs(bool const** flags, int* count) { return give(supported_out, n_outputs(), flags, count); }

int umami_initialize(void** handle, char const* path) {
    return guarded_aloud([&] {
        require(handle, "umami_initialize: handle is a null pointer");
        *handle = nullptr;
        require(path, "umami_initialize: the path is a null pointer");
        auto instance = std::make_unique<Instance>();
        instance->element = pyamp::umami::open(path);
        const auto description = describe(instance->element->handle());
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
        const Inputs inputs = read_inputs(n_in, in_keys, in);
        void* const stream = check_outputs(n_out, out_keys, out);
        const Events events{count, stride, offset};
        Instance& instance = *static_cast<Instance*>(handle);
        double* amplitude = nullptr;
        for (std::size_t i = 0; i < n_out; ++i) {
            if (out_keys[i] == UMAMI_OUT_GPU_STREAM) continue;
            if (out_keys[i] != UMAMI_OUT_MATRIX_ELEMENT && out_keys[i] != UMAMI_OUT_DIAGRAM_AMP2) {
                instance.element->fill_zero(events, static_cast<int*>(out[i]), stream);
                continue;
            }
            const auto target = static_cast<double*>(out[i]);
            if (amplitude) {
                instance.element->copy(events, amplitude, target, stream);
            } else {
                amplitude = target;
                const double factor = instance.factor(has(inputs, PYAMP_IN_ALPHA_S));
                instance.element->evaluate(events, inputs, factor, target, stream);
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
