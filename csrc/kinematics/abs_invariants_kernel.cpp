// |s_ij| of several pairs at once; compiled once for each instruction set, see CMakeLists.txt.
#include "simd/vector.h"

namespace pyamp::kinematics::PYAMP_ISA {
namespace {

using simd::PYAMP_ISA::broadcast;
using simd::PYAMP_ISA::lanes;
using simd::PYAMP_ISA::load;
using simd::PYAMP_ISA::store;
using Real = simd::PYAMP_ISA::Vec<double>;

constexpr int max_legs = 8;
constexpr int max_pairs = max_legs * (max_legs - 1) / 2;

/// a b + c rounded once, whatever the instruction set.
[[gnu::always_inline]] inline Real exact_fma(Real a, Real b, Real c) {
#if defined(__FMA__)
    return simd::PYAMP_ISA::fma(a, b, c);
#else
    Real result;
    for (int l = 0; l < lanes<double>; ++l) result[l] = __builtin_fma(a[l], b[l], c[l]);
    return result;
#endif
}

/// a b - c d with an error below 1.5 ulp, as in invariants_point.h.
[[gnu::always_inline]] inline Real difference_of_products(Real a, Real b, Real c, Real d) {
    const Real cd = c * d;
    return exact_fma(a, b, -cd) + exact_fma(-c, d, cd);
}

/// Three-momenta and their norms, a register of each.
struct Momenta {
    Real x, y, z, norm;
};

/// massless_invariant() of invariants_point.h, its absolute value.
[[gnu::always_inline]] inline Real invariant(const Momenta& p, const Momenta& q) {
    const Real dot = p.x * q.x + p.y * q.y + p.z * q.z;
    const Real norms = p.norm * q.norm;
    const Real cx = difference_of_products(p.y, q.z, p.z, q.y);
    const Real cy = difference_of_products(p.z, q.x, p.x, q.z);
    const Real cz = difference_of_products(p.x, q.y, p.y, q.x);
    const auto opposite = dot <= 0.0;
    const Real numerator = opposite ? norms - dot : cx * cx + cy * cy + cz * cz;
    return 2.0 * (opposite ? numerator : numerator / (norms + dot));
}

[[gnu::always_inline]] inline Real square_root(Real x) {
    Real root;
    for (int l = 0; l < lanes<double>; ++l) root[l] = __builtin_sqrt(x[l]);
    return root;
}

[[gnu::always_inline]] inline Momenta with_norm(Real x, Real y, Real z) {
    return {x, y, z, square_root(x * x + y * y + z * z)};
}

/// One point: each leg with all that follow it. What lies beyond the last leg is read and thrown away.
inline void of_point(const double* momenta, int n_legs, double* abs_s) {
    constexpr int L = lanes<double>;
    double x[max_legs + L] = {}, y[max_legs + L] = {}, z[max_legs + L] = {}, norm[max_legs + L] = {};
    for (int i = 0; i < n_legs; ++i) {
        x[i] = momenta[4 * i + 1];
        y[i] = momenta[4 * i + 2];
        z[i] = momenta[4 * i + 3];
    }
    for (int i = 0; i < n_legs; i += L) store(norm + i, with_norm(load(x + i), load(y + i), load(z + i)).norm);
    // Each row ends where the next begins, which overwrites what was too much.
    double rows[max_pairs + L];
    int pair = 0;
    for (int i = 0; i + 1 < n_legs; ++i) {
        const Momenta p = {broadcast(x[i]), broadcast(y[i]), broadcast(z[i]), broadcast(norm[i])};
        for (int j = i + 1; j < n_legs; j += L)
            store(rows + pair + (j - i - 1), invariant(p, {load(x + j), load(y + j), load(z + j), load(norm + j)}));
        pair += n_legs - 1 - i;
    }
    for (int k = 0; k < pair; ++k) abs_s[k] = rows[k];
}

/// As many points as lanes, side by side.
inline void of_block(const double* momenta, int n_legs, double* abs_s) {
    constexpr int L = lanes<double>;
    Momenta legs[max_legs];
    for (int i = 0; i < n_legs; ++i) {
        Real x, y, z;
        for (int l = 0; l < L; ++l) {
            const double* p = momenta + 4 * (l * n_legs + i);
            x[l] = p[1];
            y[l] = p[2];
            z[l] = p[3];
        }
        legs[i] = with_norm(x, y, z);
    }
    const int n_pairs = n_legs * (n_legs - 1) / 2;
    int pair = 0;
    for (int i = 0; i < n_legs; ++i)
        for (int j = i + 1; j < n_legs; ++j, ++pair) {
            const Real s = invariant(legs[i], legs[j]);
            for (int l = 0; l < L; ++l) abs_s[l * n_pairs + pair] = s[l];
        }
}

}  // namespace

void abs_invariants(const double* momenta, std::size_t n, int n_legs, double* abs_s);

void abs_invariants(const double* momenta, std::size_t n, int n_legs, double* abs_s) {
    constexpr std::size_t L = lanes<double>;
    const int n_pairs = n_legs * (n_legs - 1) / 2;
    std::size_t k = 0;
    for (; k + L <= n; k += L, momenta += 4 * L * n_legs, abs_s += L * n_pairs) of_block(momenta, n_legs, abs_s);
    for (; k < n; ++k, momenta += 4 * n_legs, abs_s += n_pairs) of_point(momenta, n_legs, abs_s);
}

}  // namespace pyamp::kinematics::PYAMP_ISA
