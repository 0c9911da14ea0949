/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: run_scenario [--trace] [--no-sweep] [--only FRAME MISCHIEF] FILE...
 *
 * Plays a scenario (tests/scenarios/README.md) against the real core, then sweeps it: once for
 * each frame that reached or left the instance and each kind of mischief, that frame is lost,
 * doubled, held back behind the next one, or has no timestamp.  In the sweep no expectation along
 * the way counts but NEVER; the last ones must come to hold within the settling time, and stay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "special.h"

#define LINES_MAX 200
#define TEXT_MAX  16384
#define STEP_NS   (MT_NS_PER_S / 2)
#define STEPS_OK  4 /* in which the final expectations must hold one after the other */

struct scenario {
    const char *file;
    char text[TEXT_MAX];
    struct words lines[LINES_MAX];
    unsigned count;
    unsigned last_passing; /* index of the last line that lets time pass */
    int64_t settle_ns;
};

static struct scenario scenario;
static struct world world;
static bool is_traced;

/* ---- reading --------------------------------------------------------------------------------- */

static bool lets_time_pass(const struct words *line)
{
    return words_is(line, 0, "PASS") || words_is(line, 0, "AT");
}

static void read_lines(struct scenario *self)
{
    unsigned number = 0;
    char *at = self->text;
    self->count = 0;
    self->settle_ns = 20 * (int64_t)MT_NS_PER_S;
    while (*at != 0) {
        struct words line = {.file = self->file, .line = ++number};
        char *text = at;
        at += strcspn(at, "\n");
        if (*at == '\n') {
            *at++ = 0;
        }
        words_cut(&line, text);
        if (line.count > 0) {
            self->last_passing = lets_time_pass(&line) ? self->count : self->last_passing;
            self->lines[self->count++] = line;
        }
        if (self->count == LINES_MAX) {
            words_die(&line, "too many lines");
        }
    }
}

static void read_scenario(struct scenario *self, const char *path)
{
    const char *slash = strrchr(path, '/');
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    memset(self->text, 0, sizeof self->text);
    size_t length = fread(self->text, 1, sizeof self->text - 1, file);
    fclose(file);
    if (length == sizeof self->text - 1) {
        fprintf(stderr, "%s: too long\n", path);
        exit(1);
    }
    self->file = slash != NULL ? slash + 1 : path;
    read_lines(self);
}

/* ---- the instance and its ports -------------------------------------------------------------- */

static void do_ports(const struct words *line)
{
    int64_t count = words_number(line, words_at(line, 1));
    if (count < 1 || count > WORLD_PORTS) {
        words_die(line, "1 to %d ports", WORLD_PORTS);
    }
    world.port_count = (uint16_t)count;
}

static void do_config(const struct words *line)
{
    struct mt_instance_config *config = &world.config;
    words_store_u8(line, "priority1", &config->priority1);
    words_store_u8(line, "priority2", &config->priority2);
    words_store_u8(line, "class", &config->quality.clock_class);
    words_store_u8(line, "accuracy", &config->quality.accuracy);
    words_store_u8(line, "domain", &config->domain);
    words_store_u8(line, "max_steps_removed", &config->max_steps_removed);
    words_store_switch(line, "receiver_only", &config->is_receiver_only);
    words_store_switch(line, "accepts_alternate", &config->accepts_alternate);
    words_store_switch(line, "serves_uncertain", &config->serves_uncertain);
    words_store_ns(line, "clock", &world.clock_ns);
    if (words_value(line, "serve_bound") != NULL) {
        config->serve_bound = mt_interval_from_ns(words_ns(line, words_value(line, "serve_bound")));
    }
    if (config->is_receiver_only) {
        config->features = &mt_ptp_receiver_features;
    }
    special_config(&world, line);
}

static void store_interval(const struct words *line, const char *key, struct mt_interval *ret_value)
{
    if (words_value(line, key) != NULL) {
        *ret_value = mt_interval_from_ns(words_ns(line, words_value(line, key)));
    }
}

static uint16_t port_of(const struct words *line)
{
    int64_t port = words_number(line, words_at(line, 1));
    if (port < 1 || port > world.port_count) {
        words_die(line, "there is no port %lld", (long long)port);
    }
    return (uint16_t)port;
}

/* accept=1,2: clock identities by number, any port */
static void store_acceptable(const struct words *line, uint16_t port)
{
    struct mt_port_config *config = &world.port_configs[port - 1];
    const char *text = words_value(line, "accept");
    while (text != NULL && *text != 0 && config->acceptable_count < 4) {
        char *end;
        uint8_t id = (uint8_t)strtol(text, &end, 0);
        world.acceptable[port - 1][config->acceptable_count++] =
            (struct mt_port_identity){world_identity(id), 0};
        config->acceptable = world.acceptable[port - 1];
        text = end + (*end == ',');
    }
}

