// The line in the loop as truncated series: at one loop momentum, or for a loop momentum that grows along a
// direction.
//
// The line obeys the second-order form of the Dirac equation, D^2 + sigma.F: a scalar line plus, on one chirality,
// the 2x2 matrices of the field strength. An amplitude of the line is S + F with S a number (that of a scalar plus
// the traces of products of strengths) and F traceless. Every `absorb` multiplies from the left by (field.(2l + k) +
// strength), every `divide` divides by the propagator.
#pragma once

#include "amplitudes/quark_loop/vectors.h"

namespace pyamp::quark_loop {

/// Fixed loop momentum.
template <class R>
struct Value {
    Complex<R> scalar;
    Traceless<R> matrix;

    struct Vertex {
        Complex<R> constant;
    };
    struct Propagator {
        Complex<R> inverse;
    };

    static Value one() { return {{R(1), R(0)}, {}}; }
    void absorb(const Vertex& v, const Value& y) {
        scalar += v.constant * y.scalar;
        matrix += v.constant * y.matrix;
    }
    void absorb(const Traceless<R>& strength, const Value& y) {
        scalar += half_trace(strength, y.matrix);
        matrix += y.scalar * strength + half_commutator(strength, y.matrix);
    }
    void divide(const Propagator& d) {
        scalar = d.inverse * scalar;
        matrix = d.inverse * matrix;
    }
    void add(const R& sign, const Value& y) {
        scalar += sign * y.scalar;
        matrix += sign * y.matrix;
    }
};

template <class R>
Value<R> operator*(const Value<R>& x, const Value<R>& y) {
    Value<R> product{x.scalar * y.scalar + half_trace(x.matrix, y.matrix), half_commutator(x.matrix, y.matrix)};
    product.matrix += x.scalar * y.matrix;
    product.matrix += y.scalar * x.matrix;
    return product;
}

/// Infinite loop momentum, leading term: that of a scalar.
template <class R>
struct Leading {
    Complex<R> scalar;

    struct Vertex {
        Complex<R> grow;
        Complex<R> constant;  ///< beyond this order
    };
    struct Propagator {
        Complex<R> inverse;
    };

    static Leading one() { return {{R(1), R(0)}}; }
    void absorb(const Vertex& v, const Leading& y) { scalar += v.grow * y.scalar; }
    void absorb(const Traceless<R>&, const Leading&) {}
    void divide(const Propagator& d) { scalar = d.inverse * scalar; }
    void add(const R& sign, const Leading& y) { scalar += sign * y.scalar; }
};

/// l = t e + v + (c/t) e' for large t, as on a triple cut: t times a series to order t^-3. c depends on the mass of
/// the line, so its coefficients are kept apart; they are linear in c at this order.
template <class R>
struct TripleCutSeries {
    Complex<R> s0, s1, s2, s3;  ///< scalar line, c = 0
    Complex<R> s2c, s3c;        ///< coefficients of c
    Traceless<R> f1, f2;        ///< matrix, at least one strength
    Complex<R> p2, p3;          ///< number from at least two strengths

    struct Vertex {
        Complex<R> grow, constant, shrink;
    };
    struct Propagator {
        Complex<R> inverse, constant, shrink;  ///< of the growing part; others relative to it
    };

    static TripleCutSeries one() {
        TripleCutSeries x{};
        x.s0 = {R(1), R(0)};
        return x;
    }
    void absorb(const Vertex& v, const TripleCutSeries& y) {
        s0 += v.grow * y.s0;
        s1 += v.grow * y.s1 + v.constant * y.s0;
        s2 += v.grow * y.s2 + v.constant * y.s1;
        s3 += v.grow * y.s3 + v.constant * y.s2;
        s2c += v.grow * y.s2c + v.shrink * y.s0;
        s3c += v.grow * y.s3c + v.constant * y.s2c + v.shrink * y.s1;
        f1 += v.grow * y.f1;
        f2 += v.grow * y.f2;
        f2 += v.constant * y.f1;
        p2 += v.grow * y.p2;
        p3 += v.grow * y.p3 + v.constant * y.p2;
    }
    void absorb(const Traceless<R>& strength, const TripleCutSeries& y) {
        f1 += y.s0 * strength;
        f2 += y.s1 * strength;
        f2 += half_commutator(strength, y.f1);
        p2 += half_trace(strength, y.f1);
        p3 += half_trace(strength, y.f2);
    }
    void divide(const Propagator& d) {
        s0 = d.inverse * s0;
        s1 = d.inverse * s1 - d.constant * s0;
        s2 = d.inverse * s2 - d.constant * s1;
        s3 = d.inverse * s3 - d.constant * s2;
        s2c = d.inverse * s2c - d.shrink * s0;
        s3c = d.inverse * s3c - d.constant * s2c - d.shrink * s1;
        f1 = d.inverse * f1;
        f2 = d.inverse * f2 - d.constant * f1;
        p2 = d.inverse * p2;
        p3 = d.inverse * p3 - d.constant * p2;
    }
    void add(const R& sign, const TripleCutSeries& y) {
        s0 += sign * y.s0;
        s1 += sign * y.s1;
        s2 += sign * y.s2;
        s3 += sign * y.s3;
        s2c += sign * y.s2c;
        s3c += sign * y.s3c;
        f1 += sign * y.f1;
        f2 += sign * y.f2;
        p2 += sign * y.p2;
        p3 += sign * y.p3;
    }
};

template <class R>
TripleCutSeries<R> operator*(const TripleCutSeries<R>& x, const TripleCutSeries<R>& y) {
    TripleCutSeries<R> z;
    z.s0 = x.s0 * y.s0;
    z.s1 = x.s0 * y.s1 + x.s1 * y.s0;
    z.s2 = x.s0 * y.s2 + x.s1 * y.s1 + x.s2 * y.s0;
    z.s3 = x.s0 * y.s3 + x.s1 * y.s2 + x.s2 * y.s1 + x.s3 * y.s0;
    z.s2c = x.s0 * y.s2c + x.s2c * y.s0;
    z.s3c = x.s0 * y.s3c + x.s1 * y.s2c + x.s2c * y.s1 + x.s3c * y.s0;
    z.f1 = x.s0 * y.f1;
    z.f1 += y.s0 * x.f1;
    z.f2 = half_commutator(x.f1, y.f1);
    z.f2 += x.s0 * y.f2;
    z.f2 += y.s0 * x.f2;
    z.f2 += x.s1 * y.f1;
    z.f2 += y.s1 * x.f1;
    z.p2 = x.s0 * y.p2 + x.p2 * y.s0 + half_trace(x.f1, y.f1);
    z.p3 = x.s0 * y.p3 + x.p3 * y.s0 + x.s1 * y.p2 + x.p2 * y.s1 + half_trace(x.f1, y.f2) + half_trace(x.f2, y.f1);
    return z;
}

/// What a triangle needs of the trace of two factors: coefficients of t^3 ... t^0 and of c, strengths included.
template <class R>
struct TripleCutTrace {
    Complex<R> s0, s1, s2, s3, s2c, s3c, p2, p3;

