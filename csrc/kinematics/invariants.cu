// CUDA kernel of the invariants: one thread per point, plain CUDA C++.
#include <cuda_runtime.h>

#include <string>

#include "error.h"
#include "kinematics/invariants.h"
#include "kinematics/invariants_kernel.h"

namespace pyamp::kinematics {
namespace {

constexpr int threads_per_block = 256;

__global__ void forward_kernel(MomentaView momenta, double* s) {
    const std::size_t k = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (k < momenta.n_points) point_invariants(momenta, k, s + k * pair_count(momenta.n_legs));
}

__global__ void backward_kernel(MomentaView momenta, const double* grad_s, double* gradient) {
    const std::size_t k = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (k < momenta.n_points)
        point_invariants_backward(momenta, k, grad_s + k * pair_count(momenta.n_legs),
                                  gradient + k * 4 * momenta.n_legs);
}

unsigned int blocks(std::size_t n_points) {
    return static_cast<unsigned int>((n_points + threads_per_block - 1) / threads_per_block);
}

void check_launch() {
    const cudaError_t status = cudaGetLastError();
    if (status != cudaSuccess) throw Error(std::string("pyamp::invariants: CUDA says ") + cudaGetErrorString(status));
}

}  // namespace

void invariants_cuda(const MomentaView& momenta, double* s, void* stream) {
    if (momenta.n_points == 0) return;
    forward_kernel<<<blocks(momenta.n_points), threads_per_block, 0, static_cast<cudaStream_t>(stream)>>>(momenta, s);
    check_launch();
}

void invariants_backward_cuda(const MomentaView& momenta, const double* grad_s, double* gradient, void* stream) {
    if (momenta.n_points == 0) return;
    backward_kernel<<<blocks(momenta.n_points), threads_per_block, 0, static_cast<cudaStream_t>(stream)>>>(
        momenta, grad_s, gradient);
    check_launch();
}

}  // namespace pyamp::kinematics
