/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime sim: reads a topology, runs it, tells the results.  Standard output and the files are
 * the same for the same seed; how fast it was is told on standard error.
 */
#include "apps/meantime/sim/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/meantime/sim/plots.h"
#include "apps/meantime/tool.h"
#include "meantime_version.h"

#define SETTINGS_MOST 64
#define PLOTS_MOST    8
#define SERIES_OCTETS (UINT64_C(256) << 20)
#define SEEDS_MOST    1000000
#define RECORDER      "meantime sim " MT_VERSION

struct plot {
    enum mt_plot kind;
    const char *path;
};

struct request {
    const char *topology;
    const char *settings[SETTINGS_MOST];
    size_t setting_count;
    char own[3][64]; /**< settings made of --duration, --seed and --class */
    uint32_t seeds;
    uint32_t jobs;
    const char *csv;
    const char *json;
    const char *series;
    struct plot plots[PLOTS_MOST];
    size_t plot_count;
    const char *records[MT_RUN_RECORDS_MOST]; /**< NODE:FILE */
    size_t record_count;
    bool shows_all;
    bool judges_clocks;
    bool is_quiet;
};

/* ---- the command line ------------------------------------------------------------------------ */

static bool misuse(const char *sentence)
{
    mt_tool_misuse("%s", sentence);
    return false;
}

static bool add_setting(struct request *self, const char *setting)
{
    if (self->setting_count == SETTINGS_MOST) {
        return misuse("--set: too many of them");
    }
    self->settings[self->setting_count++] = setting;
    return true;
}

/* A number of seconds, or a time with its unit. */
static bool add_own_setting(struct request *self, size_t place, const char *key, const char *value)
{
    double number;
    bool is_bare = mt_tool_number(value, 0, 1e9, &number) && strcmp(key, "duration") == 0;

    if (value[0] == '\0' || strlen(value) > 32) {
        mt_tool_misuse("--%s: expected a value", key);
        return false;
    }
    snprintf(self->own[place], sizeof self->own[place], "sim.%s=%s%s", key, value,
             is_bare ? " s" : "");
    return add_setting(self, self->own[place]);
}

/* "FILE.svg", or "mtie=FILE.svg" */
static bool add_plot(struct request *self, const char *value)
{
    struct plot plot = {MT_PLOT_TIME, value};
    const char *equals = strchr(value, '=');
    char kind[32];

    if (equals != NULL) {
        snprintf(kind, sizeof kind, "%.*s", (int)(equals - value), value);
        if (!mt_plots_from_name(kind, &plot.kind)) {
            return misuse("--plot: expected time=FILE, mtie=FILE, tdev=FILE, adev=FILE or "
                          "histogram=FILE");
        }
        plot.path = equals + 1;
    }
    if (!mt_plots_is_path(plot.path)) {
        return misuse("--plot: expected a file that ends in .svg or .png");
    }
    if (self->plot_count == PLOTS_MOST) {
        return misuse("--plot: too many of them");
    }
    self->plots[self->plot_count++] = plot;
    return true;
}

static bool add_record(struct request *self, const char *value)
{
    const char *colon = strchr(value, ':');

    if (colon == NULL || colon == value || colon[1] == '\0') {
        return misuse("--record: expected NODE:FILE");
    }
    if (self->record_count == MT_RUN_RECORDS_MOST) {
        return misuse("--record: too many of them");
    }
    self->records[self->record_count++] = value;
    return true;
}

static bool take_count(const char *name, const char *value, double most, uint32_t *ret_count)
{
    double number;

    if (!mt_tool_number(value, 1, most, &number) || number != (double)(uint32_t)number) {
        mt_tool_misuse("%s: expected a whole number from 1 to %.0f", name, most);
        return false;
    }
    *ret_count = (uint32_t)number;
    return true;
}

static bool take_path(const char *name, const char *value, const char **ret_path)
{
    if (value[0] == '\0') {
        mt_tool_misuse("%s: expected a file", name);
        return false;
    }
    *ret_path = value;
    return true;
}

