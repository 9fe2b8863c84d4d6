/* UMAMI, the interface through which madspace and MadGraph7 call matrix elements (arXiv:2602.06895, section 3.3), as
 * libpyamp exports it. Keys and statuses are version 1.0 of the interface; every function returns a status and lets
 * no exception out. pyamp_last_error() of pyamp.h has the reason of a failure; it is also printed on standard error,
 * since UMAMI has no messages.
 *
 * Two libraries have these functions: libpyamp, whose buffers are in host memory, and libpyamp_umami_cuda, whose
 * buffers are in the memory of the CUDA device that is current when an instance is initialised.
 */
#ifndef PYAMP_CAPI_UMAMI_H
#define PYAMP_CAPI_UMAMI_H

#include <stdbool.h>
#include <stddef.h>

#include "pyamp.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { UMAMI_DEVICE_CPU = 0, UMAMI_DEVICE_CUDA = 1, UMAMI_DEVICE_HIP = 2 };

enum {
    UMAMI_META_DEVICE = 0,         /* where all buffers are, wherever the network runs */
    UMAMI_META_PARTICLE_COUNT = 1, /* of the open instances; an error while there are none, or of different counts */
    UMAMI_META_DIAGRAM_COUNT = 2,  /* 1: these three are summed over, and index 0 stands for the sum */
    UMAMI_META_HELICITY_COUNT = 3,
    UMAMI_META_COLOR_COUNT = 4
};

enum {
    UMAMI_IN_MOMENTA = 0,      /* double; event k, leg l, component mu at k + stride * (l + n_legs * mu) */
    UMAMI_IN_ALPHA_S = 1,      /* double; optional */
    UMAMI_IN_FLAVOR_INDEX = 2, /* int; there is flavour 0 only */
    UMAMI_IN_RANDOM_COLOR = 3, /* double; these three choose among what is summed over: taken and not used */
    UMAMI_IN_RANDOM_HELICITY = 4,
    UMAMI_IN_RANDOM_DIAGRAM = 5
};

enum {
    UMAMI_OUT_MATRIX_ELEMENT = 0, /* double */
    UMAMI_OUT_DIAGRAM_AMP2 = 1,   /* double; of the only channel: |M|^2 itself */
    UMAMI_OUT_COLOR_INDEX = 2,    /* int, 0, as the next two */
    UMAMI_OUT_HELICITY_INDEX = 3,
    UMAMI_OUT_DIAGRAM_INDEX = 4,
    UMAMI_OUT_GPU_STREAM = 5 /* of a library for a GPU only: the pointer is the stream itself */
};

PYAMP_API int umami_get_meta(int key, void* result);
PYAMP_API int umami_supported_inputs(bool const** flags, int* count);
PYAMP_API int umami_required_inputs(bool const** flags, int* count);
PYAMP_API int umami_supported_outputs(bool const** flags, int* count);

/* path: a model file or a provider card (docs/hosts.md). Instances are independent: one for each thread. */
PYAMP_API int umami_initialize(void** handle, char const* path);

/* name: "alpha_s" or "alpha"; both are real. */
PYAMP_API int umami_set_parameter(void* handle, char const* name, double real, double imaginary);
PYAMP_API int umami_get_parameter(void* handle, char const* name, double* real, double* imaginary);

/* Evaluates events offset ... offset+count-1. */
PYAMP_API int umami_matrix_element(void* handle, size_t count, size_t stride, size_t offset, size_t n_in,
                                   int const* in_keys, void const* const* in, size_t n_out, int const* out_keys,
                                   void* const* out);
PYAMP_API int umami_free(void* handle);

#ifdef __cplusplus
}
#endif

#endif
