#include "python/register.h"

namespace pyamp::python {

void register_phase_space(pybind11::module_&) {}

}  // namespace pyamp::python
