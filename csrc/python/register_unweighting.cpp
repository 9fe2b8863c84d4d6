#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "error.h"
#include "python/register.h"
#include "unweighting/pilot.h"
#include "unweighting/second_stage.h"

namespace pyamp::python {
namespace {

namespace py = pybind11;
using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;

std::uint64_t index_of(std::uint64_t start, py::ssize_t i) { return start + static_cast<std::uint64_t>(i); }

/// @param uniform of the stage that decides
py::tuple decisions(std::uint64_t seed, std::uint64_t start, const Numbers& x, double x_max,
                    double (*uniform)(std::uint64_t, std::uint64_t)) {
    py::array_t<bool> accepted(x.size());
    py::array_t<double> weight(x.size());
    for (py::ssize_t i = 0; i < x.size(); ++i) {
        const auto decision = unweighting::two_stage(x.data()[i], x_max, uniform(seed, index_of(start, i)));
        accepted.mutable_data()[i] = decision.accepted;
        weight.mutable_data()[i] = decision.weight;
    }
    return py::make_tuple(accepted, weight);
}

py::tuple two_stage_decisions(std::uint64_t seed, std::uint64_t start, const Numbers& x, double x_max) {
    return decisions(seed, start, x, x_max, unweighting::second_stage_uniform);
}

py::tuple screen_decisions(std::uint64_t seed, std::uint64_t start, const Numbers& y, double y_max) {
    return decisions(seed, start, y, y_max, unweighting::first_stage_uniform);
}

py::tuple roulette_decisions(std::uint64_t seed, std::uint64_t start, const Numbers& relative_sigma, double kappa,
                             double p_min) {
    py::array_t<bool> evaluate(relative_sigma.size());
    py::array_t<double> probability(relative_sigma.size());
    for (py::ssize_t i = 0; i < relative_sigma.size(); ++i) {
        const auto decision = unweighting::roulette(relative_sigma.data()[i], kappa, p_min,
                                                    unweighting::second_stage_uniform(seed, index_of(start, i)));
        evaluate.mutable_data()[i] = decision.evaluate;
        probability.mutable_data()[i] = decision.probability;
    }
    return py::make_tuple(evaluate, probability);
}

py::tuple budget_maximum(const Numbers& x, double budget, std::uint64_t seed) {
    const auto found = unweighting::budget_maximum(x.data(), static_cast<std::size_t>(x.size()), budget, seed);
    return py::make_tuple(found.value, found.error);
}

py::tuple choose_roulette(const Numbers& x, const Numbers& relative_sigma, double target) {
    if (x.size() != relative_sigma.size())
        throw Error(std::to_string(x.size()) + " ratios but " + std::to_string(relative_sigma.size()) +
                    " uncertainties; expected as many");
    const auto choice =
        unweighting::choose_roulette(x.data(), relative_sigma.data(), static_cast<std::size_t>(x.size()), target);
    return py::make_tuple(choice.kappa, choice.p_min, choice.mean_p, choice.n_eff_over_n, choice.reached);
}

}  // namespace

void register_unweighting(py::module_& m) {
    m.def("two_stage_decisions", &two_stage_decisions, py::arg("seed"), py::arg("start"), py::arg("x"),
          py::arg("x_max"));
    m.def("screen_decisions", &screen_decisions, py::arg("seed"), py::arg("start"), py::arg("y"), py::arg("y_max"));
    m.def("roulette_decisions", &roulette_decisions, py::arg("seed"), py::arg("start"), py::arg("relative_sigma"),
          py::arg("kappa"), py::arg("p_min"));
    m.def("roulette_weights", py::vectorize(&unweighting::roulette_weight), py::arg("x"), py::arg("probability"));
    m.def("budget_maximum", &budget_maximum, py::arg("x"), py::arg("budget"), py::arg("seed"));
    m.def("choose_roulette", &choose_roulette, py::arg("x"), py::arg("relative_sigma"), py::arg("target"));
}

}  // namespace pyamp::python
