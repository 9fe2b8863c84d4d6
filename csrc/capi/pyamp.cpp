// The C interface: keys and layouts in, statuses out, no exception across.
#include "capi/pyamp.h"

#include <algorithm>
#include <cstring>
#include <functional>
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
    /// Buffers of earlier calls, kept so that a call of no larger size allocates nothing.
    std::vector<double> momenta, alpha_s, amplitude, sigma_syst, sigma_stat;
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

/// Whether an output begins among the numbers of an input.
bool are_within(const double* input, std::size_t size, std::size_t n_out, void* const* out) {
    const auto begins_within = [&](const void* output) {
        return !std::less<>{}(output, static_cast<const void*>(input)) &&
               std::less<>{}(output, static_cast<const void*>(input + size));
    };
    return std::any_of(out, out + n_out, begins_within);
}

/// Where results go: straight to the host's arrays, or to the handle's where the host does not ask for them.
class Destination {
 public:
    Destination(pyamp_handle& handle, std::size_t count, std::size_t offset, std::size_t n_out, int const* keys,
                void* const* out)
        : count_(count), offset_(offset), n_out_(n_out), keys_(keys), out_(out) {
        for (std::size_t i = n_out; i-- > 0;) {
            if (double** const numbers = numbers_of(keys[i]))
                *numbers = static_cast<double*>(out[i]) + offset;
            else
                results_.flags = static_cast<std::int32_t*>(out[i]) + offset;
        }
        for (const auto& [numbers, buffer] : {std::pair{&results_.amplitude, &handle.amplitude},
                                              {&results_.sigma_syst, &handle.sigma_syst},
                                              {&results_.sigma_stat, &handle.sigma_stat}})
            if (!*numbers) *numbers = of_size(*buffer, count);
        if (!results_.flags) results_.flags = of_size(handle.flags, count);
    }

    const pyamp::capi::Results& results() const { return results_; }

    /// Copies what the host has asked for more than once.
    void repeat() {
        for (std::size_t i = 0; i < n_out_; ++i) {
            if (double** const numbers = numbers_of(keys_[i]))
                copy(*numbers, static_cast<double*>(out_[i]) + offset_);
            else
                copy(results_.flags, static_cast<std::int32_t*>(out_[i]) + offset_);
        }
    }

 private:
    /// nullptr for the flags
    double** numbers_of(int key) {
        switch (key) {
            case PYAMP_OUT_AMPLITUDE:
                return &results_.amplitude;
            case PYAMP_OUT_SIGMA_SYST:
                return &results_.sigma_syst;
            case PYAMP_OUT_SIGMA_STAT:
                return &results_.sigma_stat;
            case PYAMP_OUT_ACCURACY:
                return &results_.accuracy;
            default:
                return nullptr;
        }
    }
    template <typename T>
    static T* of_size(std::vector<T>& buffer, std::size_t count) {
        if (buffer.size() < count) buffer.resize(count);
        return buffer.data();
    }
    template <typename T>
    void copy(const T* from, T* to) const {
        if (from != to) std::copy_n(from, count_, to);
    }

    std::size_t count_, offset_, n_out_;
    int const* keys_;
    void* const* out_;
    pyamp::capi::Results results_{};
};

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
        const int n_legs = handle->matrix_element->process().n_legs();
        const std::size_t size = stride * 4 * static_cast<std::size_t>(n_legs);
        const double* momenta = inputs.momenta;
        // Copies, since the host may want the results in the place of an input.
        if (are_within(momenta, size, n_out, out)) {
            handle->momenta.assign(momenta, momenta + size);
            momenta = handle->momenta.data();
        }
        if (inputs.alpha_s) handle->alpha_s.assign(inputs.alpha_s + offset, inputs.alpha_s + offset + count);
        Destination destination(*handle, count, offset, n_out, out_keys, out);
        try {
            handle->matrix_element->evaluate(momenta + offset, pyamp::MomentaLayout::columns(stride, n_legs), count,
                                             inputs.alpha_s ? handle->alpha_s.data() : nullptr,
                                             destination.results());
        } catch (const pyamp::Error&) {
            destination.repeat();
            throw;
        }
        destination.repeat();
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
        handle->matrix_element->evaluate_on_device(
            {.momenta = inputs.momenta + offset,
             .layout = pyamp::MomentaLayout::columns(stride, handle->matrix_element->process().n_legs()),
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
