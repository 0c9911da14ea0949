/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state tables, proved: a port is put into each state, fed each event, and what becomes of its
 * state and timers is compared with tests/unit/golden/ptp_states_*.txt.
 * MEANTIME_UPDATE_GOLDEN=1 writes those files anew; read the difference before you commit it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"
#include "ptp_bench.h"

#define TEXT_MAX 32768

static struct ptp_bench bench;

static const char *const event_names[MT_PE_COUNT] = {
    [MT_PE_INITIALIZED] = "INITIALIZED",
    [MT_PE_FAULT_DETECTED] = "FAULT_DETECTED",
    [MT_PE_FAULT_CLEARED] = "FAULT_CLEARED",
    [MT_PE_DESIGNATED_ENABLED] = "DESIGNATED_ENABLED",
    [MT_PE_DESIGNATED_DISABLED] = "DESIGNATED_DISABLED",
    [MT_PE_RS_GRANDMASTER] = "RS_GRANDMASTER",
    [MT_PE_RS_TRANSMITTER] = "RS_TRANSMITTER",
    [MT_PE_RS_RECEIVER] = "RS_RECEIVER",
    [MT_PE_RS_NEW_PARENT] = "RS_NEW_PARENT",
    [MT_PE_RS_PASSIVE] = "RS_PASSIVE",
    [MT_PE_QUALIFIED] = "QUALIFIED",
    [MT_PE_CLOCK_SELECTED] = "CLOCK_SELECTED",
    [MT_PE_SYNCHRONIZATION_FAULT] = "SYNCHRONIZATION_FAULT",
    [MT_PE_TIME_LOST] = "TIME_LOST",
};

static const char *const timer_names[MT_TIMER_COUNT] = {
    [MT_TIMER_ANNOUNCE_RECEIPT] = "announce_receipt",
    [MT_TIMER_QUALIFICATION] = "qualification",
    [MT_TIMER_ANNOUNCE] = "announce",
    [MT_TIMER_SYNC] = "sync",
    [MT_TIMER_DELAY_REQ] = "delay_req",
};

/* A single port that was put into `state` behind the instance's back, its timers running. */
static struct mt_port *port_in(const struct mt_state_table *table, enum mt_port_state state)
{
    static struct mt_ptp_features features;
    struct mt_port *port = &bench.ports[0];
    bench_init(&bench, 1);
    features = mt_ptp_all_features;
    features.states = table;
    bench.config.features = &features;
    mt_instance_init(&bench.instance, &bench.config, bench.ports, bench.port_configs, 1, 1,
                     bench.now);
    port->state = state;
    for (unsigned timer = 0; timer < MT_TIMER_COUNT; timer++) {
        if ((table->timers[state] & 1u << timer) != 0) {
            port->timers[timer] = mt_mono_plus(bench.now, BENCH_S(100));
        }
    }
    return port;
}

static void append(char *text, const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + length, TEXT_MAX - length, format, arguments);
    va_end(arguments);
    assert_true(strlen(text) < TEXT_MAX - 1);
}

/* What runs: `+` was started anew, `=` goes on from before. */
static void append_timers(char *text, const struct mt_port *port)
{
    for (unsigned timer = 0; timer < MT_TIMER_COUNT; timer++) {
        int64_t at_ns = port->timers[timer].ns;
        if (at_ns != MT_MONO_NEVER.ns) {
            bool is_old = at_ns == bench.now.ns + BENCH_S(100);
            append(text, " %c%s", is_old ? '=' : '+', timer_names[timer]);
        }
    }
    append(text, "\n");
}

static void append_state(char *text, const struct mt_state_table *table, enum mt_port_state state)
{
    struct mt_port *port = port_in(table, state);
    append(text, "%s:", bench_state_name(state));
    append_timers(text, port);
    for (unsigned event = 0; event < MT_PE_COUNT; event++) {
        port = port_in(table, state);
        bench.instance.now = bench.now;
        mt_port_event(&bench.instance, port, (enum mt_port_event)event);
        append(text, "    %-21s ", event_names[event]);
        if (port->state == state) {
            append(text, "stays\n");
        } else {
            append(text, "%s:", bench_state_name(port->state));
            append_timers(text, port);
        }
    }
}

static void describe(char *text, const struct mt_state_table *table)
{
    text[0] = 0;
    for (unsigned state = MT_STATE_INITIALIZING; state < MT_STATE_COUNT; state++) {
        append_state(text, table, (enum mt_port_state)state);
    }
}

