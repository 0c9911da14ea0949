/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Octets become sentences.  The first ones that have come are looked at until it is certain what
 * they begin: a whole sentence, or nothing; of nothing just one octet is thrown away, and what
 * follows is looked at again.  So a wrong beginning (noise that looks like one, a sentence that
 * broke off) never costs the right one behind it.
 *
 * A UBX frame must be of a class that there is: of random octets that look like the two of its
 * beginning few get further, and those wait for 1024 octets at most.
 *
 *     NMEA   $ talker kind , fields * two hexadecimal digits CR LF
 *     UBX    B5 62 class id length(2) payload checksum(2) [u-blox M8 protocol specification 32.2]
 */
#include "base/memory.h"
#include "gnss/gnss_private.h"

#define NMEA_MAX    255 /* the standard says 82; makers do not mind */
#define UBX_HEADER  6
#define UBX_OVERALL 8
#define SYNC_1      0xB5
#define SYNC_2      0x62

void mt_gnss_stream_init(struct mt_gnss_stream *self, enum mt_gnss_protocol protocol)
{
    memset(self, 0, sizeof *self);
    self->protocol = protocol;
}

/* Never that of the first octet which is still here: what it begins came when it did. */
static void forget_arrival(struct mt_gnss_stream *self)
{
    size_t gone = (int32_t)(self->at - self->arrivals[1].at) >= 0 ? 0 : 1;
    memmove(&self->arrivals[gone], &self->arrivals[gone + 1],
            sizeof self->arrivals - (gone + 1) * sizeof self->arrivals[0]);
    self->arrival_count--;
}

static void note_arrival(struct mt_gnss_stream *self, const struct mt_stamp *arrival)
{
    if (self->arrival_count == MT_GNSS_ARRIVALS) {
        forget_arrival(self);
    }
    self->arrivals[self->arrival_count].at = self->at + self->length;
    self->arrivals[self->arrival_count].stamp = *arrival;
    self->arrival_count++;
}

void mt_gnss_stream_put(struct mt_gnss_stream *self, const uint8_t *octets, size_t length,
                        const struct mt_stamp *arrival)
{
    mt_gnss_stream_drop(self, self->handed);
    size_t room = sizeof self->octets - self->length;
    size_t taken = length < room ? length : room;
    note_arrival(self, arrival);
    if (taken > 0) {
        memcpy(self->octets + self->length, octets, taken);
        self->length = (uint16_t)(self->length + taken);
    }
}

void mt_gnss_stream_drop(struct mt_gnss_stream *self, size_t length)
{
    self->handed = 0;
    if (length > 0) {
        self->length = (uint16_t)(self->length - length);
        self->at += (uint32_t)length;
        memmove(self->octets, self->octets + length, self->length);
    }
}

struct mt_stamp mt_gnss_stream_arrival(const struct mt_gnss_stream *self)
{
    struct mt_stamp arrival = {0};
    for (uint8_t i = 0; i < self->arrival_count; i++) {
        if (i == 0 || (int32_t)(self->at - self->arrivals[i].at) >= 0) {
            arrival = self->arrivals[i].stamp;
        }
    }
    return arrival;
}

/* ---- what the first octets are --------------------------------------------------------------- */

enum look { LOOK_MORE, LOOK_NOTHING, LOOK_FRAME, LOOK_BAD };

struct looked {
    enum look look;
    enum mt_gnss_verdict verdict;
    size_t length; /* of the whole */
    size_t from;   /* of what is handed on */
    size_t until;
};

static const struct looked more = {.look = LOOK_MORE};
static const struct looked nothing = {.look = LOOK_NOTHING, .verdict = MT_GNSS_VERDICT_GARBAGE};

static int hex_value(uint8_t octet)
{
    if (octet >= '0' && octet <= '9') {
        return octet - '0';
    }
    return octet >= 'A' && octet <= 'F'   ? octet - 'A' + 10
           : octet >= 'a' && octet <= 'f' ? octet - 'a' + 10
                                          : -1;
}

/* `end`: of what lies between '$' and the line's end. */
static struct looked judge_nmea(const uint8_t *octets, size_t end)
{
    struct looked looked = {LOOK_BAD, MT_GNSS_VERDICT_CHECKSUM, end, 1, end - 3};
    uint8_t sum = 0;
    if (end < 5 || octets[end - 3] != '*') {
        return looked;
    }
    for (size_t i = 1; i < end - 3; i++) {
        sum ^= octets[i];
    }
    if (hex_value(octets[end - 2]) == sum >> 4 && hex_value(octets[end - 1]) == (sum & 0xF)) {
        looked.look = LOOK_FRAME;
        looked.verdict = MT_GNSS_VERDICT_USED;
    }
    return looked;
}

