// Bindings of the evaluator and of the strict model-file reader.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>

#include "error.h"
#include "kinematics/point_check.h"
#include "python/register.h"
#include "surrogate/amx/processor.h"
#include "surrogate/evaluator.h"

namespace py = pybind11;

namespace pyamp::python {
namespace {

using Array = py::array_t<double, py::array::c_style>;

py::ssize_t checked_size(const Evaluator& evaluator, const Array& momenta) {
    const auto n_legs = evaluator.model().process.n_legs();
    if (momenta.ndim() != 3 || momenta.shape(1) != n_legs || momenta.shape(2) != 4)
        throw Error("momenta: shape " + py::str(momenta.attr("shape")).cast<std::string>() + " found, (n, " +
                    std::to_string(n_legs) + ", 4) expected");
    return momenta.shape(0);
}

py::tuple evaluate(const Evaluator& evaluator, const Array& momenta, const std::optional<Array>& alpha_s) {
    const auto n = checked_size(evaluator, momenta);
    if (alpha_s && (alpha_s->ndim() != 1 || alpha_s->shape(0) != n))
        throw Error("alpha_s: shape " + py::str(alpha_s->attr("shape")).cast<std::string>() +
                    " found, one value or (" + std::to_string(n) + ",) expected");
    Array amplitude(n), sigma_syst(n), sigma_stat(n);
    py::array_t<std::int32_t> flags(n);
    const PredictionView view{amplitude.mutable_data(), sigma_syst.mutable_data(), sigma_stat.mutable_data(),
                              flags.mutable_data()};
    const double* points = momenta.data();
    const double* couplings = alpha_s ? alpha_s->data() : nullptr;
    {
        const py::gil_scoped_release release;
        evaluator.evaluate(points, static_cast<std::size_t>(n), couplings, view);
    }
    return py::make_tuple(amplitude, sigma_syst, sigma_stat, flags);
}

/// A pointer that a tensor library gave as a number.
template <typename T>
T* pointer(std::uintptr_t address) {
    return reinterpret_cast<T*>(address);
}

void evaluate_on_device(const Evaluator& evaluator, std::uintptr_t momenta,
                        const std::array<std::ptrdiff_t, 3>& strides, std::size_t n, std::uintptr_t alpha_s,
                        const std::array<std::uintptr_t, 4>& results, std::uintptr_t stream) {
    evaluator.evaluate_on_device({.momenta = pointer<const double>(momenta),
                                  .layout = {strides[0], strides[1], strides[2]},
                                  .n = n,
                                  .alpha_s = pointer<const double>(alpha_s),
                                  .amplitude = pointer<double>(results[0]),
                                  .sigma_syst = pointer<double>(results[1]),
                                  .sigma_stat = pointer<double>(results[2]),
                                  .flags = pointer<std::int32_t>(results[3])},
                                 pointer<void>(stream));
}

py::dict tensors_of(const ModelFile& model) {
    py::dict result;
    for (const auto& [name, tensor] : model.tensors) {
        py::array_t<double> values(tensor.shape);
        std::copy(tensor.values.begin(), tensor.values.end(), values.mutable_data());
        result[py::str(name)] = values;
    }
    return result;
}

}  // namespace

void register_surrogate(py::module_& m) {
    m.def("describe_flagged", [](const py::array_t<std::int32_t, py::array::c_style>& flags) {
        return describe_flagged(flags.data(), static_cast<std::size_t>(flags.size()));
    });
    m.def("amx_obstacle", &amx::obstacle_of_processor);
    m.def("read_model_file", [](const std::string& path) {
        const ModelFile model = read_model_file(path);
        return py::make_tuple(model.header, tensors_of(model));
    });
    py::class_<Evaluator>(m, "Evaluator")
        .def(py::init([](const std::string& path, const std::string& device, const std::optional<std::string>& dtype,
                         const std::string& backend, const std::string& weights, bool tensor_cores,
                         const std::string& policy, const std::string& truth, std::optional<double> alpha_s,
                         std::optional<double> alpha) {
                 EvaluatorOptions options{.device = device,
                                          .backend = backend,
                                          .policy = policy_from_name(policy),
                                          .truth = truth,
                                          .alpha_s = alpha_s,
                                          .alpha = alpha};
                 options.half_weights = are_halves(weights);
                 options.tensor_cores = tensor_cores;
                 if (dtype) options.dtype = dtype_from_name(*dtype, "dtype");
                 return std::make_unique<Evaluator>(path, options);
             }),
             py::arg("path"), py::kw_only(), py::arg("device"), py::arg("dtype"), py::arg("backend"),
             py::arg("weights"), py::arg("tensor_cores"), py::arg("policy"), py::arg("truth"), py::arg("alpha_s"),
             py::arg("alpha"))
        .def("evaluate", &evaluate, py::arg("momenta"), py::arg("alpha_s"))
        .def("evaluate_on_device", &evaluate_on_device, py::arg("momenta"), py::arg("strides"), py::arg("n"),
             py::arg("alpha_s"), py::arg("results"), py::arg("stream"))
        .def_property_readonly("is_on_device", &Evaluator::is_on_device)
        .def_property_readonly("device", &Evaluator::device)
        .def("features",
             [](const Evaluator& evaluator, const Array& momenta) {
                 const auto& front_end = evaluator.front_end();
                 const auto n = checked_size(evaluator, momenta);
                 Array features({n, static_cast<py::ssize_t>(front_end.n_features())}), log_factor(n);
                 front_end.evaluate_features(momenta.data(), static_cast<std::size_t>(n), features.mutable_data(),
                                             log_factor.mutable_data());
                 return py::make_tuple(features, log_factor);
             })
        .def_property_readonly("header", [](const Evaluator& evaluator) { return evaluator.model().header; })
        .def_property_readonly("backend", [](const Evaluator& evaluator) { return evaluator.backend_name(); })
        .def_property_readonly("backend_reason", &Evaluator::backend_reason)
        .def_property_readonly("dtype", [](const Evaluator& evaluator) { return name_of(evaluator.dtype()); })
        .def_property_readonly("alpha_s", &Evaluator::alpha_s)
        .def_property_readonly("alpha", &Evaluator::alpha);
}

}  // namespace pyamp::python
