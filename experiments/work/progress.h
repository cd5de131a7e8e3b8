/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress of a task, reported by the rank that runs it. */
#ifndef PG_WORK_PROGRESS_H
#define PG_WORK_PROGRESS_H

typedef struct pg_task_progress {
    double done;           /* fraction of the task */
    double images;         /* processed by training, including before a resume; 0 if the task does not count them */
    int epoch, epochs;     /* of training: current one, from 1; all; 0 for other tasks */
    int judged;            /* epochs that have ended and were judged */
    double loss, accuracy; /* of the latest of these: mean over training, in nats; percent of test images; NaN: none yet */
    double saved;          /* fraction that is in the newest checkpoint; set by the rank, as is memory */
    double memory;         /* most bytes of the rank's process while it ran the task, so far */
} pg_task_progress;

#endif
