// Plain complex numbers, alone or for the two helicities of a gluon side by side: std::complex checks every product
// for NaN, which costs more than the product.
#pragma once

namespace pyamp::quark_line {

/// Two doubles that are computed at once; GCC and Clang lower this type to whatever vectors the machine has.
using Pair = double __attribute__((vector_size(2 * sizeof(double))));

template <class R>
struct Complex {
    R re{};
    R im{};

    Complex& operator+=(const Complex& a) {
        re += a.re;
        im += a.im;
        return *this;
    }
    Complex& operator-=(const Complex& a) {
        re -= a.re;
        im -= a.im;
        return *this;
    }
};

using Scalar = Complex<double>;
using PairOf = Complex<Pair>;

template <class R>
Complex<R> operator+(const Complex<R>& a, const Complex<R>& b) {
    return {a.re + b.re, a.im + b.im};
}
template <class R>
Complex<R> operator-(const Complex<R>& a, const Complex<R>& b) {
    return {a.re - b.re, a.im - b.im};
}
template <class R>
Complex<R> operator-(const Complex<R>& a) {
    return {-a.re, -a.im};
}
template <class R>
Complex<R> operator*(const Complex<R>& a, const Complex<R>& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
inline PairOf operator*(const Scalar& a, const PairOf& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
inline PairOf operator*(const PairOf& a, const Scalar& b) { return b * a; }
template <class R>
Complex<R> operator*(double a, const Complex<R>& b) {
    return {a * b.re, a * b.im};
}
template <class R>
Complex<R> conj(const Complex<R>& a) {
    return {a.re, -a.im};
}
inline double norm(const Scalar& a) { return a.re * a.re + a.im * a.im; }

/// One of the two numbers of a pair.
inline Scalar lane(const PairOf& a, int i) { return {a.re[i], a.im[i]}; }
inline void set_lane(PairOf& a, int i, const Scalar& b) {
    a.re[i] = b.re;
    a.im[i] = b.im;
}

}  // namespace pyamp::quark_line
