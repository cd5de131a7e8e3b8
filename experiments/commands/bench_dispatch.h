/* Throughput of the dispatch, for `passgrid bench dispatch`. */
#ifndef PG_COMMANDS_BENCH_DISPATCH_H
#define PG_COMMANDS_BENCH_DISPATCH_H

/* Arguments from the word "dispatch" on; the exit code. Every rank of mpirun calls it. */
int pg_bench_dispatch(int argc, char **argv);

#endif