    TripleCutTrace(const TripleCutSeries<R>& x, const TripleCutSeries<R>& y)
        : s0(x.s0 * y.s0),
          s1(x.s0 * y.s1 + x.s1 * y.s0),
          s2(x.s0 * y.s2 + x.s1 * y.s1 + x.s2 * y.s0),
          s3(x.s0 * y.s3 + x.s1 * y.s2 + x.s2 * y.s1 + x.s3 * y.s0),
          s2c(x.s0 * y.s2c + x.s2c * y.s0),
          s3c(x.s0 * y.s3c + x.s1 * y.s2c + x.s2c * y.s1 + x.s3c * y.s0),
          p2(x.s0 * y.p2 + x.p2 * y.s0 + half_trace(x.f1, y.f1)),
          p3(x.s0 * y.p3 + x.p3 * y.s0 + x.s1 * y.p2 + x.p2 * y.s1 + half_trace(x.f1, y.f2) +
             half_trace(x.f2, y.f1)) {}
};

/// l = t e + v + z w + (c/t) e' for large t, as on a double cut: t times a series to order t^-2. Of the polynomials
/// in z only what survives the average over z is kept.
template <class R>
struct DoubleCutSeries {
    Complex<R> s0, s1, s1z;    ///< order 0 and 1; s1z is the coefficient of z
    Complex<R> s2, s2zz, s2c;  ///< order 2: coefficients of 1, z^2 and c
    Traceless<R> f1;           ///< matrix
    Complex<R> p2;             ///< number from two strengths

    struct Vertex {
        Complex<R> grow, constant, slope, shrink;
    };
    struct Propagator {
        Complex<R> inverse, constant, slope, shrink;
    };

    static DoubleCutSeries one() {
        DoubleCutSeries x{};
        x.s0 = {R(1), R(0)};
        return x;
    }
    void absorb(const Vertex& v, const DoubleCutSeries& y) {
        s0 += v.grow * y.s0;
        s1 += v.grow * y.s1 + v.constant * y.s0;
        s1z += v.grow * y.s1z + v.slope * y.s0;
        s2 += v.grow * y.s2 + v.constant * y.s1;
        s2zz += v.grow * y.s2zz + v.slope * y.s1z;
        s2c += v.grow * y.s2c + v.shrink * y.s0;
        f1 += v.grow * y.f1;
        p2 += v.grow * y.p2;
    }
    void absorb(const Traceless<R>& strength, const DoubleCutSeries& y) {
        f1 += y.s0 * strength;
        p2 += half_trace(strength, y.f1);
    }
    void divide(const Propagator& d) {
        s0 = d.inverse * s0;
        s1 = d.inverse * s1 - d.constant * s0;
        s1z = d.inverse * s1z - d.slope * s0;
        s2 = d.inverse * s2 - d.constant * s1;
        s2zz = d.inverse * s2zz - d.slope * s1z;
        s2c = d.inverse * s2c - d.shrink * s0;
        f1 = d.inverse * f1;
        p2 = d.inverse * p2;
    }
    void add(const R& sign, const DoubleCutSeries& y) {
        s0 += sign * y.s0;
        s1 += sign * y.s1;
        s1z += sign * y.s1z;
        s2 += sign * y.s2;
        s2zz += sign * y.s2zz;
        s2c += sign * y.s2c;
        f1 += sign * y.f1;
        p2 += sign * y.p2;
    }
};

}  // namespace pyamp::quark_loop
