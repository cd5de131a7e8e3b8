/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Published numbers beside made-up results: which results are compared with which numbers, and the verdicts. */
#include "attacks/attack.h"
#include "core/base/memory.h"
#include "core/ownership/passport_scheme.h"
#include "experiments/report/compare.h"
#include "experiments/report/paper.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define NUMBER_HEAD "id,what,data,network,norm,scheme,attack,parameters,metric,relation,value,unit,source,strength,check\n"
#define CHECK_HEAD                                                                                                             \
    "id,what,data,network,norm,scheme,attack,parameters,metric,relation,than_scheme,than_attack,than_parameters,than_metric,"  \
    "offset\n"

static void write_text(const char *name, const char *text)
{
    OK(pg_file_write(path_of(name), text, strlen(text), PG_FILE_PUBLIC, &err));
}

/* ---- made-up results -------------------------------------------------------------------------------------------------- */

static pg_result items[32];
static pg_results results = {.name = "made", .label = "made up", .items = items};

static pg_result *add_result(const char *network, const char *scheme, const char *parameters, const char *attack,
                             const char *attack_parameters)
{
    pg_result *r = &items[results.count++];
    results.expected = results.count;
    r->labels = (pg_task_labels){.data = "cifar10",
                                 .network = network,
                                 .norm = "bn",
                                 .scheme = scheme,
                                 .scheme_parameters = listed(parameters),
                                 .training = listed("epochs=200 lr=0.01"),
                                 .attack = attack,
                                 .parameters = listed(attack_parameters)};
    return r;
}

static void add_cell(pg_result *r, const char *outcome, const char *metric, double value)
{
    OK(pg_record_add(&r->record, outcome, metric, value, "%", &err));
}

/* V1 at full scale (two seeds) and on half of the width, its forgeries and removals; V2 after two epochs. */
static void make_results(void)
{
    for (int seed = 0; seed < 2; seed++) {
        pg_result *full = add_result("alexnet", "v1", "passport=shuffle layers=default", "", "");
        add_cell(full, "", "accuracy", 89 + seed);
        add_cell(full, "epoch=1", "accuracy", 30);
        add_cell(full, "epoch=1", "train_loss", 1.5);
    }
    pg_result *half = add_result("alexnet x0.5", "v1", "passport=shuffle layers=default", "", "");
    add_cell(half, "", "accuracy", 70);
    pg_result *fake1 =
        add_result("alexnet x0.5", "v1", "passport=shuffle layers=default", "fake1", "passport=random repeats=2");
    add_cell(fake1, "genuine", "accuracy", 70);
    add_cell(fake1, "repeat=1", "accuracy", 10);
    add_cell(fake1, "repeat=2", "accuracy", 37);
    pg_result *prune = add_result("alexnet", "v1", "passport=shuffle layers=default", "prune", "levels=[50, 90]");
    add_cell(prune, "level=50", "accuracy", 80);
    add_cell(prune, "level=90", "accuracy", 20);
    pg_result *moved = add_result("resnet9", "v1", "passport=shuffle layers=default", "finetune", "data=mnist epochs=100");
    add_cell(moved, "", "detection", 99);
    pg_result *own = add_result("alexnet", "v1", "passport=shuffle layers=default", "finetune", "data='' epochs=50");
    add_cell(own, "", "detection", 42);
    pg_result *again = add_result("resnet9", "v1", "passport=shuffle layers=default", "finetune", "data=cifar10 epochs=100");
    add_cell(again, "", "detection", 43);
    add_cell(add_result("resnet9", "v1", "passport=shuffle layers=default", "", ""), "", "accuracy", 80);
    add_cell(add_result("alexnet x0.25", "v3", "", "", ""), "", "accuracy", 11);
    add_cell(add_result("alexnet x0.25", "v3", "", "prune", "levels=[50]"), "level=50", "accuracy", 10);
    for (int attack = 0; attack < 2; attack++) {
        pg_result *brief = add_result("alexnet", "v2", "", attack ? "finetune" : "", attack ? "data='' epochs=5" : "");
        brief->labels.training = listed("epochs=2 lr=0.01");
        add_cell(brief, "", "accuracy", 38);
    }
}