/* An option with a value; true with *ret_is_one false if it is none of them. */
static bool take_option(struct request *self, int count, char **arguments, int *at,
                        bool *ret_is_one)
{
    const char *value;

    *ret_is_one = true;
    if ((value = mt_tool_option("--seeds", count, arguments, at)) != NULL) {
        return take_count("--seeds", value, SEEDS_MOST, &self->seeds);
    }
    if ((value = mt_tool_option("--jobs", count, arguments, at)) != NULL) {
        return take_count("--jobs", value, 1024, &self->jobs);
    }
    if ((value = mt_tool_option("--seed", count, arguments, at)) != NULL) {
        return add_own_setting(self, 0, "seed", value);
    }
    if ((value = mt_tool_option("--duration", count, arguments, at)) != NULL) {
        return add_own_setting(self, 1, "duration", value);
    }
    if ((value = mt_tool_option("--class", count, arguments, at)) != NULL) {
        return add_own_setting(self, 2, "class", value);
    }
    if ((value = mt_tool_option("--set", count, arguments, at)) != NULL) {
        return add_setting(self, value);
    }
    if ((value = mt_tool_option("--csv", count, arguments, at)) != NULL) {
        return take_path("--csv", value, &self->csv);
    }
    if ((value = mt_tool_option("--json", count, arguments, at)) != NULL) {
        return take_path("--json", value, &self->json);
    }
    if ((value = mt_tool_option("--series", count, arguments, at)) != NULL) {
        return take_path("--series", value, &self->series);
    }
    if ((value = mt_tool_option("--plot", count, arguments, at)) != NULL) {
        return add_plot(self, value);
    }
    if ((value = mt_tool_option("--record", count, arguments, at)) != NULL) {
        return add_record(self, value);
    }
    *ret_is_one = false;
    return true;
}

static bool take_argument(struct request *self, int count, char **arguments, int *at)
{
    const char *argument = arguments[*at];
    bool is_option;

    if (!take_option(self, count, arguments, at, &is_option)) {
        return false;
    }
    if (is_option) {
        return true;
    }
    if (strcmp(argument, "--all") == 0) {
        self->shows_all = true;
    } else if (strcmp(argument, "--clocks") == 0) {
        self->judges_clocks = true;
    } else if (strcmp(argument, "--quiet") == 0) {
        self->is_quiet = true;
    } else if (argument[0] == '-') {
        mt_tool_misuse("sim: unexpected %s", argument);
        return false;
    } else if (self->topology != NULL) {
        mt_tool_misuse("sim: expected one topology, not %s as well", argument);
        return false;
    } else {
        self->topology = argument;
    }
    return true;
}

static uint32_t cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 && count <= 1024 ? (uint32_t)count : 1;
}

/* ---- results --------------------------------------------------------------------------------- */

/* The rows of the tables: each node's published time and, if asked for, its steered clock. */
struct rows {
    struct mt_figures_node *nodes;
    char (*texts)[2][MT_CONFIG_NAME_MAX + 16];
    size_t count;
    struct mt_figures_mark *marks; /**< of the timeline */
};

static void add_rows(struct rows *self, const struct mt_topology *topology,
                     const struct mt_statistics *statistics, const char *suffix)
{
    for (uint32_t i = 0; statistics != NULL && i < topology->node_count; i++) {
        const struct mt_topology_node *node = &topology->nodes[i];
        char(*texts)[MT_CONFIG_NAME_MAX + 16] = self->texts[self->count];
        snprintf(texts[0], sizeof texts[0], "%s%s", node->name, suffix);
        snprintf(texts[1], sizeof texts[1], "%s%s", node->kind, suffix);
        self->nodes[self->count++] = (struct mt_figures_node){
            .name = texts[0],
            .role = texts[1],
            .is_reference = node->gives_time,
            .statistics = &statistics[i],
        };
    }
}

static bool make_rows(struct rows *self, const struct mt_topology *topology,
                      const struct mt_run_result *result)
{
    size_t most = (size_t)topology->node_count * 2;

    *self = (struct rows){calloc(most, sizeof *self->nodes), calloc(most, sizeof *self->texts), 0,
                          calloc(topology->happening_count + 1, sizeof *self->marks)};
    if (self->nodes == NULL || self->texts == NULL || self->marks == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < topology->happening_count; i++) {
        self->marks[i].t_s = (double)topology->happenings[i].t_ns / 1e9;
        self->marks[i].sentence = topology->happenings[i].sentence;
    }
    add_rows(self, topology, result->published, "");
    add_rows(self, topology, result->steered, " clock");
    return true;
}

