/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ranks of a run; see comm.h. */
#include "experiments/run/comm.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "experiments/run/launch.h"
#include "experiments/run/signals.h"

#include <mpi.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum { TAG_MESSAGE = 1, TAG_SHARE, TAG_GATHER };
enum { COLLECTIVE_SECONDS = 60, AWAIT_SECONDS = 600, UNHEARD_MOST = 1 };

/* A message that MPI is still sending, and its bytes. */
typedef struct outgoing {
    struct outgoing *next;
    MPI_Request request;
    char bytes[];
} outgoing;

struct pg_comm_link {
    MPI_Comm mpi; /* our own duplicate of MPI_COMM_WORLD; its calls return errors */
    outgoing *sent;
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

/* A collective call waits for every rank; if one has died, it would wait for ever. Many ranks take longer to start. */
static void limit_collective(int ranks, int exit_code)
{
    pg_limit_seconds(COLLECTIVE_SECONDS + ranks / 2, exit_code, pg_launch_advice());
}

pg_status pg_comm_start(pg_comm *comm, pg_error *err)
{
    static pg_process self;
    static cpu_set_t cores;
    pg_status status = PG_OK;
    pg_launch launch;
    int given = 0;
    pg_process_self(&self);
    *comm = (pg_comm){.rank = 0, .size = 1, .members = &self, .cores = &cores};
    PG_TRY(pg_launch_find(&launch, err));
    if (!launch.together) return PG_OK;
    limit_collective(launch.size, pg_status_exit_code(PG_IO_FAULT));
    PG_TRY(check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given), "start", err));
    (void)!sched_getaffinity(0, sizeof cores, &cores); /* after MPI_Init_thread, which may bind the process */
    PG_TRY(pg_alloc(1, sizeof *comm->link, &comm->link, err));
    PG_TRY(check(MPI_Comm_dup(MPI_COMM_WORLD, &comm->link->mpi), "communicator", err));
    PG_TRY(check(MPI_Comm_set_errhandler(comm->link->mpi, MPI_ERRORS_RETURN), "error handler", err));
    PG_TRY(check(MPI_Comm_rank(comm->link->mpi, &comm->rank), "rank", err));
    PG_TRY(check(MPI_Comm_size(comm->link->mpi, &comm->size), "size", err));
    PG_TRY(pg_alloc((size_t)comm->size, sizeof self, &comm->link->members, err));
    PG_TRY(pg_alloc((size_t)comm->size, sizeof cores, &comm->link->cores, err));
    comm->members = comm->link->members;
    comm->cores = comm->link->cores;
    PG_TRY(check(
        MPI_Allgather(&self, (int)sizeof self, MPI_BYTE, comm->link->members, (int)sizeof self, MPI_BYTE, comm->link->mpi),
        "processes of the ranks", err));
    PG_TRY(check(
        MPI_Allgather(&cores, (int)sizeof cores, MPI_BYTE, comm->link->cores, (int)sizeof cores, MPI_BYTE, comm->link->mpi),
        "cores", err));
    pg_limit_seconds(0, 0, "");
done:
    return status;
}

/* Release the messages that have been sent. */
static void sweep(struct pg_comm_link *link)
{
    for (outgoing **at = &link->sent; *at;) {
        outgoing *one = *at;
        int arrived = 0;
        if (MPI_Test(&one->request, &arrived, MPI_STATUS_IGNORE) == MPI_SUCCESS && !arrived) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        pg_free(one);
    }
}

