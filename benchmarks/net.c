/* The step of traced.py as one writes it in C, and a measurement of the multiply-adds that a core can do. */

#define N1 16
#define N2 16
#define MAX0(x) ((x) > 0 ? (x) : 0)

/* The mean loss of MLP(2, [16, 16, 1]) over n samples, and its gradients: per neuron the weights, then the bias. */
double step(const double *restrict p, const double *restrict x, const double *restrict t,
            double *restrict gradients, int n) {
    const double *p1 = p, *p2 = p1 + 3 * N1, *p3 = p2 + (N1 + 1) * N2;
    const int size = 3 * N1 + (N1 + 1) * N2 + N2 + 1;
    double *g1 = gradients, *g2 = g1 + 3 * N1, *g3 = g2 + (N1 + 1) * N2, loss = 0, weights = 0;
    for (int i = 0; i < size; i++) gradients[i] = 0;
    for (int s = 0; s < n; s++) {
        double x0 = x[2 * s], x1 = x[2 * s + 1], a1[N1], a2[N2], d1[N1] = {0};
        for (int k = 0; k < N1; k++) a1[k] = MAX0(p1[3 * k + 2] + p1[3 * k] * x0 + p1[3 * k + 1] * x1);
        for (int k = 0; k < N2; k++) {
            double z = p2[(N1 + 1) * k + N1];
            for (int j = 0; j < N1; j++) z += p2[(N1 + 1) * k + j] * a1[j];
            a2[k] = MAX0(z);
        }
        double z = p3[N2];
        for (int j = 0; j < N2; j++) z += p3[j] * a2[j];
        double margin = 1 - t[s] * z, d = margin > 0 ? -t[s] : 0;
        loss += MAX0(margin);
        g3[N2] += d;
        for (int k = 0; k < N2; k++) {
            g3[k] += d * a2[k];
            double d2 = a2[k] > 0 ? d * p3[k] : 0;
            g2[(N1 + 1) * k + N1] += d2;
            for (int j = 0; j < N1; j++) {
                g2[(N1 + 1) * k + j] += d2 * a1[j];
                d1[j] += d2 * p2[(N1 + 1) * k + j];
            }
        }
        for (int k = 0; k < N1; k++) {
            double dz = a1[k] > 0 ? d1[k] : 0;
            g1[3 * k] += dz * x0;
            g1[3 * k + 1] += dz * x1;
            g1[3 * k + 2] += dz;
        }
    }
    for (int i = 0; i < size; i++) {
        gradients[i] = gradients[i] / n + 2e-4 * p[i];
        weights += p[i] * p[i];
    }
    return loss / n + 1e-4 * weights;
}

/* Do n rounds of 12 independent multiply-adds on the widest vectors of the processor. */
#ifdef __AVX512F__
#define LANES 8
#else
#define LANES 4
#endif
typedef double vector __attribute__((vector_size(8 * LANES)));

const int multiply_adds = 12 * LANES; /* in a round */

double peak(long n) {
    vector a[12], x, y, sum;
    double total = 0;
    for (int i = 0; i < LANES; i++) x[i] = 0.5, y[i] = 1, sum[i] = 0;
    for (int j = 0; j < 12; j++) a[j] = y * (j + 1.0);
    for (long i = 0; i < n; i++)
#pragma GCC unroll 12
        for (int j = 0; j < 12; j++) a[j] = a[j] * x + y;
    for (int j = 0; j < 12; j++) sum += a[j];
    for (int i = 0; i < LANES; i++) total += sum[i];
    return total;
}
