// What is known at run time as a constant of a type, for loops that the compiler unrolls.
#pragma once

#include "surrogate/cuda/group.h"
#include "surrogate/fused/kernels.h"

namespace pyamp::cuda {

using fused::Activation;

template <int N>
struct Count {
    static constexpr int value = N;
};

/// Calls f with a count from 1 to N.
template <int N, typename F>
PYAMP_DEVICE_BODY void with_count(int count, const F& f) {
    if constexpr (N > 1)
        if (count < N) return with_count<N - 1>(count, f);
    f(Count<N>{});
}

template <Activation A>
struct ActivationTag {
    static constexpr Activation value = A;
};

/// Calls f with the activation, if there is one.
template <typename F>
PYAMP_DEVICE_BODY void with_activation(Activation a, const F& f) {
    switch (a) {
        case Activation::none:
            return;
        case Activation::tanh:
            return f(ActivationTag<Activation::tanh>{});
        case Activation::relu:
            return f(ActivationTag<Activation::relu>{});
        case Activation::leaky_relu:
            return f(ActivationTag<Activation::leaky_relu>{});
        case Activation::silu:
            return f(ActivationTag<Activation::silu>{});
        case Activation::gelu:
            return f(ActivationTag<Activation::gelu>{});
        case Activation::softplus:
            return f(ActivationTag<Activation::softplus>{});
        case Activation::sine:
            return f(ActivationTag<Activation::sine>{});
    }
}

}  // namespace pyamp::cuda
