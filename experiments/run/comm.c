/* The ranks of a run; see comm.h. */
#include "experiments/run/comm.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "experiments/run/signals.h"

#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG_MESSAGE = 1, TAG_SHARE, TAG_GATHER };
enum { COLLECTIVE_SECONDS = 60, AWAIT_SECONDS = 600, UNHEARD_MOST = 1 };

/* Bytes on their way. */
typedef struct parcel {
    struct parcel *next;
    MPI_Request request;
    char bytes[];
} parcel;

struct pg_team_link {
    MPI_Comm comm; /* our own duplicate of the world, which returns its errors */
    parcel *sent;
    pg_process *members;
    cpu_set_t *cores;
};

static pg_status check(int code, const char *what, pg_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length = 0;
    if (code == MPI_SUCCESS) return PG_OK;
    MPI_Error_string(code, text, &length);
    return pg_fail(err, PG_IO_FAULT, "MPI: %s: %s", what, text);
}

/* ---- start and end ---- */

/* Launchers say who we are in the environment: Open MPI, PMIx and PMI ones. */
static bool launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD", NULL};
    for (int i = 0; names[i]; i++)
        if (getenv(names[i])) return true;
    return false;
}

/* Collective calls wait for all ranks, and one that has died never comes. */
static void limit_collective(int exit_code)
{
    pg_limit_seconds(COLLECTIVE_SECONDS, exit_code, "passgrid: a rank is lost; repeat the command to resume\n");
}

pg_status pg_team_start(pg_team *team, pg_error *err)
{
    static pg_process self;
    static cpu_set_t cores;
    pg_status status = PG_OK;
    int given = 0;
    pg_process_self(&self);
    *team = (pg_team){.rank = 0, .size = 1, .members = &self, .cores = &cores};
    if (!launched()) return PG_OK;
    limit_collective(pg_status_exit_code(PG_IO_FAULT));
    PG_TRY(check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given), "start", err));
    (void)!sched_getaffinity(0, sizeof cores, &cores); /* which the start may have set */
    PG_TRY(pg_alloc(1, sizeof *team->link, &team->link, err));
    PG_TRY(check(MPI_Comm_dup(MPI_COMM_WORLD, &team->link->comm), "communicator", err));
    PG_TRY(check(MPI_Comm_set_errhandler(team->link->comm, MPI_ERRORS_RETURN), "error handler", err));
    PG_TRY(check(MPI_Comm_rank(team->link->comm, &team->rank), "rank", err));
    PG_TRY(check(MPI_Comm_size(team->link->comm, &team->size), "size", err));
    PG_TRY(pg_alloc((size_t)team->size, sizeof self, &team->link->members, err));
    PG_TRY(pg_alloc((size_t)team->size, sizeof cores, &team->link->cores, err));
    team->members = team->link->members;
    team->cores = team->link->cores;
    PG_TRY(check(
        MPI_Allgather(&self, (int)sizeof self, MPI_BYTE, team->link->members, (int)sizeof self, MPI_BYTE, team->link->comm),
        "who is there", err));
    PG_TRY(check(
        MPI_Allgather(&cores, (int)sizeof cores, MPI_BYTE, team->link->cores, (int)sizeof cores, MPI_BYTE, team->link->comm),
        "cores", err));
    pg_limit_seconds(0, 0, "");
done:
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