static void clear_results(void)
{
    for (int i = 0; i < results.count; i++) pg_record_clear(&items[i].record);
    memset(items, 0, sizeof items);
    results.count = 0;
    forget_parameters();
}

/* ---- comparing -------------------------------------------------------------------------------------------------------- */

static void (*makes)(void) = make_results;
static pg_table numbers, checks;
static int counts[PG_VERDICTS];

static int compare_with(const char *check_rows, const char *number_rows)
{
    char text[4096];
    pg_published *published = NULL;
    pg_summary summary = {0};
    snprintf(text, sizeof text, "%s%s", CHECK_HEAD, check_rows);
    write_text("checks.csv", text);
    snprintf(text, sizeof text, "%s%s", NUMBER_HEAD, number_rows);
    write_text("a.csv", text);
    OK(pg_published_read(folder(), &published, &err));
    makes();
    OK(pg_summary_open(&summary, &results, &err));
    OK(pg_compare(published, &summary, &numbers, &checks, counts, &err));
    pg_summary_close(&summary);
    pg_published_destroy(&published);
    clear_results();
    return numbers.row_count;
}

static void forget(void)
{
    pg_table_clear(&numbers);
    pg_table_clear(&checks);
}

static int column_of(const pg_table *table, const char *name)
{
    for (int c = 0; c < table->column_count; c++)
        if (strcmp(table->columns[c].name, name) == 0) return c;
    fail_msg("no column %s", name);
    return -1;
}

static const char *text_at(pg_table *table, int row, const char *column)
{
    return pg_table_text(table, row, column_of(table, column));
}

static void assert_value(pg_table *table, int row, const char *column, int count, double mean)
{
    const pg_sample *s = &pg_table_at(table, row, column_of(table, column))->sample;
    double sum = 0;
    assert_int_equal(s->count, count);
    for (int i = 0; i < count; i++) sum += pg_sample_values(s)[i];
    if (fabs(sum / count - mean) > 1e-12) fail_msg("row %d, %s: %g is not %g", row, column, sum / count, mean);
}

TEST(a_published_number_stands_beside_results_of_full_scale)
{
    assert_int_equal(compare_with("", "near,,cifar10,alexnet,bn,v1,,passport=shuffle,accuracy,=,91,%,s,printed,\n"
                                      "far,,cifar10,alexnet,bn,v1,,,accuracy,=,95,%,s,printed,\n"
                                      "loss,,,alexnet,,v1,,epoch=1,train_loss,=,1.6,nats,s,log,\n"
                                      "level,,,,,v1,prune,level=90,accuracy,>=,20,%,s,log,\n"),
                     6);
    /* the whole-width network alone, seeds together, without the value of an epoch */
    assert_string_equal(text_at(&numbers, 0, "number"), "near");
    assert_value(&numbers, 0, "ours", 2, 89.5);
    assert_value(&numbers, 0, "published", 1, 91);
    assert_value(&numbers, 0, "difference", 1, -1.5);
    assert_string_equal(text_at(&numbers, 0, "scale"), "full");
    assert_string_equal(text_at(&numbers, 0, "verdict"), "reproduced");
    /* the same for the network of half the width, which is never reproduced */
    assert_value(&numbers, 1, "ours", 1, 70);
    assert_string_equal(text_at(&numbers, 1, "scale"), "reduced");
    assert_string_equal(text_at(&numbers, 1, "verdict"), "not comparable at this scale");
    forget();
}

