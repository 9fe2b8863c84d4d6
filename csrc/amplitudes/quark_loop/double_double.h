// Real numbers as unevaluated sums of two doubles, 32 digits: the points that double precision cannot do.
//
// Algorithms: T. J. Dekker, Numer. Math. 18 (1971) 224; D. E. Knuth, The Art of Computer Programming, vol. 2, 4.2.2.
// They need every operation rounded as written: no fused multiply-add but the explicit one, no -ffast-math.
#pragma once

#include <cmath>

namespace pyamp::quark_loop {

struct DoubleDouble {
    double high = 0;
    double low = 0;

    constexpr DoubleDouble() = default;
    constexpr DoubleDouble(double x) : high(x) {}
    constexpr DoubleDouble(double h, double l) : high(h), low(l) {}
    explicit operator double() const { return high + low; }
};

/// a + b exactly, |a| >= |b|.
inline DoubleDouble quick_sum(double a, double b) {
    const double sum = a + b;
    return {sum, b - (sum - a)};
}

/// a + b exactly.
inline DoubleDouble exact_sum(double a, double b) {
    const double sum = a + b;
    const double part = sum - a;
    return {sum, (a - (sum - part)) + (b - part)};
}

/// a b exactly.
inline DoubleDouble exact_product(double a, double b) {
    const double product = a * b;
    return {product, std::fma(a, b, -product)};
}

inline DoubleDouble operator-(const DoubleDouble& a) { return {-a.high, -a.low}; }

inline DoubleDouble operator+(const DoubleDouble& a, const DoubleDouble& b) {
    DoubleDouble s = exact_sum(a.high, b.high);
    const DoubleDouble t = exact_sum(a.low, b.low);
    s = quick_sum(s.high, s.low + t.high);
    return quick_sum(s.high, s.low + t.low);
}

inline DoubleDouble operator-(const DoubleDouble& a, const DoubleDouble& b) { return a + (-b); }

inline DoubleDouble operator*(const DoubleDouble& a, const DoubleDouble& b) {
    const DoubleDouble p = exact_product(a.high, b.high);
    return quick_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

inline DoubleDouble operator/(const DoubleDouble& a, const DoubleDouble& b) {
    const double q1 = a.high / b.high;
    DoubleDouble r = a - DoubleDouble(q1) * b;
    const double q2 = r.high / b.high;
    r = r - DoubleDouble(q2) * b;
    return quick_sum(q1, q2) + DoubleDouble(r.high / b.high);
}

inline bool operator<(const DoubleDouble& a, const DoubleDouble& b) {
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}
inline bool operator>(const DoubleDouble& a, const DoubleDouble& b) { return b < a; }
inline bool operator>=(const DoubleDouble& a, const DoubleDouble& b) { return !(a < b); }
inline bool operator==(const DoubleDouble& a, const DoubleDouble& b) { return a.high == b.high && a.low == b.low; }

inline DoubleDouble fabs(const DoubleDouble& a) { return a.high < 0 ? -a : a; }

inline DoubleDouble sqrt(const DoubleDouble& a) {
    if (a.high == 0) return {};
    // One Newton step from the double root doubles the digits.
    const double root = std::sqrt(a.high);
    const DoubleDouble rest = a - exact_product(root, root);
    return quick_sum(root, rest.high / (2 * root));
}

/// exp for |a| < 1/2: enough for the step of the logarithm.
inline DoubleDouble exp_small(const DoubleDouble& a) {
    constexpr int halvings = 6;
    const DoubleDouble x = a * DoubleDouble(1.0 / (1 << halvings));
    DoubleDouble sum(1);
    for (int n = 16; n > 0; --n) sum = DoubleDouble(1) + x * sum / DoubleDouble(n);
    for (int n = 0; n < halvings; ++n) sum = sum * sum;
    return sum;
}

inline DoubleDouble log(const DoubleDouble& a) {
    // a = m 2^e with m near 1; Newton's step y + m exp(-y) - 1 on the double logarithm of m.
    constexpr DoubleDouble log_2{0.6931471805599453, 2.3190468138462996e-17};
    const int exponent = std::ilogb(a.high * 1.5);
    const double scale = std::ldexp(1.0, -exponent);
    const DoubleDouble m{a.high * scale, a.low * scale};
    const double y = std::log(m.high);
    return DoubleDouble(y) + (m * exp_small(DoubleDouble(-y)) - DoubleDouble(1)) + DoubleDouble(exponent) * log_2;
}

}  // namespace pyamp::quark_loop
