// A plain complex number over any real type: std::complex is defined for built-in types only, and checks every
// product for NaN, which costs more than the product.
#pragma once

namespace pyamp::quark_loop {

template <class R>
struct Complex {
    R re{0};
    R im{0};

    Complex& operator+=(const Complex& b) {
        re = re + b.re;
        im = im + b.im;
        return *this;
    }
    Complex& operator-=(const Complex& b) {
        re = re - b.re;
        im = im - b.im;
        return *this;
    }
};

template <class R>
inline Complex<R> operator+(const Complex<R>& a, const Complex<R>& b) {
    return {a.re + b.re, a.im + b.im};
}
template <class R>
inline Complex<R> operator-(const Complex<R>& a, const Complex<R>& b) {
    return {a.re - b.re, a.im - b.im};
}
template <class R>
inline Complex<R> operator-(const Complex<R>& a) {
    return {-a.re, -a.im};
}
template <class R>
inline Complex<R> operator*(const Complex<R>& a, const Complex<R>& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class R>
inline Complex<R> operator*(const R& a, const Complex<R>& b) {
    return {a * b.re, a * b.im};
}
template <class R>
inline Complex<R> conj(const Complex<R>& a) {
    return {a.re, -a.im};
}
template <class R>
inline R norm(const Complex<R>& a) {
    return a.re * a.re + a.im * a.im;
}
template <class R>
inline Complex<R> inverse(const Complex<R>& a) {
    const R factor = R(1) / norm(a);
    return {factor * a.re, -(factor * a.im)};
}

}  // namespace pyamp::quark_loop
