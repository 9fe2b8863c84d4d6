// Sum of all cuts.
#include "amplitudes/quark_loop/amplitude.h"

#include <algorithm>
#include <cmath>

#include "amplitudes/quark_loop/scalar_integrals.h"

namespace pyamp::quark_loop {

template <class R>
Amplitude<R>::Amplitude(const Topology& topology)
    : topology_(topology),
      external_(topology),
      value_(topology),
      leading_(topology),
      triple_(topology),
      double_(topology),
      re_(static_cast<std::size_t>(topology.n_classes) * topology.n_helicities),
      im_(re_.size()),
      bubble_(topology.bubbles.size() * re_.size()),
      pole_(bubble_.size()) {
    std::size_t most = 0;
    for (const Cut& cut : topology.triangles) {
        most = std::max<std::size_t>(most, cut.n_slots[0] * cut.n_slots[1] * cut.n_pair_helicities);
    }
    pair_products_.resize(most);
}

template <class R>
void Amplitude<R>::evaluate(const Momentum<R>* legs, int n_incoming, const Checks& checks) {
    checks_ = checks;
    external_.fill(legs, n_incoming, checks.pure_gauge);
    const auto clear = [](auto& values) {
        std::fill(values.begin(), values.end(), typename std::decay_t<decltype(values)>::value_type{});
    };
    clear(re_);
    clear(im_);
    clear(bubble_);
    clear(pole_);
    mass_term_error_ = R(0);
    for (const Cut& cut : topology_.boxes) box(cut);
    for (const Cut& cut : topology_.triangles) triangle(cut);
    for (std::size_t k = 0; k < topology_.bubbles.size(); ++k) bubble(topology_.bubbles[k], static_cast<int>(k));
}

template <class R>
Complex<R> Amplitude<R>::operator()(int colour_class, unsigned helicity) const {
    // The trace over the two components of the line.
    const R two(2);
    const bool flipped = helicity & 1;
    const unsigned all = 2u * static_cast<unsigned>(topology_.n_helicities) - 1;
    const int n = at(colour_class, static_cast<int>((flipped ? all - helicity : helicity) >> 1));
    const Complex<R>& p = re_[n];
    const Complex<R>& q = im_[n];
    // Parity conjugates the coefficients and leaves the functions alone; here up to a common conjugation.
    if (!flipped) return two * Complex<R>{p.re - q.im, p.im + q.re};
    return two * Complex<R>{p.re + q.im, q.re - p.im};
}

template <class R>
auto Amplitude<R>::errors() const -> Errors {
    R size(0);
    R ultraviolet(0);
    std::vector<R> infrared(topology_.bubbles.size());
    for (std::size_t n = 0; n < re_.size(); ++n) {
        size = size + norm(re_[n]) + norm(im_[n]);
        Complex<R> bubbles{};
        for (std::size_t k = 0; k < topology_.bubbles.size(); ++k) {
            bubbles += bubble_[k * re_.size() + n];
            infrared[k] = infrared[k] + norm(pole_[k * re_.size() + n]);
        }
        ultraviolet = ultraviolet + norm(bubbles);
    }
    const R largest = *std::max_element(infrared.begin(), infrared.end());
    const auto root = [](const R& ratio) { return std::sqrt(static_cast<double>(ratio)); };
    return {root(largest / size), root(ultraviolet / size), RealTraits<R>::epsilon * root(mass_term_error_ / size)};
}

template <class R>
void Amplitude<R>::add_pole(Legs legs, int n, const Complex<R>& c) {
    const int channel = topology_.channel[legs];
    if (channel < 0) return;
    pole_[channel * re_.size() + n] += c;
}

template class Amplitude<double>;
template class Amplitude<DoubleDouble>;

}  // namespace pyamp::quark_loop
