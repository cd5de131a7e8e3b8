/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deadlines; see deadline.h. */
#include "experiments/commands/deadline.h"

#include "core/base/clock.h"
#include "core/formats/number.h"

#include <stdlib.h>
#include <time.h>

/* Seconds until Slurm ends the job; 0 without a job. The variable of an ended job may still be set in a shell. */
static pg_status slurm_seconds(double *seconds, pg_error *err)
{
    const char *text = getenv("SLURM_JOB_END_TIME");
    long long end;
    *seconds = 0;
    if (!text || !text[0]) return PG_OK;
    if (!pg_number_int(text, &end))
        return pg_fail(err, PG_BAD_INPUT, "SLURM_JOB_END_TIME='%s' is not a time in seconds: unset it, or give --deadline",
                       text);
    *seconds = difftime((time_t)end, time(NULL));
    if (*seconds <= 0)
        return pg_fail(err, PG_BAD_INPUT, "SLURM_JOB_END_TIME=%s is in the past: unset it, or give --deadline", text);
    return PG_OK;
}

pg_status pg_deadline_find(int given, double *deadline, pg_error *err)
{
    double seconds = given;
    const pg_status status = seconds > 0 ? PG_OK : slurm_seconds(&seconds, err);
    *deadline = seconds > 0 ? pg_now() + seconds : 0;
    return status;
}
