// The C interface: keys and layouts in, statuses out, no exception across.
#include "capi/pyamp.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "capi/guard.h"
#include "capi/matrix_element.h"
#include "error.h"
#include "kinematics/point_check.h"

static_assert(int{PYAMP_FLAG_NOT_FINITE} == pyamp::flag_not_finite &&
              int{PYAMP_FLAG_OFF_SHELL} == pyamp::flag_off_shell &&
              int{PYAMP_FLAG_NOT_CONSERVED} == pyamp::flag_not_conserved &&
              int{PYAMP_FLAG_OUTSIDE_DOMAIN} == pyamp::flag_outside_domain &&
              int{PYAMP_FLAG_FROM_TRUTH} == pyamp::flag_from_truth && int{PYAMP_FLAG_FAILED} == pyamp::flag_failed);

std::string& pyamp::capi::last_error() {
    thread_local std::string reason;
    return reason;
}

struct pyamp_handle {
    std::unique_ptr<pyamp::capi::MatrixElement> matrix_element;
    /// Buffers of the last call, kept so that a call of the same size allocates nothing.
    std::vector<double> momenta, amplitude, sigma_syst, sigma_stat, accuracy;
    std::vector<std::int32_t> flags;
};

namespace {

using pyamp::capi::Failure;
using pyamp::capi::guarded;
using pyamp::capi::require;

struct Inputs {
    const double* momenta = nullptr;
    const double* alpha_s = nullptr;
};

Inputs read_inputs(std::size_t n_in, int const* keys, void const* const* in) {
    Inputs inputs;
    require(n_in == 0 || (keys && in), "pyamp_evaluate: in_keys or in is a null pointer");
    for (std::size_t i = 0; i < n_in; ++i) {
        require(in[i], "pyamp_evaluate: an input is a null pointer");
        if (keys[i] == PYAMP_IN_MOMENTA)
            inputs.momenta = static_cast<const double*>(in[i]);
        else if (keys[i] == PYAMP_IN_ALPHA_S)
            inputs.alpha_s = static_cast<const double*>(in[i]);
        else
            throw Failure{PYAMP_UNSUPPORTED_INPUT, "pyamp_evaluate: unknown input key " + std::to_string(keys[i])};
    }
    if (!inputs.momenta) throw Failure{PYAMP_MISSING_INPUT, "pyamp_evaluate: the momenta (key 0) are missing"};
    return inputs;
}

void check_outputs(const pyamp_handle& handle, std::size_t n_out, int const* keys, void* const* out) {
    require(n_out == 0 || (keys && out), "pyamp_evaluate: out_keys or out is a null pointer");
    for (std::size_t i = 0; i < n_out; ++i) {
        require(out[i], "pyamp_evaluate: an output is a null pointer");
        const bool known = keys[i] == PYAMP_OUT_AMPLITUDE || keys[i] == PYAMP_OUT_SIGMA_SYST ||
                           keys[i] == PYAMP_OUT_SIGMA_STAT || keys[i] == PYAMP_OUT_FLAGS ||
                           (keys[i] == PYAMP_OUT_ACCURACY && handle.matrix_element->has_accuracy());
        if (!known)
            throw Failure{PYAMP_UNSUPPORTED_OUTPUT,
                          "pyamp_evaluate: unsupported output key " + std::to_string(keys[i])};
    }
}

/// Gathers momenta from the batch-fastest layout of the interface into (count, n_legs, 4).
void gather(pyamp_handle& handle, const Inputs& inputs, std::size_t count, std::size_t stride, std::size_t offset) {
    const auto n_legs = static_cast<std::size_t>(handle.matrix_element->process().n_legs());
    handle.momenta.resize(count * n_legs * 4);
    for (std::size_t k = 0; k < count; ++k)
        for (std::size_t leg = 0; leg < n_legs; ++leg)
            for (std::size_t mu = 0; mu < 4; ++mu)
                handle.momenta[(k * n_legs + leg) * 4 + mu] =
                    inputs.momenta[offset + k + stride * (leg + n_legs * mu)];
}

void scatter(const pyamp_handle& handle, std::size_t count, std::size_t offset, std::size_t n_out, int const* keys,
             void* const* out) {
    const auto copy = [&](const std::vector<double>& values, void* target) {
        std::copy_n(values.begin(), count, static_cast<double*>(target) + offset);
    };
    for (std::size_t i = 0; i < n_out; ++i) switch (keys[i]) {
            case PYAMP_OUT_AMPLITUDE:
                copy(handle.amplitude, out[i]);
                break;
            case PYAMP_OUT_SIGMA_SYST:
                copy(handle.sigma_syst, out[i]);
                break;
            case PYAMP_OUT_SIGMA_STAT:
                copy(handle.sigma_stat, out[i]);
                break;
            case PYAMP_OUT_ACCURACY:
                copy(handle.accuracy, out[i]);
                break;
            default:
                std::copy_n(handle.flags.begin(), count, static_cast<std::int32_t*>(out[i]) + offset);
        }
}

}  // namespace

