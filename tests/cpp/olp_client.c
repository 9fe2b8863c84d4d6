/* A host of the Binoth Les Houches Accord: starts a provider with an order and evaluates points from a text file.
 *   olp_client LIBRARY ORDER                     start only
 *   olp_client LIBRARY ORDER POINTS N_LEGS ID    then evaluate; POINTS has E, px, py, pz of leg after leg
 *   olp_client LIBRARY --faults                  wrong calls must give statuses, never crash
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "olp.h"

static void* load(void* library, const char* name) {
    void* symbol = dlsym(library, name);
    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        exit(3);
    }
    return symbol;
}

int main(int argc, char** argv) {
    void (*start)(const char*, int*);
    void (*set_parameter)(const char*, const double*, const double*, int*);
    void (*option)(const char*, int*);
    void (*evaluate)(const int*, const double*, const double*, const double*, double*);
    void (*evaluate2)(const int*, const double*, const double*, double*, double*);
    void (*info)(char*, char*, char*);
    double momenta[60], mu = 91.1876, zero = 0, alpha_s = 0.12, alpha = 0.0078, negative = -1, rval[4], old[4], acc;
    char name[15], version[15], message[255];
    int ierr = -7, id, n_legs, i;
    FILE* file;
    void* library = argc > 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", argc > 2 ? dlerror() : "usage");
        return 3;
    }
    *(void**)&start = load(library, "OLP_Start");
    *(void**)&set_parameter = load(library, "OLP_SetParameter");
    *(void**)&option = load(library, "OLP_Option");
    *(void**)&evaluate = load(library, "OLP_EvalSubProcess");
    *(void**)&evaluate2 = load(library, "OLP_EvalSubProcess2");
    *(void**)&info = load(library, "OLP_Info");
    info(name, version, message);
    printf("info %s %s\n", name, version);
    if (!strcmp(argv[2], "--faults")) {
        start(NULL, &ierr);
        printf("null %d\n", ierr);
        start("/nowhere/order.lh", &ierr);
        printf("absent %d\n", ierr);
        set_parameter("alphas", &negative, &zero, &ierr);
        printf("negative %d\n", ierr);
        set_parameter("mass(6)", &mu, &zero, &ierr);
        printf("mass %d\n", ierr);
        set_parameter(NULL, &mu, &zero, &ierr);
        printf("name %d\n", ierr);
        option("alpha: 1", &ierr);
        printf("option %d\n", ierr);
        option("alpha=0.0075", &ierr);
        printf("option %d\n", ierr);
        id = 1;
        memset(momenta, 0, sizeof momenta);
        evaluate2(&id, momenta, &mu, rval, &acc);
        printf("no contract %d %d\n", isnan(rval[0]), isinf(acc));
        evaluate2(NULL, NULL, NULL, NULL, NULL);
        return 0;
    }
    start(argv[2], &ierr);
    printf("start %d\n", ierr);
    if (ierr != 1 || argc < 6) return ierr != 1;
    n_legs = atoi(argv[4]);
    id = atoi(argv[5]);
    file = fopen(argv[3], "r");
    if (!file) return 4;
    set_parameter("AlphaS", &alpha_s, &zero, &ierr);
    printf("alpha_s %d\n", ierr);
    set_parameter("alpha", &alpha, &zero, &ierr);
    printf("alpha %d\n", ierr);
    for (;;) {
        for (i = 0; i < n_legs; ++i) {
            double* p = momenta + 5 * i;
            if (fscanf(file, "%lf %lf %lf %lf", p, p + 1, p + 2, p + 3) != 4) {
                fclose(file);
                return 0;
            }
            p[4] = 0;
        }
        for (i = 0; i < 4; ++i) rval[i] = old[i] = -1;
        evaluate2(&id, momenta, &mu, rval, &acc);
        alpha_s = 0.13;
        evaluate(&id, momenta, &mu, &alpha_s, old);
        printf("%.17g %.17g %.17g %g\n", rval[0], acc, old[0], rval[3]);
    }
}
