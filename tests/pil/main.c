/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Processor in the loop: the same hour with faults (tests/sim/sim_firmware.c) twice, once with the
 * small machine's loop on this computer, once with the image of a Cortex-M7 on QEMU.  Frames and
 * corrections are the same to the last bit, or the first one that is not is shown.
 *
 *     pil IMAGE [PROGRAM]      PROGRAM: the loop on this computer, if it does not count as the
 *                              simulator does (tests/precision: in single precision)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pil_remote.h"
#include "sim_firmware.h"

#define LINE_SIZE 512

/* What the small machine does to its tables, as lines of text. */
struct trace {
    struct mt_hal_clock clock;
    struct mt_hal_link link;
    struct mt_ordinary_tables inner;
    FILE *file;
    unsigned long lines;
};

static struct firmware_net net;
static struct trace *current;

static void trace_send_line(const struct mt_link_frame *frame)
{
    fprintf(current->file, "%" PRId64 " send %d %u ", mt_world_t_ns(net.lab.world),
            (int)frame->is_event, (unsigned)frame->token);
    for (size_t i = 0; i < frame->length; i++) {
        fprintf(current->file, "%02x", frame->bytes[i]);
    }
    fputc('\n', current->file);
    current->lines++;
}

static bool traced_send(struct mt_hal_link *link, const struct mt_link_frame *frame)
{
    trace_send_line(frame);
    return current->inner.link->ops->send(current->inner.link, frame);
}

static void traced_read(struct mt_hal_clock *clock, struct mt_clock_reading *ret_reading)
{
    current->inner.clock->ops->read(current->inner.clock, ret_reading);
}

static void traced_stamp(struct mt_hal_clock *clock, struct mt_base_time base,
                         struct mt_stamp *ret_stamp)
{
    current->inner.clock->ops->stamp(current->inner.clock, base, ret_stamp);
}

static bool traced_disturbed(struct mt_hal_clock *clock, struct mt_applied *ret_applied)
{
    return current->inner.clock->ops->disturbed(current->inner.clock, ret_applied);
}

static void traced_apply(struct mt_hal_clock *clock, const struct mt_correction *correction,
                         struct mt_applied *ret_applied)
{
    const int64_t t_ns = mt_world_t_ns(net.lab.world);
    if (correction->kind == MT_CORRECT_STEP) {
        fprintf(current->file, "%" PRId64 " step %" PRId64 " %u %u %d\n", t_ns, correction->step.s,
                correction->step.ns, correction->step.frac, (int)correction->scale);
    } else {
        fprintf(current->file, "%" PRId64 " rate %a\n", t_ns, correction->rate);
    }
    current->lines++;
    current->inner.clock->ops->apply(current->inner.clock, correction, ret_applied);
    clock->scale = current->inner.clock->scale;
}

static const struct mt_hal_clock_ops clock_ops = {.read = traced_read,
                                                  .stamp = traced_stamp,
                                                  .apply = traced_apply,
                                                  .disturbed = traced_disturbed};
static const struct mt_hal_link_ops link_ops = {.send = traced_send};

static void begin(struct trace *self)
{
    firmware_open(&net, 1);
    *self = (struct trace){.inner = net.tables, .file = tmpfile()};
    if (self->file == NULL) {
        perror("pil: a file");
        exit(2);
    }
    self->clock = *net.tables.clock;
    self->clock.ops = &clock_ops;
    self->link.ops = &link_ops;
    net.tables.clock = &self->clock;
    net.tables.link = &self->link;
    current = self;
}

static uint64_t run_here(struct trace *self)
{
    static struct firmware_here here;
    begin(self);
    firmware_start_here(&net, &here);
    firmware_hour(&net, NULL, NULL);
    const uint64_t hash = net.lab.hash;
    firmware_close(&net);
    return hash;
}

static uint64_t run_there(struct trace *self, const char *image)
{
    static struct pil_remote remote;
    begin(self);
    pil_start(&remote, image, &net.tables);
    mt_world_start_program(net.lab.world, FIRMWARE_ITSELF, &remote.program);
    firmware_hour(&net, NULL, NULL);
    const uint64_t hash = net.lab.hash;
    const int64_t own_ns = pil_stop(&remote);
    firmware_close(&net);
    if (own_ns > 0) {
        printf("pil: %" PRIu64 " inputs, %" PRIu64 " questions, %" PRId64 " instructions\n",
               remote.turns, remote.questions, own_ns / 32);
    }
    return hash;
}

/* The number of the first line that differs; 0: none does. */
static unsigned long compare(struct trace *here, struct trace *there)
{
    char a[LINE_SIZE] = "";
    char b[LINE_SIZE] = "";
    rewind(here->file);
    rewind(there->file);
    for (unsigned long line = 1;; line++) {
        const bool has_a = fgets(a, sizeof a, here->file) != NULL;
        const bool has_b = fgets(b, sizeof b, there->file) != NULL;
        if (!has_a && !has_b) {
            return 0;
        }
        if (has_a != has_b || strcmp(a, b) != 0) {
            printf("line %lu\n here: %s there: %s", line, has_a ? a : "-\n", has_b ? b : "-\n");
            return line;
        }
    }
}

int main(int argc, char **argv)
{
    static struct trace here;
    static struct trace there;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: pil IMAGE [PROGRAM]\n");
        return 2;
    }
    const uint64_t hash_here = argc == 3 ? run_there(&here, argv[2]) : run_here(&here);
    const uint64_t hash_there = run_there(&there, argv[1]);
    const bool is_same = compare(&here, &there) == 0 && hash_here == hash_there;
    printf("pil: an hour, %lu frames and corrections: %s\n", here.lines,
           is_same ? "the same" : "not the same");
    return is_same ? 0 : 1;
}
