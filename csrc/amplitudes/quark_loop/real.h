// The two real types of the amplitude, and what formulas need to know of them.
#pragma once

#include <cmath>
#include <limits>

#include "amplitudes/quark_loop/double_double.h"

namespace pyamp::quark_loop {

using std::fabs;
using std::log;
using std::sqrt;

template <class R>
struct RealTraits;

template <>
struct RealTraits<double> {
    static constexpr double pi = 3.141592653589793;
    static constexpr double epsilon = 2.2e-16;
    static constexpr int bernoulli_terms = 9;
};

template <>
struct RealTraits<DoubleDouble> {
    static constexpr DoubleDouble pi{3.141592653589793, 1.2246467991473532e-16};
    static constexpr double epsilon = 5e-32;
    static constexpr int bernoulli_terms = 18;
};

template <class R>
inline constexpr R pi = RealTraits<R>::pi;

}  // namespace pyamp::quark_loop
