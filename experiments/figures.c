/* Figures; see figures.h. */
#include "experiments/figures.h"

#include "core/base/memory.h"
#include "core/formats/number.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* ---- one figure ------------------------------------------------------------------------------------------------------- */

typedef struct figure {
    char name[256];    /* of its files */
    const char *kind;  /* "pruning" */
    const char *body;  /* gnuplot: what is drawn, with series, colours and points defined */
    int width, height; /* of the SVG */
    pg_sheet points;   /* first column: series */
} figure;

/* "forged-cifar10-alexnet-x0.25-bn": what cannot stand in a file's name becomes a dash. */
static void name_figure(figure *f, const char *const *parts)
{
    size_t used = (size_t)snprintf(f->name, sizeof f->name, "%s", f->kind);
    for (; *parts; parts++) {
        if (used < sizeof f->name - 1) f->name[used++] = '-';
        for (const char *at = *parts; *at && used < sizeof f->name - 1; at++)
            if (isalnum((unsigned char)*at) || *at == '.')
                f->name[used++] = *at;
            else if (f->name[used - 1] != '-')
                f->name[used++] = '-';
        f->name[used] = 0;
    }
}

/* A text of gnuplot: nothing in single quotes means anything but a quote. */
static void quote(FILE *stream, const char *text)
{
    fputc('\'', stream);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', stream);
        fputc(*text, stream);
    }
    fputc('\'', stream);
}

static bool first_of_series(pg_sheet *points, int row)
{
    for (int r = 0; r < row; r++)
        if (strcmp(pg_sheet_at(points, r, 0)->text, pg_sheet_at(points, row, 0)->text) == 0) return false;
    return true;
}

/* array series[2] = ['plain', 'v1'] */
static void put_series(pg_sheet *points, FILE *stream)
{
    int count = 0;
    for (int r = 0; r < points->row_count; r++) count += first_of_series(points, r);
    fprintf(stream, "array series[%d] = [", count);
    for (int r = 0, seen = 0; r < points->row_count; r++) {
        if (!first_of_series(points, r)) continue;
        if (seen++) fputs(", ", stream);
        quote(stream, pg_sheet_at(points, r, 0)->text);
    }
    fputs("]\n", stream);
}

/* Colours that people with any colour vision can tell apart (Okabe and Ito). */
static const char palette[] =
    "array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']\n"
    "array mark[7] = [7, 5, 9, 11, 13, 4, 6]\n"
    "published(i) = series[i][1:9] eq 'published'\n"
    "paint(i) = published(i) ? '#888888' : colour[(i - 1) % 7 + 1]\n"
    "dash(i) = published(i) ? 2 : 1\n"
    "shape(i) = mark[(i - 1) % 7 + 1]\n"
    "of(i, name) = strcol(1) eq series[i] ? column(name) : NaN\n"
    "spread(name) = strlen(strcol(name)) ? column(name) : 0\n";

static void put_script(figure *f, FILE *stream)
{
    fprintf(stream, "# gnuplot %s.gp draws %s.svg and %s.png from %s.csv\n", f->name, f->name, f->name, f->name);
    fprintf(stream, "points = '%s.csv'\n", f->name);
    fputs("heading = ", stream);
    quote(stream, f->points.title);
    fputs("\nremark = ", stream);
    quote(stream, f->points.label);
    fputc('\n', stream);
    put_series(&f->points, stream);
    fputs(palette, stream);
    fprintf(stream,
            "set datafile separator comma\n"
            "set datafile columnheaders\n"
            "set border 3 linewidth 1\n"
            "set tics nomirror out\n"
            "set grid linecolor '#dddddd'\n"
            "do for [format in 'svg png'] {\n"
            "if (format eq 'svg') {\n"
            "    set terminal svg size %d,%d font 'DejaVu Sans,13' noenhanced background 'white'\n"
            "} else {\n"
            "    set terminal pngcairo size %d,%d font 'DejaVu Sans,13' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced\n"
            "}\n"
            "set output '%s.'.format\n"
            "%s"
            "}\n"
            "unset output\n",
            f->width, f->height, f->width * 3 / 2, f->height * 3 / 2, f->name, f->body);
}

