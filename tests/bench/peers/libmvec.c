/* Black-76 as anyone would write it, in a form gcc turns into vector code over glibc's libmvec. It
 * needs -O3 -ffast-math -fopenmp-simd, which is why it is a file of its own. PEER_WIDTH names the
 * function, -mprefer-vector-width sets the registers. */
#include "peers.h"

#include <math.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

void JOIN(peer_libmvec_, PEER_WIDTH)(peer_book *book) {
    const double *restrict f = book->f, *restrict k = book->k, *restrict t = book->t;
    const double *restrict sigma = book->sigma, *restrict cp = book->cp;
    double *restrict price = book->price, *restrict delta = book->delta;
    double *restrict gamma = book->gamma, *restrict vega = book->vega;
    double *restrict theta = book->theta;
#pragma omp simd
    for (size_t i = 0; i < book->n; i++) {
        double root = sqrt(t[i]);
        double s = sigma[i] * root;
        double d1 = log(f[i] / k[i]) / s + 0.5 * s;
        double d2 = d1 - s;
        double n1 = 0.5 * erfc(-cp[i] * d1 * 0.70710678118654752);
        double n2 = 0.5 * erfc(-cp[i] * d2 * 0.70710678118654752);
        double density = 0.39894228040143268 * exp(-0.5 * d1 * d1);
        price[i] = cp[i] * (f[i] * n1 - k[i] * n2);
        delta[i] = cp[i] * n1;
        gamma[i] = density / (f[i] * s);
        vega[i] = f[i] * density * root;
        theta[i] = -0.5 * f[i] * density * sigma[i] / root;
    }
}
