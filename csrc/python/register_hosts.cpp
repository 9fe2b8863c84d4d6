// Bindings of what hosts read: provider cards.
#include <nlohmann/json.hpp>

#include "capi/options.h"
#include "python/register.h"

namespace py = pybind11;

namespace pyamp::python {

void register_hosts(py::module_& m) {
    m.def(
        "read_request",
        [](const std::string& source, const std::string& options) {
            const auto request = capi::read_request(source, options);
            return py::make_tuple(request.source, request.options.dump());
        },
        py::arg("source"), py::arg("options") = "");
}

}  // namespace pyamp::python
