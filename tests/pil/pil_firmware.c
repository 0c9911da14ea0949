/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The processor's part: the loop and the core as they are in any image, over tables whose
 * functions ask the simulator at the other end of two FIFOs of the host.  While it waits for an
 * answer, its own time stands still.
 *
 *     in=PATH out=PATH      on the command line, in this order
 */
#include "base/memory.h"
#include "firmware_config.h"
#include "pil_wire.h"
#include "platform/mps2/mps2.h"

#define PATH_SIZE    256
#define BROKEN       3
#define READING_SIZE (PIL_STAMP_SIZE + PIL_BASE_SIZE + 16)

static int from_simulator;
static int to_simulator;
static uint8_t message[PIL_MESSAGE_MAX];
static uint8_t frame[PIL_MESSAGE_MAX];
static struct mt_ordinary node;

/* ---- the tables ------------------------------------------------------------------------------ */

static struct pil_cursor begin(char question)
{
    struct pil_cursor to = {message};
    pil_put(&to, (uint8_t)question, 1);
    return to;
}

static void tell(const struct pil_cursor *to)
{
    if (!mps2_write(to_simulator, message, (size_t)(to->at - message))) {
        mps2_exit(BROKEN);
    }
}

static struct pil_cursor ask(const struct pil_cursor *to, size_t answer)
{
    tell(to);
    if (!mps2_read(from_simulator, message, answer)) {
        mps2_exit(BROKEN);
    }
    return (struct pil_cursor){message};
}

static void clock_read(struct mt_hal_clock *clock, struct mt_clock_reading *ret_reading)
{
    const struct pil_cursor question = begin(PIL_READ);
    struct pil_cursor answer = ask(&question, READING_SIZE);
    pil_get_stamp(&answer, &ret_reading->local);
    ret_reading->base = pil_get_base(&answer);
    ret_reading->rate_q64 = pil_get_signed(&answer, 8);
    ret_reading->window_ns = pil_get_signed(&answer, 8);
}

static void clock_stamp(struct mt_hal_clock *clock, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    struct pil_cursor question = begin(PIL_STAMP);
    pil_put_base(&question, base);
    struct pil_cursor answer = ask(&question, PIL_STAMP_SIZE);
    pil_get_stamp(&answer, ret_stamp);
}

static void clock_apply(struct mt_hal_clock *clock, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct pil_cursor question = begin(PIL_APPLY);
    pil_put_correction(&question, correction);
    struct pil_cursor answer = ask(&question, PIL_APPLIED_SIZE + 1);
    pil_get_applied(&answer, ret_applied);
    clock->scale = (enum mt_timescale)pil_get(&answer, 1);
}

static bool clock_disturbed(struct mt_hal_clock *clock, struct mt_applied *ret_applied)
{
    const struct pil_cursor question = begin(PIL_DISTURBED);
    struct pil_cursor answer = ask(&question, PIL_APPLIED_SIZE + 1);
    const bool is_disturbed = pil_get(&answer, 1) != 0;
    pil_get_applied(&answer, ret_applied);
    return is_disturbed;
}

static bool link_send(struct mt_hal_link *link, const struct mt_link_frame *out)
{
    struct pil_cursor question = begin(PIL_SEND);
    pil_put(&question, out->length, 2);
    pil_put(&question, out->destination, 1);
    pil_put(&question, out->is_event, 1);
    pil_put(&question, out->token, 4);
    memcpy(question.at, out->bytes, out->length);
    question.at += out->length;
    struct pil_cursor answer = ask(&question, 1);
    return pil_get(&answer, 1) != 0;
}

static struct mt_mono wait_now(struct mt_hal_wait *wait)
{
    const struct pil_cursor question = begin(PIL_NOW);
    struct pil_cursor answer = ask(&question, PIL_MONO_SIZE);
    return (struct mt_mono){(int64_t)pil_get(&answer, 8)};
}

static void wait_next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct pil_cursor question = begin(PIL_WAIT);
    pil_put(&question, (uint64_t)deadline.ns, 8);
    struct pil_cursor answer = ask(&question, PIL_INPUT_SIZE);
    pil_get_input(&answer, ret_input);
    ret_input->bytes = frame;
    if (ret_input->length > 0 && !mps2_read(from_simulator, frame, ret_input->length)) {
        mps2_exit(BROKEN);
    }
}

static const struct mt_hal_clock_ops clock_ops = {
    .read = clock_read, .stamp = clock_stamp, .apply = clock_apply, .disturbed = clock_disturbed};
static const struct mt_hal_link_ops link_ops = {.send = link_send};
static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};
static struct mt_hal_clock the_clock = {.ops = &clock_ops, .base = MT_BASE_VIRTUAL};
static struct mt_hal_link the_link = {.ops = &link_ops};
static struct mt_hal_wait the_wait = {.ops = &wait_ops};

/* ---- turns ----------------------------------------------------------------------------------- */

static void begin_node(void)
{
    const struct mt_ordinary_tables tables = {&the_clock, &the_link, &the_wait};
    struct pil_cursor about = {message};
    struct mt_ordinary_config config;
    if (!mps2_read(from_simulator, message, PIL_CLOCK_SIZE)) {
        mps2_exit(BROKEN);
    }
    pil_get_clock(&about, &the_clock);
    firmware_configure(&the_clock, &config);
    mt_ordinary_init(&node, &config, &tables);
}

static void end_turn(void)
{
    struct pil_cursor to = begin(PIL_DONE);
    pil_put(&to, (uint64_t)mt_ordinary_deadline(&node).ns, 8);
    tell(&to);
}

static void quit(void)
{
    struct pil_cursor to = begin(PIL_DONE);
    pil_put(&to, (uint64_t)mps2_count_ns().ns, 8);
    tell(&to);
    mps2_exit(0);
}

static int open_next(const char **arguments, bool writes)
{
    char path[PATH_SIZE];
    size_t length = 0;
    while (**arguments != '\0' && **arguments != '=') {
        ++*arguments;
    }
    *arguments += **arguments == '=';
    while (**arguments != '\0' && **arguments != ' ' && length + 1 < sizeof path) {
        path[length++] = *(*arguments)++;
    }
    path[length] = '\0';
    return mps2_open(path, writes);
}

int mt_board_main(void)
{
    const char *arguments = mt_board_arguments();
    uint8_t order;
    from_simulator = open_next(&arguments, false);
    to_simulator = open_next(&arguments, true);
    while (from_simulator >= 0 && to_simulator >= 0 &&
           mps2_read(from_simulator, &order, sizeof order)) {
        if (order == PIL_BEGIN) {
            begin_node();
        } else if (order == PIL_ONCE) {
            mt_ordinary_once(&node);
        } else {
            quit();
        }
        end_turn();
        (void)mps2_count_ns(); /* lest it wraps unseen */
    }
    return BROKEN;
}