int pyamp_open(pyamp_handle** handle, const char* source, const char* options) {
    return guarded([&] {
        require(handle, "pyamp_open: handle is a null pointer");
        *handle = nullptr;
        require(source, "pyamp_open: source is a null pointer");
        auto result = std::make_unique<pyamp_handle>();
        result->matrix_element = pyamp::capi::open_matrix_element(source, options ? options : "");
        *handle = result.release();
    });
}

int pyamp_evaluate(pyamp_handle* handle, size_t count, size_t stride, size_t offset, size_t n_in, int const* in_keys,
                   void const* const* in, size_t n_out, int const* out_keys, void* const* out) {
    return guarded([&] {
        require(handle, "pyamp_evaluate: handle is a null pointer");
        const Inputs inputs = read_inputs(n_in, in_keys, in);
        check_outputs(*handle, n_out, out_keys, out);
        require(count <= stride && offset <= stride - count, "pyamp_evaluate: offset + count exceeds the stride");
        const bool wants_accuracy = std::find(out_keys, out_keys + n_out, PYAMP_OUT_ACCURACY) != out_keys + n_out;
        gather(*handle, inputs, count, stride, offset);
        for (auto* buffer : {&handle->amplitude, &handle->sigma_syst, &handle->sigma_stat, &handle->accuracy})
            buffer->resize(count);
        handle->flags.resize(count);
        const auto write = [&] { scatter(*handle, count, offset, n_out, out_keys, out); };
        try {
            handle->matrix_element->evaluate(
                handle->momenta.data(), count, inputs.alpha_s ? inputs.alpha_s + offset : nullptr,
                {handle->amplitude.data(), handle->sigma_syst.data(), handle->sigma_stat.data(), handle->flags.data(),
                 wants_accuracy ? handle->accuracy.data() : nullptr});
        } catch (const pyamp::Error&) {
            write();
            throw;
        }
        write();
    });
}

int pyamp_evaluate_device(pyamp_handle* handle, size_t count, size_t stride, size_t offset, size_t n_in,
                          int const* in_keys, void const* const* in, size_t n_out, int const* out_keys,
                          void* const* out, void* stream) {
    return guarded([&] {
        require(handle, "pyamp_evaluate_device: handle is a null pointer");
        const Inputs inputs = read_inputs(n_in, in_keys, in);
        check_outputs(*handle, n_out, out_keys, out);
        require(count <= stride && offset <= stride - count,
                "pyamp_evaluate_device: offset + count exceeds the stride");
        const auto output = [&](int key) -> void* {
            const auto* const found = std::find(out_keys, out_keys + n_out, key);
            return found == out_keys + n_out ? nullptr : out[found - out_keys];
        };
        const auto numbers = [&](int key) {
            auto* const values = static_cast<double*>(output(key));
            return values ? values + offset : nullptr;
        };
        auto* const flags = static_cast<std::int32_t*>(output(PYAMP_OUT_FLAGS));
        const auto step = static_cast<std::ptrdiff_t>(stride);
        handle->matrix_element->evaluate_on_device(
            {.momenta = inputs.momenta + offset,
             .stride_point = 1,
             .stride_leg = step,
             .stride_component = step * handle->matrix_element->process().n_legs(),
             .n = count,
             .alpha_s = inputs.alpha_s ? inputs.alpha_s + offset : nullptr,
             .amplitude = numbers(PYAMP_OUT_AMPLITUDE),
             .sigma_syst = numbers(PYAMP_OUT_SIGMA_SYST),
             .sigma_stat = numbers(PYAMP_OUT_SIGMA_STAT),
             .flags = flags ? flags + offset : nullptr},
            stream);
    });
}

int pyamp_describe(pyamp_handle* handle, char* buffer, size_t size, size_t* needed) {
    return guarded([&] {
        require(handle, "pyamp_describe: handle is a null pointer");
        require(buffer || size == 0, "pyamp_describe: buffer is a null pointer");
        const std::string text = handle->matrix_element->describe().dump();
        if (needed) *needed = text.size() + 1;
        if (size == 0) return;
        const std::size_t length = std::min(size - 1, text.size());
        std::memcpy(buffer, text.data(), length);
        buffer[length] = '\0';
    });
}

int pyamp_close(pyamp_handle* handle) {
    return guarded([&] { delete handle; });
}

char const* pyamp_last_error(void) { return pyamp::capi::last_error().c_str(); }

int pyamp_capi_version(void) { return PYAMP_CAPI_VERSION; }
