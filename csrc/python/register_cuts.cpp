#include "python/register.h"

namespace pyamp::python {

void register_cuts(pybind11::module_&) {}

}  // namespace pyamp::python
