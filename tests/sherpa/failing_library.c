/* A stand-in for libpyamp whose amplitudes fail for a known share of the points: surrogate 30 %, truth 10 % (of all
 * points, a subset of the former). What is left is 1/s, with truth = 1.2 * surrogate and uncertainties of 0.1/s each.
 * The second stage is that of libpyamp, against which it is linked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capi/pyamp.h"

struct pyamp_handle {
    int surrogate;
};

int pyamp_capi_version(void) { return PYAMP_CAPI_VERSION; }
char const* pyamp_last_error(void) { return "the stand-in never fails as a whole"; }

int pyamp_open(pyamp_handle** handle, const char* source, const char* options) {
    (void)options;
    *handle = malloc(sizeof **handle);
    (*handle)->surrogate = strncmp(source, "builtin:", 8) != 0;
    return PYAMP_SUCCESS;
}

int pyamp_close(pyamp_handle* handle) {
    free(handle);
    return PYAMP_SUCCESS;
}

int pyamp_describe(pyamp_handle* handle, char* buffer, size_t size, size_t* needed) {
    static char const* const common =
        "\"process\": {\"name\": \"gg_to_aag\", \"pdg_ids\": [21, 21, 22, 22, 21], \"n_incoming\": 2},"
        "\"couplings\": {\"alpha_s\": 0.118, \"alpha\": 0.0073, \"alpha_s_power\": 3, \"alpha_power\": 2},"
        "\"spin_colour_average\": 256, \"backend\": \"stand-in\", \"source\": \"\"";
    char text[1024];
    strcpy(text, handle->surrogate ? "{\"kind\": \"surrogate\", \"domain\": {\"sqrt_s_hat\": [0, 1e6]}, "
                                     "\"metrics\": {\"x_max\": 2}, \"dtype\": \"float64\","
                                   : "{\"kind\": \"truth\",");
    strcat(text, common);
    strcat(text, "}");
    if (needed) *needed = strlen(text) + 1;
    if (size > strlen(text)) strcpy(buffer, text);
    return PYAMP_SUCCESS;
}

int pyamp_evaluate(pyamp_handle* handle, size_t count, size_t stride, size_t offset, size_t n_in, int const* in_keys,
                   void const* const* in, size_t n_out, int const* out_keys, void* const* out) {
    double const* momenta = in[0];
    (void)n_in;
    (void)in_keys;
    for (size_t k = offset; k < offset + count; ++k) {
        double const e0 = momenta[k], e1 = momenta[k + stride], gluon = momenta[k + 4 * stride];
        double const share = fmod(1e3 * gluon, 1.0);
        int const failed = share < (handle->surrogate ? 0.3 : 0.1);
        double const value = (handle->surrogate ? 1.0 : 1.2) / (4.0 * e0 * e1);
        for (size_t i = 0; i < n_out; ++i) {
            if (out_keys[i] == PYAMP_OUT_FLAGS)
                ((int32_t*)out[i])[k] = failed ? PYAMP_FLAG_FAILED : 0;
            else
                ((double*)out[i])[k] = failed ? NAN : out_keys[i] == PYAMP_OUT_AMPLITUDE ? value : 0.1 * value;
        }
    }
    return PYAMP_SUCCESS;
}
