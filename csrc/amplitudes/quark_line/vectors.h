// Two-component spinors, four-vectors and field strengths in light-cone components.
//
// A vector has the components (E + z, E - z, x + iy, x - iy)/sqrt(2), so that
//     a.b = a0 b1 + a1 b0 - a2 b3 - a3 b2,
//     sigma_bar.a = sqrt(2) [[a0, a3], [a2, a1]],   sigma.a = sqrt(2) [[a1, -a3], [-a2, a0]].
// The products with spinors below leave out the sqrt(2).
#pragma once

#include "amplitudes/quark_line/complex.h"

namespace pyamp::quark_line {

template <class R>
struct Spinor {
    Complex<R> c[2];
};

template <class R>
struct Vector {
    Complex<R> c[4];

    Vector& operator+=(const Vector& a) {
        for (int i = 0; i < 4; ++i) c[i] += a.c[i];
        return *this;
    }
};

/// Antisymmetric; components 01, 02, 03, 12, 13, 23.
template <class R>
struct Strength {
    Complex<R> c[6];
};

/// A real vector.
struct Direction {
    double plus = 0;
    double minus = 0;
    Scalar transverse;

    Direction& operator+=(const Direction& k) {
        plus += k.plus;
        minus += k.minus;
        transverse += k.transverse;
        return *this;
    }
};

inline Direction operator+(Direction a, const Direction& b) { return a += b; }

template <class A, class B>
auto dot(const Vector<A>& a, const Vector<B>& b) {
    return a.c[0] * b.c[1] + a.c[1] * b.c[0] - a.c[2] * b.c[3] - a.c[3] * b.c[2];
}
template <class R>
Complex<R> dot(const Direction& k, const Vector<R>& a) {
    return k.plus * a.c[1] + k.minus * a.c[0] - k.transverse * a.c[3] - conj(k.transverse) * a.c[2];
}
template <class A, class B>
auto dot(const Spinor<A>& a, const Spinor<B>& b) {
    return a.c[0] * b.c[0] + a.c[1] * b.c[1];
}

/// F^{mn} a_n.
template <class A, class B>
auto contract(const Strength<A>& f, const Vector<B>& a) {
    using Result = Vector<decltype((f.c[0] * a.c[0]).re)>;
    return Result{{f.c[0] * a.c[0] - f.c[1] * a.c[3] - f.c[2] * a.c[2],
                   -(f.c[0] * a.c[1] + f.c[3] * a.c[3] + f.c[4] * a.c[2]),
                   -(f.c[1] * a.c[1] + f.c[3] * a.c[0] + f.c[5] * a.c[2]),
                   f.c[5] * a.c[3] - f.c[2] * a.c[1] - f.c[4] * a.c[0]}};
}

/// a^m b^n - a^n b^m.
template <class A, class B>
auto wedge(const Vector<A>& a, const Vector<B>& b) {
    using Result = Strength<decltype((a.c[0] * b.c[0]).re)>;
    const auto part = [&](int m, int n) { return a.c[m] * b.c[n] - a.c[n] * b.c[m]; };
    return Result{{part(0, 1), part(0, 2), part(0, 3), part(1, 2), part(1, 3), part(2, 3)}};
}

/// Row times sigma_bar.a.
template <class A, class B>
auto times_bar(const Spinor<A>& row, const Vector<B>& a) {
    using Result = Spinor<decltype((row.c[0] * a.c[0]).re)>;
    return Result{{row.c[0] * a.c[0] + row.c[1] * a.c[2], row.c[0] * a.c[3] + row.c[1] * a.c[1]}};
}
/// sigma_bar.a times column.
template <class A, class B>
auto bar_times(const Vector<A>& a, const Spinor<B>& column) {
    using Result = Spinor<decltype((a.c[0] * column.c[0]).re)>;
    return Result{{a.c[0] * column.c[0] + a.c[3] * column.c[1], a.c[2] * column.c[0] + a.c[1] * column.c[1]}};
}
/// factor * row times sigma.k.
template <class R>
Spinor<R> times(double factor, const Spinor<R>& row, const Direction& k) {
    const Scalar t = factor * k.transverse;
    return {{(factor * k.minus) * row.c[0] - t * row.c[1], (factor * k.plus) * row.c[1] - conj(t) * row.c[0]}};
}
/// factor * sigma.k times column.
template <class R>
Spinor<R> times(double factor, const Direction& k, const Spinor<R>& column) {
    const Scalar t = factor * k.transverse;
    return {{(factor * k.minus) * column.c[0] - conj(t) * column.c[1],
             (factor * k.plus) * column.c[1] - t * column.c[0]}};
}
/// The vector v for which a.v is row sigma_bar.a column.
inline Vector<double> sandwich(const Spinor<double>& row, const Spinor<double>& column) {
    return {{row.c[1] * column.c[1], row.c[0] * column.c[0], -(row.c[0] * column.c[1]), -(row.c[1] * column.c[0])}};
}

}  // namespace pyamp::quark_line
