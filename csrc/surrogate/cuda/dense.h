// Dense layers of a tile of points: what one thread sums, and what it makes of the sums.
//
// Activations lie as (units, points), a vector of points next to the other, so that the eight lanes that take other
// points read 128 contiguous bytes, and the four lanes that take other units read the same.
#pragma once

#include "surrogate/cuda/activation.h"
#include "surrogate/cuda/dispatch.h"
#include "surrogate/cuda/group.h"
#include "surrogate/cuda/program.h"

namespace pyamp::cuda {

template <typename T, int N>
struct alignas(N * sizeof(T)) Vector {
    T value[N];
};

template <typename T>
using PointVector = Vector<T, vector_size<T>>;

/// Sums of R units at the points of a thread.
template <typename T, int R>
struct Sums {
    T value[R][points_per_thread<T>];
};

/// What a thread of a group does in a layer.
struct Share {
    int points;  ///< its first vector of points, in values; the second is lanes_in_points vectors further
    int unit;    ///< the first of its units
    int slice;

    PYAMP_DEVICE_BODY Share(const LayerProgram& layer, int thread, int vector) {
        const int lane = thread % 32;
        const int place = (thread / 32) * lanes_in_units + lane / lanes_in_points;
        const int in_slice = layer.n_padded / layer.rows;
        points = (lane % lanes_in_points) * vector;
        slice = place / in_slice;
        unit = (place - slice * in_slice) * layer.rows;
    }

