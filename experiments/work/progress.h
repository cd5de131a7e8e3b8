/* How far a task is, as the rank that runs it tells. */
#ifndef PG_WORK_PROGRESS_H
#define PG_WORK_PROGRESS_H

typedef struct pg_task_progress {
    double done;       /* share of the task */
    double images;     /* that training processed, those before a resume included; 0 for tasks that do not count them */
    int epoch, epochs; /* of training: the one under way, from 1, and all; 0 for other tasks */
    double accuracy;   /* percent, on the test images after the latest epoch; NaN: not measured yet */
} pg_task_progress;

#endif
