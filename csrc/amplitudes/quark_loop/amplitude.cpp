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
      log_(topology.bubbles.size()),
      im_log_(topology.bubbles.size()),
      re_(static_cast<std::size_t>(topology.n_classes) * topology.n_helicities),
      im_(re_.size()),
      bubble_(topology.bubbles.size() * re_.size()),
      pole_(bubble_.size()),
      pole_size_(re_.size()),
      bubble_size_(re_.size()) {}

template <class R>
void Amplitude<R>::evaluate(const Momentum<R>* legs, int n_incoming, int pure_gauge) {
    external_.fill(legs, n_incoming, pure_gauge);
    const auto clear = [](auto& values) {
        std::fill(values.begin(), values.end(), typename std::decay_t<decltype(values)>::value_type{});
    };
    clear(re_);
    clear(im_);
    clear(bubble_);
    clear(pole_);
    clear(pole_size_);
    clear(bubble_size_);
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
auto Amplitude<R>::poles() const -> Poles {
    double infrared = 0;
    double ultraviolet = 0;
    const auto worst = [](double a, const R& sum, const R& size) {
        const double ratio = static_cast<double>(sum) / static_cast<double>(size);
        return static_cast<double>(size) > 0 ? std::max(a, std::sqrt(ratio)) : a;
    };
    for (std::size_t n = 0; n < re_.size(); ++n) {
        Complex<R> bubbles{};
        for (std::size_t k = 0; k < topology_.bubbles.size(); ++k) {
            bubbles += bubble_[k * re_.size() + n];
            infrared = worst(infrared, norm(pole_[k * re_.size() + n]), pole_size_[n]);
        }
        ultraviolet = worst(ultraviolet, norm(bubbles), bubble_size_[n]);
    }
    return {infrared, ultraviolet};
}

template <class R>
void Amplitude<R>::add_pole(Legs legs, int n, const Complex<R>& c) {
    const int channel = topology_.channel[legs];
    if (channel < 0) return;
    pole_[channel * re_.size() + n] += c;
    const R size = norm(c);
    if (size > pole_size_[n]) pole_size_[n] = size;
}

template class Amplitude<double>;
template class Amplitude<DoubleDouble>;

}  // namespace pyamp::quark_loop
