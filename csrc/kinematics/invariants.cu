// CUDA kernels of the invariants, plain CUDA C++.
//
// A block takes a tile of points. Momenta, gradients and results pass through shared memory, so that neighbouring
// threads read and write neighbouring numbers whatever one point's stride is; |p| is found once for each leg.
#include <cuda_runtime.h>

#include <string>

#include "error.h"
#include "kinematics/invariants.h"
#include "kinematics/invariants_kernel.h"

namespace pyamp::kinematics {
namespace {

constexpr int tile_points = 128;
/// Of the rows of a tile, one value longer, so that neither direction meets in one bank.
constexpr int row_length = tile_points + 1;
/// Larger processes go point by point.
constexpr int most_staged_legs = 10;

/// Walks (points, row) in steps of the block, point by point or value by value as the memory lies, without a division
/// in each step.
template <typename F>
__device__ __forceinline__ void for_each_value(int row, bool points_are_neighbours, const F& f) {
    const int n_threads = static_cast<int>(blockDim.x);
    if (points_are_neighbours) {
        for (int k = static_cast<int>(threadIdx.x); k < row * tile_points; k += n_threads)
            f(k % tile_points, k / tile_points);
        return;
    }
    int point = static_cast<int>(threadIdx.x) / row, value = static_cast<int>(threadIdx.x) % row;
    const int step_point = n_threads / row, step_value = n_threads % row;
    while (point < tile_points) {
        f(point, value);
        point += step_point;
        value += step_value;
        if (value >= row) {
            value -= row;
            ++point;
        }
    }
}

/// Three-momenta of a tile in shared memory, with their lengths.
struct StagedMomenta {
    double *components, *norms;
    int n_legs;

    __device__ StagedMomenta(double* shared, int legs)
        : components(shared), norms(shared + 3 * legs * row_length), n_legs(legs) {}

