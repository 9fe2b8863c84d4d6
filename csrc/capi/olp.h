/* libpyamp_olp: surrogates and built-in amplitudes as a one-loop provider of the Binoth Les Houches Accord
 * (arXiv:1001.1307 and 1308.3462), for any host that speaks it. All arguments are pointers. The accord has one state
 * for the process; evaluations may come from several threads.
 */
#ifndef PYAMP_CAPI_OLP_H
#define PYAMP_CAPI_OLP_H

#include "pyamp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads an order file, answers every line and writes the contract file: `Extra AnswerFile NAME` of the order, else
 * the order's name with the ending .olc. A contract file is read as well; its answers must be those that would be
 * given now. ierr: 1 success; 0 failure, of which standard error has the reason and the contract, if one was written,
 * the line. */
PYAMP_API void OLP_Start(const char* file, int* ierr);

/* name: alphas (alpha_s) or alpha (alpha_qed). ierr: 1 success, 0 failure, 2 ignored since nothing depends on it. */
PYAMP_API void OLP_SetParameter(const char* name, const double* re, const double* im, int* ierr);

/* The same in one string, "alphas=0.118". */
PYAMP_API void OLP_Option(const char* assignment, int* ierr);

/* momenta: E, px, py, pz, m of leg after leg, in GeV, legs as in the process line. The scale mu does not enter.
 * rval[0]: |M|^2, averaged over initial and summed over final states, with 1/n! for n identical outgoing particles;
 * NaN where there is none. The other entries are not touched.
 * acc: relative accuracy, of a surrogate its total uncertainty; infinite where there is no value. */
PYAMP_API void OLP_EvalSubProcess2(const int* id, const double* momenta, const double* mu, double* rval, double* acc);
PYAMP_API void OLP_EvalSubProcess(const int* id, const double* momenta, const double* mu, const double* alpha_s,
                                  double* rval);

PYAMP_API void OLP_Info(char name[15], char version[15], char message[255]);
PYAMP_API void OLP_PrintParameter(const char* file);

#ifdef __cplusplus
}
#endif

#endif
