#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "error.h"
#include "phase_space/rambo.h"
#include "phase_space/sampler.h"
#include "python/register.h"

namespace py = pybind11;

namespace pyamp::python {
namespace {

template <class T>
py::array_t<T> to_array(const std::vector<T>& values) {
    return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

/// The trials start ... start + n_trials - 1 that pass the cuts: momenta (n, legs, 4), weights (n), trials (n).
py::tuple sample(const PhaseSpaceSampler& sampler, std::uint64_t seed, std::uint64_t start, std::uint64_t n_trials) {
    const std::size_t size = 4 * static_cast<std::size_t>(sampler.n_legs());
    std::vector<double> momenta;
    std::vector<double> weights;
    std::vector<std::int64_t> trials;
    {
        py::gil_scoped_release release;
        std::vector<double> point(size);
        double weight = 0;
        for (std::uint64_t index = start; index < start + n_trials; ++index) {
            if (!sampler.trial(seed, index, point.data(), &weight)) continue;
            momenta.insert(momenta.end(), point.begin(), point.end());
            weights.push_back(weight);
            trials.push_back(static_cast<std::int64_t>(index));
        }
    }
    const auto n = static_cast<py::ssize_t>(weights.size());
    return py::make_tuple(to_array(momenta).reshape({n, static_cast<py::ssize_t>(sampler.n_legs()), py::ssize_t{4}}),
                          to_array(weights), to_array(trials));
}

/// Weights of flat sampling (n) at points (n, legs, 4) that came from elsewhere.
py::array_t<double> weights_at(const PhaseSpaceSampler& sampler,
                               const py::array_t<double, py::array::c_style | py::array::forcecast>& momenta) {
    if (momenta.ndim() != 3 || momenta.shape(1) != sampler.n_legs() || momenta.shape(2) != 4)
        throw Error("momenta: expected shape (n, " + std::to_string(sampler.n_legs()) + ", 4)");
    py::array_t<double> result(momenta.shape(0));
    for (py::ssize_t k = 0; k < momenta.shape(0); ++k)
        result.mutable_at(k) = sampler.weight_at(momenta.data(k, 0, 0));
    return result;
}

/// Uniform numbers (n, count) of the points start ... start + n - 1 in a stream.
py::array_t<double> uniforms(RandomStream stream, std::uint64_t seed, std::uint64_t start, py::ssize_t n,
                             py::ssize_t count) {
    py::array_t<double> result({n, count});
    double* out = result.mutable_data();
    py::gil_scoped_release release;
    for (py::ssize_t i = 0; i < n; ++i) {
        PointRandom random(seed, stream, start + static_cast<std::uint64_t>(i));
        for (py::ssize_t k = 0; k < count; ++k) *out++ = random.uniform();
    }
    return result;
}

}  // namespace

void register_phase_space(py::module_& m) {
    py::class_<PhaseSpaceSampler>(m, "PhaseSpaceSampler")
        .def(py::init([](std::vector<int> pdg_ids, int n_incoming, double sqrt_s, double sqrt_s_hat_min,
                         double sqrt_s_hat_max, double exponent, const std::string& cuts) {
                 Cuts bound = Cuts::parse(cuts, pdg_ids, n_incoming);
                 return PhaseSpaceSampler(std::move(pdg_ids), n_incoming,
                                          {sqrt_s, sqrt_s_hat_min, sqrt_s_hat_max, exponent}, std::move(bound));
             }),
             py::kw_only(), py::arg("pdg_ids"), py::arg("n_incoming"), py::arg("sqrt_s"), py::arg("sqrt_s_hat_min"),
             py::arg("sqrt_s_hat_max"), py::arg("exponent"), py::arg("cuts"))
        .def("sample", &sample, py::arg("seed"), py::arg("start"), py::arg("n_trials"))
        .def("weights_at", &weights_at, py::arg("momenta"));
    m.def("massless_phase_space_volume", &massless_phase_space_volume, py::arg("n"), py::arg("s"));
    m.def("philox4x32_10", &philox4x32_10, py::arg("counter"), py::arg("key"));
    m.def(
        "unweighting_uniforms",
        [](std::uint64_t seed, std::uint64_t start, py::ssize_t n, py::ssize_t count) {
            return uniforms(RandomStream::unweighting, seed, start, n, count);
        },
        py::arg("seed"), py::arg("start"), py::arg("n"), py::arg("count"));
    m.def(
        "importance_uniforms",
        [](std::uint64_t seed, std::uint64_t start, py::ssize_t n) {
            return uniforms(RandomStream::importance, seed, start, n, 1).reshape({n});
        },
        py::arg("seed"), py::arg("start"), py::arg("n"));
}

}  // namespace pyamp::python