static struct looked look_at_nmea(const uint8_t *octets, size_t length)
{
    for (size_t i = 1; i < length && i < NMEA_MAX; i++) {
        if (octets[i] == '\r' || octets[i] == '\n') {
            return judge_nmea(octets, i);
        }
        if (octets[i] < ' ' || octets[i] > '~' || octets[i] == '$') {
            return nothing;
        }
    }
    return length < NMEA_MAX ? more : nothing;
}

static bool is_ubx_class(uint8_t class)
{
    static const uint8_t classes[] = {0x01, 0x02, 0x04, 0x05, 0x06, 0x09, 0x0A, 0x0B, 0x0C, 0x0D,
                                      0x10, 0x13, 0x21, 0x27, 0x28, 0x29, 0x2A, 0xF0, 0xF1};
    for (size_t i = 0; i < sizeof classes; i++) {
        if (classes[i] == class) {
            return true;
        }
    }
    return false;
}

static bool is_ubx_sum(const uint8_t *octets, size_t length)
{
    uint8_t a = 0;
    uint8_t b = 0;
    for (size_t i = 2; i < length - 2; i++) {
        a = (uint8_t)(a + octets[i]);
        b = (uint8_t)(b + a);
    }
    return a == octets[length - 2] && b == octets[length - 1];
}

static struct looked look_at_ubx(const uint8_t *octets, size_t length)
{
    if ((length > 1 && octets[1] != SYNC_2) || (length > 2 && !is_ubx_class(octets[2]))) {
        return nothing;
    }
    if (length < UBX_HEADER) {
        return more;
    }
    size_t whole = UBX_OVERALL + (size_t)octets[4] + (size_t)octets[5] * 256;
    struct looked looked = {LOOK_BAD, MT_GNSS_VERDICT_TOO_LONG, 2, 2, whole - 2};
    if (whole > MT_GNSS_FRAME_MAX) {
        return looked;
    }
    if (length < whole) {
        return more;
    }
    looked.verdict = MT_GNSS_VERDICT_CHECKSUM;
    if (is_ubx_sum(octets, whole)) {
        looked = (struct looked){LOOK_FRAME, MT_GNSS_VERDICT_USED, whole, 2, whole - 2};
    }
    return looked;
}

static struct looked look_at(const struct mt_gnss_stream *self)
{
    uint8_t first = self->octets[0];
    if (first == '$' && self->protocol != MT_GNSS_UBX) {
        return look_at_nmea(self->octets, self->length);
    }
    if (first == SYNC_1 && self->protocol != MT_GNSS_NMEA) {
        return look_at_ubx(self->octets, self->length);
    }
    return nothing;
}

/* How many octets it takes to the next one that a sentence may begin with. */
static size_t garbage_length(const struct mt_gnss_stream *self)
{
    size_t length = 1;
    while (length < self->length && self->octets[length] != '$' && self->octets[length] != SYNC_1) {
        length++;
    }
    return length;
}

/* Line ends belong to sentences; a run of anything else is one piece of garbage. */
static bool drop_garbage(struct mt_gnss_stream *self)
{
    bool was_in_garbage = self->in_garbage;
    size_t length = garbage_length(self);
    bool is_space = true;
    for (size_t i = 0; i < length; i++) {
        is_space = is_space && (self->octets[i] == '\r' || self->octets[i] == '\n');
    }
    self->in_garbage = was_in_garbage || !is_space;
    mt_gnss_stream_drop(self, length);
    return !is_space && !was_in_garbage;
}

/* ---- one after the other --------------------------------------------------------------------- */

static void hand_on(struct mt_gnss_stream *self, const struct looked *looked,
                    struct mt_gnss_frame *ret_frame)
{
    self->in_garbage = false;
    self->handed = (uint16_t)looked->length;
    *ret_frame = (struct mt_gnss_frame){
        .protocol = self->octets[0] == SYNC_1 ? MT_GNSS_UBX : MT_GNSS_NMEA,
        .octets = self->octets + looked->from,
        .length = looked->until - looked->from,
        .arrival = mt_gnss_stream_arrival(self),
    };
}

bool mt_gnss_stream_next(struct mt_gnss_stream *self, struct mt_gnss_frame *ret_frame,
                         enum mt_gnss_verdict *ret_verdict)
{
    mt_gnss_stream_drop(self, self->handed);
    while (self->length > 0) {
        struct looked looked = look_at(self);
        *ret_verdict = looked.verdict;
        switch (looked.look) {
        case LOOK_MORE:
            return false;
        case LOOK_NOTHING:
            if (drop_garbage(self)) {
                return true;
            }
            break;
        case LOOK_BAD: /* what follows in a bad frame is told by this verdict */
            self->in_garbage = self->octets[0] == SYNC_1;
            mt_gnss_stream_drop(self, looked.length);
            return true;
        case LOOK_FRAME:
            hand_on(self, &looked, ret_frame);
            return true;
        }
    }
    return false;
}