/* If a number names epochs, they are its full scale. An attack's epochs are not its victim's. */
TEST(the_scale_of_a_number_is_its_own_epochs)
{
    assert_int_equal(compare_with("", "named,,cifar10,alexnet,bn,v2,,epochs=2,accuracy,=,39,%,s,measured,\n"
                                      "unnamed,,cifar10,alexnet,bn,v2,,,accuracy,=,39,%,s,printed,\n"
                                      "victim,,cifar10,alexnet,bn,v2,finetune,epochs=5,accuracy,=,39,%,s,printed,\n"
                                      "attack,,cifar10,alexnet,bn,v1,finetune,epochs=50,detection,=,42,%,s,printed,\n"
                                      "brief,,cifar10,alexnet,bn,v1,finetune,,detection,=,42,%,s,printed,\n"),
                     5);
    static const char *const scales[] = {"full", "reduced", "reduced", "full", "reduced"};
    for (int i = 0; i < 5; i++) assert_string_equal(text_at(&numbers, i, "scale"), scales[i]);
    assert_string_equal(text_at(&numbers, 0, "verdict"), "reproduced");
    forget();
}

/* A plain network within a point of a published one, trained for fewer epochs; V3 and an attack of few epochs beside it. */
static void make_converged(void)
{
    static const char *const schemes[] = {"plain", "v3", "v3"};
    for (int i = 0; i < 3; i++) {
        pg_result *r = add_result("alexnet", schemes[i], "", i == 2 ? "finetune" : "", i == 2 ? "data='' epochs=10" : "");
        r->labels.training = listed("epochs=20 lr=0.01");
        add_cell(r, "", "accuracy", 90.1);
    }
}

TEST(a_plain_network_within_a_point_makes_the_scale_converged)
{
    makes = make_converged;
    assert_int_equal(compare_with("", "plain,,cifar10,alexnet,bn,plain,,,accuracy,=,91,%,s,log,\n"
                                      "far,,cifar10,alexnet,bn,v3,,,accuracy,=,88.9,%,s,printed,\n"
                                      "near,,cifar10,alexnet,bn,v3,,,accuracy,=,89.2,%,s,printed,\n"
                                      "seen,,cifar10,alexnet,bn,v3,,,accuracy,=,88.2,%,s,figure,\n"
                                      "attacked,,cifar10,alexnet,bn,v3,finetune,,accuracy,=,90,%,s,printed,\n"),
                     5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(text_at(&numbers, i, "scale"), "converged");
        assert_string_equal(text_at(&numbers, i, "verdict"), i == 1 ? "differs" : "reproduced");
    }
    forget();
    assert_int_equal(compare_with("", "plain,,cifar10,alexnet,bn,plain,,,accuracy,=,91.2,%,s,log,\n"
                                      "near,,cifar10,alexnet,bn,v3,,,accuracy,=,90,%,s,printed,\n"
                                      "norm,,cifar10,alexnet,gn,plain,,,accuracy,=,90,%,s,printed,\n"),
                     2);
    for (int i = 0; i < 2; i++) assert_string_equal(text_at(&numbers, i, "scale"), "reduced");
    makes = make_results;
    forget();
}

TEST(outcomes_are_matched_and_tolerances_kept)
{
    assert_int_equal(compare_with("", "far,,cifar10,alexnet,bn,v1,,,accuracy,=,92,%,s,printed,\n"
                                      "loss,,,alexnet,,v1,,epoch=1,train_loss,=,1.6,nats,s,log,\n"
                                      "level,,,,,v1,prune,level=90,accuracy,>=,20,%,s,log,\n"
                                      "none,,,,,v1,prune,level=70,accuracy,=,20,%,s,log,\n"
                                      "option,,,,,v1,,passport=image,accuracy,=,20,%,s,log,\n"
                                      "data,,cifar100,,,v1,,,accuracy,=,20,%,s,log,\n"),
                     4);
    assert_string_equal(text_at(&numbers, 0, "verdict"), "differs"); /* by 2.5 points */
    assert_string_equal(text_at(&numbers, 2, "number"), "loss");
    assert_value(&numbers, 2, "ours", 2, 1.5);
    assert_string_equal(text_at(&numbers, 2, "verdict"), "differs"); /* by more than 2 % */
    assert_string_equal(text_at(&numbers, 3, "number"), "level");
    assert_value(&numbers, 3, "ours", 1, 20);
    assert_string_equal(text_at(&numbers, 3, "verdict"), "reproduced");
    assert_int_equal(counts[PG_REPRODUCED], 1);
    assert_int_equal(counts[PG_DIFFERS], 2);
    assert_int_equal(counts[PG_NOT_COMPARABLE], 1);
    forget();
}

