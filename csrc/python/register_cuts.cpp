#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "error.h"
#include "kinematics/cuts.h"
#include "python/register.h"

namespace py = pybind11;

namespace pyamp::python {
namespace {

using Momenta = py::array_t<double, py::array::c_style | py::array::forcecast>;

py::array_t<bool> passes(const Cuts& cuts, int n_legs, const Momenta& momenta) {
    if (momenta.ndim() != 3 || momenta.shape(1) != n_legs || momenta.shape(2) != 4)
        throw Error("cuts: momenta do not have the shape (n, " + std::to_string(n_legs) + ", 4)");
    py::array_t<bool> mask(momenta.shape(0));
    const double* in = momenta.data();
    bool* out = mask.mutable_data();
    const py::ssize_t n = momenta.shape(0);
    py::gil_scoped_release release;
    for (py::ssize_t i = 0; i < n; ++i) out[i] = cuts.passes(in + 4 * n_legs * i);
    return mask;
}

/// Cuts with the number of legs they are bound to, which a batch from Python is checked against.
struct BoundCuts {
    Cuts cuts;
    int n_legs;
};

}  // namespace

void register_cuts(py::module_& m) {
    py::class_<BoundCuts>(m, "Cuts")
        .def(py::init([](const std::string& json_text, const std::vector<int>& pdg_ids, int n_incoming) {
                 return BoundCuts{Cuts::parse(json_text, pdg_ids, n_incoming), static_cast<int>(pdg_ids.size())};
             }),
             py::arg("json_text"), py::arg("pdg_ids"), py::arg("n_incoming"))
        .def(
            "passes",
            [](const BoundCuts& self, const Momenta& momenta) { return passes(self.cuts, self.n_legs, momenta); },
            py::arg("momenta"));
}

}  // namespace pyamp::python
