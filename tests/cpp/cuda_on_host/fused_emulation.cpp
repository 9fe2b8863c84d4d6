// The emulated kernel as a function for ctypes.
#include "fused_emulation.h"

#include <cstddef>
#include <cstdint>
#include <string>

/// The nearest halves of n numbers and, of those, the values.
extern "C" void round_to_halves(const float* x, std::size_t n, std::uint16_t* halves, float* values) {
    for (std::size_t k = 0; k < n; ++k) {
        const std::uint32_t word = pyamp::cuda::two_halves(0.0f, x[k]);
        halves[k] = static_cast<std::uint16_t>(word >> 16);
        values[k] = pyamp::cuda::second_half(word);
    }
}

/// @param strides of momenta (point, leg, component) in elements
/// @param shape   warps, groups, whether the weights were resident
/// @returns nullptr, or what went wrong
extern "C" const char* emulate_fused_cuda(const char* path, int is_double, int tensor_cores, std::size_t shared_bytes,
                                          std::size_t n_blocks, const double* momenta, const std::ptrdiff_t* strides,
                                          std::size_t n, const double* alpha_s, double* amplitude, double* sigma_syst,
                                          double* sigma_stat, std::int32_t* flags, int* shape) {
    static thread_local std::string error;
    try {
        const pyamp::ModelFile model = pyamp::read_model_file(path);
        pyamp::cuda::Arrays arrays{};
        arrays.momenta = momenta;
        arrays.layout = {strides[0], strides[1], strides[2]};
        arrays.n = n;
        arrays.alpha_s = alpha_s;
        arrays.alpha_s_power = model.couplings.orders.alpha_s_power;
        arrays.coupling_factor =
            model.couplings.factor(alpha_s ? 1.0 : model.couplings.alpha_s, model.couplings.alpha);
        arrays.amplitude = amplitude;
        arrays.sigma_syst = sigma_syst;
        arrays.sigma_stat = sigma_stat;
        arrays.flags = flags;
        const pyamp::cuda::DeviceLimits limits{.shared_bytes = shared_bytes};
        if (is_double)
            pyamp::on_host::emulate<double>(model, false, limits, n_blocks, arrays, shape);
        else
            pyamp::on_host::emulate<float>(model, tensor_cores != 0, limits, n_blocks, arrays, shape);
        return nullptr;
    } catch (const std::exception& e) {
        error = e.what();
        return error.c_str();
    }
}