    /// Where its first unit lies.
    PYAMP_DEVICE_BODY int offset(const LayerProgram& layer, int n_points) const {
        return (slice * layer.n_padded + unit) * n_points + points;
    }
};

/// The largest of 4, 2 and 1 values that divides R and fills no more than 16 bytes.
template <typename T, int R>
constexpr int weight_vector = R % 4 == 0 && sizeof(T) == 4 ? 4
                              : R % 2 == 0                 ? 2
                                                           : 1;

/// Adds the inputs first ... last - 1 of the layer; x at input 0, weights at the row of input `first`.
template <typename T, int R>
PYAMP_DEVICE_BODY void accumulate(const LayerProgram& layer, const Share& share, const T* x, const T* weights,
                                  int first, int last, Sums<T, R>& sums) {
    constexpr int V = vector_size<T>, W = weight_vector<T, R>;
    const int of_slice = (layer.n_in + layer.slices - 1) / layer.slices;
    const int begin = share.slice * of_slice > first ? share.slice * of_slice : first;
    const int end = (share.slice + 1) * of_slice < last ? (share.slice + 1) * of_slice : last;
    const T* input = in_shared_memory(x + begin * tile_points<T> + share.points);
    const T* weight = in_shared_memory(weights + (begin - first) * layer.n_padded + share.unit);
    PYAMP_UNROLL_BY(2)
    for (int k = begin; k < end; ++k) {
        const auto low = *reinterpret_cast<const PointVector<T>*>(input);
        const auto high = *reinterpret_cast<const PointVector<T>*>(input + lanes_in_points * V);
        PYAMP_UNROLL
        for (int r = 0; r < R; r += W) {
            const auto w = *reinterpret_cast<const Vector<T, W>*>(weight + r);
            PYAMP_UNROLL
            for (int i = 0; i < W; ++i) PYAMP_UNROLL
            for (int p = 0; p < V; ++p) {
                sums.value[r + i][p] = std::fma(w.value[i], low.value[p], sums.value[r + i][p]);
                sums.value[r + i][V + p] = std::fma(w.value[i], high.value[p], sums.value[r + i][V + p]);
            }
        }
        input += tile_points<T>;
        weight += layer.n_padded;
    }
}

/// Sums begin with the bias, in the first slice.
template <typename T, int R>
PYAMP_DEVICE_BODY void begin_sums(const Share& share, const T* bias, Sums<T, R>& sums) {
    PYAMP_UNROLL
    for (int r = 0; r < R; ++r) PYAMP_UNROLL
    for (int p = 0; p < points_per_thread<T>; ++p) sums.value[r][p] = share.slice == 0 ? bias[share.unit + r] : T{0};
}

template <typename T, Activation A>
PYAMP_DEVICE_BODY void activate_as(const T* residual, T* y, int rows) {
    constexpr int V = vector_size<T>;
    const bool adds = residual != y;
    for (int r = 0; r < rows; ++r, y += tile_points<T>, residual += tile_points<T>) PYAMP_UNROLL
    for (int half = 0; half < 2; ++half) {
        auto& values = *reinterpret_cast<PointVector<T>*>(y + half * lanes_in_points * V);
        PYAMP_UNROLL
        for (int p = 0; p < V; ++p) {
            values.value[p] = activation<T, A>(values.value[p]);
            if (adds) values.value[p] += residual[half * lanes_in_points * V + p];
        }
    }
}

/// Activates the units that the thread wrote; `residual` is `y` where nothing is added.
template <typename T>
PYAMP_DEVICE_BODY void activate(Activation a, const T* residual, T* y, int rows) {
    with_activation(a, [&](auto tag) { activate_as<T, decltype(tag)::value>(residual, y, rows); });
}

/// Inputs x (n_in, points) to sums y (slices n_padded, points), of which each thread writes its own; x and y may be
/// the same.
/// @param weights of the layer, bias first: in shared memory if they are resident, else where they come from
template <typename T, int R, typename Group>
PYAMP_DEVICE_BODY void dense_rows(Group& group, const Program& program, const LayerProgram& layer, const T* weights,
                                  T* chunk, const T* x, T* y) {
    typename Group::template PerThread<Sums<T, R>> sums(group);
    // Row 0 is the bias, row k + 1 that of input k.
    const int n_rows = layer.n_in + 1;
    const int fitting =
        program.resident ? n_rows : static_cast<int>(program.weight_bytes / (sizeof(T) * layer.n_padded));
    for (int first = 0; first < n_rows; first += fitting) {
        const int last = first + fitting < n_rows ? first + fitting : n_rows;
        const T* rows = weights;
        if (!program.resident) {
            group.load(chunk, weights + first * layer.n_padded, sizeof(T) * (last - first) * layer.n_padded);
            rows = chunk;
        }
        group.phase([&](int thread) {
            const Share share(layer, thread, vector_size<T>);
            if (first == 0) begin_sums<T, R>(share, rows, sums[thread]);
            accumulate<T, R>(layer, share, x, first == 0 ? rows + layer.n_padded : rows, first == 0 ? 0 : first - 1,
                             last - 1, sums[thread]);
        });
    }
    group.each([&](int thread) {
        const Share share(layer, thread, vector_size<T>);
        constexpr int V = vector_size<T>;
        T* const own = y + share.offset(layer, tile_points<T>);
        PYAMP_UNROLL
        for (int r = 0; r < R; ++r) PYAMP_UNROLL
        for (int half = 0; half < 2; ++half) {
            PointVector<T> values;
            PYAMP_UNROLL
            for (int p = 0; p < V; ++p) values.value[p] = sums[thread].value[r][half * V + p];
            *reinterpret_cast<PointVector<T>*>(own + r * tile_points<T> + half * lanes_in_points * V) = values;
        }
    });
}

/// Inputs x (n_in, points) to outputs y (slices n_padded, points).
template <typename T, typename Group>
PYAMP_DEVICE_BODY void dense(Group& group, const Program& program, const LayerProgram& layer, const T* weights,
                             T* chunk, const T* x, T* y) {
    with_count<max_rows>(layer.rows, [&](auto rows) {
        dense_rows<T, decltype(rows)::value>(group, program, layer, weights, chunk, x, y);
    });
    // Each thread activates what it wrote; nobody else reads it before the end of the phase.
    group.phase([&](int thread) {
        const int offset = Share(layer, thread, vector_size<T>).offset(layer, tile_points<T>);
        activate<T>(layer.activation, layer.adds_input ? x + offset : y + offset, y + offset, layer.rows);
    });
}

/// Runs a network on the features of the tile and returns where its outputs lie.
template <typename T, typename Group>
PYAMP_DEVICE_BODY const T* run_network(Group& group, const Program& program, const NetworkProgram& network,
                                       const T* weights, T* chunk, const T* features, T* x, T* spare) {
    const T* in = features;
    T* out = x;
    for (int l = 0; l < network.n_layers; ++l) {
        dense<T>(group, program, network.layers[l], weights + network.layers[l].offset, chunk, in, out);
        in = out;
        if (program.keeps_input) {
            out = spare;
            spare = const_cast<T*>(in);
        }
    }
    return in;
}

}  // namespace pyamp::cuda
