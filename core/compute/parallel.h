/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threads of a rank.
 *
 * BLIS does not promise equal bits for different numbers of threads, so its own threads stay unused: the callers cut the work
 * into parts that depend on the shapes alone, and each part runs on one thread. */
#ifndef PG_COMPUTE_PARALLEL_H
#define PG_COMPUTE_PARALLEL_H

/* Start BLIS and set the number of threads (>= 1) of later calls of pg_parallel in this process. Call it before anything else
 * in core/compute; call it again to change the number. */
void pg_compute_start(int threads);
int pg_compute_threads(void);

/* Call body(context, part) for part = 0 .. parts-1 on the rank's threads. Parts must write disjoint results. Nested calls run
 * on the calling thread. */
void pg_parallel(int parts, void (*body)(void *context, int part), void *context);

/* A tally of pg_parallel: calls with two parts or more, seconds of processor time in the bodies of their parts, and the seconds
 * that these calls would take with 2, 4, 8 and 16 threads, each of which takes the next part when it ends one. It does not
 * count copying, waking and waiting for threads, nor the time that threads cost each other in caches and memory. */
enum { PG_TALLY_WIDTHS = 4 };
extern const int pg_tally_threads[PG_TALLY_WIDTHS];
typedef struct pg_tally {
    long calls;
    double seconds, spread[PG_TALLY_WIDTHS];
} pg_tally;

/* From now on add to *tally, which the caller owns; NULL: stop counting. The number of threads must be one. */
void pg_parallel_tally(pg_tally *tally);

/* In a body: the number of its thread, 0 .. threads-1. It serves only to find private scratch. */
int pg_compute_thread(void);

#endif
