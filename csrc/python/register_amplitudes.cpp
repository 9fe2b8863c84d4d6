#include "python/register.h"

namespace pyamp::python {

void register_amplitudes(pybind11::module_&) {}

}  // namespace pyamp::python
