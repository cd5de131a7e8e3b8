/* Figures; see figures.h. */
#include "experiments/report/figures.h"

#include "attacks/attack.h"
#include "core/formats/number.h"
#include "experiments/work/gammas.h"

#include <math.h>
#include <string.h>

/* ---- what all figures share ------------------------------------------------------------------------------------------- */

/* What a figure is of: one place, and for some one scheme (index of its variant; -1: all). */
typedef struct scene {
    const pg_summary *summary;
    int place, first; /* number of the place; a result there */
    int scheme;
} scene;

static bool in_scene(const scene *at, int result)
{
    return at->summary->place[result] == at->place && (at->scheme < 0 || at->summary->scheme[result] == at->scheme);
}

static const pg_task_labels *labels_of(const scene *at)
{
    return &at->summary->results->items[at->first].labels;
}

/* Label of the scene's scheme; NULL: of all. */
static const char *scheme_of(const scene *at)
{
    return at->scheme < 0 ? NULL : at->summary->schemes.items[at->scheme].label;
}

static pg_status start(pg_figure *f, const scene *at, const pg_column *columns, const char *other, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *p = labels_of(at);
    const char *scheme = scheme_of(at);
    f->chance = at->summary->chance[at->first];
    PG_TRY(pg_text_pool_print(&f->points.texts, &f->points.title, NULL, err, "%s, %s, %s%s%s", p->data, p->network, p->norm,
                              scheme ? ", " : "", scheme ? scheme : ""));
    PG_TRY(pg_text_pool_keep(&f->points.texts, at->summary->label, &f->points.label, NULL, err));
    PG_TRY(pg_figure_columns(f, columns, other, err));
done:
    return status;
}

static pg_status finish(pg_figure *f, const scene *at, pg_figures *written, pg_error *err)
{
    const pg_task_labels *p = labels_of(at);
    return pg_figure_finish(f, (const char *const[]){p->data, p->network, p->norm, scheme_of(at), NULL}, written, err);
}

/* Where guessing lies: across the figure, and up and down. */
#define CHANCE(from, to, label)                                                                                                \
    "if (chance == chance) {\n"                                                                                                \
    "    set arrow 9 from " from " to " to " nohead linecolor '#888888' dashtype 3\n"                                          \
    "    set label 9 'guessing' at " label " font ',10' textcolor '#666666'\n"                                                 \
    "}\n"
#define CHANCE_ACROSS(label) CHANCE("graph 0, first chance", "graph 1, first chance", label)
/* The word stands where the curves are high: at the end of learning, before anything is pruned or turned. */
#define CHANCE_RIGHT CHANCE_ACROSS("graph 1, first chance right offset 0,0.4")
#define CHANCE_LEFT  CHANCE_ACROSS("graph 0, first chance left offset 0.4,0.4")
#define CHANCE_UP    CHANCE("first chance, graph 0", "first chance, graph 1", "first chance, graph 0.97 left offset 0.4,0")

/* ---- learning --------------------------------------------------------------------------------------------------------- */

static const char learning_body[] =
    "set xrange [low[1]:high[1]]\n"
    "set yrange [low[2]:high[2]]\n"
    "set xtics step\n"
    "set xlabel 'epoch'\n"
    "set ylabel 'test accuracy (%)'\n" CHANCE_RIGHT
    "plot for [i=1:|series|] points using (of(i, 'epoch')):'accuracy %':(spread('accuracy % sd')) with yerrorlines "
    "linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.6 linewidth 1.5 title series[i]\n";