/* Parcels to ranks that live arrive soon; those to dead ranks never do, and are left behind. */
void pg_team_finish(pg_team *team, int exit_code)
{
    if (!team->link) return;
    for (int i = 0; i < 1000 && team->link->sent; i++) {
        sweep(team->link);
        if (team->link->sent) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pg_free(team->link->members);
    pg_free(team->link->cores);
    pg_free(team->link);
    team->link = NULL;
    if (team->incomplete) return;
    limit_collective(exit_code);
    MPI_Finalize();
    pg_limit_seconds(0, 0, "");
}

/* ---- who is there ---- */

int pg_team_workers_here(const pg_team *team)
{
    int workers = 0;
    for (int rank = team->size > 1; rank < team->size; rank++)
        workers += strcmp(team->members[rank].host, team->members[team->rank].host) == 0 &&
                   CPU_EQUAL(&team->cores[rank], &team->cores[team->rank]);
    return workers > 0 ? workers : 1;
}

pg_process_state pg_team_look(const pg_team *team, int rank)
{
    return pg_process_look(&team->members[rank]);
}

/* ---- messages ---- */

static pg_status post(struct pg_team_link *link, int to, int tag, const void *data, size_t bytes, pg_error *err)
{
    pg_status status = PG_OK;
    parcel *one = NULL;
    sweep(link);
    PG_TRY(pg_alloc(1, sizeof *one + bytes, &one, err));
    memcpy(one->bytes, data, bytes);
    PG_TRY(check(MPI_Isend(one->bytes, (int)bytes, MPI_BYTE, to, tag, link->comm, &one->request), "send", err));
    one->next = link->sent;
    link->sent = one;
    one = NULL;
done:
    pg_free(one);
    return status;
}

/* Take what waits from that rank (or any) under that tag, if there is something: `least` to `room` bytes. *got: how many;
 * 0: nothing waits. */
static pg_status take(struct pg_team_link *link, int source, int tag, void *data, size_t least, size_t room, int *from,
                      size_t *got, pg_error *err)
{
    pg_status status = PG_OK;
    MPI_Status envelope;
    int there = 0, bytes = 0;
    *got = 0;
    sweep(link);
    PG_TRY(check(MPI_Iprobe(source, tag, link->comm, &there, &envelope), "probe", err));
    if (!there) goto done;
    PG_TRY(check(MPI_Get_count(&envelope, MPI_BYTE, &bytes), "size of a message", err));
    if (bytes < 0 || (size_t)bytes < least || (size_t)bytes > room)
        PG_TRY(pg_fail(err, PG_IO_FAULT, "MPI: a message of %d bytes", bytes));
    *from = envelope.MPI_SOURCE;
    PG_TRY(check(MPI_Recv(data, bytes, MPI_BYTE, *from, tag, link->comm, MPI_STATUS_IGNORE), "receive", err));
    *got = (size_t)bytes;
done:
    return status;
}

pg_status pg_team_send(pg_team *team, int to, const pg_message *message, pg_error *err)
{
    return post(team->link, to, TAG_MESSAGE, message, offsetof(pg_message, text) + strlen(message->text) + 1, err);
}

pg_status pg_team_poll(pg_team *team, pg_message *message, bool *got, pg_error *err)
{
    int from = 0;
    size_t bytes;
    const pg_status status = take(team->link, MPI_ANY_SOURCE, TAG_MESSAGE, message, offsetof(pg_message, text) + 1,
                                  sizeof *message, &from, &bytes, err);
    *got = bytes > 0;
    if (!*got) return status;
    message->from = from;
    message->text[bytes - offsetof(pg_message, text) - 1] = 0;
    return status;
}

/* Wait for data of a rank; PG_IO_FAULT when its process has ended, or, since that cannot be seen of another host's, when it is
 * silent for longer than reading the data sets may take. */
static pg_status await(pg_team *team, int rank, int tag, void *data, size_t bytes, pg_error *err)
{
    pg_listening listening = {0};
    double looked = pg_now();
    for (int idle = 0;; pg_idle_sleep(&idle)) {
        int from;
        size_t got;
        const double now = pg_now(), silence = pg_listened(&listening, now, UNHEARD_MOST);
        const bool ended = now - looked > 1 && pg_team_look(team, rank) == PG_PROCESS_ENDED;
        const pg_status status =
            take(team->link, rank, tag, data, bytes, bytes, &from, &got, err); /* its last words, if it ended */
        if (status != PG_OK || got) return status;
        if (ended) return pg_fail(err, PG_IO_FAULT, "rank %d is lost", rank);
        if (silence > AWAIT_SECONDS)
            return pg_fail(err, PG_IO_FAULT, "rank %d on %s has said nothing for %d minutes; repeat the command to resume",
                           rank, team->members[rank].host, AWAIT_SECONDS / 60);
        if (now - looked > 1) looked = now;
    }
}

pg_status pg_team_share(pg_team *team, void *data, size_t bytes, pg_error *err)
{
    pg_status status = PG_OK;
    if (team->rank > 0) status = await(team, 0, TAG_SHARE, data, bytes, err);
    for (int rank = 1; team->rank == 0 && rank < team->size && status == PG_OK; rank++)
        status = post(team->link, rank, TAG_SHARE, data, bytes, err);
    team->incomplete |= status != PG_OK;
    return status;
}

pg_status pg_team_gather(pg_team *team, const void *mine, size_t bytes, void *all, pg_error *err)
{
    if (team->rank > 0) return post(team->link, 0, TAG_GATHER, mine, bytes, err);
    memset(all, 0, bytes * (size_t)team->size);
    memcpy(all, mine, bytes);
    for (int rank = 1; rank < team->size; rank++) {
        const pg_status status = await(team, rank, TAG_GATHER, (char *)all + (size_t)rank * bytes, bytes, err);
        team->incomplete |= status != PG_OK;
        if (status != PG_OK && pg_team_look(team, rank) != PG_PROCESS_ENDED) return status;
    }
    return PG_OK;
}

const char *pg_team_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = 0;
    return text;
}