static void store_mechanism(const struct words *line, struct mt_port_more *more)
{
    static const struct {
        const char *word;
        enum mt_delay_mechanism mechanism;
    } words[] = {{"e2e", MT_DELAY_E2E},
                 {"p2p", MT_DELAY_P2P},
                 {"none", MT_DELAY_NONE},
                 {"auto", MT_DELAY_AUTO}};
    const char *text = words_value(line, "delay");
    for (unsigned i = 0; text != NULL && i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, text) == 0) {
            more->delay_mechanism = words[i].mechanism;
            return;
        }
    }
    if (text != NULL) {
        words_die(line, "delay is e2e, p2p, none or auto");
    }
}

static void do_port(const struct words *line)
{
    uint16_t port = port_of(line);
    struct mt_port_config *config = &world.port_configs[port - 1];
    words_store_i8(line, "announce", &config->log_announce_interval);
    words_store_i8(line, "sync", &config->log_sync_interval);
    words_store_i8(line, "delay_req", &config->log_min_delay_req_interval);
    words_store_u8(line, "timeout", &config->announce_receipt_timeout);
    words_store_switch(line, "transmitter_only", &config->is_transmitter_only);
    words_store_u16(line, "segment", &world.segments[port - 1]);
    store_interval(line, "egress", &config->egress_latency);
    store_interval(line, "ingress", &config->ingress_latency);
    store_interval(line, "asymmetry", &config->delay_asymmetry);
    words_store_i8(line, "pdelay", &world.link_configs[port - 1].log_request_interval);
    words_store_switch(line, "gptp", &world.link_configs[port - 1].is_gptp);
    words_store_switch(line, "one_step", &world.more[port - 1].sends_one_step);
    words_store_switch(line, "one_step", &world.link_configs[port - 1].is_one_step);
    store_mechanism(line, &world.more[port - 1]);
    store_acceptable(line, port);
    special_port(&world, line, port);
}

/* ---- peers ----------------------------------------------------------------------------------- */

static void add_peer(const struct words *line)
{
    if (world.peer_count == WORLD_PEERS) {
        words_die(line, "too many peers");
    }
    world_start(&world);
    struct peer *peer = &world.peers[world.peer_count];
    const struct words keys = words_from(line, 2);
    peer_init(peer, words_at(line, 1), words_is(line, 0, "CLIENT"));
    peer_configure(&world, peer, &keys);
    world.peer_count++;
    /* each begins at another millisecond, so that nothing depends on who is first at one time */
    int64_t begin_ns = world.now_ns + world.peer_count * INT64_C(3000000);
    peer->next_announce_ns = begin_ns;
    peer->next_sync_ns = begin_ns + 1000000;
    peer->next_request_ns = begin_ns + 2000000;
    peer->next_pdelay_ns = begin_ns + 2500000;
}

static void do_set(const struct words *line)
{
    const struct words keys = words_from(line, 2);
    peer_configure(&world, peer_find(&world, words_at(line, 1)), &keys);
}

static void do_run_peer(const struct words *line)
{
    struct peer *peer = peer_find(&world, words_at(line, 1));
    peer->is_running = words_is(line, 0, "START");
}

static void do_rx(const struct words *line)
{
    const struct words rest = words_from(line, 1);
    world_start(&world);
    peer_inject(&world, &rest);
}

/* ---- commands of the instance ---------------------------------------------------------------- */

static void command_port(const struct words *line, enum mt_command_kind kind)
{
    const struct mt_command command = {
        .kind = kind, .port = port_of(line), .value.is_on = words_switch(line, words_at(line, 2))};
    world_start(&world);
    world_command(&world, &command);
}

static void do_link(const struct words *line)
{
    command_port(line, MT_COMMAND_LINK);
}

static void do_enable(const struct words *line)
{
    command_port(line, MT_COMMAND_PORT_ENABLE);
}

static void do_fault(const struct words *line)
{
    command_port(line, MT_COMMAND_FAULT);
}

/* CLOCK locked|unlocked [bound=..]: from now on the scenario says, not the little discipline */
static void do_clock(const struct words *line)
{
    struct mt_command command = {.kind = MT_COMMAND_CLOCK};
    struct mt_clock_condition *clock = &command.value.clock;
    clock->is_locked = words_is(line, 1, "locked");
    clock->has_bound = words_value(line, "bound") != NULL;
    store_interval(line, "bound", &clock->bound);
    world.has_discipline = false;
    world_start(&world);
    world_command(&world, &command);
}

