#pragma once

#include <pybind11/pybind11.h>

namespace pyamp::python {

void register_amplitudes(pybind11::module_& m);
void register_cuts(pybind11::module_& m);
void register_hosts(pybind11::module_& m);
void register_phase_space(pybind11::module_& m);
void register_quark_loop(pybind11::module_& m);
void register_surrogate(pybind11::module_& m);
void register_unweighting(pybind11::module_& m);

}  // namespace pyamp::python