    __device__ void load(const MomentaView& momenta, std::size_t first, int count) const {
        const double* source = momenta.data + static_cast<std::ptrdiff_t>(first) * momenta.stride_point;
        for_each_value(4 * n_legs, momenta.stride_point == 1, [&](int point, int value) {
            const int leg = value / 4, component = value % 4;
            if (component == 0 || point >= count) return;
            components[(3 * leg + component - 1) * row_length + point] =
                source[point * momenta.stride_point + leg * momenta.stride_leg +
                       component * momenta.stride_component];
        });
        __syncthreads();
        for (int k = static_cast<int>(threadIdx.x); k < n_legs * tile_points; k += static_cast<int>(blockDim.x))
            norms[k / tile_points * row_length + k % tile_points] = momentum(k / tile_points, k % tile_points).abs();
        __syncthreads();
    }
    __device__ __forceinline__ ThreeMomentum momentum(int leg, int point) const {
        const double* p = components + 3 * leg * row_length + point;
        return {p[0], p[row_length], p[2 * row_length]};
    }
    __device__ __forceinline__ double norm(int leg, int point) const { return norms[leg * row_length + point]; }
};

__global__ void __launch_bounds__(tile_points) forward_kernel(MomentaView momenta, double* s) {
    extern __shared__ double shared[];
    const int n_pairs = pair_count(momenta.n_legs);
    const StagedMomenta staged(shared, momenta.n_legs);
    double* const results = shared + 4 * momenta.n_legs * row_length;
    const std::size_t first = static_cast<std::size_t>(blockIdx.x) * tile_points;
    const std::size_t left = momenta.n_points - first;
    const int count = left < tile_points ? static_cast<int>(left) : tile_points;
    staged.load(momenta, first, count);
    const int point = static_cast<int>(threadIdx.x);
    int pair = 0;
    for (int i = 0; i < momenta.n_legs; ++i) {
        const ThreeMomentum p = staged.momentum(i, point);
        for (int j = i + 1; j < momenta.n_legs; ++j, ++pair)
            results[pair * row_length + point] =
                momenta.sign(i, j) *
                massless_invariant(p, staged.momentum(j, point), staged.norm(i, point) * staged.norm(j, point));
    }
    __syncthreads();
    double* const target = s + first * n_pairs;
    for_each_value(n_pairs, false, [&](int k, int value) {
        if (k < count) target[static_cast<std::size_t>(k) * n_pairs + value] = results[value * row_length + k];
    });
}

__global__ void __launch_bounds__(tile_points)
    backward_kernel(MomentaView momenta, const double* grad_s, double* gradient) {
    extern __shared__ double shared[];
    const int n_legs = momenta.n_legs, n_pairs = pair_count(n_legs);
    const StagedMomenta staged(shared, n_legs);
    double* const grads = shared + 4 * n_legs * row_length;
    double* const results = grads + n_pairs * row_length;
    const std::size_t first = static_cast<std::size_t>(blockIdx.x) * tile_points;
    const std::size_t left = momenta.n_points - first;
    const int count = left < tile_points ? static_cast<int>(left) : tile_points;
    for_each_value(n_pairs, false, [&](int k, int value) {
        if (k < count)
            grads[value * row_length + k] = grad_s[(first + static_cast<std::size_t>(k)) * n_pairs + value];
    });
    staged.load(momenta, first, count);
    const int point = static_cast<int>(threadIdx.x);
    for (int i = 0; i < n_legs; ++i) {
        const ThreeMomentum p = staged.momentum(i, point);
        ThreeMomentum g{0.0, 0.0, 0.0};
        for (int j = 0; j < n_legs; ++j) {
            if (j == i) continue;
            const int pair = i < j ? pair_index(i, j, n_legs) : pair_index(j, i, n_legs);
            add_massless_invariant_gradient(p, staged.momentum(j, point), staged.norm(i, point),
                                            staged.norm(j, point),
                                            momenta.sign(i, j) * grads[pair * row_length + point], g);
        }
        double* const out = results + 3 * i * row_length + point;
        out[0] = g.x;
        out[row_length] = g.y;
        out[2 * row_length] = g.z;
    }
    __syncthreads();
    double* const target = gradient + first * 4 * n_legs;
    for_each_value(4 * n_legs, false, [&](int k, int value) {
        if (k >= count) return;
        const int component = value % 4;
        target[static_cast<std::size_t>(k) * 4 * n_legs + value] =
            component == 0 ? 0.0 : results[(3 * (value / 4) + component - 1) * row_length + k];
    });
}

__global__ void forward_point_by_point(MomentaView momenta, double* s) {
    const std::size_t k = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (k < momenta.n_points) point_invariants(momenta, k, s + k * pair_count(momenta.n_legs));
}

__global__ void backward_point_by_point(MomentaView momenta, const double* grad_s, double* gradient) {
    const std::size_t k = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (k < momenta.n_points)
        point_invariants_backward(momenta, k, grad_s + k * pair_count(momenta.n_legs),
                                  gradient + k * 4 * momenta.n_legs);
}

unsigned int blocks(std::size_t n_points) {
    return static_cast<unsigned int>((n_points + tile_points - 1) / tile_points);
}

void check(cudaError_t status) {
    if (status != cudaSuccess) throw Error(std::string("pyamp::invariants: CUDA says ") + cudaGetErrorString(status));
}

/// Shared memory of rows of a tile, which beyond 48 KB must be asked for.
template <typename Kernel>
std::size_t shared_bytes(Kernel* kernel, int n_rows) {
    const std::size_t bytes = sizeof(double) * static_cast<std::size_t>(n_rows) * row_length;
    if (bytes > 48 * 1024)
        check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)));
    return bytes;
}

}  // namespace

void invariants_cuda(const MomentaView& momenta, double* s, void* stream) {
    if (momenta.n_points == 0) return;
    const auto on = static_cast<cudaStream_t>(stream);
    const int n_legs = momenta.n_legs;
    if (n_legs > most_staged_legs)
        forward_point_by_point<<<blocks(momenta.n_points), tile_points, 0, on>>>(momenta, s);
    else
        forward_kernel<<<blocks(momenta.n_points), tile_points,
                         shared_bytes(forward_kernel, 4 * n_legs + pair_count(n_legs)), on>>>(momenta, s);
    check(cudaGetLastError());
}

void invariants_backward_cuda(const MomentaView& momenta, const double* grad_s, double* gradient, void* stream) {
    if (momenta.n_points == 0) return;
    const auto on = static_cast<cudaStream_t>(stream);
    const int n_legs = momenta.n_legs;
    if (n_legs > most_staged_legs)
        backward_point_by_point<<<blocks(momenta.n_points), tile_points, 0, on>>>(momenta, grad_s, gradient);
    else
        backward_kernel<<<blocks(momenta.n_points), tile_points,
                          shared_bytes(backward_kernel, 7 * n_legs + pair_count(n_legs)), on>>>(momenta, grad_s,
                                                                                                gradient);
    check(cudaGetLastError());
}

}  // namespace pyamp::kinematics