/* The same attack with blocks of two dense layers, whose number a record omits, of three, and of three with another activation.
 */
static void make_later_options(void)
{
    static const char *const options[] = {"block=collective share=10", "block=collective share=10 depth=3",
                                          "block=collective share=10 depth=3 activation=tanh"};
    for (int i = 0; i < 3; i++) add_cell(add_result("alexnet", "v1", "", "substitute", options[i]), "", "accuracy", 80 + i);
}

/* An option that came later has its default in records that omit it, and in numbers that do not name it. */
TEST(numbers_are_about_the_defaults_of_options_that_came_later)
{
    makes = make_later_options;
    assert_int_equal(compare_with("", "any,,,,,v1,substitute,share=10,accuracy,=,80,%,s,log,\n"
                                      "two,,,,,v1,substitute,share=10 depth=2,accuracy,=,80,%,s,log,\n"
                                      "three,,,,,v1,substitute,share=10 depth=3,accuracy,=,81,%,s,log,\n"
                                      "four,,,,,v1,substitute,share=10 depth=4,accuracy,=,81,%,s,log,\n"
                                      "tanh,,,,,v1,substitute,depth=3 activation=tanh,accuracy,=,82,%,s,log,\n"),
                     4);
    static const char *const names[] = {"any", "two", "three", "tanh"};
    for (int i = 0; i < 4; i++) {
        assert_string_equal(text_at(&numbers, i, "number"), names[i]);
        assert_value(&numbers, i, "ours", 1, i < 2 ? 80 : 79 + i);
    }
    makes = make_results;
    forget();
}

/* An option of the attack hides the scheme's option of the same name. */
TEST(a_bound_is_about_the_worst_trial_and_a_shape_about_the_mean)
{
    assert_int_equal(compare_with("low,near guessing,,,,v1,fake1,,accuracy,<=,,,,,25\n"
                                  "lower,far below,,,,v1,fake1,,accuracy,<=,,,,accuracy,-50\n"
                                  "against,no such scheme here,,,,v1,fake1,,accuracy,<=,plain,,,accuracy,0\n",
                                  "fake,,cifar10,alexnet,,v1,fake1,passport=random,accuracy,<=,35,%,s,printed,low\n"
                                  "deeper,,cifar10,alexnet,,v1,fake1,,accuracy,<=,35,%,s,printed,lower\n"
                                  "asked,,cifar10,alexnet,,v1,fake1,,accuracy,<=,35,%,s,printed,against\n"
                                  "other,,cifar10,alexnet,,v1,fake1,passport=shuffle,accuracy,<=,35,%,s,printed,low\n"),
                     3);
    assert_value(&numbers, 0, "ours", 2, 23.5); /* both repetitions, not the genuine one */
    assert_value(&numbers, 0, "difference", 1, 2);
    assert_string_equal(text_at(&numbers, 0, "verdict"), "same shape");
    assert_string_equal(text_at(&numbers, 1, "verdict"), "differs"); /* 23.5 is not 50 below 70 */
    assert_string_equal(text_at(&numbers, 2, "verdict"), "not comparable at this scale");
    assert_int_equal(checks.row_count, 2); /* a question that cannot be asked has no answer */
    assert_string_equal(text_at(&checks, 0, "holds"), "yes");
    assert_value(&checks, 0, "bound", 1, 25);
    assert_string_equal(text_at(&checks, 1, "holds"), "no");
    assert_string_equal(pg_table_text(&checks, 1, PG_CHECKS_HOLDS), "no");
    assert_value(&checks, 1, "bound", 1, 20); /* the network of the same width, less 50 */
    forget();
}