static pg_status write_script(figure *f, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a figure");
    put_script(f, stream);
    const bool lost = ferror(stream) != 0;
    if (fclose(stream) != 0 || lost) PG_TRY(pg_fail(err, PG_NO_MEMORY, "out of memory for a figure"));
    PG_TRY(pg_file_write(path, text, bytes, PG_FILE_PUBLIC, err));
done:
    free(text);
    return status;
}

/* Write a figure if it has points, and end it. */
static pg_status finish(figure *f, const char *directory, pg_error *err)
{
    char file[264], path[PG_PATH_MAX];
    pg_status status = PG_OK;
    if (f->points.row_count == 0) goto done;
    PG_TRY(pg_path(path, directory, "figures", NULL, err));
    PG_TRY(pg_make_directories(path, err));
    snprintf(file, sizeof file, "%s.csv", f->name);
    PG_TRY(pg_path(path, directory, "figures", file, err));
    PG_TRY(pg_sheet_write_csv(&f->points, path, err));
    snprintf(file, sizeof file, "%s.gp", f->name);
    PG_TRY(pg_path(path, directory, "figures", file, err));
    PG_TRY(write_script(f, path, err));
done:
    pg_sheet_clear(&f->points);
    return status;
}

/* ---- what all figures share ------------------------------------------------------------------------------------------- */

/* What a figure is of: one place, and for some one scheme (index of its variant; -1: all). */
typedef struct scene {
    const pg_survey *survey;
    const pg_task_labels *place;
    int scheme;
} scene;

static bool in_scene(const scene *at, int result)
{
    const pg_task_labels *l = &at->survey->results->items[result].labels;
    return strcmp(l->data, at->place->data) == 0 && strcmp(l->network, at->place->network) == 0 &&
           strcmp(l->norm, at->place->norm) == 0 && (at->scheme < 0 || at->survey->scheme[result] == at->scheme);
}

static const char *scheme_label(const pg_survey *s, int result)
{
    return s->schemes.items[s->scheme[result]].label;
}

typedef struct column {
    const char *name;
    pg_column_kind kind;
} column;

static pg_status start(figure *f, const scene *at, const column *columns, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *p = at->place;
    const char *scheme = at->scheme < 0 ? NULL : at->survey->schemes.items[at->scheme].label;
    name_figure(f, (const char *const[]){p->data, p->network, p->norm, scheme, NULL});
    snprintf(f->points.title, sizeof f->points.title, "%.60s, %.40s, %s%s%.40s", p->data, p->network, p->norm,
             scheme ? ", " : "", scheme ? scheme : "");
    snprintf(f->points.label, sizeof f->points.label, "%s", at->survey->label);
    for (; columns->name; columns++) PG_TRY(pg_sheet_column(&f->points, columns->name, columns->kind, err));
done:
    return status;
}

static pg_status add_value(pg_sheet *sheet, int row, int c, double value, pg_error *err)
{
    return pg_sample_add(&pg_sheet_at(sheet, row, c)->sample, value, err);
}

/* ---- pruning ---------------------------------------------------------------------------------------------------------- */

static const char pruning_body[] =
    "set multiplot layout 1,2 title heading.\"\\n\".remark font ',12' margins 0.08,0.76,0.19,0.84 spacing 0.09,0\n"
    "set xrange [0:100]\n"
    "set yrange [0:102]\n"
    "set xlabel 'weights pruned (%)'\n"
    "set key at screen 0.78,0.83 left top reverse Left samplen 2\n"
    "set ylabel 'accuracy as deployed (%)' offset 1,0\n"
    "plot for [i=1:|series|] points using (of(i, 'pruned %')):'accuracy %':(spread('accuracy % sd')) "
    "with yerrorlines linecolor rgb paint(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 title series[i]\n"
    "unset key\n"
    "set ylabel 'mark or signature detected (%)' offset 1,0\n"
    "plot for [i=1:|series|] points using (of(i, 'pruned %')):'detected %':(spread('detected % sd')) "
    "with yerrorlines linecolor rgb paint(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 notitle\n"
    "unset multiplot\n";