static void do_discipline(const struct words *line)
{
    uint16_t after = (uint16_t)world.locks_after;
    world.has_discipline = words_switch(line, words_at(line, 1));
    words_store_u16(line, "after", &after);
    words_store_ns(line, "bound", &world.bound_ns);
    world.locks_after = after;
}

/* COMMAND with keys of priorities, of quality or of time properties */
static void do_command(const struct words *line)
{
    struct mt_command command = {0};
    world_start(&world);
    if (words_value(line, "class") != NULL || words_value(line, "accuracy") != NULL) {
        command.kind = MT_COMMAND_QUALITY;
        command.value.quality = world.instance.config.quality;
        words_store_u8(line, "class", &command.value.quality.clock_class);
        words_store_u8(line, "accuracy", &command.value.quality.accuracy);
    } else if (words_value(line, "utc_offset") != NULL) {
        command.kind = MT_COMMAND_TIME_PROPERTIES;
        command.value.time.utc_offset =
            (int16_t)words_number(line, words_value(line, "utc_offset"));
        command.value.time.flags = words_flags(line, words_value(line, "flags"));
        words_store_u8(line, "time_source", &command.value.time.time_source);
    } else {
        command.kind = MT_COMMAND_PRIORITIES;
        command.value.priorities.priority1 = world.instance.config.priority1;
        command.value.priorities.priority2 = world.instance.config.priority2;
        words_store_u8(line, "priority1", &command.value.priorities.priority1);
        words_store_u8(line, "priority2", &command.value.priorities.priority2);
    }
    if (!world_command(&world, &command)) {
        words_die(line, "the command was refused");
    }
}

/* ---- mischief by the scenario ---------------------------------------------------------------- */

/* DROP|DOUBLE|DELAY|UNSTAMP next TYPE [count=N] [port=N] */
static void do_mischief(const struct words *line)
{
    static const char *const words[MISCHIEF_COUNT] = {"DROP", "DOUBLE", "DELAY", "UNSTAMP"};
    struct filter filter = {.left = 1, .type = words_type(line, words_at(line, 2))};
    uint16_t count = 1;
    words_store_u16(line, "count", &count);
    words_store_u16(line, "port", &filter.port);
    filter.left = count;
    while (!words_is(line, 0, words[filter.mischief])) {
        filter.mischief++;
    }
    for (unsigned i = 0; i < sizeof world.filters / sizeof *world.filters; i++) {
        if (world.filters[i].left == 0) {
            world.filters[i] = filter;
            return;
        }
    }
    words_die(line, "too much mischief at once");
}

/* STAMPS lost|kept [latency=..]: of the frames that the instance sends */
static void do_stamps(const struct words *line)
{
    world.loses_stamps = words_is(line, 1, "lost");
    words_store_ns(line, "latency", &world.stamp_latency_ns);
}

static void do_mark(const struct words *line)
{
    world_mark(&world);
}

static void do_settle(const struct words *line)
{
    unsigned i = 1;
    scenario.settle_ns = words_ns_at(line, &i);
}

/* ---- playing --------------------------------------------------------------------------------- */

static void carry_out(const struct words *line, bool is_sweep);

static void do_pass(const struct words *line)
{
    unsigned i = 1;
    int64_t by_ns = words_ns_at(line, &i);
    world_run(&world, world.now_ns + by_ns);
}

static void run_to(const struct words *line)
{
    int64_t at_ns = WORLD_START + words_ns(line, "0");
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%ss", words_at(line, 1));
    at_ns += words_ns(line, seconds);
    if (at_ns < world.now_ns) {
        words_die(line, "it is later than that");
    }
    world_run(&world, at_ns);
}

static void do_expect(const struct words *line, bool is_sweep)
{
    const struct words rest = words_from(line, 1);
    enum expectation kind = expect_kind(&rest);
    if (is_sweep && kind != EXPECT_ALWAYS) {
        return;
    }
    const char *difference = expect_check(&world, &rest);
    if (difference != NULL) {
        world_die(&world, "not as expected: %s", difference);
    }
}

static const struct {
    const char *word;
    void (*act)(const struct words *line);
} commands[] = {
    {"PORTS", do_ports},
    {"CONFIG", do_config},
    {"PORT", do_port},
    {"SOURCE", add_peer},
    {"CLIENT", add_peer},
    {"SET", do_set},
    {"STOP", do_run_peer},
    {"START", do_run_peer},
    {"RX", do_rx},
    {"LINK", do_link},
    {"ENABLE", do_enable},
    {"FAULT", do_fault},
    {"CLOCK", do_clock},
    {"DISCIPLINE", do_discipline},
    {"COMMAND", do_command},
    {"DROP", do_mischief},
    {"DOUBLE", do_mischief},
    {"DELAY", do_mischief},
    {"UNSTAMP", do_mischief},
    {"STAMPS", do_stamps},
    {"MARK", do_mark},
    {"SETTLE", do_settle},
    {"PASS", do_pass},
};