/* Such networks satisfy many bounds. Attacks on them are not compared either. */
TEST(networks_at_chance_are_not_compared)
{
    assert_int_equal(compare_with("gap,below half,,,,v3,,,accuracy,<=,,,,,50\n"
                                  "far,above half,,,,v3,,,accuracy,>=,,,,,50\n"
                                  "pruned,below half,,,,v3,prune,level=50,accuracy,<=,,,,,50\n"
                                  "learnt,above half,,resnet9,,v1,,,accuracy,>=,,,,,50\n",
                                  "scaled,,cifar10,alexnet,,v3,,,accuracy,<=,20,%,s,printed,gap\n"),
                     1);
    assert_string_equal(text_at(&numbers, 0, "verdict"), "not comparable at this scale");
    assert_int_equal(checks.row_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(text_at(&checks, i, "holds"), i < 3 ? "not asked" : "yes");
        assert_int_equal(pg_table_at(&checks, i, column_of(&checks, "ours"))->sample.count, i == 3);
    }
    forget();
}

TEST(a_stand_in_never_reproduces_a_number)
{
    assert_int_equal(
        compare_with("kept,,,,,v1,finetune,data=*,detection,>=,,,,,95\n",
                     "moved,,cifar10,resnet18,,v1,finetune,data=cifar100 layers=default,detection,=,100,%,s,printed,kept\n"
                     "layers,,cifar10,resnet18,,v1,finetune,data=cifar100 layers=all,detection,=,100,%,s,printed,kept\n"
                     "exact,,cifar10,resnet9,,v1,finetune,data=mnist,detection,=,100,%,s,printed,kept\n"
                     "other,,cifar10,alexnet,,v1,finetune,data=mnist,detection,=,100,%,s,printed,kept\n"),
        2);
    assert_string_equal(text_at(&numbers, 0, "scale"), "stand-in");
    assert_string_equal(text_at(&numbers, 0, "network"), "resnet9");
    assert_string_equal(text_at(&numbers, 0, "verdict"), "same shape"); /* never reproduced, although within 2 points */
    assert_string_equal(text_at(&numbers, 1, "scale"), "full");
    assert_string_equal(text_at(&numbers, 1, "verdict"), "reproduced");
    assert_int_equal(checks.row_count, 1); /* tuning on the owner's data is no transfer, named or not */
    forget();
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

static void assert_bad(const char *check_text, const char *number_text, const char *message)
{
    pg_published *published = NULL;
    write_text("checks.csv", check_text);
    write_text("a.csv", number_text);
    assert_int_equal(pg_published_read(folder(), &published, &err), PG_BAD_INPUT);
    assert_null(published);
    if (!strstr(err.message, message)) fail_msg("\"%s\" lacks \"%s\"", err.message, message);
}

TEST(a_bad_file_is_refused_at_its_line)
{
    assert_bad("id\na\n", NUMBER_HEAD, "checks.csv");
    assert_bad(CHECK_HEAD "a,,,,,,,,m,<,,,,,1\n", NUMBER_HEAD, "checks.csv:2: no relation \"<\"");
    assert_bad(CHECK_HEAD "a,,,,,,,,m,<=,,,,,\n", NUMBER_HEAD, "checks.csv:2: offset");
    assert_bad(CHECK_HEAD, NUMBER_HEAD "n,,,,,,,,m,=,1,,,,\no,,,,,,,,m,=,1,,,,b\n", "a.csv:3: no check \"b\"");
    assert_bad(CHECK_HEAD, NUMBER_HEAD "n,,,,,,,,m,=,one,,,,\n", "a.csv:2: value");
    assert_bad(CHECK_HEAD, NUMBER_HEAD "n,,,,,,,,m,=,1,,,,\nn,,,,,,,,m,=,1,,,,\n", "a.csv:3: the id \"n\" appears twice");
}

static void assert_known(const char *scheme, const char *attack)
{
    if (scheme[0] && !pg_scheme_find(scheme)) fail_msg("scheme %s", scheme);
    if (attack[0] && !pg_attack_find(attack)) fail_msg("attack %s", attack);
}

/* Every parameter is an option or an outcome, or its readme says that none of ours has that key. The layers exist. */
static void assert_parameters(const char *id, const pg_subject *s, const char *readme)
{
    static const char *const outcomes[] = {"level", "epoch", "attacker"};
    const pg_scheme *scheme = pg_scheme_find(s->scheme);
    const pg_attack *attack = pg_attack_find(s->attack);
    const pg_arch *arch = pg_arch_find(s->network);
    for (int at = 0; at < s->parameters->count; at++) {
        char absent[40];
        pg_passport_options passport;
        const char *key = s->parameters->items[at].key;
        const pg_value *value = &s->parameters->items[at].value;
        snprintf(absent, sizeof absent, "`%.32s=`", key);
        bool known = pg_options_find(pg_train_table, key) || (scheme && pg_options_find(scheme->options, key)) ||
                     (attack && pg_options_find(attack->options, key)) || strstr(readme, absent);
        for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) known |= strcmp(outcomes[i], key) == 0;
        if (!known) fail_msg("%s: %s is no option", id, key);
        if (!arch || strcmp(key, "layers") != 0) continue;
        pg_net_spec spec = pg_net_spec_plain(arch, PG_NORM_BN, 10);
        assert_int_equal(value->type, PG_VALUE_TEXT);
        snprintf(passport.layers, sizeof passport.layers, "%s", value->text);
        OK(pg_passport_layers(&passport, &spec, &err));
    }
}

