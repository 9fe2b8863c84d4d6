// Four-vectors as 2x2 matrices p_ab = p.sigma, in which a massless momentum is a product of two spinors.
#pragma once

#include <array>

#include "amplitudes/quark_loop/complex.h"

namespace pyamp::quark_loop {

template <class R>
using Spinor = std::array<Complex<R>, 2>;

/// The entries 11, 12, 21, 22.
template <class R>
struct Vector {
    Complex<R> a, b, c, d;

    Vector& operator+=(const Vector& v) {
        a += v.a;
        b += v.b;
        c += v.c;
        d += v.d;
        return *this;
    }
};

template <class R>
inline Vector<R> operator+(const Vector<R>& u, const Vector<R>& v) {
    return {u.a + v.a, u.b + v.b, u.c + v.c, u.d + v.d};
}
template <class R>
inline Vector<R> operator-(const Vector<R>& u, const Vector<R>& v) {
    return {u.a - v.a, u.b - v.b, u.c - v.c, u.d - v.d};
}
template <class R>
inline Vector<R> operator*(const Complex<R>& x, const Vector<R>& v) {
    return {x * v.a, x * v.b, x * v.c, x * v.d};
}
template <class R>
inline Vector<R> operator*(const R& x, const Vector<R>& v) {
    return {x * v.a, x * v.b, x * v.c, x * v.d};
}

/// 2 u.v
template <class R>
inline Complex<R> dot2(const Vector<R>& u, const Vector<R>& v) {
    return u.a * v.d + u.d * v.a - u.b * v.c - u.c * v.b;
}

/// The massless vector of two spinors.
template <class R>
inline Vector<R> outer(const Spinor<R>& angle, const Spinor<R>& square) {
    return {angle[0] * square[0], angle[0] * square[1], angle[1] * square[0], angle[1] * square[1]};
}

/// A traceless 2x2 matrix, [[a, b], [c, -a]]: what a field strength does to a spinor of one chirality.
template <class R>
struct Traceless {
    Complex<R> a, b, c;

    Traceless& operator+=(const Traceless& v) {
        a += v.a;
        b += v.b;
        c += v.c;
        return *this;
    }
};

template <class R>
inline Traceless<R> operator+(const Traceless<R>& u, const Traceless<R>& v) {
    return {u.a + v.a, u.b + v.b, u.c + v.c};
}
template <class R>
inline Traceless<R> operator-(const Traceless<R>& u, const Traceless<R>& v) {
    return {u.a - v.a, u.b - v.b, u.c - v.c};
}
template <class R>
inline Traceless<R> operator*(const Complex<R>& x, const Traceless<R>& v) {
    return {x * v.a, x * v.b, x * v.c};
}
template <class R>
inline Traceless<R> operator*(const R& x, const Traceless<R>& v) {
    return {x * v.a, x * v.b, x * v.c};
}

/// Half the trace of u v.
template <class R>
inline Complex<R> half_trace(const Traceless<R>& u, const Traceless<R>& v) {
    return u.a * v.a + R(0.5) * (u.b * v.c + u.c * v.b);
}

/// Half the commutator of u and v: the traceless part of u v.
template <class R>
inline Traceless<R> half_commutator(const Traceless<R>& u, const Traceless<R>& v) {
    return {R(0.5) * (u.b * v.c - u.c * v.b), u.a * v.b - u.b * v.a, u.c * v.a - u.a * v.c};
}

/// (u vbar - v ubar)/2: the field strength u_m v_n - v_m u_n, contracted with gamma^m gamma^n / 2, on one chirality.
template <class R>
inline Traceless<R> wedge(const Vector<R>& u, const Vector<R>& v) {
    const R half(0.5);
    return {half * (u.a * v.d - u.b * v.c - v.a * u.d + v.b * u.c), u.b * v.a - u.a * v.b, u.c * v.d - u.d * v.c};
}

}  // namespace pyamp::quark_loop
