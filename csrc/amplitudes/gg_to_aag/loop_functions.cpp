// L0, L1, L2, Ls1 in forms that keep their precision where numerator and denominator vanish together.
#include "amplitudes/gg_to_aag/loop_functions.h"

#include <cmath>
#include <numbers>

#include "amplitudes/gg_to_aag/dilogarithm.h"

namespace pyamp::gg_to_aag {

namespace {

constexpr double pi = std::numbers::pi;
constexpr double series_radius = 0.25;

/// sum_n delta^n (n+1) / (2 (n+3)): 30 terms reach 1e-18 at |delta| = 1/4. Even and odd terms run side by side.
double l2_series(double delta) {
    constexpr int n_terms = 30;
    const auto coefficient = [](int n) { return (n + 1) / (2.0 * (n + 3)); };
    static const auto coefficients = [&] {
        struct {
            double c[n_terms];
        } t;
        for (int n = 0; n < n_terms; ++n) t.c[n] = coefficient(n);
        return t;
    }();
    const double* c = coefficients.c;
    const double square = delta * delta;
    double even = 0;
    double odd = 0;
    for (int n = n_terms - 2; n >= 0; n -= 2) {
        even = even * square + c[n];
        odd = odd * square + c[n + 1];
    }
    return even + delta * odd;
}

/// 1/(y (1-y)) + ln(1-y)/y^2 = sum_n y^n (n+1)/(n+2), regular at y = 0.
double regular_at_zero(double y, double log_one_minus_y) {
    if (std::abs(y) > 0.1) return 1 / (y * (1 - y)) + log_one_minus_y / (y * y);
    double sum = 0;
    for (int n = 16; n >= 0; --n) sum = sum * y + (n + 1) / (n + 2.0);
    return sum;
}

/// Ls1 = - int_0^1 du u F(u d) - L0(r_a)/r_b, exact for every d; used where the closed form is a 0/0.
/// F(t) = 1/(y1 y2) + ln(y2)/y1^2 - ln(r_a)/y2^2 with y1 = r_a + t = 1 - y2. Its only singularity for r_b > 0 is
/// y2 = 0, so r_b is the larger of the two and r_a may be as small as it likes.
Complex ls1_integral(const Ratio& a, const LFunctions& la, const Ratio& b, double d) {
    // 10-point Gauss-Legendre on [-1, 1], half of it (the nodes are symmetric).
    constexpr double node[] = {0.97390652851717172, 0.86506336668898451, 0.67940956829902441, 0.43339539412924719,
                               0.14887433898163121};
    constexpr double weight[] = {0.066671344308688138, 0.14945134915058059, 0.21908636251598204, 0.26926671930999636,
                                 0.29552422471475287};
    double re = 0;
    double im = 0;
    for (int k = 0; k < 10; ++k) {
        const double u = 0.5 * (k < 5 ? 1 + node[k] : 1 - node[k - 5]);
        const double w = 0.5 * weight[k % 5] * u;
        const double t = u * d;
        const double y1 = a.r + t;
        const double y2 = b.r + (d - t);
        const double inverse2 = 1 / (y2 * y2);
        const double log_y2 = b.log_abs_r + std::log1p((d - t) / b.r);
        re += w * (regular_at_zero(y1, log_y2) - a.log_abs_r * inverse2);
        im -= w * a.im_log_r * inverse2;
        if (b.r < 0) im += w * b.im_log_r / (y1 * y1);
    }
    return {-re - la.L0.re / b.r, -im - la.L0.im / b.r};
}

}  // namespace

Ratio make_ratio(double s_a, double s_b, double delta) {
    Ratio q;
    q.r = s_a / s_b;
    q.delta = delta;
    q.log_abs_r = std::abs(delta) < 0.5 ? std::log1p(-delta) : std::log(std::abs(q.r));
    q.log_abs_delta = std::abs(q.r) < 0.5 ? std::log1p(-q.r) : std::log(std::abs(delta));
    q.im_log_r = -pi * ((s_a > 0) - (s_b > 0));
    return q;
}

LFunctions l_functions(const Ratio& q) {
    LFunctions f;
    if (std::abs(q.delta) < series_radius) {
        // Downwards from L2: each step only adds terms of order one, so nothing cancels.
        f.L2 = {l2_series(q.delta), 0};
        f.L1 = {q.delta * f.L2.re - 0.5 / q.r, 0};
        f.L0 = {q.delta * f.L1.re - 1, 0};
    } else {
        const double inverse = 1 / q.delta;
        f.L0 = {q.log_abs_r * inverse, q.im_log_r * inverse};
        f.L1 = {(f.L0.re + 1) * inverse, f.L0.im * inverse};
        const double cube = inverse * inverse * inverse;
        f.L2 = {(q.log_abs_r - 0.5 * (q.r - 1 / q.r)) * cube, q.im_log_r * cube};
    }
    f.li2 = li2_one_minus(q.r, q.delta, q.log_abs_r, q.log_abs_delta, q.im_log_r);
    return f;
}

Complex ls1(const Ratio& a, const LFunctions& la, const Ratio& b, const LFunctions& lb, double d) {
    const bool b_is_larger = std::abs(b.r) >= std::abs(a.r);
    if (std::abs(d) < 0.5 * std::abs(b_is_larger ? b.r : a.r)) {
        return b_is_larger ? ls1_integral(a, la, b, d) : ls1_integral(b, lb, a, d);
    }
    const Complex log_product =
        Complex{a.log_abs_r, a.im_log_r} * Complex{b.log_abs_r, b.im_log_r} - Complex{pi * pi / 6, 0};
    return 1 / (d * d) * (la.li2 + lb.li2 + log_product + d * (la.L0 + lb.L0));
}

}  // namespace pyamp::gg_to_aag
