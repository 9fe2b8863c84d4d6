// The body of the fused kernel: momenta of a tile of points to features, networks, moments and flags.
#pragma once

#include "kinematics/point_check.h"
#include "surrogate/cuda/dense.h"
#include "surrogate/cuda/point_math.h"
#include "surrogate/cuda/tensor_dense.h"

namespace pyamp::cuda {

/// Shared memory of a group, see tile_layout.h; the momenta and invariants lie where the activations come later.
template <typename T>
struct TileMemory {
    static constexpr int P = tile_points<T>;

    T *features, *x, *spare;
    PointMemory point;

    PYAMP_DEVICE_BODY TileMemory(const Program& program, char* memory) {
        features = reinterpret_cast<T*>(memory);
        memory += program.feature_bytes;
        x = reinterpret_cast<T*>(memory);
        spare = reinterpret_cast<T*>(memory + program.activation_bytes / 2);  // used where keeps_input
        auto* overlay = reinterpret_cast<double*>(memory);
        point.stride = P;
        point.momenta = overlay;
        point.norms = overlay + 4 * program.point.n_legs * (P + 1);
        point.abs_s = point.norms + program.point.n_legs * P;
        point.log_s = point.abs_s + program.point.n_pairs * P;
        auto* state = reinterpret_cast<double*>(memory + program.activation_bytes);
        point.log_factor = state;
        point.scale = state + P;
        point.mean = state + 2 * P;
        point.spread = state + 3 * P;
        point.variance = state + 4 * P;
        point.statistical = state + 5 * P;
        point.flags = reinterpret_cast<std::int32_t*>(state + 6 * P);
        point.order = reinterpret_cast<std::uint32_t*>(point.flags + P);
    }
};

/// Copies the momenta of a tile to shared memory: neighbouring threads read neighbouring numbers in either layout.
template <int P>
PYAMP_DEVICE_BODY void stage_momenta(const PointProgram& program, const Arrays& arrays, std::size_t first, int count,
                                     int thread, int n_threads, double* momenta) {
    const int row = 4 * program.n_legs;
    const double* source = arrays.momenta + static_cast<std::ptrdiff_t>(first) * arrays.layout.point;
    const auto copy = [&](int p, int c) {
        momenta[c * (P + 1) + p] =
            p < count
                ? source[p * arrays.layout.point + (c / 4) * arrays.layout.leg + (c % 4) * arrays.layout.component]
                : 0.0;
    };
    if (arrays.layout.point == 1) {
        for (int item = thread; item < row * P; item += n_threads) copy(item % P, item / P);
        return;
    }
    // Steps of n_threads through (points, row) without a division in each.
    int p = thread / row, c = thread % row;
    const int step_p = n_threads / row, step_c = n_threads % row;
    while (p < P) {
        copy(p, c);
        p += step_p;
        c += step_c;
        if (c >= row) {
            c -= row;
            ++p;
        }
    }
}

template <typename T, typename Group>
PYAMP_DEVICE_BODY void evaluate_features(Group& group, const PointProgram& program, const Arrays& arrays,
                                         std::size_t first, int count, const TileMemory<T>& memory) {
    constexpr int P = tile_points<T>;
    const PointMemory& point = memory.point;
    const int per_point = group.threads() / P;
    group.phase(
        [&](int thread) { stage_momenta<P>(program, arrays, first, count, thread, group.threads(), point.momenta); });
    group.phase([&](int thread) {
        for (int leg = thread / P; leg < program.n_legs; leg += per_point)
            point.norms[leg * P + thread % P] = point.three_momentum(leg, thread % P).abs();
    });
    group.phase([&](int thread) {
        const int p = thread % P;
        for (int slot = thread / P; slot <= program.n_pairs; slot += per_point)
            if (slot < program.n_pairs)
                evaluate_pair(program, point, slot, p);
            else
                point.flags[p] = check_point(program, point, p);
    });
    group.phase([&](int thread) {
        if (thread < P) combine_invariants(program, point, thread);
    });
    group.phase([&](int thread) {
        const int p = thread % P;
        for (int feature = thread / P; feature < program.n_features; feature += per_point)
            memory.features[feature * P + p] = static_cast<T>(feature_value(program, point, feature, p));
    });
}

/// Outputs of one point, summed over the slices of the last layer.
template <typename T>
struct OutputView {
    const T* outputs;
    int n_padded, slices, p;