/* A check asks about the run that its number is about: if both name an option of the attack, the values are equal. */
static void assert_same_run(const pg_published_number *n)
{
    const pg_attack *attack = pg_attack_find(n->subject.attack);
    for (const pg_option *o = attack ? attack->options : NULL; o && o->key; o++) {
        const pg_value *value = pg_parameters_find(n->subject.parameters, o->key),
                       *other = pg_parameters_find(n->check->measured.parameters, o->key);
        const bool any = other && other->type == PG_VALUE_TEXT && strcmp(other->text, "*") == 0;
        if (value && other && !any && pg_value_compare(value, other) != 0) fail_msg("%s: a check on another %s", n->id, o->key);
    }
}

/* They are readable, their names exist, and their numbers are distinct. */
TEST(the_files_of_this_project_are_sound)
{
    pg_published *p = NULL;
    char *readme = NULL;
    size_t bytes;
    OK(pg_file_read(source_path("results/published/README.md"), &readme, &bytes, &err));
    OK(pg_published_read(source_path("results/published"), &p, &err));
    assert_true(p->number_count > 250 && p->check_count > 20);
    for (int i = 0; i < p->number_count; i++) {
        const pg_published_number *n = &p->numbers[i];
        assert_known(n->subject.scheme, n->subject.attack);
        assert_parameters(n->id, &n->subject, readme);
        assert_true(n->source[0] && n->strength[0] && n->what[0] && n->subject.metric[0]);
        for (int k = 0; k < i; k++) assert_string_not_equal(p->numbers[k].id, n->id);
        if (n->check && strcmp(n->check->measured.scheme, n->subject.scheme) != 0)
            fail_msg("%s: another scheme's check", n->id);
        if (n->check) assert_same_run(n);
    }
    for (int i = 0; i < p->check_count; i++) {
        const pg_published_check *c = &p->checks[i];
        assert_known(c->measured.scheme, c->measured.attack);
        assert_known(c->than.scheme, c->than.attack);
        assert_parameters(c->id, &c->measured, readme);
        const pg_subject than = {.network = "",
                                 .scheme = c->than.scheme[0] ? c->than.scheme : c->measured.scheme,
                                 .attack = c->than.attack,
                                 .parameters = c->than.parameters};
        assert_parameters(c->id, &than, readme);
        for (int k = 0; k < i; k++) assert_string_not_equal(p->checks[k].id, c->id);
    }
    pg_free(readme);
    pg_published_destroy(&p);
}

