/* pyamp: C interface of libpyamp.
 *
 * A handle evaluates one matrix element: a surrogate model file, or a built-in amplitude. The evaluation call has
 * the shape of UMAMI (keys and void pointers, batch index running fastest). No C++ exception crosses this
 * interface: every function returns a status, and pyamp_last_error() gives the reason of the last failure in the
 * calling thread.
 *
 * "amplitude" is |M|^2 summed over final and averaged over initial helicities and colours, couplings included,
 * without the factor for identical final-state particles, in GeV^(8 - 2 n_legs).
 */
#ifndef PYAMP_CAPI_PYAMP_H
#define PYAMP_CAPI_PYAMP_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PYAMP_API __attribute__((visibility("default")))
#else
#define PYAMP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface; it grows by adding keys and functions, and never changes the meaning of old ones. */
#define PYAMP_CAPI_VERSION 3

typedef struct pyamp_handle pyamp_handle;

typedef enum {
    PYAMP_SUCCESS = 0,
    PYAMP_ERROR = 1,
    PYAMP_NOT_IMPLEMENTED = 2,
    PYAMP_UNSUPPORTED_INPUT = 3,
    PYAMP_UNSUPPORTED_OUTPUT = 4,
    PYAMP_UNSUPPORTED_META = 5,
    PYAMP_MISSING_INPUT = 6
} pyamp_status;

/* Inputs: double. Momenta [E, px, py, pz] in GeV, incoming legs first with positive energy. */
enum {
    PYAMP_IN_MOMENTA = 0, /* element (event k, leg l, component mu) at k + stride * (l + n_legs * mu) */
    PYAMP_IN_ALPHA_S = 1  /* event k at k; optional, the handle's alpha_s otherwise */
};

/* Outputs: event k at k. double, except the flags (int32_t). */
enum {
    PYAMP_OUT_AMPLITUDE = 0,
    PYAMP_OUT_SIGMA_SYST = 100, /* surrogate: learned uncertainty, unit of the amplitude; truth: 0 */
    PYAMP_OUT_SIGMA_STAT = 101, /* surrogate: posterior spread, unit of the amplitude; truth: 0 */
    PYAMP_OUT_FLAGS = 102,      /* pyamp_flag bits */
    PYAMP_OUT_ACCURACY = 103    /* truth only: relative numerical accuracy, from a rotated point */
};

typedef enum {
    PYAMP_FLAG_NOT_FINITE = 1,     /* NaN or infinity in the momenta */
    PYAMP_FLAG_OFF_SHELL = 2,      /* a leg is not massless */
    PYAMP_FLAG_NOT_CONSERVED = 4,  /* total momentum in and out differ */
    PYAMP_FLAG_OUTSIDE_DOMAIN = 8, /* outside the phase space on which the surrogate was trained */
    PYAMP_FLAG_FROM_TRUTH = 16,    /* the value is the truth's (policy "truth") */
    PYAMP_FLAG_FAILED = 32         /* the evaluation gave no finite number: the amplitude is NaN */
} pyamp_flag;

/* clang-format off */
/* Opens a matrix element. source: path of a model file .safetensors, "builtin:NAME", "tree:PROCESS", "blha:LIBRARY"
 * for a one-loop provider, or the path of a provider card .json: a JSON object with "source" and any of the options
 * below, which those given here replace.
 * options: NULL, or a JSON object with any of
 *   "alpha_s", "alpha"  couplings (default: those stored in the file; 0.118 and 1/137.035999084 for a built-in)
 *   "dtype"             "float32" | "float64": arithmetic of the network (default: the file's)
 *   "weights"           "full" | "bfloat16": 16 bits each, for float32 on the CPU; less accurate, and faster where
 *                       one point at a time waits for the weights of a larger network (default "full")
 *   "device"            "cpu" | "cuda" | "cuda:N"
 *   "tensor_cores"      true: float32 products of the fused kernel of a GPU as three products of halves; compute
 *                       capability 8.0. Verified by emulation, never run on a GPU so far (default false)
 *   "backend"           "auto" | "fused" | "amx" | "libtorch": what runs the network (default "auto": fused where it
 *                       can); "amx", tiles of Intel processors, is for batches of wide networks in float32
 *   "policy"            "error" | "nan" | "truth": what to do with flagged points (default "error")
 *   "truth"             "builtin:NAME" or "tree:PROCESS" for policy "truth" (default: that of the model's process)
 *   "identical_particle_factor"  true: |M|^2 gets 1/n! for n identical outgoing particles (default false)
 *   "blha", "tree"      options of a BLHA provider or of a tree, a JSON object (docs/hosts.md)
 * Unknown options are refused. On failure *handle is NULL. */
/* clang-format on */
PYAMP_API int pyamp_open(pyamp_handle** handle, const char* source, const char* options);

