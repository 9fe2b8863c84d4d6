// Triple cuts, expanded for large loop momentum in both directions transverse to the triangle.
#include "amplitudes/quark_loop/amplitude.h"
#include "amplitudes/quark_loop/scalar_integrals.h"

namespace pyamp::quark_loop {

namespace {

template <class R>
struct Spinors {
    Spinor<R> angle, square;
};

/// A real massless vector as a product of spinors, up to a factor.
template <class R>
Spinors<R> factorised(const Vector<R>& p) {
    const R first = norm(p.a) + norm(p.c);
    const R second = norm(p.b) + norm(p.d);
    const Spinor<R> angle = first >= second ? Spinor<R>{p.a, p.c} : Spinor<R>{p.b, p.d};
    const R factor = R(1) / (first >= second ? first : second);
    return {angle,
            {factor * (conj(angle[0]) * p.a + conj(angle[1]) * p.c),
             factor * (conj(angle[0]) * p.b + conj(angle[1]) * p.d)}};
}

}  // namespace

template <class R>
void Amplitude<R>::triangle(const Cut& cut) {
    const Legs c1 = cut.corner[0];
    const Legs c2 = cut.corner[1];
    const Legs c3 = cut.corner[2];
    const Vector<R>& k1 = external_.momentum(c1);
    const Vector<R>& k3 = external_.momentum(c3);
    const R masses[3] = {external_.s(c1), external_.s(c2), external_.s(c3)};
    const R half(0.5);
    const R k13 = half * (masses[1] - masses[0] - masses[2]);
    const R gram = k13 * k13 - masses[0] * masses[2];  // positive at physical points
    const R root = sqrt(gram);
    const R gamma = k13 >= R(0) ? k13 + root : k13 - root;
    const auto flat_1 = factorised(k1 - (masses[0] / gamma) * k3);
    const auto flat_3 = factorised(k3 - (masses[2] / gamma) * k1);

    // 2 l.K1 = -K1^2, 2 l.K3 = K3^2
    const R of_1 = half * masses[2] * (masses[0] + k13) / gram;
    const R of_3 = -half * masses[0] * (masses[2] + k13) / gram;
    LoopMomentum<R> l{};
    l.constant = of_1 * k1 + of_3 * k3;
    l.grow = outer(flat_1.angle, flat_3.square);
    l.shrink = outer(flat_3.angle, flat_1.square);
    const R v2 = of_1 * of_1 * masses[0] + of_3 * of_3 * masses[2] + R(2) * of_1 * of_3 * k13;
    const Complex<R> scale = inverse(dot2(l.grow, l.shrink));

    // One or two masses: only poles, (-s)^-eps / (eps^2 s) and the difference of two.
    Complex<R> integral{};
    Legs massive[3];
    int n_massive = 0;
    for (Legs c : {c1, c2, c3}) {
        if (topology_.channel[c] >= 0) massive[n_massive++] = c;
    }
    Legs pole_legs[2] = {1, 1};
    R pole_weights[2] = {R(0), R(0)};
    if (n_massive == 3) {
        integral = three_mass_triangle(masses);
    } else {
        const R other = n_massive == 2 ? external_.s(massive[1]) : R(0);
        pole_legs[0] = massive[0];
        pole_weights[0] = R(1) / (external_.s(massive[0]) - other);
        if (n_massive == 2) {
            pole_legs[1] = massive[1];
            pole_weights[1] = -pole_weights[0];
        }
    }
    triangle_direction(cut, l, v2, scale, integral, pole_legs, pole_weights);
    std::swap(l.grow, l.shrink);
    triangle_direction(cut, l, v2, scale, integral, pole_legs, pole_weights);
}

template <class R>
void Amplitude<R>::triangle_direction(const Cut& cut, const LoopMomentum<R>& l, const R& v2, const Complex<R>& scale,
                                      const Complex<R>& integral, const Legs pole_legs[2], const R pole_weights[2]) {
    triple_.cut(external_, cut, l);
    Share shares[3];
    for (int c = 0; c < 3; ++c) shares[c] = share(cut, c, l, scale);
    const Complex<R> at_zero_mass = -(v2 * scale);
    const R half(0.5);
    const bool has_integral = !(norm(integral) == R(0));

    // The two smaller corners first: few products serve all helicities of the largest corner.
    const std::uint8_t* const of_first = topology_.map(cut.of_pair_map[0]);
    const std::uint8_t* const of_second = topology_.map(cut.of_pair_map[1]);
    const std::uint8_t* const of_pair = topology_.map(cut.pair_map);
    const std::uint8_t* const of_third = topology_.map(cut.helicity_map[2]);
    const int n_pair = cut.n_pair_helicities;
    for (int a = 0; a < cut.n_slots[0]; ++a) {
        for (int b = 0; b < cut.n_slots[1]; ++b) {
            for (int h = 0; h < n_pair; ++h) {
                pair_products_[(a * cut.n_slots[1] + b) * n_pair + h] =
                    triple_.tree(1, b, of_second[h]) * triple_.tree(0, a, of_first[h]);
            }
        }
    }
    for (const Term& term : cut.terms) {
        const TripleCutSeries<R>* const pairs =
            &pair_products_[(term.slot[0] * cut.n_slots[1] + term.slot[1]) * n_pair];
        for (int h = 0; h < topology_.n_helicities; ++h) {
            const TripleCutTrace<R> y(triple_.tree(2, term.slot[2], of_third[h]), pairs[of_pair[h]]);
            const R sign(term.sign);
            // coefficients of t^3 ... t^0, each times the line's two components over two
            const Complex<R> third = sign * y.s0;
            const Complex<R> second = sign * y.s1;
            const Complex<R> first = sign * (y.s2 + at_zero_mass * y.s2c + y.p2);
            const Complex<R> first_mass = sign * (scale * y.s2c);
            const Complex<R> constant = sign * (y.s3 + at_zero_mass * y.s3c + y.p3);
            const Complex<R> constant_mass = sign * (scale * y.s3c);
            const int n = at(term.colour_class, h);
            if (has_integral) add(n, half * constant, integral);
            for (int k = 0; k < 2 && checks_.infrared; ++k)
                add_pole(pole_legs[k], n, (half * pole_weights[k]) * constant);
            // int mu^2 = 1/2, and the average of two directions
            re_[n] += R(0.25) * constant_mass;
            for (const Share& part : shares) {
                if (part.channel < 0) continue;
                bubble_[part.channel * re_.size() + n] -=
                    part.first * first + part.second * second + part.third * third;
                re_[n] += part.mass_weight * (part.first * first_mass + part.third_mass * third);
            }
        }
    }
}

template <class R>
auto Amplitude<R>::share(const Cut& cut, int corner, const LoopMomentum<R>& l, const Complex<R>& scale) const
    -> Share {
    Share share;
    const Legs legs = cut.corner[corner];
    share.channel = topology_.channel[legs];
    if (share.channel < 0) return share;
    const Legs next = cut.corner[(corner + 1) % 3];
    Legs before = 0;
    for (int c = 0; c < corner; ++c) before |= cut.corner[c];

    // t of the triangle and its third propagator, seen from the bubble
    LoopMomentum<R> b = bubble_momentum(legs);
    const Complex<R> to_scale = inverse(dot2(b.grow, b.shrink));
    using Series = DoubleCutSeries<R>;
    const auto d = propagator_along<Series>(b, external_.momentum(legs | next), external_.s(legs | next));
    b.constant = b.constant - external_.momentum(before) - l.constant;
    const auto t = vertex_along<Series>(b, scale * l.shrink);
    Series power = Series::one();
    Series over_propagator[4];
    for (int k = 1; k <= 3; ++k) {
        Series next_power{};
        next_power.absorb(t, power);
        power = next_power;
        over_propagator[k] = power;
        over_propagator[k].divide(d);
    }
    const R& k2 = external_.s(legs);
    const Series& cubic = over_propagator[3];
    share.first = over_propagator[1].s0;
    share.second = over_propagator[2].s1;
    share.third = cubic.s2 + (R(1) / R(3)) * cubic.s2zz - (k2 / R(6)) * (to_scale * cubic.s2c);
    share.third_mass = (R(2) / R(3)) * (to_scale * cubic.s2c) - (R(4) / (R(3) * k2)) * cubic.s2zz;
    share.mass_weight = k2 / R(6);
    return share;
}

template class Amplitude<double>;
template class Amplitude<DoubleDouble>;

}  // namespace pyamp::quark_loop
