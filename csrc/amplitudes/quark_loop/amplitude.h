// One-loop amplitudes of photons and gluons through a massless quark loop, by cuts.
//
// Coefficients of boxes come from quadruple cuts, those of triangles and bubbles from expansions of triple and double
// cuts for large loop momentum (Forde, arXiv:0704.1835; Badger, arXiv:0806.4600; Mastrolia, Mirabella, Peraro,
// arXiv:1203.0291), in which the trees themselves are series. The rational part comes from the dependence of the same
// expansions on the mass mu of the line, mu^2 being the part of the loop momentum beyond four dimensions.
#pragma once

#include "amplitudes/quark_loop/external_field.h"
#include "amplitudes/quark_loop/line.h"

namespace pyamp::quark_loop {

template <class R>
class Amplitude {
 public:
    explicit Amplitude(const Topology& topology);

    /// What only checks ask for.
    struct Checks {
        int pure_gauge = -1;    ///< leg whose polarisation vector is its momentum: the amplitude has to vanish
        bool infrared = false;  ///< collect the infrared poles, which takes time
    };

    /// @param legs momenta in the centre-of-mass frame, all energies positive, incoming legs first
    void evaluate(const Momentum<R>* legs, int n_incoming, const Checks& checks);
    void evaluate(const Momentum<R>* legs, int n_incoming) { evaluate(legs, n_incoming, Checks{}); }

    /// Amplitude of a colour class. Bit i of the helicity: leg i has negative helicity, all legs outgoing. Phases of
    /// the two halves (leg 0 positive or negative) differ by conventions, the same for all classes.
    Complex<R> operator()(int colour_class, unsigned helicity) const;

    /// Errors that can be seen without knowing the amplitude, relative to it (root mean square over helicities and
    /// classes).
    struct Errors {
        double infrared;     ///< worst of the poles (-s)^-eps / eps^2, channel by channel; 0 if not asked for
        double ultraviolet;  ///< the pole 1/eps: the sum of the bubbles
        /// Rounding in the terms mu^4 of the boxes, which no pole sees: large where legs are nearly coplanar.
        double rational;
    };
    Errors errors() const;

 private:
    const Topology& topology_;
    Checks checks_;
    ExternalField<R> external_;
    Line<Value<R>, R> value_;
    Line<Leading<R>, R> leading_;
    Line<TripleCutSeries<R>, R> triple_;
    Line<DoubleCutSeries<R>, R> double_;
    std::vector<Complex<R>> re_, im_;  ///< sum c Re f and sum c Im f, by class and helicity
    std::vector<Complex<R>> bubble_;   ///< coefficients by channel, class, helicity
    std::vector<Complex<R>> pole_;     ///< of (-s)^-eps / eps^2, likewise

    R mass_term_error_;  ///< sum of the squared errors of the terms of mu^4, in units of rounding
    std::vector<TripleCutSeries<R>> pair_products_;  ///< of the two smaller corners of a triangle

    /// How much of a triangle's coefficients a bubble contains.
    struct Share {
        int channel = -1;
        Complex<R> first, second, third;  ///< of t, t^2, t^3 in the coefficient of the bubble
        Complex<R> third_mass;            ///< of t^3 in that of mu^2
        R mass_weight;                    ///< what the coefficient of mu^2 in the bubble adds to the amplitude
    };

    int at(int colour_class, int h) const { return colour_class * topology_.n_helicities + h; }
    void add(int n, const Complex<R>& coefficient, const Complex<R>& function) {
        re_[n] += function.re * coefficient;
        im_[n] += function.im * coefficient;
    }
    void add_pole(Legs legs, int n, const Complex<R>& c);
    void box(const Cut& cut);
    void triangle(const Cut& cut);
    void triangle_direction(const Cut& cut, const LoopMomentum<R>& l, const R& v2, const Complex<R>& scale,
                            const Complex<R>& integral, const Legs pole_legs[2], const R pole_weights[2]);
    Share share(const Cut& cut, int corner, const LoopMomentum<R>& l, const Complex<R>& scale) const;
    LoopMomentum<R> bubble_momentum(Legs legs) const;
    void bubble(const Cut& cut, int channel);
};

}  // namespace pyamp::quark_loop
