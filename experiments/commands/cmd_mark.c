/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid mark: embeds an owner's evidence into a trained network. */
#include "experiments/commands/commands.h"

#include "core/compute/parallel.h"
#include "core/data/readers.h"
#include "experiments/grid/data_entry.h"
#include "experiments/run/provenance.h"
#include "experiments/run/signals.h"
#include "experiments/work/embed.h"

#include <math.h>
#include <string.h>

typedef struct recipe {
    int epochs;
    double lr;
} recipe;

static const pg_option recipe_options[] = {
    PG_SGD_EPOCHS(recipe, epochs, "10", "the training set"),
    PG_SGD_RATE(recipe, lr, "0.01", "highest learning rate; it rises, then falls to zero"),
    {0},
};

typedef struct arguments {
    pg_embedding order;
    int scheme; /* index into embeddable() */
    pg_cli_list sets;
    recipe recipe;
    const char *data; /* see pg_data_entry_read */
    int seed, threads;
} arguments;
static const arguments defaults = {.order.statement = "", .seed = 1};

/* The schemes whose evidence can be bound and embedded into a trained network. */
static const char *const *embeddable(void)
{
    enum { MOST = 63 };
    static const char *names[MOST + 1];
    int count = 0;
    for (int i = 0; pg_schemes[i] && count < MOST; i++)
        if (pg_schemes[i]->embed.key && pg_schemes[i]->bound[0].key) names[count++] = pg_schemes[i]->name;
    names[count] = NULL;
    return names;
}

static const pg_cli_row rows[] = {
    PG_CLI_FILE(arguments, order.secret, "secret", "FILE", "the owner's secret, made by `passgrid secret new`",
                .required = true),
    PG_CLI_CHOICE(arguments, scheme, "scheme", "NAME", "scheme of the mark, one whose evidence can be bound to a secret",
                  .required = true, .names = embeddable),
    PG_CLI_FILE(arguments, order.model, "model", "FILE", "the trained network, in safetensors", .required = true),
    PG_CLI_FILE(arguments, order.out, "out", "FILE", "new file for the marked network", .required = true, .written = true),
    PG_CLI_FILE(arguments, order.evidence, "evidence", "FILE", "new file for the evidence, which only its owner can read",
                .required = true, .written = true),
    PG_CLI_TEXT(arguments, order.statement, "statement", "TEXT",
                "text in the evidence that names the owner; the judge shows it"),
    PG_CLI_HEADING("The data to train on:"),
    PG_CLI_TEXT(arguments, data, "data", "NAME", "data set, or '{name: NAME, path: DIR}' with the keys of a grid",
                .fallback = "the one that the model file names", .names = pg_data_kind_names),
    PG_CLI_FOLDER(arguments, order.data_directory, "dir", "DIR", "where the data sets are", .fallback = PG_CLI_DATA),
    PG_CLI_INT(arguments, order.train, "train", "N", 1, 1000000000, "use only N training images", .fallback = "all"),
    PG_CLI_INT(arguments, order.test, "test", "N", 1, 1000000000, "use only N test images", .fallback = "all"),
    PG_CLI_HEADING("The recipe:"),
    PG_CLI_KEYS(arguments, recipe, recipe_options),
    PG_CLI_LIST(arguments, sets, "set", "KEY=VALUE",
                "another option of the scheme, such as bits=512, or of training, such as train.flip=false; may be repeated"),
    PG_CLI_INT(arguments, seed, "seed", "N", 0, 2147483647, "seed of the order of the images"),
    PG_CLI_INT(arguments, threads, "threads", "N", 1, 1024, "threads", .fallback = "one for each core"),
    {0},
};

/* ---- callbacks ---- */

static bool stop(void *context)
{
    (void)context;
    return pg_signals_caught() != 0;
}

/* A line for every epoch that has ended. */
static void report(void *context, const pg_task_progress *now)
{
    int *shown = context;
    const int ended = (int)(now->done * now->epochs + 1e-9);
    if (ended <= *shown || isnan(now->accuracy)) return;
    *shown = ended;
    fprintf(stderr, "passgrid mark: epoch %d of %d, accuracy %.2f %%\n", ended, now->epochs, now->accuracy);
}

static void note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "passgrid mark: %s\n", text);
}

/* ---- the command ---- */

static int print_result(const pg_embedding *order, const pg_embedded *done)
{
    printf("network   %s\nevidence  %s\n", order->out, order->evidence);
    printf("accuracy  %.2f %%, before: %.2f %%\n", done->after, done->before);
    printf("proof     %.1f bits, needed: %g\n", done->proof, done->needed);
    return done->proves
               ? 0
               : pg_complain("mark", PG_FAILED, "the evidence does not prove: remove both files and train longer (--epochs)");
}

static int run(int argc, char **argv)
{
    arguments a;
    pg_embedded done;
    pg_error err;
    pg_rank_facts here = {.threads = 0};
    int code, shown = 0;
    const pg_workplace at = {.stop = stop, .report = report, .note = note, .context = &shown, .checkpoint_seconds = 60};
    if (!pg_cli_parse(&pg_cmd_mark, argc, argv, &a, &code)) return code;
    if (a.data && pg_data_entry_read(a.data, &a.order.data, &err) != PG_OK)
        return pg_complain("mark", err.status, "%s", err.message);
    a.order.scheme = pg_scheme_find(embeddable()[a.scheme]);
    a.order.sets = a.sets.words;
    a.order.set_count = a.sets.count;
    a.order.epochs = a.recipe.epochs;
    a.order.lr = a.recipe.lr;
    a.order.seed = (uint64_t)a.seed;
    pg_rank_describe(&here, 1);
    pg_signals_catch();
    pg_compute_start(a.threads ? a.threads : here.threads);
    const pg_status status = pg_embed(&a.order, &at, &done, &err);
    if (status == PG_INTERRUPTED) pg_error_context(&err, "repeat the command to continue");
    return status == PG_OK ? print_result(&a.order, &done) : pg_complain("mark", status, "%s", err.message);
}

const pg_command pg_cmd_mark = {
    .name = "mark",
    .summary = "embed evidence into a trained network",
    .usage = "passgrid mark --secret FILE --scheme NAME --model FILE\n    --out FILE --evidence FILE [options]",
    .about = "Continue to train a network so that it carries a mark that follows from the owner's secret, then write the "
             "marked network and the evidence. The network must be an ordinary one, without passport layers. Both files appear "
             "only when all is done. Ctrl-C and SIGTERM save the state in the folder OUT.work; the same command continues "
             "from it.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 the network and the evidence are written, and the evidence proves\n"
             "1 they are written, but the evidence does not prove; or training diverged\n2 bad usage or input\n"
             "3 input/output fault\n75 interrupted, with everything saved; repeat the command",
    .examples = "  passgrid mark --secret MINE --scheme uchida --statement 'Alice, 2026' \\\n"
                "      --model M.safetensors --data cifar10 \\\n"
                "      --out M2.safetensors --evidence M2.evidence\n",
    .run = run,
};
