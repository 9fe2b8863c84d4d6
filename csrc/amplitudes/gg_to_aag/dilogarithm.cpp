// Dilogarithm by mapping to -1 <= x <= 1/2 and the Bernoulli series in u = -ln(1 - x).
#include "amplitudes/gg_to_aag/dilogarithm.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace pyamp::gg_to_aag {

namespace {

constexpr double pi2_6 = std::numbers::pi * std::numbers::pi / 6;

/// Li2(x) for u = -ln(1 - x), |u| <= ln 2: u - u^2/4 + sum_k B_2k u^(2k+1) / (2k+1)!.
double bernoulli_series(double u) {
    constexpr double c[] = {
        1.0 / 36,                          // B_2 / 3!
        -1.0 / 3600,                       // B_4 / 5!
        1.0 / 211680,                      // B_6 / 7!
        -1.0 / 10886400,                   // B_8 / 9!
        1.0 / 526901760,                   // B_10 / 11!
        -691.0 / 2730 / 6227020800.0,      // B_12 / 13!
        7.0 / 6 / 1307674368000.0,         // B_14 / 15!
        -3617.0 / 510 / 355687428096000.0  // B_16 / 17!; the next term is below 1e-17 relative
    };
    const double v = u * u;
    double sum = c[7];
    for (int k = 6; k >= 0; --k) sum = sum * v + c[k];
    return u - 0.25 * v + u * v * sum;
}

}  // namespace

Complex li2_one_minus(double r, double delta, double log_abs_r, double log_abs_delta, double im_log_r) {
    if (r > 0) {
        if (delta > 0.5) return {pi2_6 - log_abs_delta * log_abs_r - bernoulli_series(-log_abs_delta), 0};
        if (delta >= -1) return {bernoulli_series(-log_abs_r), 0};
        return {-pi2_6 - 0.5 * log_abs_delta * log_abs_delta - bernoulli_series(log_abs_delta - log_abs_r), 0};
    }
    const double li2_r = r >= -1 ? bernoulli_series(-log_abs_delta)
                                 : -pi2_6 - 0.5 * log_abs_r * log_abs_r - bernoulli_series(log_abs_r - log_abs_delta);
    return {pi2_6 - log_abs_delta * log_abs_r - li2_r, -log_abs_delta * im_log_r};
}

double li2(double x) {
    if (x == 1) return pi2_6;
    if (!(x < 1)) return std::numeric_limits<double>::quiet_NaN();
    const double log_abs_x = x > 0.5 ? std::log1p(x - 1) : std::log(std::abs(x));
    return li2_one_minus(1 - x, x, std::log1p(-x), log_abs_x, 0).re;
}

}  // namespace pyamp::gg_to_aag