/* Test accuracies of a training, epoch by epoch, a series for each branch. */
static pg_status add_learning(const scene *at, int i, pg_figure *f, pg_error *err)
{
    static const char *const metrics[] = {"accuracy_public", "accuracy_private"}, *const branches[] = {"public", "private"};
    pg_status status = PG_OK;
    const int scheme = at->summary->scheme[i];
    const pg_record *record = &at->summary->results->items[i].record;
    for (int c = 0; c < record->cell_count; c++) {
        const pg_record_cell *cell = &record->cells[c];
        double epoch;
        if (strncmp(cell->outcome, "epoch=", 6) != 0 || !pg_number_real(cell->outcome + 6, &epoch)) continue;
        for (int branch = 0; branch < 2; branch++) {
            const char *key, *series;
            int row;
            if (strcmp(cell->metric, metrics[branch]) != 0) continue;
            PG_TRY(pg_text_pool_print(&f->points.texts, &key, NULL, err, "%d %d", scheme, branch));
            PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "%s, %s", at->summary->schemes.items[scheme].label,
                                      branches[branch]));
            PG_TRY(pg_figure_point(f, key, series, cell->outcome, &row, err));
            if (!pg_table_at(&f->points, row, 1)->sample.count) PG_TRY(pg_table_add(&f->points, row, 1, epoch, err));
            PG_TRY(pg_table_add(&f->points, row, 2, cell->value, err));
        }
    }
done:
    return status;
}

