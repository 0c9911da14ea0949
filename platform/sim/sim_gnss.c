/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A GNSS receiver that a node hears: a pulse at each full second of true UTC, stamped late now and
 * then or not at all, and a sentence some time later that tells which second it was, or, on demand,
 * another one.  As with other reference clocks one event of each is under way at a time.
 */
#include <stdio.h>
#include <string.h>

#include "platform/sim/sim_private.h"
#include "runtime/refclock_reading.h"

#define S_NS          INT64_C(1000000000)
#define DAY_S         86400
#define DAYS_OF_400   146097
#define DAYS_TO_1970  719468 /* from 0000-03-01 */
#define SENTENCE_SIZE 100

static struct mt_sim_gnss *gnss_of(struct mt_sim_node *node)
{
    return &node->config.gnss;
}

/* The date of a day since 1970: years that begin in March. */
static void date_of(int64_t day, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t shifted = day + DAYS_TO_1970;
    int64_t era = shifted / DAYS_OF_400;
    int64_t of_era = shifted % DAYS_OF_400;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(era * 400 + year + (month >= 10));
}

/* RMC; its length. */
static size_t write_sentence(int64_t utc_s, bool has_fix, char text[SENTENCE_SIZE])
{
    int64_t second = utc_s % DAY_S;
    unsigned sum = 0;
    int year;
    int month;
    int day;
    char body[SENTENCE_SIZE - 10];
    date_of(utc_s / DAY_S, &year, &month, &day);
    snprintf(body, sizeof body, "GNRMC,%02d%02d%02d.00,%c,,,,,0.0,,%02d%02d%02d,,,%c",
             (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60), has_fix ? 'A' : 'V',
             day, month, year % 100, has_fix ? 'A' : 'N');
    for (const char *at = body; *at != '\0'; at++) {
        sum ^= (unsigned char)*at;
    }
    return (size_t)snprintf(text, SENTENCE_SIZE, "$%s*%02X\r\n", body, sum);
}

static void plan(struct mt_sim_node *node, uint16_t link, const uint8_t *bytes, size_t length,
                 int64_t t_ns, struct mt_base_time stamp)
{
    struct mt_world *world = node->world;
    struct mt_sim_event *event = mt_sim_new_event(world, node->number, MT_INPUT_FRAME);
    struct mt_sim_frame *frame = mt_sim_queue_new_frame(&world->queue, bytes, length);
    if (event == NULL || frame == NULL) {
        mt_sim_complain(world, "out of memory for a GNSS receiver");
        return;
    }
    event->link = link;
    event->frame = frame;
    event->has_stamp = true;
    event->stamp = stamp;
    mt_sim_queue_add(&world->queue, t_ns, event);
    mt_sim_queue_give_back(&world->queue, frame);
}

/* How far away the next full second is whose event comes `delay_ns` after it; its UTC. */
static int64_t wait_ns(const struct mt_world *world, int64_t delay_ns, int64_t *ret_utc_s)
{
    int64_t utc_ns = mt_sim_base(world).ns - mt_world_utc(world).tai_minus_utc_s * S_NS;
    int64_t next_ns = ((utc_ns - delay_ns) / S_NS + 1) * S_NS;
    *ret_utc_s = next_ns / S_NS;
    return next_ns + delay_ns - utc_ns;
}

static int64_t lateness_ns(struct mt_sim_node *node)
{
    const struct mt_sim_gnss *gnss = gnss_of(node);
    mt_real noise =
        gnss->pulse_jitter_ns * mt_sim_normal(&node->world->noise, &node->refclock_prng);
    mt_real late = 0;
    if (mt_sim_chance(&node->refclock_prng, gnss->pulse_late)) {
        late = (mt_real)gnss->pulse_late_ns;
    }
    return (int64_t)(noise < 0 ? -noise : noise) + (int64_t)late;
}

static void next_pulse(struct mt_sim_node *node, uint16_t link)
{
    struct mt_world *world = node->world;
    uint8_t bytes[MT_REFCLOCK_READING_SIZE];
    int64_t utc_s;
    int64_t wait = wait_ns(world, 0, &utc_s);
    int64_t late = lateness_ns(node);
    while (mt_sim_chance(&node->refclock_prng, gnss_of(node)->pulse_loss)) {
        wait += S_NS;
    }
    struct mt_base_time at = {.ns = mt_sim_base(world).ns + wait + late};
    mt_refclock_reading_write(&(struct mt_refclock_reading){.is_pulse = true}, bytes);
    plan(node, link, bytes, sizeof bytes, world->t_ns + wait + late, at);
}

static void next_sentence(struct mt_sim_node *node, uint16_t link)
{
    struct mt_world *world = node->world;
    const struct mt_sim_gnss *gnss = gnss_of(node);
    char text[SENTENCE_SIZE];
    int64_t utc_s;
    int64_t wait = wait_ns(world, gnss->sentence_delay_ns, &utc_s);
    size_t length = write_sentence(utc_s + gnss->ahead_s, !gnss->has_no_fix, text);
    struct mt_base_time at = {.ns = mt_sim_base(world).ns + wait};
    plan(node, link, (const uint8_t *)text, length, world->t_ns + wait, at);
}

void mt_sim_gnss_next(struct mt_sim_node *node, uint16_t link)
{
    if (gnss_of(node)->sentence_delay_ns <= 0) {
        return;
    }
    if (node->links[link]->hears == MT_SIM_HEARS_PULSES) {
        next_pulse(node, link);
    } else {
        next_sentence(node, link);
    }
}

void mt_sim_gnss_open(struct mt_sim_node *node, struct mt_sim_link *link)
{
    struct mt_sim_event *event = mt_sim_new_event(node->world, node->number, MT_INPUT_LINK);
    if (event != NULL) {
        event->link = link->index;
        event->is_up = true;
        mt_sim_queue_add(&node->world->queue, node->world->t_ns, event);
    }
    mt_sim_gnss_next(node, link->index);
}