/* ---- published tables ------------------------------------------------------------------------------------------------- */

#define PLACED_HEAD                                                                                                            \
    "id,what,data,network,norm,scheme,attack,parameters,metric,relation,value,unit,source,strength,check,table,row,column\n"
#define PLACED_NUMBERS                                                                                                         \
    "o,x,cifar10,alexnet,bn,v1,,,accuracy,=,90,%,table 1 of them,printed,,t1,A-1,ACC\n"                                        \
    "p,x,cifar10,alexnet,bn,v1,prune,level=50,accuracy,=,80,%,table 1 of them,printed,,t1,A-1,pruned\n"                        \
    "q,x,cifar10,alexnet,bn,v1,prune,level=99,accuracy,=,12,%,table 1 of them,printed,,t1,A-2,pruned\n"                        \
    "r,x,cifar10,vgg,bn,v1,,,accuracy,=,50,%,table 2 of them,printed,,t2,V,ACC\n"                                              \
    "s,x,cifar10,alexnet,bn,v1,,,accuracy,=,1,%,nowhere,printed,,,,\n"

static double mean_at(const pg_table *table, int row, const char *column)
{
    const pg_sample *s = &pg_table_at(table, row, column_of(table, column))->sample;
    return s->count ? pg_sample_mean(s) : NAN;
}

TEST(a_published_table_keeps_its_shape)
{
    pg_published *published = NULL;
    pg_summary summary = {0};
    pg_table paper = {0};
    int at = 0;
    write_text("checks.csv", CHECK_HEAD);
    write_text("a.csv", PLACED_HEAD PLACED_NUMBERS);
    OK(pg_published_read(folder(), &published, &err));
    make_results();
    OK(pg_summary_open(&summary, &results, &err));
    OK(pg_compare(published, &summary, &numbers, &checks, counts, &err));
    assert_string_equal(pg_paper_next(published, &at), "t1");
    assert_string_equal(pg_paper_next(published, &at), "t2");
    assert_null(pg_paper_next(published, &at));
    OK(pg_paper_fill(published, "t2", &numbers, &paper, &err));
    assert_int_equal(paper.row_count, 0);
    OK(pg_paper_fill(published, "t1", &numbers, &paper, &err));
    assert_string_equal(paper.title, "table 1 of them");
    assert_int_equal(paper.column_count, 5 + 2 * 4);
    assert_int_equal(paper.row_count, 3); /* A-1 at the whole and at half of the width; A-2, which nobody measured */
    assert_string_equal(text_at(&paper, 0, "row"), "A-1");
    assert_string_equal(text_at(&paper, 0, "network"), "alexnet");
    assert_true(fabs(mean_at(&paper, 0, "ACC published") - 90) < 1e-9);
    assert_true(fabs(mean_at(&paper, 0, "ACC ours") - 89.5) < 1e-9);
    assert_true(fabs(mean_at(&paper, 0, "ACC difference") + 0.5) < 1e-9);
    assert_string_equal(text_at(&paper, 0, "ACC verdict"), "reproduced (full)");
    assert_true(fabs(mean_at(&paper, 0, "pruned ours") - 80) < 1e-9);
    assert_string_equal(text_at(&paper, 1, "network"), "alexnet x0.5");
    assert_true(fabs(mean_at(&paper, 1, "ACC ours") - 70) < 1e-9);
    assert_string_equal(text_at(&paper, 1, "ACC verdict"), "not comparable at this scale (reduced)");
    assert_true(fabs(mean_at(&paper, 1, "pruned published") - 80) < 1e-9);
    assert_true(isnan(mean_at(&paper, 1, "pruned ours")));
    assert_string_equal(text_at(&paper, 2, "row"), "A-2");
    assert_true(fabs(mean_at(&paper, 2, "pruned published") - 12) < 1e-9);
    assert_true(isnan(mean_at(&paper, 2, "ACC published")));
    pg_table_clear(&paper);
    pg_summary_close(&summary);
    pg_published_destroy(&published);
    clear_results();
    forget();
}
