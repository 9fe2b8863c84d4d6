/* A BLHA provider with the habits that real ones have. Values are those of libpyamp's built-in g g -> gamma gamma g;
 * the environment says how they are returned and what goes wrong:
 *   HOSTILE_LIBPYAMP  path of libpyamp.so
 *   HOSTILE_SLOT      where |M|^2 stands in the result (default 0)
 *   HOSTILE_HALF      1: with the factor 1/2 for identical photons
 *   HOSTILE_TROUBLE   nan, abort, slow, inaccurate, exit: on points whose third leg has more than 400 GeV;
 *                     start, refuse, noise: at the start; deaf: parameters are ignored
 *   HOSTILE_WHEN      unrotated: only with beams along z; once: only until the file HOSTILE_MARK exists
 *   HOSTILE_COUNT     file that gets a line for every point that is begun
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pyamp.h"

static int (*evaluate_)(pyamp_handle*, size_t, size_t, size_t, size_t, int const*, void const* const*, size_t,
                        int const*, void* const*);
static pyamp_handle* handle;
static double alpha_s = 0.3, alpha = 0.02;

static int says(const char* name, const char* value) {
    const char* found = getenv(name);
    return found && !strcmp(found, value);
}

void OLP_Start(const char* file, int* ierr) {
    char line[1000], answer[1000] = "";
    int (*open_)(pyamp_handle**, const char*, const char*);
    void* library = dlopen(getenv("HOSTILE_LIBPYAMP"), RTLD_NOW | RTLD_LOCAL);
    FILE *in = fopen(file, "r"), *out;
    *ierr = 0;
    puts("hostile provider: welcome");
    if (!in || !library || handle || says("HOSTILE_TROUBLE", "start")) return; /* one start in a lifetime */
    *(void**)&open_ = dlsym(library, "pyamp_open");
    *(void**)&evaluate_ = dlsym(library, "pyamp_evaluate");
    if (open_(&handle, "builtin:gg_to_aag", "{\"alpha_s\": 1, \"alpha\": 1}")) return;
    while (fgets(line, sizeof line, in)) sscanf(line, "Extra AnswerFile %s", answer);
    if (*answer) {
        rewind(in);
        out = fopen(answer, "w");
        while (fgets(line, sizeof line, in)) {
            line[strcspn(line, "\n")] = '\0';
            if (strstr(line, "->"))
                fprintf(out, "%s | %s\n", line, says("HOSTILE_TROUBLE", "refuse") ? "-1 # not available" : "1 7");
            else
                fprintf(out, "%s%s\n", line, *line == '#' || !*line ? "" : " | OK");
        }
        fclose(out);
    }
    fclose(in);
    *ierr = 1;
}

void OLP_SetParameter(const char* name, const double* re, const double* im, int* ierr) {
    (void)im;
    *ierr = 1;
    if (says("HOSTILE_TROUBLE", "deaf")) return;
    if (!strcmp(name, "alphas"))
        alpha_s = *re;
    else if (!strcmp(name, "alpha"))
        alpha = *re;
    else
        *ierr = 2;
}

static int in_trouble(const char* kind, const double* momenta) {
    const char* mark = getenv("HOSTILE_MARK");
    if (!says("HOSTILE_TROUBLE", kind) || momenta[10] < 400) return 0;
    if (says("HOSTILE_WHEN", "unrotated")) return fabs(momenta[1]) < 1e-6 * momenta[0];
    if (says("HOSTILE_WHEN", "once")) {
        if (!access(mark, F_OK)) return 0;
        fclose(fopen(mark, "w"));
    }
    return 1;
}

void OLP_EvalSubProcess2(const int* id, const double* momenta, const double* mu, double* rval, double* acc) {
    double point[20], value = 0;
    const int in_key = PYAMP_IN_MOMENTA, out_key = PYAMP_OUT_AMPLITUDE;
    const void* in = point;
    void* out = &value;
    const char* slot = getenv("HOSTILE_SLOT");
    const char* count = getenv("HOSTILE_COUNT");
    int leg, component;
    (void)mu;
    if (count) {
        FILE* file = fopen(count, "a");
        fprintf(file, "%.17g\n", momenta[10]);
        fclose(file);
    }
    if (*id != 7) exit(9);
    for (leg = 0; leg < 5; ++leg)
        for (component = 0; component < 4; ++component) point[leg + 5 * component] = momenta[5 * leg + component];
    if (in_trouble("abort", momenta)) {
        puts("hostile provider: giving up");
        fflush(stdout);
        abort();
    }
    if (in_trouble("exit", momenta)) exit(3);
    if (in_trouble("slow", momenta)) sleep(30);
    evaluate_(handle, 1, 1, 0, 1, &in_key, &in, 1, &out_key, &out);
    value *= alpha_s * alpha_s * alpha_s * alpha * alpha * (says("HOSTILE_HALF", "1") ? 0.5 : 1);
    *acc = in_trouble("inaccurate", momenta) ? 0.5 : 1e-9;
    rval[slot ? atoi(slot) : 0] = in_trouble("nan", momenta) ? NAN : value * (1 + *acc);
}
