/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress of a task, reported by the rank that runs it. */
#ifndef PG_WORK_PROGRESS_H
#define PG_WORK_PROGRESS_H

typedef struct pg_task_progress {
    double done;       /* fraction of the task */
    double images;     /* processed by training, including before a resume; 0 if the task does not count them */
    int epoch, epochs; /* of training: current one, from 1; all; 0 for other tasks */
    double accuracy;   /* percent, on the test images after the latest epoch; NaN: not measured yet */
} pg_task_progress;

#endif
