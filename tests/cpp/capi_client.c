/* A C host of libpyamp: opens SOURCE with OPTIONS, evaluates points from a text file, prints what it gets.
 *   capi_client LIBRARY SOURCE OPTIONS POINTS     evaluate; POINTS has one component of a point after the other
 *   capi_client LIBRARY SOURCE OPTIONS POINTS X   the same for a truth with its accuracy, alpha_s of point k is X + k/1000
 *   capi_client LIBRARY --faults SOURCE           wrong calls must give statuses, never crash
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pyamp.h"

#define LEGS 5

static int (*open_)(pyamp_handle**, const char*, const char*);
static int (*evaluate_)(pyamp_handle*, size_t, size_t, size_t, size_t, int const*, void const* const*, size_t,
                        int const*, void* const*);
static int (*describe_)(pyamp_handle*, char*, size_t, size_t*);
static int (*close_)(pyamp_handle*);
static char const* (*last_error_)(void);

static void* load(void* library, const char* name) {
    void* symbol = dlsym(library, name);
    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        exit(3);
    }
    return symbol;
}

static int report(int status) {
    printf("status %d: %s\n", status, status ? last_error_() : "");
    return status;
}

static int run(const char* source, const char* options, const char* path, const char* alpha_s_of_first) {
    static double momenta[4 * LEGS * 1000], alpha_s[1000], amplitude[1000], sigma[1000], accuracy[1000];
    static int32_t flags[1000];
    static double point[4 * LEGS];
    pyamp_handle* handle;
    char text[20000];
    size_t needed, n = 0, stride = 1000, offset = 3;
    int in_keys[] = {PYAMP_IN_MOMENTA, PYAMP_IN_ALPHA_S};
    int out_keys[] = {PYAMP_OUT_FLAGS, PYAMP_OUT_AMPLITUDE, PYAMP_OUT_SIGMA_SYST, PYAMP_OUT_ACCURACY};
    void const* in[] = {momenta, alpha_s};
    void* out[] = {flags, amplitude, sigma, accuracy};
    const size_t more = alpha_s_of_first ? 1 : 0;
    int status;
    FILE* file = fopen(path, "r");
    if (!file) return 4;
    for (;;) {
        int i, leg, mu;
        for (i = 0; i < 4 * LEGS; ++i)
            if (fscanf(file, "%lf", &point[i]) != 1) goto done;
        for (leg = 0; leg < LEGS; ++leg)
            for (mu = 0; mu < 4; ++mu)
                momenta[offset + n + stride * (size_t)(leg + LEGS * mu)] = point[4 * leg + mu];
        ++n;
    }
done:
    fclose(file);
    if (report(open_(&handle, source, options))) return 2;
    if (report(describe_(handle, text, sizeof text, &needed))) return 2;
    printf("%s\n", needed == strlen(text) + 1 ? text : "wrong size");
    if (more)
        for (size_t k = 0; k < n; ++k) alpha_s[offset + k] = atof(alpha_s_of_first) + 1e-3 * (double)k;
    status = report(evaluate_(handle, n, stride, offset, 1 + more, in_keys, in, 3 + more, out_keys, out));
    for (size_t k = 0; k < n; ++k)
        printf("%d %.17g %.17g %.17g\n", flags[offset + k], amplitude[offset + k], sigma[offset + k], accuracy[offset + k]);
    report(close_(handle));
    return status ? 2 : 0;
}

static int faults(const char* source) {
    static double momenta[4 * LEGS], amplitude[1];
    pyamp_handle* handle = (pyamp_handle*)momenta;
    int in_keys[] = {PYAMP_IN_MOMENTA}, unknown[] = {77}, out_keys[] = {PYAMP_OUT_AMPLITUDE};
    void const* in[] = {momenta};
    void const* null_in[] = {NULL};
    void* out[] = {amplitude};
    char text[4];
    report(open_(NULL, source, NULL));
    report(open_(&handle, NULL, NULL));
    printf("handle %s\n", handle ? "left" : "null");
    report(open_(&handle, "builtin:nothing", NULL));
    report(open_(&handle, source, "{\"polici\": \"nan\"}"));
    report(open_(&handle, source, "not json"));
    report(open_(&handle, source, NULL));
    report(evaluate_(NULL, 1, 1, 0, 1, in_keys, in, 1, out_keys, out));
    report(evaluate_(handle, 1, 1, 0, 0, in_keys, in, 1, out_keys, out));
    report(evaluate_(handle, 1, 1, 0, 1, unknown, in, 1, out_keys, out));
    report(evaluate_(handle, 1, 1, 0, 1, in_keys, null_in, 1, out_keys, out));
    report(evaluate_(handle, 1, 1, 0, 1, in_keys, in, 1, unknown, out));
    report(evaluate_(handle, 2, 1, 0, 1, in_keys, in, 1, out_keys, out));
    report(evaluate_(handle, 1, 1, 0, 1, in_keys, in, 1, out_keys, out)); /* momenta are all 0 */
    report(evaluate_(handle, 0, 1, 0, 1, in_keys, in, 1, out_keys, out));
    report(describe_(handle, NULL, 4, NULL));
    report(describe_(handle, text, sizeof text, NULL));
    printf("text %s\n", text);
    report(close_(handle));
    report(close_(NULL));
    return 0;
}

int main(int argc, char** argv) {
    void* library = argc >= 4 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", argc >= 4 ? dlerror() : "usage");
        return 3;
    }
    *(void**)&open_ = load(library, "pyamp_open");
    *(void**)&evaluate_ = load(library, "pyamp_evaluate");
    *(void**)&describe_ = load(library, "pyamp_describe");
    *(void**)&close_ = load(library, "pyamp_close");
    *(void**)&last_error_ = load(library, "pyamp_last_error");
    if (!strcmp(argv[2], "--faults")) return faults(argv[3]);
    return run(argv[2], argv[3], argv[4], argc > 5 ? argv[5] : NULL);
}
