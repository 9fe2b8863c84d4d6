// Spinor products with the light-cone axis along x, which keeps the beams away from the axis.
#include "amplitudes/gg_to_aag/spinors.h"

#include <cmath>

namespace pyamp::gg_to_aag {

namespace {

struct Spinor {
    double first;    ///< sqrt(p+), p+ = E + x
    Complex second;  ///< (y + iz)/sqrt(p+)
};

Spinor spinor(const Momentum& p) {
    const double transverse2 = p.y * p.y + p.z * p.z;
    const double plus = p.x >= 0 ? p.E + p.x : transverse2 / (p.E - p.x);
    const double root = std::sqrt(plus);
    if (root == 0) return {0, {std::sqrt(p.E - p.x), 0}};
    return {root, {p.y / root, p.z / root}};
}

}  // namespace

void spinor_products(const Point& point, SpinorProducts& t) {
    Spinor lambda[n_legs];
    for (int i = 0; i < n_legs; ++i) lambda[i] = spinor(point[i]);

    for (int i = 0; i < n_legs; ++i) {
        const int d = 6 * i;
        t.angle[d] = t.square[d] = t.inverse_angle[d] = t.inverse_square[d] = {0, 0};
        t.s[d] = t.inverse_s[d] = 0;
        for (int j = i + 1; j < n_legs; ++j) {
            const Complex bare = lambda[i].first * lambda[j].second - lambda[j].first * lambda[i].second;
            const int crossed = (i < n_incoming) + (j < n_incoming);
            const Complex phase = crossed == 0 ? Complex{1, 0} : crossed == 1 ? Complex{0, 1} : Complex{-1, 0};
            const Complex angle = phase * bare;
            const Complex square = phase * Complex{-bare.re, bare.im};
            const double s = crossed == 1 ? -norm(bare) : norm(bare);
            const double inverse_s = 1 / s;
            const int ij = 5 * i + j;
            const int ji = 5 * j + i;
            t.angle[ij] = angle;
            t.angle[ji] = -1 * angle;
            t.square[ij] = square;
            t.square[ji] = -1 * square;
            t.inverse_angle[ij] = -inverse_s * square;
            t.inverse_angle[ji] = inverse_s * square;
            t.inverse_square[ij] = -inverse_s * angle;
            t.inverse_square[ji] = inverse_s * angle;
            t.s[ij] = t.s[ji] = s;
            t.inverse_s[ij] = t.inverse_s[ji] = inverse_s;
        }
    }
}

}  // namespace pyamp::gg_to_aag
