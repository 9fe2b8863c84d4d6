#include "python/register.h"

namespace pyamp::python {

void register_surrogate(pybind11::module_&) {}

}  // namespace pyamp::python
