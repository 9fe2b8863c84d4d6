// Double cuts, expanded for large loop momentum.
#include "amplitudes/quark_loop/amplitude.h"
#include "amplitudes/quark_loop/scalar_integrals.h"

namespace pyamp::quark_loop {

/// l = -K/2 + t e + z w + (c/t) e' with e, w, e' orthogonal to K: the sphere of the double cut, z = -1 ... 1. At
/// fixed z the constant term in t averages over the azimuth, and the average over z is that over the sphere.
template <class R>
LoopMomentum<R> Amplitude<R>::bubble_momentum(Legs legs) const {
    const Legs first = topology_.bubbles[topology_.channel[legs]].corner[0];
    const Vector<R>& k = external_.momentum(first);
    const R& k2 = external_.s(first);
    // Massless reference vectors away from all legs; the one furthest from being orthogonal to K.
    const Complex<R> one{R(1), R(0)};
    using C = Complex<R>;
    const Spinor<R> references[3] = {Spinor<R>{one, C{R(0.3125), R(0.6875)}},
                                     Spinor<R>{one, C{R(-1.1875), R(0.4375)}},
                                     Spinor<R>{C{R(0.375), R(-0.5625)}, C{R(-0.8125), R(-0.6875)}}};
    const Spinor<R>* best = nullptr;
    R largest(0);
    Vector<R> reference{};
    Spinor<R> best_square{};
    for (const Spinor<R>& angle : references) {
        const Spinor<R> square{conj(angle[0]), conj(angle[1])};
        const Vector<R> candidate = outer(angle, square);
        const R size = fabs(dot2(candidate, k).re) / (norm(angle[0]) + norm(angle[1]));
        if (best && !(size > largest)) continue;
        best = &angle;
        largest = size;
        reference = candidate;
        best_square = square;
    }
    const Vector<R> along = (k2 / dot2(reference, k).re) * reference;
    const Vector<R> flat = k - along;
    // |flat> up to a factor: the larger column
    const bool left = norm(flat.a) + norm(flat.c) >= norm(flat.b) + norm(flat.d);
    const Spinor<R> angle = left ? Spinor<R>{flat.a, flat.c} : Spinor<R>{flat.b, flat.d};
    const Spinor<R> square{conj(angle[0]), conj(angle[1])};
    LoopMomentum<R> l;
    l.constant = R(-0.5) * external_.momentum(legs);
    l.grow = outer(angle, best_square);
    l.shrink = outer(*best, square);
    l.slope = R(0.5) * (flat - along);
    return l;
}

template <class R>
void Amplitude<R>::bubble(const Cut& cut, int channel) {
    const LoopMomentum<R> l = bubble_momentum(cut.corner[0]);
    const R& k2 = external_.s(cut.corner[0]);
    const Complex<R> scale = inverse(dot2(l.grow, l.shrink));
    const Complex<R> of_c = (k2 / R(-6)) * scale;
    const Complex<R> logarithm = log_minus(k2);
    const Complex<R> function{log(fabs(external_.s(3))) - logarithm.re, -logarithm.im};
    double_.cut(external_, cut, l);
    Complex<R>* const coefficient = &bubble_[channel * re_.size()];
    for (int h = 0; h < topology_.n_helicities; ++h) {
        for (const Term& term : cut.terms) {
            const DoubleCutSeries<R>& x = double_.tree(cut, 0, term.slot[0], h);
            const DoubleCutSeries<R>& y = double_.tree(cut, 1, term.slot[1], h);
            const Complex<R> constant =
                x.s0 * y.s2 + x.s1 * y.s1 + x.s2 * y.s0 + x.s0 * y.p2 + x.p2 * y.s0 + half_trace(x.f1, y.f1);
            const Complex<R> zz = x.s0 * y.s2zz + x.s1z * y.s1z + x.s2zz * y.s0;
            const Complex<R> c = x.s0 * y.s2c + x.s2c * y.s0;
            const R sign(term.sign);
            const int n = at(term.colour_class, h);
            coefficient[n] += sign * (constant + (R(1) / R(3)) * zz + of_c * c);
            // int mu^2 = -K^2/6 with the coefficient 2/3 c - 4/(3 K^2) zz
            re_[n] += sign * ((R(2) / R(9)) * zz - (k2 / R(9)) * (scale * c));
        }
    }
    for (std::size_t n = 0; n < re_.size(); ++n) {
        add(static_cast<int>(n), coefficient[n], function);
    }
}

template LoopMomentum<double> Amplitude<double>::bubble_momentum(Legs) const;
template LoopMomentum<DoubleDouble> Amplitude<DoubleDouble>::bubble_momentum(Legs) const;
template void Amplitude<double>::bubble(const Cut&, int);
template void Amplitude<DoubleDouble>::bubble(const Cut&, int);

}  // namespace pyamp::quark_loop