static pg_status add_pruning(const scene *at, int i, figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    char series[PG_SHEET_TEXT];
    const pg_result *r = &at->survey->results->items[i];
    const char *attack = at->survey->attacks.items[at->survey->attack[i]].label;
    const bool plain = strcmp(attack, "prune") == 0;
    snprintf(series, sizeof series, "%.90s%s%.60s", scheme_label(at->survey, i), plain ? "" : ", ", plain ? "" : attack);
    for (int c = 0; c < r->record.cell_count; c++) {
        const pg_cell *cell = &r->record.cells[c];
        double level;
        int row;
        if (strncmp(cell->outcome, "level=", 6) != 0 || !pg_number_real(cell->outcome + 6, &level)) continue;
        const int target = strcmp(cell->metric, "accuracy") == 0 ? 3 : strcmp(cell->metric, "detection") == 0 ? 4 : 0;
        if (!target) continue;
        PG_TRY(pg_sheet_row_of(&f->points, (const char *const[]){series, cell->outcome, NULL}, &row, err));
        if (!pg_sheet_at(&f->points, row, 2)->sample.count) PG_TRY(add_value(&f->points, row, 2, level, err));
        PG_TRY(add_value(&f->points, row, target, cell->value, err));
    }
done:
    return status;
}

static pg_status draw_pruning(const scene *at, const char *directory, pg_error *err)
{
    static const column columns[] = {{"series", PG_COLUMN_TEXT},     {"outcome", PG_COLUMN_TEXT},
                                     {"pruned %", PG_COLUMN_NUMBER}, {"accuracy %", PG_COLUMN_MEAN},
                                     {"detected %", PG_COLUMN_MEAN}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    figure f = {.kind = "pruning", .body = pruning_body, .width = 1080, .height = 420};
    const pg_survey *s = at->survey;
    PG_TRY(start(&f, at, columns, err));
    for (int k = 0; k < s->schemes.count; k++) /* rows of one series stand together */
        for (int i = 0; i < s->results->count; i++)
            if (s->scheme[i] == k && in_scene(at, i) && strcmp(s->results->items[i].labels.attack, "prune") == 0)
                PG_TRY(add_pruning(at, i, &f, err));
    PG_TRY(finish(&f, directory, err));
done:
    pg_sheet_clear(&f.points);
    return status;
}

/* ---- accuracy of forged passports ------------------------------------------------------------------------------------- */

enum { BIN = 2, BINS = 100 / BIN }; /* points of accuracy */

static const char forged_body[] = "set label 1 heading.\"\\n\".remark at screen 0.5,0.95 center font ',12'\n"
                                  "set tmargin 4\n"
                                  "set xrange [0:100]\n"
                                  "set yrange [0:105]\n"
                                  "set xtics 10\n"
                                  "set xlabel 'accuracy with the passports shown (%), bins of 2 points'\n"
                                  "set ylabel 'share of trials (%)'\n"
                                  "set key outside right top reverse Left samplen 2\n"
                                  "set style fill transparent solid 0.55\n"
                                  "plot for [i=1:|series|] points using (of(i, 'accuracy %')):'share %':(1.8) "
                                  "with boxes linecolor rgb paint(i) title series[i]\n";

/* One series: trials counted by bin, of those with any. */
static pg_status add_bins(figure *f, const char *what, const int *bins, pg_error *err)
{
    pg_status status = PG_OK;
    char series[PG_SHEET_TEXT], place[16];
    int trials = 0, row;
    for (int b = 0; b < BINS; b++) trials += bins[b];
    snprintf(series, sizeof series, "%s (n = %d)", what, trials);
    for (int b = 0; b < BINS; b++) {
        if (!bins[b]) continue;
        snprintf(place, sizeof place, "%d-%d", b * BIN, (b + 1) * BIN);
        PG_TRY(pg_sheet_row_of(&f->points, (const char *const[]){series, place, NULL}, &row, err));
        PG_TRY(add_value(&f->points, row, 2, b * BIN + BIN / 2.0, err));
        PG_TRY(add_value(&f->points, row, 3, 100.0 * bins[b] / trials, err));
    }
done:
    return status;
}

/* Count the trials of an attack; the empty name is the trained model. */
static void count_trials(const scene *at, const char *attack, int bins[BINS])
{
    for (int i = 0; i < at->survey->results->count; i++) {
        const pg_result *r = &at->survey->results->items[i];
        if (!in_scene(at, i) || strcmp(r->labels.attack, attack) != 0) continue;
        for (int c = 0; c < r->record.cell_count; c++) {
            const pg_cell *cell = &r->record.cells[c];
            const bool trial = !cell->outcome[0] || strncmp(cell->outcome, "repeat=", 7) == 0;
            if (!trial || strcmp(cell->metric, "accuracy_claimed") != 0 || !(cell->value >= 0)) continue;
            const int b = (int)(cell->value / BIN);
            bins[b < BINS ? b : BINS - 1]++;
        }
    }
}

static pg_status draw_forged(const scene *at, const char *directory, pg_error *err)
{
    static const column columns[] = {{"series", PG_COLUMN_TEXT},
                                     {"bin", PG_COLUMN_TEXT},
                                     {"accuracy %", PG_COLUMN_NUMBER},
                                     {"share %", PG_COLUMN_NUMBER},
                                     {NULL, PG_COLUMN_TEXT}};
    static const struct {
        const char *attack, *what;
    } series[] = {{"", "genuine passports"}, {"fake1", "fake 1: drawn at random"}, {"fake2", "fake 2: reverse-engineered"}};
    pg_status status = PG_OK;
    figure f = {.kind = "forged", .body = forged_body, .width = 960, .height = 400};
    int bins[3][BINS] = {{0}}, forged = 0;
    for (int k = 0; k < 3; k++) count_trials(at, series[k].attack, bins[k]);
    for (int b = 0; b < BINS; b++) forged += bins[1][b] + bins[2][b];
    if (!forged) return PG_OK;
    PG_TRY(start(&f, at, columns, err));
    for (int k = 0; k < 3; k++) PG_TRY(add_bins(&f, series[k].what, bins[k], err));
    PG_TRY(finish(&f, directory, err));
done:
    pg_sheet_clear(&f.points);
    return status;
}

/* ---- accuracy against dissimilarity ----------------------------------------------------------------------------------- */

static const char dissimilarity_body[] =
    "set label 1 heading.\"\\n\".remark at screen 0.5,0.95 center font ',12'\n"
    "set tmargin 4\n"
    "set xrange [0:100]\n"
    "set yrange [0:102]\n"
    "set xlabel \"signature bits that differ from the owner's (%)\"\n"
    "set ylabel 'accuracy with the forged passports (%)'\n"
    "set key outside right top reverse Left samplen 2\n"
    "plot for [i=1:|series|] points using (of(i, 'differing %')):'accuracy %' smooth unique "
    "with lines linecolor rgb paint(i) dashtype dash(i) linewidth 1.5 "
    "title (published(i) ? series[i] : ''), "
    "for [i=1:|series|] points using (published(i) ? NaN : of(i, 'differing %')):'accuracy %':(spread('accuracy % sd')) "
    "with yerrorbars linecolor rgb paint(i) pointtype shape(i) pointsize 0.8 title (published(i) ? '' : series[i])\n";

/* Attacks that choose how many signs to turn. */
static bool turns_signs(const char *attack)
{
    static const char *const names[] = {"flip", "invert", "fake2", "fake3"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], attack) == 0) return true;
    return false;
}

