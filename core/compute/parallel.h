/* The threads of a rank.
 *
 * Parallelism is ours and not BLIS's, because BLIS does not promise equal bits across thread counts: work is cut into parts
 * that the shapes alone decide, and each part runs on one thread. */
#ifndef PG_COMPUTE_PARALLEL_H
#define PG_COMPUTE_PARALLEL_H

/* Start BLIS and set the number of threads (>= 1) of later parallel regions. It must come before any other call of core/compute
 * and may be called again to change the number. The number is one per process. */
void pg_compute_start(int threads);
int pg_compute_threads(void);

/* Call body(context, part) for part = 0 .. parts-1 on the rank's threads. Parts must write disjoint results. Nested calls run
 * on the calling thread. */
void pg_parallel(int parts, void (*body)(void *context, int part), void *context);

/* In a body: the number of its thread, 0 .. threads-1. It serves only to find private scratch. */
int pg_compute_thread(void);

#endif