static void read_golden(const char *path, char *text)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("%s is missing; MEANTIME_UPDATE_GOLDEN=1 writes it", path);
        return;
    }
    size_t length = fread(text, 1, TEXT_MAX - 1, file);
    text[length] = 0;
    fclose(file);
}

static void compare_with_golden(const struct mt_state_table *table, const char *path)
{
    static char text[TEXT_MAX];
    static char golden[TEXT_MAX];
    describe(text, table);
    if (getenv("MEANTIME_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
    }
    read_golden(path, golden);
    assert_string_equal(text, golden);
}

static void ptp_states_match_the_golden_file_when_table_is_full(void **state)
{
    compare_with_golden(&mt_states_full, "tests/unit/golden/ptp_states_full.txt");
}

static void ptp_states_match_the_golden_file_when_table_is_receiver_only(void **state)
{
    compare_with_golden(&mt_states_receiver_only, "tests/unit/golden/ptp_states_receiver_only.txt");
}

static void ptp_states_match_the_golden_file_when_table_is_of_gptp(void **state)
{
    compare_with_golden(&mt_states_gptp, "tests/unit/golden/ptp_states_gptp.txt");
    compare_with_golden(&mt_states_gptp_receiver_only,
                        "tests/unit/golden/ptp_states_gptp_receiver_only.txt");
}

/* A port that is off comes back by way of INITIALIZING only, and all that do something go off. */
static void check_switching(const struct mt_state_table *table)
{
    for (unsigned from = MT_STATE_INITIALIZING; from < MT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < MT_PE_COUNT; event++) {
            unsigned to = table->next[from][event];
            assert_true(to < MT_STATE_COUNT);
            if (from <= MT_STATE_DISABLED && to >= MT_STATE_LISTENING) {
                assert_int_equal(from, MT_STATE_INITIALIZING);
            }
        }
        if (from >= MT_STATE_LISTENING && table->timers[from] != 0) {
            assert_int_equal(table->next[from][MT_PE_FAULT_DETECTED], MT_STATE_FAULTY);
            assert_int_equal(table->next[from][MT_PE_DESIGNATED_DISABLED], MT_STATE_DISABLED);
        }
    }
}

/* Whatever the table, some things must not be in it. */
static void check_rules(const struct mt_state_table *table)
{
    for (unsigned from = MT_STATE_INITIALIZING; from < MT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < MT_PE_COUNT; event++) {
            unsigned to = table->next[from][event];
            /* the way to RECEIVER leads through UNCALIBRATED, and needs a locked clock */
            if (to == MT_STATE_RECEIVER) {
                assert_int_equal(from, MT_STATE_UNCALIBRATED);
                assert_int_equal(event, MT_PE_CLOCK_SELECTED);
            }
        }
    }
    check_switching(table);
}

/* 802.1AS waits for nothing. */
static void check_gptp(const struct mt_state_table *table)
{
    for (unsigned from = MT_STATE_INITIALIZING; from < MT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < MT_PE_COUNT; event++) {
            assert_int_not_equal(table->next[from][event], MT_STATE_UNCALIBRATED);
            assert_int_not_equal(table->next[from][event], MT_STATE_PRE_TRANSMITTER);
        }
    }
    check_switching(table);
}

static void ptp_states_keep_the_rules_when_any_event_comes(void **state)
{
    check_rules(&mt_states_full);
    check_rules(&mt_states_receiver_only);
    check_gptp(&mt_states_gptp);
    check_gptp(&mt_states_gptp_receiver_only);
}

static void ptp_states_never_serve_when_table_is_receiver_only(void **state)
{
    for (unsigned from = 0; from < MT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < MT_PE_COUNT; event++) {
            unsigned to = mt_states_receiver_only.next[from][event];
            assert_int_not_equal(to, MT_STATE_PRE_TRANSMITTER);
            assert_int_not_equal(to, MT_STATE_TRANSMITTER);
            assert_int_not_equal(to, MT_STATE_PASSIVE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_states_match_the_golden_file_when_table_is_full),
        cmocka_unit_test(ptp_states_match_the_golden_file_when_table_is_receiver_only),
        cmocka_unit_test(ptp_states_match_the_golden_file_when_table_is_of_gptp),
        cmocka_unit_test(ptp_states_keep_the_rules_when_any_event_comes),
        cmocka_unit_test(ptp_states_never_serve_when_table_is_receiver_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