/* A point for each attack and outcome; seeds are its replicates. */
static pg_status add_dissimilarity(const scene *at, int i, figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    char key[PG_SHEET_TEXT];
    const pg_result *r = &at->survey->results->items[i];
    for (int c = 0; c < r->record.cell_count; c++) {
        const pg_cell *cell = &r->record.cells[c];
        double differing, accuracy;
        int row;
        if (strcmp(cell->metric, "bits_differing") != 0) continue;
        if (!pg_result_value(r, cell->outcome, "bits_differing", &differing)) continue;
        if (!pg_result_value(r, cell->outcome, "accuracy_claimed", &accuracy)) continue;
        snprintf(key, sizeof key, "%.100s %s", at->survey->attacks.items[at->survey->attack[i]].label, cell->outcome);
        PG_TRY(pg_sheet_row_of(&f->points, (const char *const[]){r->labels.attack, key, NULL}, &row, err));
        PG_TRY(add_value(&f->points, row, 2, differing, err));
        PG_TRY(add_value(&f->points, row, 3, accuracy, err));
    }
done:
    return status;
}

/* The curve of the paper, whatever its data set: its shape is what matters. */
static pg_status add_published_curve(const pg_published *published, figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    char series[PG_SHEET_TEXT];
    for (int i = 0; i < published->number_count; i++) {
        const pg_published_number *n = &published->numbers[i];
        size_t length;
        int row;
        const char *level = pg_parameter_value(n->subject.parameters, "level", &length);
        if (!level || strcmp(n->subject.attack, "flip") != 0 || strcmp(n->subject.metric, "accuracy_claimed") != 0) continue;
        snprintf(series, sizeof series, "published (%s)", n->subject.data);
        PG_TRY(pg_sheet_row_of(&f->points, (const char *const[]){series, n->id, NULL}, &row, err));
        PG_TRY(add_value(&f->points, row, 2, atof(level), err));
        PG_TRY(add_value(&f->points, row, 3, n->value, err));
    }
done:
    return status;
}

