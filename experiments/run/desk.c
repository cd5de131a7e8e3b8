/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Progress as a rank knows it; see desk.h. */
#include "experiments/run/desk.h"

#include <fcntl.h>
#include <math.h>
#include <sys/resource.h>
#include <unistd.h>

/* Make Linux forget the peak of this process. Where that is forbidden, the peak stays that of all its tasks so far. */
static void forget_peak(void)
{
    const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    (void)!write(fd, "5", 1); /* 5: set the peak to the present size */
    close(fd);
}

/* Most bytes that were resident at once. */
static double peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * (double)usage.ru_maxrss : 0;
}

void pg_desk_begin(pg_task_progress *p)
{
    *p = (pg_task_progress){.loss = NAN, .accuracy = NAN, .saved = NAN};
    forget_peak();
}

/* The first report of a task is about the checkpoint from which it resumes. */
void pg_desk_report(pg_task_progress *p, const pg_task_progress *report)
{
    const double saved = isnan(p->saved) ? report->done : p->saved;
    *p = *report;
    p->saved = saved;
    p->memory = peak();
}

void pg_desk_saved(pg_task_progress *p)
{
    p->saved = p->done;
}

void pg_desk_end(pg_task_progress *p)
{
    p->memory = peak();
}