static void carry_out(const struct words *line, bool is_sweep)
{
    world.line = line;
    if (words_is(line, 0, "AT")) {
        const struct words rest = words_from(line, 2);
        run_to(line);
        if (rest.count > 0) {
            carry_out(&rest, is_sweep);
            world.line = line;
        }
        return;
    }
    if (words_is(line, 0, "EXPECT")) {
        do_expect(line, is_sweep);
        return;
    }
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (words_is(line, 0, commands[i].word)) {
            commands[i].act(line);
            return;
        }
    }
    words_die(line, "`%s` is no command", words_at(line, 0));
}

static void play(bool is_sweep, int perturbed, enum mischief mischief)
{
    world_init(&world);
    world.is_traced = is_traced;
    world.perturbed = perturbed;
    world.mischief = mischief;
    for (unsigned i = 0; i < scenario.count; i++) {
        carry_out(&scenario.lines[i], is_sweep);
    }
}

/* ---- the sweep ------------------------------------------------------------------------------- */

/* The final expectations: those behind the last time that passes. */
static bool is_final(unsigned index, struct words *ret_expectation)
{
    const struct words *line = &scenario.lines[index];
    unsigned first = words_is(line, 0, "AT") ? 2 : 0;
    if (index < scenario.last_passing || !words_is(line, first, "EXPECT")) {
        return false;
    }
    *ret_expectation = words_from(line, first + 1);
    return expect_kind(ret_expectation) == EXPECT_LASTING;
}

static const char *final_difference(struct words *ret_expectation)
{
    for (unsigned i = scenario.last_passing; i < scenario.count; i++) {
        if (is_final(i, ret_expectation)) {
            const char *difference = expect_check(&world, ret_expectation);
            if (difference != NULL) {
                return difference;
            }
        }
    }
    return NULL;
}

static void settle(void)
{
    struct words expectation = {0};
    unsigned held = 0;
    const char *difference = NULL;
    for (int64_t passed_ns = 0; passed_ns <= scenario.settle_ns; passed_ns += STEP_NS) {
        difference = final_difference(&expectation);
        held = difference == NULL ? held + 1 : 0;
        if (held == STEPS_OK) {
            return;
        }
        world_run(&world, world.now_ns + STEP_NS);
    }
    world.line = &expectation;
    world_die(&world, "does not settle: %s", difference != NULL ? difference : "comes and goes");
}

static void check_finals(void)
{
    struct words expectation;
    unsigned finals = 0;
    for (unsigned i = scenario.last_passing; i < scenario.count; i++) {
        finals += is_final(i, &expectation);
    }
    if (finals == 0) {
        words_die(&scenario.lines[scenario.last_passing],
                  "nothing lasting (STATE, PARENT, GM, RECEIVING) is expected at the end");
    }
}

static void sweep_one(int frame, enum mischief mischief)
{
    static const char *const names[MISCHIEF_COUNT] = {"lost", "doubled", "delayed",
                                                      "without timestamp"};
    char context[80];
    snprintf(context, sizeof context, "frame #%d %s: ", frame, names[mischief]);
    words_set_context(context);
    play(true, frame, mischief);
    settle();
    words_set_context("");
}

static unsigned sweep(void)
{
    static bool is_event[WORLD_FRAMES];
    unsigned runs = 0;
    int frames = world.frames;
    check_finals();
    if (frames > WORLD_FRAMES) {
        world_die(&world, "more than %d frames", WORLD_FRAMES);
    }
    memcpy(is_event, world.is_event, sizeof is_event);
    for (int frame = 0; frame < frames; frame++) {
        for (unsigned mischief = 0; mischief < MISCHIEF_COUNT; mischief++) {
            if (mischief != WITHOUT_STAMP || is_event[frame]) {
                sweep_one(frame, (enum mischief)mischief);
                runs++;
            }
        }
    }
    return runs;
}

int main(int argc, char **argv)
{
    bool sweeps = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            is_traced = true;
        } else if (strcmp(argv[i], "--no-sweep") == 0) {
            sweeps = false;
        } else if (strcmp(argv[i], "--only") == 0 && i + 3 < argc) {
            read_scenario(&scenario, argv[i + 3]);
            sweep_one(atoi(argv[i + 1]), (enum mischief)(atoi(argv[i + 2]) % MISCHIEF_COUNT));
            return 0;
        } else {
            read_scenario(&scenario, argv[i]);
            play(false, -1, LOST);
            unsigned frames = (unsigned)world.frames;
            printf("%s: %u frames, %u runs\n", scenario.file, frames, sweeps ? sweep() : 0);
        }
    }
    return 0;
}
