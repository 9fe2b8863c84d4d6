// A plain complex number: std::complex checks every product for NaN, which costs more than the product.
#pragma once

namespace pyamp::gg_to_aag {

struct Complex {
    double re = 0;
    double im = 0;
};

inline constexpr Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline constexpr Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline constexpr Complex operator*(Complex a, Complex b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
inline constexpr Complex operator*(double a, Complex b) { return {a * b.re, a * b.im}; }
inline constexpr double norm(Complex a) { return a.re * a.re + a.im * a.im; }

}  // namespace pyamp::gg_to_aag
