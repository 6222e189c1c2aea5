/* The most floating-point operations a second that one core does with fused multiply-add on 256 bits, in GFLOP/s. */

#include <immintrin.h>
#include <stdio.h>
#include <time.h>

#define SUMS 12       /* independent, so that each waits for no other: latency times throughput of the instruction */
#define ROUNDS 60000000L

int main(void) {
    __m256 sums[SUMS], factor = _mm256_set1_ps(0.999999f), term = _mm256_set1_ps(0.000001f);
    struct timespec start, end;
    float result[8], total = 0;

    for (int i = 0; i < SUMS; i++)
        sums[i] = _mm256_set1_ps((float)i);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (long round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SUMS; i++)
            sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    for (int i = 0; i < SUMS; i++) {
        _mm256_storeu_ps(result, sums[i]);
        for (int j = 0; j < 8; j++)
            total += result[j];
    }
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    printf("%.3f %.1f\n", 2.0 * 8 * SUMS * ROUNDS / seconds / 1e9, total);
    return 0;
}
