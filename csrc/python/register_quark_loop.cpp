// Binding of the amplitudes of photons and gluons through a quark loop, for checks: other numbers of photons, poles,
// Ward identities, higher precision.
#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <type_traits>
#include <vector>

#include "amplitudes/frame.h"
#include "amplitudes/quark_loop/amplitude.h"
#include "amplitudes/quark_loop/rebuilt.h"
#include "amplitudes/quark_loop/scalar_integrals.h"
#include "error.h"
#include "python/register.h"

namespace py = pybind11;

namespace pyamp::python {
namespace {

using Momenta = py::array_t<double, py::array::c_style>;

constexpr int n_incoming = 2;

/// Amplitudes (n, classes, 2^legs) and errors (n, 3): infrared and ultraviolet poles, rounding of the rational part.
template <class R>
py::tuple amplitudes(const Momenta& momenta, const std::vector<int>& photons, int pure_gauge) {
    if (momenta.ndim() != 3 || momenta.shape(1) < 5 || momenta.shape(1) > 6 || momenta.shape(2) != 4) {
        throw Error("quark_loop: momenta do not have the shape (n, 5, 4) or (n, 6, 4)");
    }
    const py::ssize_t n = momenta.shape(0);
    const int n_legs = static_cast<int>(momenta.shape(1));
    quark_loop::Legs photon_mask = 0;
    for (int leg : photons) {
        if (leg < 0 || leg >= n_legs) throw Error("quark_loop: photons are not legs of the process");
        photon_mask |= 1u << leg;
    }
    const quark_loop::Topology topology(n_legs, photon_mask);
    quark_loop::Amplitude<R> amplitude(topology);
    py::array_t<std::complex<double>> values({n, py::ssize_t{topology.n_classes}, py::ssize_t{1} << n_legs});
    py::array_t<double> errors({n, py::ssize_t{3}});
    std::vector<Momentum> point(n_legs);
    std::vector<quark_loop::Momentum<R>> legs(n_legs);
    for (py::ssize_t i = 0; i < n; ++i) {
        if (!to_centre_of_mass(momenta.data() + 4 * n_legs * i, n_legs, point.data())) {
            throw Error("quark_loop: point " + std::to_string(i) + " is not physical");
        }
        if constexpr (std::is_same_v<R, double>) {
            for (int k = 0; k < n_legs; ++k) legs[k] = {point[k].E, point[k].x, point[k].y, point[k].z};
        } else {
            quark_loop::rebuilt(point.data(), n_legs, n_legs - 1, 0, legs.data());
        }
        amplitude.evaluate(legs.data(), n_incoming, {pure_gauge, true});
        for (int c = 0; c < topology.n_classes; ++c) {
            for (unsigned h = 0; h < 1u << n_legs; ++h) {
                const auto a = amplitude(c, h);
                values.mutable_at(i, c, h) = {static_cast<double>(a.re), static_cast<double>(a.im)};
            }
        }
        const auto seen = amplitude.errors();
        errors.mutable_at(i, 0) = seen.infrared;
        errors.mutable_at(i, 1) = seen.ultraviolet;
        errors.mutable_at(i, 2) = seen.rational;
    }
    return py::make_tuple(values, errors);
}

std::vector<std::vector<int>> colour_classes(int n_legs, const std::vector<int>& photons) {
    quark_loop::Legs mask = 0;
    for (int leg : photons) mask |= 1u << leg;
    return quark_loop::Topology(n_legs, mask).class_words;
}

std::complex<double> standard(quark_loop::Complex<double> z) { return {z.re, z.im}; }

}  // namespace

void register_quark_loop(py::module_& m) {
    auto loop = m.def_submodule("quark_loop", "Photons and gluons through a massless quark loop.");
    loop.def("amplitudes", &amplitudes<double>, py::arg("momenta"), py::arg("photons"), py::arg("pure_gauge") = -1);
    loop.def("amplitudes_double_double", &amplitudes<quark_loop::DoubleDouble>, py::arg("momenta"),
             py::arg("photons"), py::arg("pure_gauge") = -1);
    loop.def("colour_classes", &colour_classes, py::arg("n_legs"), py::arg("photons"));
    loop.def(
        "finite_box",
        [](const std::array<double, 4>& masses, double s, double t) {
            return standard(quark_loop::finite_box(masses.data(), s, t));
        },
        py::arg("masses"), py::arg("s"), py::arg("t"));
    loop.def(
        "three_mass_triangle",
        [](const std::array<double, 3>& masses) { return standard(quark_loop::three_mass_triangle(masses.data())); },
        py::arg("masses"));
}

}  // namespace pyamp::python
