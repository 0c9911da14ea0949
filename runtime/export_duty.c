/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The page that goes out is the one last published, which is renewed twice a second at least, in
 * UTC.  The frame is the page as it lies in memory: it is for the same machine.
 */
#include "runtime/export_duty.h"

#include "runtime/node.h"

static bool is_synchronised(const struct mt_clock_page *page)
{
    switch ((enum mt_clock_state)page->state) {
    case MT_CLOCK_FREE_RUN:
    case MT_CLOCK_ACQUIRING:
        return false;
    case MT_CLOCK_LOCKED:
    case MT_CLOCK_HOLDOVER:
    case MT_CLOCK_SERVING:
        break;
    }
    return page->magic == MT_CLOCK_PAGE_MAGIC;
}

/* False: that cannot be said. */
static bool to_utc(struct mt_clock_page *page)
{
    if (page->scale == MT_SCALE_TAI && page->tai_utc_valid != 0) {
        page->anchor_s -= page->tai_minus_utc_s;
        page->scale = MT_SCALE_UTC;
    }
    return page->scale == MT_SCALE_UTC;
}

static void send(struct mt_node *node, struct mt_node_export *self)
{
    struct mt_clock_page page = node->clocks[self->clock].page;
    struct mt_hal_link *link = node->links[self->link];
    if (!is_synchronised(&page) || !to_utc(&page)) {
        self->withheld++;
        return;
    }
    const struct mt_link_frame frame = {
        .bytes = (const uint8_t *)&page,
        .length = sizeof page,
        .destination = MT_LINK_PRIMARY,
    };
    self->sent += link->ops->send(link, &frame);
}

void mt_export_duty_tick(struct mt_node *node, struct mt_mono now)
{
    for (uint16_t i = 0; i < node->export_count; i++) {
        struct mt_node_export *self = &node->exports[i];
        if (now.ns >= self->at.ns) {
            send(node, self);
            self->at = mt_mono_plus(now, self->interval_ns);
        }
    }
}

struct mt_mono mt_export_duty_deadline(const struct mt_node *node)
{
    struct mt_mono earliest = MT_MONO_NEVER;
    for (uint16_t i = 0; i < node->export_count; i++) {
        earliest = mt_mono_earlier(earliest, node->exports[i].at);
    }
    return earliest;
}