static void write_csv(FILE *out, const struct mt_figures *figures)
{
    mt_figures_write_csv(out, figures);
}

static void write_json(FILE *out, const struct mt_figures *figures)
{
    mt_figures_write_json(out, figures);
}

static bool write_file(const char *path, void (*write)(FILE *, const struct mt_figures *),
                       const struct mt_figures *figures)
{
    FILE *out = path != NULL ? fopen(path, "w") : NULL;

    if (path == NULL) {
        return true;
    }
    if (out != NULL) {
        write(out, figures);
    }
    if (out == NULL || (fclose(out) != 0)) {
        mt_tool_fail("%s: cannot be written: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static bool write_files(const struct request *self, const struct mt_figures *figures)
{
    char complaint[MT_PLOTS_COMPLAINT_SIZE];
    bool is_good = write_file(self->csv, write_csv, figures);

    is_good = write_file(self->json, write_json, figures) && is_good;
    is_good = write_file(self->series, mt_figures_write_series, figures) && is_good;
    for (size_t i = 0; i < self->plot_count; i++) {
        if (!mt_plots_draw(self->plots[i].kind, figures, self->plots[i].path, complaint)) {
            mt_tool_fail("%s: %s", self->plots[i].path, complaint);
            is_good = false;
        }
    }
    return is_good;
}

static enum mt_exit tell_results(const struct request *self, const struct mt_topology *topology,
                                 const struct mt_run_result *result, uint32_t seeds,
                                 const struct mt_run_options *options)
{
    struct rows rows;

    if (!make_rows(&rows, topology, result)) {
        return mt_tool_fail("out of memory");
    }
    const struct mt_figures figures = {
        .title = topology->run.title,
        .nodes = rows.nodes,
        .count = rows.count,
        .seeds = seeds,
        .first_seed = topology->run.seed,
        .duration_s = (double)result->t_ns / 1e9,
        .plan = mt_run_plan(topology, 0, options->series_limit),
        .class_ = topology->run.class_,
        .marks = rows.marks,
        .mark_count = topology->happening_count,
        .machines = topology->node_count,
        .width = isatty(STDOUT_FILENO) != 0 ? mt_tool_width() : 0,
    };
    mt_figures_write_table(stdout, &figures, self->shows_all);
    mt_sim_print_timeline(stdout, topology, result);
    unsigned missed = mt_sim_judge(stdout, topology, result);
    bool is_good = write_files(self, &figures);
    free(rows.nodes);
    free(rows.texts);
    free(rows.marks);
    return is_good && missed == 0 ? MT_EXIT_GOOD : MT_EXIT_BAD;
}

/* ---- running --------------------------------------------------------------------------------- */

static void interrupt(int signal_number)
{
    mt_seeds_interrupted = signal_number;
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART | (int)SA_RESETHAND; /* twice: at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Not good, having said why, with what was opened. */
static enum mt_exit open_records(const struct request *self, const struct mt_topology *topology,
                                 struct mt_run_record *records, uint32_t *ret_count)
{
    for (*ret_count = 0; *ret_count < self->record_count; (*ret_count)++) {
        const char *value = self->records[*ret_count];
        const char *path = strchr(value, ':') + 1;
        char name[MT_CONFIG_NAME_MAX + 1];
        snprintf(name, sizeof name, "%.*s", (int)(path - 1 - value), value);
        uint32_t node = mt_topology_find_node(topology, name);
        for (uint32_t i = 0; i < *ret_count; i++) {
            node = records[i].node == node ? MT_TOPOLOGY_NONE : node;
        }
        if (node == MT_TOPOLOGY_NONE) {
            return mt_tool_misuse("--record %s: expected another node of the topology", value);
        }
        FILE *out = fopen(path, "wb");
        if (out == NULL) {
            return mt_tool_fail("%s: cannot be written: %s", path, strerror(errno));
        }
        records[*ret_count] = (struct mt_run_record){node, out, RECORDER};
    }
    return MT_EXIT_GOOD;
}

static void close_records(struct mt_run_record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fclose(records[i].out); /* the run has flushed it */
    }
}

static enum mt_exit run(const struct request *self, const struct mt_topology *topology,
                        const struct mt_run_record *records)
{
    struct mt_seeds_options options = {
        .run = {.judges_clocks = self->judges_clocks,
                .keeps_series = self->series != NULL,
                .records = records,
                .record_count = (uint32_t)self->record_count},
        .first = topology->run.seed,
        .count = self->seeds,
        .jobs = self->jobs,
    };
    struct mt_sim_progress progress;
    struct mt_run_result result;
    char complaint[MT_RUN_COMPLAINT_SIZE];
    uint32_t seeds;

    options.run.series_limit = mt_statistics_series_limit(
        SERIES_OCTETS, (size_t)topology->node_count * (self->judges_clocks ? 2 : 1),
        (uint64_t)(topology->run.duration_ns / topology->run.reading_interval_ns));
    catch_interrupts();
    mt_sim_progress_begin(&progress, topology, self->seeds, self->is_quiet);
    bool has_result = mt_seeds_run(topology, &options, mt_sim_progress_tell, &progress, &result,
                                   &seeds, complaint);
    mt_sim_progress_end(&progress);
    if (!has_result) {
        return mt_tool_fail("%s", complaint);
    }
    enum mt_exit status = tell_results(self, topology, &result, seeds, &options.run);
    mt_sim_progress_say_speed(&progress, (double)result.t_ns / 1e9 * seeds, result.messages);
    if (complaint[0] != '\0') {
        status = mt_tool_fail("ended early: %s", complaint);
    } else if (mt_seeds_interrupted) {
        status = mt_tool_fail("interrupted after %.0f of %.0f s, %u of %u seeds",
                              (double)result.t_ns / 1e9, (double)topology->run.duration_ns / 1e9,
                              seeds, self->seeds);
    }
    mt_run_result_free(&result);
    return status;
}

static enum mt_exit record_and_run(const struct request *self, const struct mt_topology *topology)
{
    struct mt_run_record records[MT_RUN_RECORDS_MOST];
    uint32_t count;
    enum mt_exit status = open_records(self, topology, records, &count);

    if (status == MT_EXIT_GOOD) {
        status = run(self, topology, records);
    }
    close_records(records, count);
    return status;
}

static enum mt_exit load_and_run(const struct request *self)
{
    struct mt_config_problems *problems = calloc(1, sizeof *problems);
    struct mt_topology *topology = NULL;
    char path[MT_SIM_PATH_SIZE];
    enum mt_exit status = MT_EXIT_USAGE;

    if (problems == NULL) {
        return mt_tool_fail("out of memory");
    }
    if (mt_sim_find(self->topology, path)) {
        if (mt_topology_load(path, self->settings, self->setting_count, &topology, problems)) {
            status = record_and_run(self, topology);
        } else {
            mt_config_problems_print(problems, stderr);
            size_t count = problems->count + problems->omitted;
            fprintf(stderr, "%s: %zu problem%s\n", path, count, count == 1 ? "" : "s");
        }
    }
    mt_topology_free(topology);
    free(problems);
    return status;
}

enum mt_exit mt_tool_sim(const struct mt_tool *tool, int count, char **arguments)
{
    struct request request = {.seeds = 1, .jobs = cores()};

    if (count == 1 && strcmp(arguments[0], "--list") == 0) {
        return mt_sim_list(stdout) ? MT_EXIT_GOOD : MT_EXIT_BAD;
    }
    if (count == 1 && strcmp(arguments[0], "--keys") == 0) {
        mt_topology_print_keys(stdout);
        return MT_EXIT_GOOD;
    }
    for (int i = 0; i < count; i++) {
        if (!take_argument(&request, count, arguments, &i)) {
            return MT_EXIT_USAGE;
        }
    }
    if (request.topology == NULL) {
        return mt_tool_misuse("sim: expected a topology, such as founding-lab; --list names those "
                              "that are shipped");
    }
    return load_and_run(&request);
}
