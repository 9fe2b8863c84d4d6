/* What a host holds in memory: memory_client LIBRARY SOURCE OPTIONS POINT CALLS opens a surrogate, evaluates the
 * point in the text file POINT that many times, and prints the resident KiB before and after the calls, and how many
 * pieces of LibTorch are mapped.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pyamp.h"

#define LEGS 5
#define WARM_UP 1000

typedef int (*open_function)(pyamp_handle**, const char*, const char*);
typedef int (*evaluate_function)(pyamp_handle*, size_t, size_t, size_t, size_t, int const*, void const* const*,
                                 size_t, int const*, void* const*);

static long resident_kib(void) {
    char line[256];
    long kib = -1;
    FILE* file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
    if (file) fclose(file);
    return kib;
}

static int torch_mappings(void) {
    char line[4096];
    int count = 0;
    FILE* file = fopen("/proc/self/maps", "r");
    while (file && fgets(line, sizeof line, file))
        if (strstr(line, "libtorch") || strstr(line, "libc10") || strstr(line, "libpyamp_torch")) ++count;
    if (file) fclose(file);
    return count;
}

int main(int argc, char** argv) {
    void* library = argc == 6 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    open_function open_;
    evaluate_function evaluate_;
    pyamp_handle* handle;
    double point[4 * LEGS], momenta[4 * LEGS], amplitude = 0.0, first = 0.0;
    int32_t flags = 0;
    const int in_keys[] = {PYAMP_IN_MOMENTA}, out_keys[] = {PYAMP_OUT_AMPLITUDE, PYAMP_OUT_FLAGS};
    void const* in[] = {momenta};
    void* out[] = {&amplitude, &flags};
    long before = 0, calls, k;
    FILE* file;
    int i;
    if (!library) return 3;
    *(void**)&open_ = dlsym(library, "pyamp_open");
    *(void**)&evaluate_ = dlsym(library, "pyamp_evaluate");
    file = fopen(argv[4], "r");
    if (!file) return 4;
    for (i = 0; i < 4 * LEGS; ++i)
        if (fscanf(file, "%lf", &point[i]) != 1) return 4;
    fclose(file);
    for (i = 0; i < 4 * LEGS; ++i) momenta[i / 4 + LEGS * (i % 4)] = point[i];
    if (open_(&handle, argv[2], argv[3])) return 2;
    calls = atol(argv[5]);
    for (k = -WARM_UP; k <= calls; ++k) {
        if (k == 0) before = resident_kib();
        if (evaluate_(handle, 1, 1, 0, 1, in_keys, in, 2, out_keys, out)) return 2;
        if (k == -WARM_UP) first = amplitude;
        if (amplitude != first) return 5;
    }
    printf("%ld %ld %d\n", before, resident_kib(), torch_mappings());
    return 0;
}