static pg_status draw_dissimilarity(const scene *at, const pg_published *published, const char *directory, pg_error *err)
{
    static const column columns[] = {{"series", PG_COLUMN_TEXT},
                                     {"point", PG_COLUMN_TEXT},
                                     {"differing %", PG_COLUMN_MEAN},
                                     {"accuracy %", PG_COLUMN_MEAN},
                                     {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    figure f = {.kind = "dissimilarity", .body = dissimilarity_body, .width = 960, .height = 420};
    const pg_survey *s = at->survey;
    PG_TRY(start(&f, at, columns, err));
    for (int k = 0; k < s->attacks.count; k++)
        for (int i = 0; i < s->results->count; i++)
            if (s->attack[i] == k && in_scene(at, i) && turns_signs(s->attacks.items[k].name))
                PG_TRY(add_dissimilarity(at, i, &f, err));
    if (published && f.points.row_count) PG_TRY(add_published_curve(published, &f, err));
    PG_TRY(finish(&f, directory, err));
done:
    pg_sheet_clear(&f.points);
    return status;
}

/* ---- all -------------------------------------------------------------------------------------------------------------- */

static bool new_place(const pg_results *results, int i)
{
    const pg_task_labels *a = &results->items[i].labels;
    for (int k = 0; k < i; k++) {
        const pg_task_labels *b = &results->items[k].labels;
        if (strcmp(a->data, b->data) == 0 && strcmp(a->network, b->network) == 0 && strcmp(a->norm, b->norm) == 0) return false;
    }
    return true;
}

pg_status pg_figures_write(const pg_survey *survey, const pg_published *published, const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < survey->results->count; i++) {
        if (!new_place(survey->results, i)) continue;
        scene at = {.survey = survey, .place = &survey->results->items[i].labels, .scheme = -1};
        PG_TRY(draw_pruning(&at, directory, err));
        for (at.scheme = 0; at.scheme < survey->schemes.count; at.scheme++) {
            PG_TRY(draw_forged(&at, directory, err));
            PG_TRY(draw_dissimilarity(&at, published, directory, err));
        }
    }
done:
    return status;
}

/* ---- gnuplot ---------------------------------------------------------------------------------------------------------- */

static int is_script(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".gp") == 0;
}

/* Run gnuplot in a folder, its talk going nowhere: *found is false if there is none. */
static pg_status run_gnuplot(const char *folder, const char *script, bool *found, pg_error *err)
{
    const char *const argv[] = {"gnuplot", script, NULL};
    posix_spawn_file_actions_t files;
    pid_t child = 0;
    int how = 0;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addchdir_np(&files, folder);
    errno = posix_spawnp(&child, argv[0], &files, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    *found = errno != ENOENT;
    if (!*found) return PG_OK;
    if (errno) return pg_fail_errno(err, "gnuplot cannot be run");
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return PG_OK;
    return pg_fail(err, PG_IO_FAULT, "gnuplot failed on %s/%s", folder, script);
}

pg_status pg_figures_draw(const char *directory, int *drawn, pg_error *err)
{
    char folder[PG_PATH_MAX];
    struct dirent **scripts = NULL;
    int count = 0;
    bool found = true;
    pg_status status = PG_OK;
    *drawn = 0;
    PG_TRY(pg_path(folder, directory, "figures", NULL, err));
    if (!pg_file_exists(folder)) goto done;
    count = scandir(folder, &scripts, is_script, alphasort);
    if (count < 0) PG_TRY(pg_fail_errno(err, "%s", folder));
    for (int i = 0; i < count && found; i++) {
        PG_TRY(run_gnuplot(folder, scripts[i]->d_name, &found, err));
        if (found) ++*drawn;
    }
    if (!found) *drawn = -1;
done:
    for (int i = 0; i < count; i++) free(scripts[i]);
    free(scripts);
    return status;
}
