#include "phase_space/rambo.h"

#include <cmath>
#include <numbers>

namespace pyamp {

namespace {

/// The conformal map of the paper: boosts and scales massless momenta (n, 4) to the total (sqrt_s, 0, 0, 0).
void to_centre_of_mass(int n, double sqrt_s, double* momenta) noexcept {
    double total[4] = {0, 0, 0, 0};
    for (int i = 0; i < n; ++i)
        for (int mu = 0; mu < 4; ++mu) total[mu] += momenta[4 * i + mu];
    const double mass =
        std::sqrt(total[0] * total[0] - total[1] * total[1] - total[2] * total[2] - total[3] * total[3]);
    const double b[3] = {-total[1] / mass, -total[2] / mass, -total[3] / mass};
    const double x = sqrt_s / mass;
    const double a = 1 / (1 + total[0] / mass);
    for (int i = 0; i < n; ++i) {
        double* p = momenta + 4 * i;
        const double bp = b[0] * p[1] + b[1] * p[2] + b[2] * p[3];
        for (int k = 0; k < 3; ++k) p[k + 1] = x * (p[k + 1] + b[k] * (p[0] + a * bp));
        // gamma p0 + b.p cancels for soft legs; the length of the vector does not.
        p[0] = std::sqrt(p[1] * p[1] + p[2] * p[2] + p[3] * p[3]);
    }
}

}  // namespace

void rambo(PointRandom& random, int n, double sqrt_s, double* momenta) noexcept {
    for (int i = 0; i < n; ++i) {
        double* q = momenta + 4 * i;
        const double cos_theta = 2 * random.uniform() - 1;
        const double phi = 2 * std::numbers::pi * random.uniform();
        const double r3 = random.uniform();
        const double r4 = random.uniform();
        const double sin_theta = std::sqrt((1 - cos_theta) * (1 + cos_theta));
        q[0] = -std::log(r3 * r4);
        q[1] = q[0] * sin_theta * std::cos(phi);
        q[2] = q[0] * sin_theta * std::sin(phi);
        q[3] = q[0] * cos_theta;
    }
    // Once is exact but for rounding, which a large boost magnifies; the second pass boosts by next to nothing.
    to_centre_of_mass(n, sqrt_s, momenta);
    to_centre_of_mass(n, sqrt_s, momenta);
}

double massless_phase_space_volume(int n, double s) noexcept {
    using std::numbers::pi;
    return std::pow(2 * pi, 4 - 3 * n) * std::pow(pi / 2, n - 1) * std::pow(s, n - 2) /
           (std::tgamma(n) * std::tgamma(n - 1));
}

}  // namespace pyamp
