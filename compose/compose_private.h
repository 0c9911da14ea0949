/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MEANTIME_COMPOSE_PRIVATE_H
#define MEANTIME_COMPOSE_PRIVATE_H

#include "compose/compose.h"

/** What an instance announces of its time while it is grandmaster, over a clock of `scale`. */
void mt_compose_time_properties(const struct mt_config_instance *instance,
                                const struct mt_compose_facts *facts, enum mt_timescale scale,
                                struct mt_time_properties *ret_time);

#endif