static pg_status draw_learning(const scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {{"epoch", PG_COLUMN_NUMBER}, {"accuracy %", PG_COLUMN_MEAN}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "learning", .body = learning_body, .width = 960};
    const pg_summary *s = at->summary;
    PG_TRY(start(&f, at, columns, "outcome", err));
    for (int k = 0; k < s->schemes.count; k++)
        for (int i = 0; i < s->results->count; i++)
            if (s->scheme[i] == k && in_scene(at, i) && s->attack[i] < 0) PG_TRY(add_learning(at, i, &f, err));
    PG_TRY(finish(&f, at, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

/* ---- along an attack's axis -------------------------------------------------------------------------------------------- */

/* With the label of the axis, and twice the column of the values on it. */
static const char curve_body[] =
    "set multiplot\n"
    "set xrange [low[1]:high[1]]\n"
    "set xlabel '%s'\n"
    "set rmargin at screen 0.5\n"
    "set yrange [low[2]:high[2]]\n"
    "set ylabel 'accuracy as deployed (%%)' offset 1,0\n" CHANCE_LEFT
    "plot for [i=1:|series|] points using (of(i, '%s')):'accuracy %%':(spread('accuracy %% sd')) with yerrorlines "
    "linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 title series[i]\n"
    "unset key\n"
    "unset arrow\n"
    "unset label\n"
    "set lmargin at screen 0.57\n"
    "set rmargin at screen 0.985\n"
    "set yrange [low[3]:high[3]]\n"
    "set ylabel 'mark or signature detected (%%)' offset 1,0\n"
    "plot for [i=1:|series|] points using (of(i, '%s')):'detected %%':(spread('detected %% sd')) with yerrorlines "
    "linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 notitle\n"
    "unset multiplot\n";

/* Value of an outcome on an axis; false for the outcomes of other axes. */
static bool value_on(const char *axis, const char *outcome, double *value)
{
    const size_t length = strlen(axis);
    return strncmp(outcome, axis, length) == 0 && outcome[length] == '=' && pg_number_real(outcome + length + 1, value);
}

static pg_status add_curve(const scene *at, const pg_attack *attack, int i, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *s = at->summary;
    const pg_record *record = &s->results->items[i].record;
    const char *key, *series, *label = s->attacks.items[s->attack[i]].label;
    const bool only = strcmp(label, attack->name) == 0; /* the grid has this attack with one setting */
    PG_TRY(pg_text_pool_print(&f->points.texts, &key, NULL, err, "%d %d", s->scheme[i], s->attack[i]));
    PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "%s%s%s", s->schemes.items[s->scheme[i]].label,
                              only ? "" : ", ", only ? "" : label));
    for (int c = 0; c < record->cell_count; c++) {
        const pg_record_cell *cell = &record->cells[c];
        double value;
        int row;
        if (!value_on(attack->axis, cell->outcome, &value)) continue;
        const int target = strcmp(cell->metric, "accuracy") == 0 ? 2 : strcmp(cell->metric, "detection") == 0 ? 3 : 0;
        if (!target) continue;
        PG_TRY(pg_figure_point(f, key, series, cell->outcome, &row, err));
        if (!pg_table_at(&f->points, row, 1)->sample.count) PG_TRY(pg_table_add(&f->points, row, 1, value, err));
        PG_TRY(pg_table_add(&f->points, row, target, cell->value, err));
    }
done:
    return status;
}

static pg_status draw_curve(const scene *at, const pg_attack *attack, pg_figures *written, pg_error *err)
{
    const pg_attack_figures *shown = &attack->figures;
    const pg_column columns[] = {{shown->column, PG_COLUMN_NUMBER},
                                 {"accuracy %", PG_COLUMN_MEAN},
                                 {"detected %", PG_COLUMN_MEAN},
                                 {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = shown->curve, .width = 1100};
    const pg_summary *s = at->summary;
    PG_TRY(start(&f, at, columns, "outcome", err));
    PG_TRY(pg_text_pool_print(&f.points.texts, &f.body, NULL, err, curve_body, shown->label, shown->column, shown->column));
    for (int k = 0; k < s->schemes.count; k++)
        for (int i = 0; i < s->results->count; i++)
            if (s->scheme[i] == k && in_scene(at, i) && strcmp(s->results->items[i].labels.attack, attack->name) == 0)
                PG_TRY(add_curve(at, attack, i, &f, err));
    PG_TRY(finish(&f, at, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

static pg_status draw_curves(const scene *at, pg_figures *written, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; pg_attacks[i]; i++)
        if (pg_attacks[i]->figures.curve) PG_TRY(draw_curve(at, pg_attacks[i], written, err));
done:
    return status;
}

/* ---- accuracy of forged passports ------------------------------------------------------------------------------------- */

enum { BIN = 2, BINS = 100 / BIN }; /* points of accuracy */

static const char forged_body[] = "set xrange [low[1]:high[1]]\n"
                                  "set yrange [0:high[2]]\n"
                                  "set xlabel 'accuracy with the passports shown (%), bins of 2 points'\n"
                                  "set ylabel 'share of trials (%)'\n"
                                  "set style fill transparent solid 0.55\n" CHANCE_UP
                                  "plot for [i=1:|series|] points using (of(i, 'accuracy %')):'share %':(1.8) "
                                  "with boxes linecolor rgb paint(i) title series[i]\n";

/* One series: trials counted by bin, of those with any. */
static pg_status add_bins(pg_figure *f, const char *what, const int *bins, pg_error *err)
{
    pg_status status = PG_OK;
    const char *series;
    char place[16];
    int trials = 0, row;
    for (int b = 0; b < BINS; b++) trials += bins[b];
    PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "%s (n = %d)", what, trials));
    for (int b = 0; b < BINS; b++) {
        if (!bins[b]) continue;
        snprintf(place, sizeof place, "%d-%d", b * BIN, (b + 1) * BIN);
        PG_TRY(pg_figure_point(f, what, series, place, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, b * BIN + BIN / 2.0, err));
        PG_TRY(pg_table_add(&f->points, row, 2, 100.0 * bins[b] / trials, err));
    }
done:
    return status;
}

/* Count the trials of an attack, of which each is an outcome; NULL: the trained models. Returns how many there are. */
static int count_trials(const scene *at, const pg_attack *attack, int bins[BINS])
{
    int trials = 0;
    double value;
    for (int i = 0; i < at->summary->results->count; i++) {
        const pg_result *r = &at->summary->results->items[i];
        if (!in_scene(at, i) || strcmp(r->labels.attack, attack ? attack->name : "") != 0) continue;
        for (int c = 0; c < r->record.cell_count; c++) {
            const pg_record_cell *cell = &r->record.cells[c];
            const bool trial = !cell->outcome[0] || (attack && attack->axis && value_on(attack->axis, cell->outcome, &value));
            if (!trial || strcmp(cell->metric, "accuracy_claimed") != 0 || !(cell->value >= 0)) continue;
            const int b = (int)(cell->value / BIN);
            bins[b < BINS ? b : BINS - 1]++;
            trials++;
        }
    }
    return trials;
}

static pg_status draw_forged(const scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {
        {"accuracy %", PG_COLUMN_NUMBER}, {"share %", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "forged", .body = forged_body, .width = 960};
    int genuine[BINS] = {0};
    PG_TRY(start(&f, at, columns, "bin", err));
    (void)count_trials(at, NULL, genuine);
    for (int i = 0; pg_attacks[i]; i++) {
        int bins[BINS] = {0};
        if (!pg_attacks[i]->figures.trials || !count_trials(at, pg_attacks[i], bins)) continue;
        if (!f.points.row_count) PG_TRY(add_bins(&f, "genuine passports", genuine, err));
        PG_TRY(add_bins(&f, pg_attacks[i]->figures.trials, bins, err));
    }
    PG_TRY(finish(&f, at, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

/* ---- gammas ----------------------------------------------------------------------------------------------------------- */

enum {
    GAMMA_MAX = 4,
    GAMMAS = 2 * GAMMA_MAX * PG_GAMMA_BINS
}; /* bins from -GAMMA_MAX to GAMMA_MAX; what is beyond lies in the outermost */

static const char gamma_body[] =
    "set xrange [low[1]:high[1]]\n"
    "set yrange [0:high[2]]\n"
    "set xlabel 'gamma, bins of 0.05 (outermost: all beyond 4)'\n"
    "set ylabel 'share of channels (%)'\n"
    "set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor '#888888' dashtype 2\n"
    "plot for [i=1:|series|] points using (of(i, 'gamma')):'share %' with histeps linecolor rgb paint(i) dashtype dash(i) "
    "linewidth 1.5 title series[i]\n";

/* Channels by bin over all seeds of a scheme. */
static void count_gammas(const scene *at, int scheme, double bins[GAMMAS])
{
    for (int i = 0; i < at->summary->results->count; i++) {
        const pg_result *r = &at->summary->results->items[i];
        if (at->summary->scheme[i] != scheme || !in_scene(at, i)) continue;
        for (int c = 0; c < r->record.cell_count; c++) {
            const pg_record_cell *cell = &r->record.cells[c];
            double gamma;
            if (strcmp(cell->metric, "gamma_channels") != 0 || !pg_number_real(cell->outcome + strlen("gamma="), &gamma))
                continue;
            const double bin = floor((gamma + GAMMA_MAX) * PG_GAMMA_BINS);
            bins[bin < 0 ? 0 : bin < GAMMAS ? (int)bin : GAMMAS - 1] += cell->value;
        }
    }
}

/* From the bin before the first with channels to the one after the last, so that the outline reaches the ground. */
static pg_status add_gammas(const scene *at, int scheme, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    double bins[GAMMAS] = {0}, channels = 0;
    int first = GAMMAS, last = -1, row;
    count_gammas(at, scheme, bins);
    for (int b = 0; b < GAMMAS; b++) {
        if (bins[b] > 0 && first > b) first = b;
        if (bins[b] > 0) last = b;
        channels += bins[b];
    }
    for (int b = first - 1; b <= last + 1; b++) {
        char key[16], place[PG_NUMBER_MAX];
        const double centre = (b + 0.5) / PG_GAMMA_BINS - GAMMA_MAX;
        snprintf(key, sizeof key, "%d", scheme);
        pg_number_text(centre, place);
        PG_TRY(pg_figure_point(f, key, at->summary->schemes.items[scheme].label, place, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, centre, err));
        PG_TRY(pg_table_add(&f->points, row, 2, b >= first && b <= last ? 100 * bins[b] / channels : 0, err));
    }
done:
    return status;
}

static pg_status draw_gammas(const scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {{"gamma", PG_COLUMN_NUMBER}, {"share %", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "gamma", .body = gamma_body, .width = 960};
    PG_TRY(start(&f, at, columns, "bin", err));
    for (int k = 0; k < at->summary->schemes.count; k++) PG_TRY(add_gammas(at, k, &f, err));
    PG_TRY(finish(&f, at, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

/* ---- accuracy against dissimilarity ----------------------------------------------------------------------------------- */

static const char dissimilarity_body[] =
    "set xrange [low[1]:high[1]]\n"
    "set yrange [low[2]:high[2]]\n"
    "set xlabel \"signature bits that differ from the owner's (%)\"\n"
    "set ylabel 'accuracy with the forged passports (%)'\n" CHANCE_LEFT
    "plot for [i=1:|series|] points using (of(i, 'differing %')):'accuracy %' smooth unique "
    "with lines linecolor rgb paint(i) dashtype dash(i) linewidth 1.5 "
    "title (published(i) ? series[i] : ''), "
    "for [i=1:|series|] points using (published(i) ? NaN : of(i, 'differing %')):'accuracy %':(spread('accuracy % sd')) "
    "with yerrorbars linecolor rgb paint(i) pointtype shape(i) pointsize 0.8 title (published(i) ? '' : series[i])\n";

/* A point for each attack and outcome; seeds are its replicates. */
static pg_status add_dissimilarity(const scene *at, int i, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_result *r = &at->summary->results->items[i];
    const char *attack = at->summary->attacks.items[at->summary->attack[i]].label;
    for (int c = 0; c < r->record.cell_count; c++) {
        const pg_record_cell *cell = &r->record.cells[c];
        double differing, accuracy;
        const char *detail;
        int row;
        if (strcmp(cell->metric, "bits_differing") != 0) continue;
        if (!pg_result_value(r, cell->outcome, "bits_differing", &differing)) continue;
        if (!pg_result_value(r, cell->outcome, "accuracy_claimed", &accuracy)) continue;
        PG_TRY(pg_text_pool_print(&f->points.texts, &detail, NULL, err, "%s %s", attack, cell->outcome));
        PG_TRY(pg_figure_point(f, r->labels.attack, r->labels.attack, detail, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, differing, err));
        PG_TRY(pg_table_add(&f->points, row, 2, accuracy, err));
    }
done:
    return status;
}

/* Is the attack of that name in this figure? */
static bool shown_here(const char *name)
{
    const pg_attack *attack = pg_attack_find(name);
    return attack && attack->figures.dissimilarity;
}

/* Value on the axis of the attack of a published number; false if the number is none of the curve. */
static bool on_curve(const pg_published_number *n, double *value)
{
    const pg_attack *attack = pg_attack_find(n->subject.attack);
    if (!shown_here(n->subject.attack) || !attack->axis || strcmp(n->subject.metric, "accuracy_claimed") != 0) return false;
    const pg_value *found = pg_parameters_find(n->subject.parameters, attack->axis);
    if (!found || found->type != PG_VALUE_NUMBER) return false;
    *value = found->number;
    return true;
}

/* The published curve, whatever its data set: its shape is what matters. */
static pg_status add_published_curve(const pg_published *published, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < published->number_count; i++) {
        const pg_published_number *n = &published->numbers[i];
        const char *series;
        double value;
        int row;
        if (!on_curve(n, &value)) continue;
        PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "published (%s)", n->subject.data));
        PG_TRY(pg_figure_point(f, series, series, n->id, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, value, err));
        PG_TRY(pg_table_add(&f->points, row, 2, n->value, err));
    }
done:
    return status;
}

static pg_status draw_dissimilarity(const scene *at, const pg_published *published, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {
        {"differing %", PG_COLUMN_MEAN}, {"accuracy %", PG_COLUMN_MEAN}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "dissimilarity", .body = dissimilarity_body, .width = 960};
    const pg_summary *s = at->summary;
    PG_TRY(start(&f, at, columns, "point", err));
    for (int k = 0; k < s->attacks.count; k++)
        for (int i = 0; i < s->results->count; i++)
            if (s->attack[i] == k && in_scene(at, i) && shown_here(s->attacks.items[k].name))
                PG_TRY(add_dissimilarity(at, i, &f, err));
    if (published && f.points.row_count) PG_TRY(add_published_curve(published, &f, err));
    PG_TRY(finish(&f, at, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

/* ---- all -------------------------------------------------------------------------------------------------------------- */

pg_status pg_figures_write(const pg_summary *summary, const pg_published *published, pg_figures *written, pg_error *err)
{
    pg_status status = PG_OK;
    int places = 0;
    for (int i = 0; i < summary->results->count; i++) {
        if (summary->place[i] < places) continue;
        scene at = {.summary = summary, .place = places++, .first = i, .scheme = -1};
        PG_TRY(draw_learning(&at, written, err));
        PG_TRY(draw_curves(&at, written, err));
        PG_TRY(draw_gammas(&at, written, err));
        for (at.scheme = 0; at.scheme < summary->schemes.count; at.scheme++) {
            PG_TRY(draw_forged(&at, written, err));
            PG_TRY(draw_dissimilarity(&at, published, written, err));
        }
    }
done:
    return status;
}
