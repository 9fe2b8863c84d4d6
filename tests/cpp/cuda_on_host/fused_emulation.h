// The body of the fused CUDA kernel run by the host: loops in place of the threads of a group, which are in a random
// order in each phase, and one host thread for each group of a block.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstdint>
#include <cstring>
#include <exception>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "error.h"
#include "mma.h"
#include "surrogate/cuda/build_program.h"
#include "surrogate/cuda/tile.h"

namespace pyamp::on_host {

/// The 32 threads of a warp, in a random order in each call.
class HostWarp {
 public:
    HostWarp(int index, std::mt19937& random) : index_(index), random_(random) {}

    int index() const { return index_; }

    template <typename F>
    void each(const F& f) {
        int order[32];
        std::iota(order, order + 32, 32 * index_);
        std::shuffle(order, order + 32, random_);
        for (const int thread : order) f(thread);
    }

    template <typename C, typename A, typename B>
    void multiply_add(const C& c, const A& a, const B& b) {
        WarpFragments fragments;
        for (int lane = 0; lane < 32; ++lane) {
            const int thread = 32 * index_ + lane;
            std::copy_n(a(thread), 4, fragments.a[lane]);
            std::copy_n(b(thread), 2, fragments.b[lane]);
            std::copy_n(c(thread), 4, fragments.c[lane]);
        }
        on_host::multiply_add(fragments);
        for (int lane = 0; lane < 32; ++lane) std::copy_n(fragments.c[lane], 4, c(32 * index_ + lane));
    }

 private:
    int index_;
    std::mt19937& random_;
};

class HostGroup {
 public:
    template <typename X>
    class PerThread {
     public:
        explicit PerThread(const HostGroup& group) : values_(static_cast<std::size_t>(group.threads())) {}
        X& operator[](int thread) { return values_[static_cast<std::size_t>(thread)]; }

     private:
        std::vector<X> values_;
    };

    HostGroup(const cuda::Program& program, int group, std::size_t block, std::size_t n_blocks, char* shared,
              std::barrier<>& barrier)
        : program_(program),
          index_(block + n_blocks * static_cast<std::size_t>(group)),
          count_(n_blocks * static_cast<std::size_t>(program.groups)),
          shared_(shared),
          memory_(shared + program.weight_bytes + static_cast<std::size_t>(group) * program.group_bytes),
          is_first_(group == 0),
          barrier_(barrier),
          order_(static_cast<std::size_t>(32 * program.warps)),
          random_(static_cast<unsigned>(index_)) {
        std::iota(order_.begin(), order_.end(), 0);
    }

    int threads() const { return 32 * program_.warps; }
    std::size_t index() const { return index_; }
    std::size_t count() const { return count_; }
    void* weights() const { return shared_; }
    char* memory() const { return memory_; }

    template <typename F>
    void each(const F& f) {
        std::shuffle(order_.begin(), order_.end(), random_);
        for (const int thread : order_) f(thread);
    }

    template <typename F>
    void each_warp(const F& f) {
        std::vector<int> order(static_cast<std::size_t>(program_.warps));
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), random_);
        for (const int index : order) {
            HostWarp warp(index, random_);
            f(warp);
        }
    }

    void raise(std::uint32_t* to, std::uint32_t bits) { *to = std::max(*to, bits); }

    template <typename F>
    void phase(const F& f) {
        each(f);
    }

    void load(void* to, const void* from, std::size_t bytes) {
        const auto address = reinterpret_cast<std::uintptr_t>(to) | reinterpret_cast<std::uintptr_t>(from) | bytes;
        if (address % 16 != 0) std::terminate();  // what the device copies at a time
        barrier_.arrive_and_wait();
        if (is_first_) std::memcpy(to, from, bytes);
        barrier_.arrive_and_wait();
    }

 private:
    const cuda::Program& program_;
    std::size_t index_, count_;
    char *shared_, *memory_;
    bool is_first_;
    std::barrier<>& barrier_;
    std::vector<int> order_;
    std::mt19937 random_;
};

template <typename T>
void emulate(const ModelFile& model, bool tensor_cores, const cuda::DeviceLimits& limits, std::size_t n_blocks,
             cuda::Arrays arrays, int* shape) {
    const auto built = cuda::build_program<T>(model, tensor_cores, limits);
    const cuda::Program& program = built.program;
    arrays.weights = built.weights.data();
    arrays.recalibration = built.recalibration.data();
    for (std::size_t block = 0; block < n_blocks; ++block) {
        std::vector<double> shared(program.shared_bytes() / sizeof(double) + 4, std::nan(""));
        auto* base = reinterpret_cast<char*>(shared.data());
        base += (32 - reinterpret_cast<std::uintptr_t>(base) % 32) % 32;
        std::barrier<> barrier(program.groups);
        std::vector<std::jthread> groups;
        for (int group = 0; group < program.groups; ++group)
            groups.emplace_back([&, group] {
                HostGroup host(program, group, block, n_blocks, base, barrier);
                if constexpr (sizeof(T) == sizeof(float))
                    if (tensor_cores) return cuda::run_group<T, true>(host, program, arrays);
                cuda::run_group<T, false>(host, program, arrays);
            });
    }
    shape[0] = program.warps;
    shape[1] = program.groups;
    shape[2] = program.resident;
}

}  // namespace pyamp::on_host
