// Dilogarithms, boxes and the three-mass triangle.
#include "amplitudes/quark_loop/scalar_integrals.h"

#include <algorithm>
#include <array>

#include "amplitudes/quark_loop/real.h"

namespace pyamp::quark_loop {

namespace {

/// B_2k / (2k + 1)! from zeta(2k): 2 (-1)^(k+1) zeta(2k) / ((2 pi)^2k (2k + 1)).
template <class R>
std::array<R, RealTraits<R>::bernoulli_terms> bernoulli_coefficients() {
    std::array<R, RealTraits<R>::bernoulli_terms> c{};
    const R exact[] = {R(1) / R(36), R(-1) / R(3600), R(1) / R(211680), R(-1) / R(10886400), R(1) / R(526901760)};
    const R step = R(1) / (R(4) * pi<R> * pi<R>);
    R power = step;
    for (int k = 1; k <= RealTraits<R>::bernoulli_terms; ++k, power = power * step) {
        if (k <= 5) {
            c[k - 1] = exact[k - 1];
            continue;
        }
        R zeta(0);
        for (int n = 600; n > 0; --n) {
            const R inverse_square = R(1) / R(n * n);
            R term(1);
            for (int j = 0; j < k; ++j) term = term * inverse_square;
            zeta = zeta + term;
        }
        c[k - 1] = R(k % 2 ? 2 : -2) * zeta * power / R(2 * k + 1);
    }
    return c;
}

/// Li2(x) from u = -ln(1 - x), |u| <= ln 2: u - u^2/4 + sum_k B_2k u^(2k+1) / (2k+1)!.
template <class R>
R bernoulli_series(const R& u) {
    static const auto c = bernoulli_coefficients<R>();
    const R v = u * u;
    R sum(0);
    for (auto k = c.rbegin(); k != c.rend(); ++k) sum = sum * v + *k;
    return u - R(0.25) * v + u * v * sum;
}

/// Li2(x), x <= 1, given ln|x| and ln(1 - x) as far as they are needed.
template <class R>
R li2(const R& x) {
    const R pi2_6 = pi<R> * pi<R> / R(6);
    if (x == R(1)) return pi2_6;
    if (x > R(0.5)) return pi2_6 - log(x) * log(R(1) - x) - bernoulli_series(-log(x));
    if (x >= R(-1)) {
        // ln(1 - x) from its series in y = x/(x - 2) where 1 - x would round x away
        if (fabs(x) < R(0.05)) {
            const R y = x / (x - R(2));
            const R y2 = y * y;
            R sum(0);
            for (int n = 21; n > 0; n -= 2) sum = sum * y2 + R(1) / R(n);
            return bernoulli_series(R(-2) * y * sum);
        }
        return bernoulli_series(-log(R(1) - x));
    }
    const R l = log(-x);
    return -pi2_6 - R(0.5) * l * l - bernoulli_series(-log(R(1) - R(1) / x));
}

/// Li2(1 - r), r = a/b, with logarithms of a and b continued one by one.
template <class R>
Complex<R> li2_one_minus_ratio(const R& a, const R& b) {
    const R r = a / b;
    if (r > R(0)) return {li2((b - a) / b), R(0)};
    const R pi2_6 = pi<R> * pi<R> / R(6);
    const R log_one_minus = log((b - a) / b);
    const R im_log_r = a > R(0) ? -pi<R> : pi<R>;
    return {pi2_6 - log_one_minus * log(-r) - li2(r), -(log_one_minus * im_log_r)};
}

/// Li2(1 - a x), x -> x + i0.
template <class R>
Complex<R> li2_one_minus_product(const R& a, const R& x) {
    const R y = R(1) - a * x;
    if (!(y > R(1))) return {li2(y), R(0)};
    // Li2(y) + Li2(1/y) = pi^2/3 - ln^2(y)/2 +- i pi ln y above and below the cut
    const R l = log(y);
    const R re = pi<R> * pi<R> / R(3) - R(0.5) * l * l - li2(R(1) / y);
    return {re, a > R(0) ? -(pi<R> * l) : pi<R> * l};
}

template <class R>
Complex<R> square(const Complex<R>& z) {
    return z * z;
}

}  // namespace

template <class R>
Complex<R> log_minus(const R& s) {
    return {log(fabs(s)), s > R(0) ? -pi<R> : R(0)};
}

template <class R>
Complex<R> finite_box(const R m[4], const R& s, const R& t) {
    const R zero(0);
    const R pi2 = pi<R> * pi<R>;
    const Complex<R> difference = log_minus(s) - log_minus(t);
    const int n_massive = !(m[1] == zero) + !(m[2] == zero) + !(m[3] == zero);
    if (n_massive == 0) return (R(-1) / (s * t)) * (square(difference) + Complex<R>{pi2, zero});
    if (n_massive == 1) {
        const R mass = m[1] + m[2] + m[3];
        const Complex<R> f = li2_one_minus_ratio(mass, s) + li2_one_minus_ratio(mass, t) +
                             R(0.5) * square(difference) + Complex<R>{pi2 / R(6), zero};
        return (R(-2) / (s * t)) * f;
    }
    if (m[2] == zero) {
        // Duplancic, Nizic, Eur. Phys. J. C20 (2001) 357, hep-ph/0006249; Brandhuber, Spence, Travaglini,
        // Nucl. Phys. B706 (2005) 150, hep-th/0407214: without the product of ratios, whose logarithm is ambiguous.
        const R determinant = s * t - m[1] * m[3];
        const R a = (s + t - m[1] - m[3]) / determinant;
        const Complex<R> f = li2_one_minus_product(a, m[1]) + li2_one_minus_product(a, m[3]) -
                             li2_one_minus_product(a, s) - li2_one_minus_product(a, t);
        return (R(-2) / determinant) * f;
    }
    // Two adjacent masses; s is the invariant of the two massless legs.
    const bool massless_first = m[1] == zero;
    const R& p = m[2];
    const R& q = massless_first ? m[3] : m[1];
    const R& of_massless = massless_first ? s : t;
    const R& other = massless_first ? t : s;
    const Complex<R> log_s = log_minus(of_massless);
    const Complex<R> f = li2_one_minus_ratio(p, other) + li2_one_minus_ratio(q, other) + R(0.5) * square(difference) -
                         R(0.5) * ((log_s - log_minus(p)) * (log_s - log_minus(q)));
    return (R(-2) / (s * t)) * f;
}

template <class R>
Complex<R> three_mass_triangle(const R m[3]) {
    // int_0^inf dx L(x) / (S1 x^2 + (S1 + S2 - S3) x + S2), L = ln (1+x)(S1 x + S2)/(S3 x), S = -s - i0: both roots
    // are negative if S3 is the one of other sign, or the smallest.
    std::array<R, 3> S{-m[0], -m[1], -m[2]};
    const auto positive = std::count_if(S.begin(), S.end(), [](const R& x) { return x > R(0); });
    std::sort(S.begin(), S.end(), [&](const R& a, const R& b) {
        if (positive == 1) return b > a;
        if (positive == 2) return a > b;
        return fabs(a) > fabs(b);
    });
    const R middle = S[0] + S[1] - S[2];
    const R root = sqrt(middle * middle - R(4) * S[0] * S[1]);
    const R larger = R(0.5) * (fabs(middle) + root);
    const R rho[2] = {fabs(S[1]) / larger, larger / fabs(S[0])};
    const Complex<R> constant = log_minus(-S[1]) - log_minus(-S[2]);
    const R ratio = S[0] / S[1];
    Complex<R> h[2];
    for (int k = 0; k < 2; ++k) {
        const R l = log(rho[k]);
        h[k] = Complex<R>{li2(R(1) - rho[k]) + li2(R(1) - ratio * rho[k]) + R(0.5) * l * l, R(0)} - l * constant;
    }
    const R sign = middle > R(0) ? R(-1) : R(1);
    return (sign / root) * (h[0] - h[1]);
}

template Complex<double> log_minus(const double&);
template Complex<DoubleDouble> log_minus(const DoubleDouble&);
template Complex<double> finite_box(const double[4], const double&, const double&);
template Complex<DoubleDouble> finite_box(const DoubleDouble[4], const DoubleDouble&, const DoubleDouble&);
template Complex<double> three_mass_triangle(const double[3]);
template Complex<DoubleDouble> three_mass_triangle(const DoubleDouble[3]);

}  // namespace pyamp::quark_loop