    PYAMP_DEVICE_BODY double operator[](int j) const {
        T sum = outputs[j * tile_points<T> + p];
        for (int slice = 1; slice < slices; ++slice) sum += outputs[(slice * n_padded + j) * tile_points<T> + p];
        return sum;
    }
};

template <typename T>
PYAMP_DEVICE_BODY OutputView<T> outputs_of(const NetworkProgram& network, const T* outputs, int p) {
    const LayerProgram& last = network.layers[network.n_layers - 1];
    return {outputs, last.n_padded, last.slices, p};
}

template <typename T, bool tensor_cores, typename Group>
PYAMP_DEVICE_BODY void evaluate_tile(Group& group, const Program& program, const Arrays& arrays, std::size_t first,
                                     int count, const T* weights, T* chunk, const TileMemory<T>& memory) {
    constexpr int P = tile_points<T>;
    const TensorMemory tensor_memory(program, group.memory() + (program.group_bytes - program.tensor_bytes),
                                     memory.x);
    evaluate_features<T>(group, program.point, arrays, first, count, memory);
    if constexpr (tensor_cores) split_features(group, program.point.n_features, memory.features, tensor_memory);
    // The sigma network comes last, as if it were one more member.
    const int n_networks = program.members + (program.has_sigma_network ? 1 : 0);
    for (int k = 0; k < n_networks; ++k, weights += program.member_size) {
        const bool is_member = k < program.members;
        const NetworkProgram& network = is_member ? program.network : program.sigma_network;
        const T* outputs;
        if constexpr (tensor_cores)
            outputs = run_network_on_tensor_cores(group, program, network, weights, chunk, tensor_memory, memory.x);
        else
            outputs =
                run_network<T>(group, program, network, weights, chunk, memory.features, memory.x, memory.spare);
        group.phase([&](int thread) {
            if (thread >= P) return;
            const auto of_point = outputs_of<T>(network, outputs, thread);
            if (is_member)
                add_member(program.point, memory.point, k, thread, of_point);
            else
                set_variance(program.point, memory.point, program.members, thread, of_point[0]);
        });
    }
    group.phase([&](int thread) {
        if (thread < count)
            write_result(program.point, memory.point, arrays, program.members, thread,
                         first + static_cast<std::size_t>(thread));
    });
}

/// All tiles of a group.
template <typename T, bool tensor_cores, typename Group>
PYAMP_DEVICE_BODY void run_group(Group& group, const Program& program, const Arrays& arrays) {
    constexpr std::size_t P = tile_points<T>;
    const std::size_t n_tiles = (arrays.n + P - 1) / P;
    const T* weights = static_cast<const T*>(arrays.weights);
    T* const shared = static_cast<T*>(group.weights());
    if (program.resident) {
        group.load(shared, weights,
                   sizeof(T) * (program.members * static_cast<std::size_t>(program.member_size) +
                                program.sigma_network_size));
        weights = shared;
    }
    const TileMemory<T> memory(program, group.memory());
    // Weights that come in chunks come to all groups of a block at once: groups without a tile go through the
    // motions.
    for (std::size_t round = 0; round * group.count() < n_tiles; ++round) {
        const std::size_t tile = round * group.count() + group.index();
        if (tile >= n_tiles && program.resident) break;
        const std::size_t first = tile * P;
        const std::size_t left = first < arrays.n ? arrays.n - first : 0;
        evaluate_tile<T, tensor_cores>(group, program, arrays, first, static_cast<int>(left < P ? left : P), weights,
                                       shared, memory);
    }
}

}  // namespace pyamp::cuda
