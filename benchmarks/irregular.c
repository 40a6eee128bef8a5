/* The graph of benchmarks/irregular.py as a list of operations, run by loops forward and backward. */

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { SOFTPLUS, SUM, PRODUCT, SOFTMAX };

/* An operation: what it computes, the place of its first result, and its arguments. */
struct operation {
    int32_t kind, place, args[4];
};

static void forward(const struct operation *list, int64_t count, double *values) {
    for (int64_t i = 0; i < count; i++) {
        const struct operation *op = &list[i];
        const int32_t *args = op->args;
        double *y = &values[op->place], a = values[args[0]];
        switch (op->kind) {
        case SOFTPLUS:
            *y = a > 0 ? a + log1p(exp(-a)) : log1p(exp(a));
            break;
        case SUM:
            *y = a + values[args[1]] + values[args[2]] + values[args[3]];
            break;
        case PRODUCT:
            *y = a * values[args[1]];
            break;
        case SOFTMAX: {
            double most = a, sum = 0;
            for (int k = 1; k < 4; k++)
                if (values[args[k]] > most)
                    most = values[args[k]];
            for (int k = 0; k < 4; k++)
                sum += y[k] = exp(values[args[k]] - most);
            for (int k = 0; k < 4; k++)
                y[k] /= sum;
        }
        }
    }
}

static void backward(const struct operation *list, int64_t count, const double *values, double *grads) {
    for (int64_t i = count - 1; i >= 0; i--) {
        const struct operation *op = &list[i];
        const int32_t *args = op->args;
        const double *y = &values[op->place], *g = &grads[op->place];
        switch (op->kind) {
        case SOFTPLUS:
            grads[args[0]] += *g / (1 + exp(-values[args[0]]));
            break;
        case SUM:
            for (int k = 0; k < 4; k++)
                grads[args[k]] += *g;
            break;
        case PRODUCT:
            grads[args[0]] += *g * values[args[1]];
            grads[args[1]] += *g * values[args[0]];
            break;
        case SOFTMAX: {
            double dot = 0;
            for (int k = 0; k < 4; k++)
                dot += g[k] * y[k];
            for (int k = 0; k < 4; k++)
                grads[args[k]] += y[k] * (g[k] - dot);
        }
        }
    }
}

/* Compute the values, and the derivative of the last one with respect to each. */
double step(const struct operation *list, int64_t count, double *values, double *grads, int64_t nodes) {
    forward(list, count, values);
    memset(grads, 0, nodes * sizeof(double));
    grads[nodes - 1] = 1;
    backward(list, count, values, grads);
    return values[nodes - 1];
}