/* Evaluates events offset ... offset+count-1 on the calling thread. One thread at a time per handle. With policy
 * "error" a flagged point makes the call return PYAMP_ERROR; the outputs, flags included, are written all the same
 * (NaN for that point). */
PYAMP_API int pyamp_evaluate(pyamp_handle* handle, size_t count, size_t stride, size_t offset, size_t n_in,
                             int const* in_keys, void const* const* in, size_t n_out, int const* out_keys,
                             void* const* out);

/* The same with inputs and outputs in the memory of the device of the handle, which is a surrogate opened with
 * "device" "cuda" or "cuda:N" and whose "backend" is fused there. stream: a cudaStream_t, or NULL for the default
 * one. Asynchronous: it neither allocates nor waits, so it can be captured in a CUDA graph, and several threads may
 * use one handle. Flagged points become NaN under every policy; ask for PYAMP_OUT_FLAGS to know them. */
PYAMP_API int pyamp_evaluate_device(pyamp_handle* handle, size_t count, size_t stride, size_t offset, size_t n_in,
                                    int const* in_keys, void const* const* in, size_t n_out, int const* out_keys,
                                    void* const* out, void* stream);

/* A JSON object that describes the handle:
 *   "kind" ("surrogate" | "truth"), "source", "process" {"name", "pdg_ids", "n_incoming"},
 *   "couplings" {"alpha_s", "alpha", "alpha_s_power", "alpha_power"},
 *   "spin_colour_average" (number by which the initial-state average divided),
 *   "backend", and for a surrogate "backend_reason", "domain" {"sqrt_s_hat": [min, max] in GeV, "cuts": {...}},
 * "metrics", "dtype". Writes at most size bytes, the terminating NUL included; *needed (may be NULL) gets the size
 * needed for all of it. The domain's "cuts" hold any of: pt_min {"PDG": [leading, ...]}, abs_eta_max {"PDG": x},
 * delta_r_min {"PDG,PDG": x}. */
PYAMP_API int pyamp_describe(pyamp_handle* handle, char* buffer, size_t size, size_t* needed);

PYAMP_API int pyamp_close(pyamp_handle* handle);

/* Reason of the last failure in the calling thread, one line; valid until the next call in that thread. */
PYAMP_API char const* pyamp_last_error(void);

PYAMP_API int pyamp_capi_version(void);

/* Since version 2: the second stage of unweighting, for hosts that accept events by a surrogate's weight first.
 * x = truth/surrogate of such an event. The decision on the event `index` depends on (seed, index) alone. */

/* Accepts with probability min(1, x/x_max): *accepted is 1 or 0, *weight = max(1, x/x_max). x_max is positive. */
PYAMP_API int pyamp_two_stage(uint64_t seed, uint64_t index, double x, double x_max, int* accepted, double* weight);

/* Every event is accepted. Its truth is to be evaluated with probability p = min(max(kappa * relative_sigma, p_min),
 * 1): *evaluate is 1 or 0, *probability = p. relative_sigma is the surrogate's uncertainty over its amplitude; p = 1
 * where it is negative or no finite number. kappa is not negative, p_min positive. The event's weight is 1 without
 * the truth, and *weight of pyamp_roulette_weight with it, 1 + (x - 1)/p: on average x. It can be negative. */
PYAMP_API int pyamp_roulette(uint64_t seed, uint64_t index, double relative_sigma, double kappa, double p_min,
                             int* evaluate, double* probability);
PYAMP_API int pyamp_roulette_weight(double x, double probability, double* weight);

/* From a pilot, the x of n events that the first stage accepted. *maximum: the x_max above which x has a share
 * `budget` of the cross section in excess, sum max(0, x - x_max) = budget * sum x. *error, which may be NULL: its
 * standard deviation over resampled pilots. */
PYAMP_API int pyamp_budget_maximum(size_t n, double const* x, double budget, uint64_t seed, double* maximum,
                                   double* error);

/* From a pilot with the uncertainties: the kappa and p_min with the smallest mean p for which the pilot would have an
 * effective sample size N_eff/N of at least the target, and no negative weight. *n_eff_over_n: what is expected with
 * them. Where not even p = 1 reaches the target, *reached is 0 and p_min 1. */
PYAMP_API int pyamp_choose_roulette(size_t n, double const* x, double const* relative_sigma, double target,
                                    double* kappa, double* p_min, double* mean_p, double* n_eff_over_n, int* reached);

/* Since version 3: a screen, a cheaper surrogate by whose weight the host accepts first, so that the surrogate itself
 * is asked for few points. y = surrogate/screen of what it accepted. Accepts with probability min(1, y/y_max):
 * *accepted is 1 or 0, *weight = max(1, y/y_max). y_max is positive, pyamp_budget_maximum finds one. The decision on
 * `index` is independent of those above. */
PYAMP_API int pyamp_screen(uint64_t seed, uint64_t index, double y, double y_max, int* accepted, double* weight);

#ifdef __cplusplus
}
#endif

#endif
