// Quadruple cuts.
#include "amplitudes/quark_loop/amplitude.h"
#include "amplitudes/quark_loop/scalar_integrals.h"

namespace pyamp::quark_loop {

namespace {

/// The two loop momenta before a massless corner that put all four propagators on shell: l = |1>[x| and l = |x>[1|,
/// with l^2 = l.k1 = 0, 2 l.K2 = -(k1 + K2)^2 and 2 l.K4 = K4^2.
template <class R>
void on_shell(const Spinor<R>& angle, const Spinor<R>& square, const Vector<R>& k2, const Vector<R>& k4, const R& s12,
              const R& s4, Vector<R> l[2]) {
    const auto solve = [&](const Spinor<R>& r2, const Spinor<R>& r4) {
        const Complex<R> factor = inverse(r2[0] * r4[1] - r2[1] * r4[0]);
        return Spinor<R>{factor * (-(s12 * r4[1]) - s4 * r2[1]), factor * (s4 * r2[0] + s12 * r4[0])};
    };
    const auto bra = [&](const Vector<R>& k) {
        return Spinor<R>{angle[0] * k.d - angle[1] * k.b, angle[1] * k.a - angle[0] * k.c};
    };
    const auto ket = [&](const Vector<R>& k) {
        return Spinor<R>{square[0] * k.d - square[1] * k.c, square[1] * k.a - square[0] * k.b};
    };
    l[0] = outer(angle, solve(bra(k2), bra(k4)));
    l[1] = outer(solve(ket(k2), ket(k4)), square);
}

}  // namespace

template <class R>
void Amplitude<R>::box(const Cut& cut) {
    const auto& [c1, c2, c3, c4] = cut.corner;
    const R s = external_.s(c1 | c2);
    const R t = external_.s(c2 | c3);
    const R masses[4] = {external_.s(c1), external_.s(c2), external_.s(c3), external_.s(c4)};
    const Complex<R> function = finite_box(masses, s, t);
    int leg = 0;
    while (!(c1 >> leg & 1)) ++leg;
    Vector<R> l[2];
    on_shell(external_.angle(leg), external_.square(leg), external_.momentum(c2), external_.momentum(c4), s,
             masses[3], l);

    // Poles -2 F / (st - m2 m4), F = -(1/eps^2) sum +-(-s)^-eps, with half weights where two masses are adjacent.
    const R determinant = s * t - masses[1] * masses[3];
    const R pole = R(2) / determinant;
    Legs channels[6] = {c1 | c2, c2 | c3, c1, c2, c3, c4};
    R weights[6] = {pole, pole, -pole, -pole, -pole, -pole};
    const R half(0.5);
    const auto adjacent_masses = [&](Legs a, Legs b) {
        return topology_.channel[a] >= 0 && topology_.channel[b] >= 0;
    };
    for (int i = 0; i < 4; ++i) {
        const int j = (i + 1) % 4;
        if (!adjacent_masses(cut.corner[i], cut.corner[j])) continue;
        weights[2 + i] = half * weights[2 + i];
        weights[2 + j] = half * weights[2 + j];
        // the invariant of the two massless legs
        weights[i % 2] = half * weights[i % 2];
    }

    for (int solution = 0; solution < 2; ++solution) {
        LoopMomentum<R> momentum{};
        momentum.constant = l[solution];
        value_.cut(external_, cut, momentum);
        for (int h = 0; h < topology_.n_helicities; ++h) {
            for (const Term& term : cut.terms) {
                const auto tree = [&](int c) -> const Value<R>& { return value_.tree(cut, c, term.slot[c], h); };
                const Value<R> first = tree(1) * tree(0);
                const Value<R> last = tree(3) * tree(2);
                const Complex<R> d =
                    R(0.5 * term.sign) * (last.scalar * first.scalar + half_trace(last.matrix, first.matrix));
                const int n = at(term.colour_class, h);
                add(n, d, function);
                for (int k = 0; k < 6 && checks_.infrared; ++k) add_pole(channels[k], n, weights[k] * d);
            }
        }
    }

    // int mu^4 = -1/6: the coefficient of mu^4 is the limit of large mu, where l grows along the direction
    // transverse to all corners.
    LoopMomentum<R> momentum{};
    momentum.grow = l[0] - l[1];
    const Complex<R> inverse_square = inverse(R(0.5) * dot2(momentum.grow, momentum.grow));
    const Complex<R> weight = R(-1) / R(6) * (inverse_square * inverse_square);
    leading_.cut(external_, cut, momentum);
    // Rounding of the propagators within corners that are nearly orthogonal to this direction.
    const auto size = [](const Vector<R>& v) { return norm(v.a) + norm(v.b) + norm(v.c) + norm(v.d); };
    R amplification(1);
    Legs before = 0;
    for (Legs corner : cut.corner) {
        for (Legs part = (corner - 1) & corner; part; part = (part - 1) & corner) {
            const Vector<R>& k = external_.momentum(before | part);
            const R relative = size(momentum.grow) * size(k) / norm(dot2(momentum.grow, k));
            if (!(relative < amplification)) amplification = relative;
        }
        before |= corner;
    }
    for (int h = 0; h < topology_.n_helicities; ++h) {
        for (const Term& term : cut.terms) {
            const auto tree = [&](int c) { return leading_.tree(cut, c, term.slot[c], h).scalar; };
            const Complex<R> value = R(term.sign) * (weight * (tree(0) * tree(1) * (tree(2) * tree(3))));
            re_[at(term.colour_class, h)] += value;
            mass_term_error_ = mass_term_error_ + amplification * norm(value);
        }
    }
}

template void Amplitude<double>::box(const Cut&);
template void Amplitude<DoubleDouble>::box(const Cut&);

}  // namespace pyamp::quark_loop
