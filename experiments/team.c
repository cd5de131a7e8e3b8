/* The ranks of a run; see team.h. */
#include "experiments/team.h"

#include "core/base/memory.h"

#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG = 1 };

/* A message on its way. */
typedef struct parcel {
    struct parcel *next;
    MPI_Request request;
    pg_message message;
} parcel;

struct pg_team_link {
    MPI_Comm comm; /* our own duplicate of the world, which returns its errors */
    parcel *sent;
};

static pg_status check(int code, const char *what, pg_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length = 0;
    if (code == MPI_SUCCESS) return PG_OK;
    MPI_Error_string(code, text, &length);
    return pg_fail(err, PG_IO_FAULT, "MPI: %s: %s", what, text);
}

/* Launchers say who we are in the environment: Open MPI, PMIx and PMI ones. */
static bool launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD", NULL};
    for (int i = 0; names[i]; i++)
        if (getenv(names[i])) return true;
    return false;
}

pg_status pg_team_start(pg_team *team, pg_error *err)
{
    pg_status status = PG_OK;
    int given = 0;
    *team = (pg_team){.rank = 0, .size = 1};
    if (!launched()) return PG_OK;
    PG_TRY(check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given), "start", err));
    PG_TRY(pg_alloc(1, sizeof *team->link, &team->link, err));
    PG_TRY(check(MPI_Comm_dup(MPI_COMM_WORLD, &team->link->comm), "communicator", err));
    PG_TRY(check(MPI_Comm_set_errhandler(team->link->comm, MPI_ERRORS_RETURN), "error handler", err));
    PG_TRY(check(MPI_Comm_rank(team->link->comm, &team->rank), "rank", err));
    PG_TRY(check(MPI_Comm_size(team->link->comm, &team->size), "size", err));
done:
    return status;
}

pg_status pg_team_share(pg_team *team, void *data, size_t bytes, pg_error *err)
{
    return team->link ? check(MPI_Bcast(data, (int)bytes, MPI_BYTE, 0, team->link->comm), "broadcast", err) : PG_OK;
}

pg_status pg_team_gather(pg_team *team, const void *mine, size_t bytes, void *all, pg_error *err)
{
    if (team->link)
        return check(MPI_Gather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, 0, team->link->comm), "gather", err);
    memcpy(all, mine, bytes);
    return PG_OK;
}

pg_status pg_team_workers_here(pg_team *team, int *workers, pg_error *err)
{
    pg_status status = PG_OK;
    MPI_Comm host = MPI_COMM_NULL;
    int works = team->rank > 0 || team->size == 1;
    *workers = 1;
    if (!team->link) return PG_OK;
    PG_TRY(check(MPI_Comm_split_type(team->link->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host), "ranks of a host", err));
    PG_TRY(check(MPI_Allreduce(&works, workers, 1, MPI_INT, MPI_SUM, host), "ranks of a host", err));
done:
    if (host != MPI_COMM_NULL) MPI_Comm_free(&host);
    return status;
}

/* Release parcels that have arrived. */
static void sweep(struct pg_team_link *link)
{
    for (parcel **at = &link->sent; *at;) {
        parcel *one = *at;
        int arrived = 0;
        if (MPI_Test(&one->request, &arrived, MPI_STATUS_IGNORE) == MPI_SUCCESS && !arrived) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        pg_free(one);
    }
}

pg_status pg_team_send(pg_team *team, int to, const pg_message *message, pg_error *err)
{
    pg_status status = PG_OK;
    parcel *one = NULL;
    const size_t bytes = offsetof(pg_message, text) + strlen(message->text) + 1;
    sweep(team->link);
    PG_TRY(pg_alloc(1, offsetof(parcel, message) + bytes, &one, err));
    memcpy(&one->message, message, bytes);
    PG_TRY(check(MPI_Isend(&one->message, (int)bytes, MPI_BYTE, to, TAG, team->link->comm, &one->request), "send", err));
    one->next = team->link->sent;
    team->link->sent = one;
    one = NULL;
done:
    pg_free(one);
    return status;
}

pg_status pg_team_poll(pg_team *team, pg_message *message, bool *got, pg_error *err)
{
    pg_status status = PG_OK;
    MPI_Status envelope;
    int there = 0, bytes = 0;
    *got = false;
    sweep(team->link);
    PG_TRY(check(MPI_Iprobe(MPI_ANY_SOURCE, TAG, team->link->comm, &there, &envelope), "probe", err));
    if (!there) goto done;
    PG_TRY(check(MPI_Get_count(&envelope, MPI_BYTE, &bytes), "size of a message", err));
    if (bytes > (int)sizeof *message) PG_TRY(pg_fail(err, PG_IO_FAULT, "MPI: a message of %d bytes", bytes));
    PG_TRY(check(MPI_Recv(message, bytes, MPI_BYTE, envelope.MPI_SOURCE, TAG, team->link->comm, MPI_STATUS_IGNORE), "receive",
                 err));
    message->from = envelope.MPI_SOURCE;
    *got = true;
done:
    return status;
}

/* Parcels to ranks that live arrive soon; those to dead ranks never do, and are left behind. */
void pg_team_finish(pg_team *team)
{
    if (!team->link) return;
    for (int i = 0; i < 1000 && team->link->sent; i++) {
        sweep(team->link);
        if (team->link->sent) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pg_free(team->link);
    team->link = NULL;
    MPI_Finalize();
}

const char *pg_team_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = 0;
    return text;
}
