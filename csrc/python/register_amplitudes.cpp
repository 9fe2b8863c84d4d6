// Binding of the truth amplitudes, and of their ingredients for checks against the literature.
#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "amplitudes/amplitude_provider.h"
#include "amplitudes/gg_to_aag/dilogarithm.h"
#include "amplitudes/gg_to_aag/helicity_sum.h"
#include "amplitudes/gg_to_aag/loop_functions.h"
#include "amplitudes/open.h"
#include "error.h"
#include "python/register.h"

namespace py = pybind11;

namespace pyamp::python {
namespace {

using Momenta = py::array_t<double, py::array::c_style>;

py::ssize_t n_points(const Momenta& momenta, int n_legs) {
    if (momenta.ndim() == 3 && momenta.shape(1) == n_legs && momenta.shape(2) == 4) return momenta.shape(0);
    throw Error("amplitude: momenta do not have the shape (n, " + std::to_string(n_legs) + ", 4)");
}

py::tuple evaluate(const AmplitudeProvider& self, const Momenta& momenta, bool accuracy) {
    const py::ssize_t n = n_points(momenta, self.process().n_legs());
    py::array_t<double> value(n);
    py::array_t<double> error(accuracy ? n : 0);
    const double* in = momenta.data();
    double* out = value.mutable_data();
    double* out_error = accuracy ? error.mutable_data() : nullptr;
    {
        py::gil_scoped_release release;
        self.evaluate(in, static_cast<std::size_t>(n), out, out_error);
    }
    return py::make_tuple(value, accuracy ? py::object(error) : py::object(py::none()));
}

std::complex<double> standard(gg_to_aag::Complex z) { return {z.re, z.im}; }

gg_to_aag::Ratio ratio(double s_a, double s_b) { return gg_to_aag::make_ratio(s_a, s_b, (s_b - s_a) / s_b); }

std::complex<double> ls1(double s_a, double s_b, double s_c) {
    const auto a = ratio(s_a, s_c);
    const auto b = ratio(s_b, s_c);
    const double d = (s_c - s_a - s_b) / s_c;
    return standard(gg_to_aag::ls1(a, gg_to_aag::l_functions(a), b, gg_to_aag::l_functions(b), d));
}

void register_loop_functions(py::module_ m) {
    m.doc() = "Loop functions of arXiv:hep-ph/9302280 with s -> s + i0, element by element.";
    const auto l = [](double s_a, double s_b) { return gg_to_aag::l_functions(ratio(s_a, s_b)); };
    m.def("li2", py::vectorize(&gg_to_aag::li2), py::arg("x"));
    m.def("L0", py::vectorize([l](double a, double b) { return standard(l(a, b).L0); }), py::arg("s_a"),
          py::arg("s_b"));
    m.def("L1", py::vectorize([l](double a, double b) { return standard(l(a, b).L1); }), py::arg("s_a"),
          py::arg("s_b"));
    m.def("L2", py::vectorize([l](double a, double b) { return standard(l(a, b).L2); }), py::arg("s_a"),
          py::arg("s_b"));
    m.def("Ls1", py::vectorize(&ls1), py::arg("s_a"), py::arg("s_b"), py::arg("s_c"));
}

/// "+-+++": helicities of the legs in order, all outgoing; bit i of the index is leg i, 1 for negative.
std::vector<std::string> helicity_names(int n_legs) {
    std::vector<std::string> names;
    for (int h = 0; h < 1 << n_legs; ++h) {
        std::string name;
        for (int leg = 0; leg < n_legs; ++leg) name += (h >> leg & 1) ? '-' : '+';
        names.push_back(name);
    }
    return names;
}

py::array_t<double> helicity_amplitudes_squared(const AmplitudeProvider& self, const Momenta& momenta) {
    const int n_legs = self.process().n_legs();
    const py::ssize_t n = n_points(momenta, n_legs);
    py::array_t<double> result({n, py::ssize_t{1} << n_legs});
    const double* in = momenta.data();
    double* out = result.mutable_data();
    py::gil_scoped_release release;
    self.helicity_amplitudes_squared(in, static_cast<std::size_t>(n), out);
    return result;
}

py::array_t<double> primitives_squared(const Momenta& momenta, const std::array<int, 5>& order, double mu) {
    std::array<bool, 5> seen{};
    for (int leg : order) {
        if (leg < 0 || leg > 4 || seen[leg]) throw Error("primitives_squared: order is not a permutation of 0 ... 4");
        seen[leg] = true;
    }
    const py::ssize_t n = n_points(momenta, gg_to_aag::n_legs);
    py::array_t<double> result({n, py::ssize_t{gg_to_aag::n_helicities}});
    const double* in = momenta.data();
    double* out = result.mutable_data();
    py::gil_scoped_release release;
    gg_to_aag::Point point;
    for (py::ssize_t i = 0; i < n; ++i, in += 20, out += gg_to_aag::n_helicities) {
        if (to_centre_of_mass(in, gg_to_aag::n_legs, point.data())) {
            gg_to_aag::primitive_squared_by_helicity(point, order.data(), mu * mu, out);
        } else {
            std::fill_n(out, gg_to_aag::n_helicities, std::numeric_limits<double>::quiet_NaN());
        }
    }
    return result;
}

}  // namespace

void register_amplitudes(py::module_& m) {
    m.def("builtin_amplitudes", &builtin_amplitudes);
    py::class_<AmplitudeProvider>(m, "Amplitude")
        .def(py::init([](const std::string& source, const std::string& options) {
                 const py::gil_scoped_release release;
                 return open_amplitude(source, nlohmann::json::parse(options));
             }),
             py::arg("source"), py::arg("options") = "{}")
        .def_property_readonly("process", [](const AmplitudeProvider& a) { return a.process().name; })
        .def_property_readonly("pdg_ids", [](const AmplitudeProvider& a) { return a.process().pdg_ids; })
        .def_property_readonly("n_incoming", [](const AmplitudeProvider& a) { return a.process().n_incoming; })
        .def_property_readonly("alpha_s_power",
                               [](const AmplitudeProvider& a) { return a.coupling_orders().alpha_s_power; })
        .def_property_readonly("alpha_power",
                               [](const AmplitudeProvider& a) { return a.coupling_orders().alpha_power; })
        .def_property_readonly("spin_colour_average", &AmplitudeProvider::spin_colour_average)
        .def_property_readonly("version", &AmplitudeProvider::version)
        .def("evaluate", &evaluate, py::arg("momenta"), py::arg("accuracy") = false)
        .def("helicity_amplitudes_squared", &helicity_amplitudes_squared, py::arg("momenta"));
    m.def("helicity_names", &helicity_names, py::arg("n_legs"));

    register_loop_functions(m.def_submodule("loop_functions"));

    auto aag = m.def_submodule("gg_to_aag", "Ingredients of the g g -> gamma gamma g amplitude.");
    aag.def("primitives_squared", &primitives_squared, py::arg("momenta"), py::arg("order"), py::arg("mu"));
}

}  // namespace pyamp::python