/* Messages to ranks that run are sent soon. Those to dead ranks never are, so this leaks them. */
void pg_comm_finish(pg_comm *comm, int exit_code)
{
    if (!comm->link) return;
    for (int i = 0; i < 1000 && comm->link->sent; i++) {
        sweep(comm->link);
        if (comm->link->sent) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pg_free(comm->link->members);
    pg_free(comm->link->cores);
    pg_free(comm->link);
    comm->link = NULL;
    if (comm->incomplete) return;
    limit_collective(comm->size, exit_code);
    MPI_Finalize();
    pg_limit_seconds(0, 0, "");
}

/* ---- members ---- */

int pg_comm_workers_here(const pg_comm *comm)
{
    int workers = 0;
    for (int rank = comm->size > 1; rank < comm->size; rank++)
        workers += strcmp(comm->members[rank].host, comm->members[comm->rank].host) == 0 &&
                   CPU_EQUAL(&comm->cores[rank], &comm->cores[comm->rank]);
    return workers > 0 ? workers : 1;
}

pg_process_state pg_comm_look(const pg_comm *comm, int rank)
{
    return pg_process_look(&comm->members[rank]);
}

/* ---- messages ---- */

static pg_status post(struct pg_comm_link *link, int to, int tag, const void *data, size_t bytes, pg_error *err)
{
    pg_status status = PG_OK;
    outgoing *one = NULL;
    sweep(link);
    PG_TRY(pg_alloc(1, sizeof *one + bytes, &one, err));
    memcpy(one->bytes, data, bytes);
    PG_TRY(check(MPI_Isend(one->bytes, (int)bytes, MPI_BYTE, to, tag, link->mpi, &one->request), "send", err));
    one->next = link->sent;
    link->sent = one;
    one = NULL;
done:
    pg_free(one);
    return status;
}

/* Receive the next message of `least` to `room` bytes with this tag from rank `source` (or any), without waiting. *got is its
 * size; 0: none has come. */
static pg_status take(struct pg_comm_link *link, int source, int tag, void *data, size_t least, size_t room, int *from,
                      size_t *got, pg_error *err)
{
    pg_status status = PG_OK;
    MPI_Status envelope;
    int there = 0, bytes = 0;
    *got = 0;
    sweep(link);
    PG_TRY(check(MPI_Iprobe(source, tag, link->mpi, &there, &envelope), "probe", err));
    if (!there) goto done;
    PG_TRY(check(MPI_Get_count(&envelope, MPI_BYTE, &bytes), "size of a message", err));
    if (bytes < 0 || (size_t)bytes < least || (size_t)bytes > room)
        PG_TRY(pg_fail(err, PG_BAD_INPUT,
                       "rank %d sent a message of %d bytes, which this version does not know: start the same version on every "
                       "host",
                       envelope.MPI_SOURCE, bytes));
    *from = envelope.MPI_SOURCE;
    PG_TRY(check(MPI_Recv(data, bytes, MPI_BYTE, *from, tag, link->mpi, MPI_STATUS_IGNORE), "receive", err));
    *got = (size_t)bytes;
done:
    return status;
}

pg_status pg_comm_send(pg_comm *comm, int to, const pg_message *message, pg_error *err)
{
    return post(comm->link, to, TAG_MESSAGE, message, offsetof(pg_message, text) + strlen(message->text) + 1, err);
}

pg_status pg_comm_poll(pg_comm *comm, pg_message *message, bool *got, pg_error *err)
{
    int from = 0;
    size_t bytes;
    const pg_status status = take(comm->link, MPI_ANY_SOURCE, TAG_MESSAGE, message, offsetof(pg_message, text) + 1,
                                  sizeof *message, &from, &bytes, err);
    *got = bytes > 0;
    if (!*got) return status;
    message->from = from;
    message->text[bytes - offsetof(pg_message, text) - 1] = 0;
    return status;
}

/* Wait for data from a rank. PG_IO_FAULT if its process has ended. The process of another host is invisible, so a rank counts
 * as lost if it sends nothing for longer than reading the data sets may take. */
static pg_status await(pg_comm *comm, int rank, int tag, void *data, size_t bytes, pg_error *err)
{
    pg_listening listening = {0};
    double looked = pg_now();
    for (int idle = 0;; pg_idle_sleep(&idle)) {
        int from;
        size_t got;
        const double now = pg_now(), silence = pg_listened(&listening, now, UNHEARD_MOST);
        const bool ended = now - looked > 1 && pg_comm_look(comm, rank) == PG_PROCESS_ENDED;
        const pg_status status =
            take(comm->link, rank, tag, data, bytes, bytes, &from, &got, err); /* it may have sent the data before it ended */
        if (status != PG_OK || got) return status;
        if (ended) return pg_fail(err, PG_IO_FAULT, "rank %d is lost", rank);
        if (silence > AWAIT_SECONDS)
            return pg_fail(err, PG_IO_FAULT, "rank %d on %s has sent nothing for %d minutes; repeat the command to resume",
                           rank, comm->members[rank].host, AWAIT_SECONDS / 60);
        if (now - looked > 1) looked = now;
    }
}

pg_status pg_comm_broadcast(pg_comm *comm, void *data, size_t bytes, pg_error *err)
{
    pg_status status = PG_OK;
    if (comm->rank > 0) status = await(comm, 0, TAG_SHARE, data, bytes, err);
    for (int rank = 1; comm->rank == 0 && rank < comm->size && status == PG_OK; rank++)
        status = post(comm->link, rank, TAG_SHARE, data, bytes, err);
    comm->incomplete |= status != PG_OK;
    return status;
}

pg_status pg_comm_gather(pg_comm *comm, const void *mine, size_t bytes, void *all, pg_error *err)
{
    if (comm->rank > 0) return post(comm->link, 0, TAG_GATHER, mine, bytes, err);
    memset(all, 0, bytes * (size_t)comm->size);
    memcpy(all, mine, bytes);
    for (int rank = 1; rank < comm->size; rank++) {
        const pg_status status = await(comm, rank, TAG_GATHER, (char *)all + (size_t)rank * bytes, bytes, err);
        comm->incomplete |= status != PG_OK;
        if (status != PG_OK && pg_comm_look(comm, rank) != PG_PROCESS_ENDED) return status;
    }
    return PG_OK;
}

const char *pg_comm_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = 0;
    return text;
}
