// The Python module pyamp._core: one register function per folder of the core.
#include <pybind11/pybind11.h>

#include "error.h"
#include "python/register.h"

PYBIND11_MODULE(_core, m) {
    m.doc() = "C++ core of pyamp; use the documented wrappers in pyamp instead.";
    // Never released: a destructor at exit would run after the interpreter's end.
    static const pybind11::handle pyamp_error =
        pybind11::object(pybind11::module_::import("pyamp.errors").attr("PyampError")).release();
    pybind11::register_exception_translator([](std::exception_ptr p) {
        try {
            if (p) std::rethrow_exception(p);
        } catch (const pyamp::Error& e) {
            PyErr_SetString(pyamp_error.ptr(), e.what());
        }
    });
    pyamp::python::register_amplitudes(m);
    pyamp::python::register_cuts(m);
    pyamp::python::register_hosts(m);
    pyamp::python::register_phase_space(m);
    pyamp::python::register_quark_loop(m);
    pyamp::python::register_surrogate(m);
    pyamp::python::register_unweighting(m);
}
