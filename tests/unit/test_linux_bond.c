/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Bonds: whose card stamps, by a kernel of the test's own; and a clock that goes on in the device
 * of another card.
 */
#include "platform/linux/linux_bond.h"

#include <errno.h>
#include <linux/if_bonding.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linux_device.h"

#define FD 7

struct kernel {
    struct mt_phc_os os;
    int mode;
    int active;
    int members;
    bool is_bond;
};

static int ask(void *context, int fd, unsigned long what, void *argument)
{
    struct kernel *self = context;
    struct ifreq *request = argument;
    struct vlan_ioctl_args *vlan = argument;

    assert_int_equal(fd, FD);
    if (what == SIOCGIFVLAN && strcmp(vlan->device1, "bond0.18") == 0) {
        strcpy(vlan->u.device2, "bond0");
        return 0;
    }
    if (what == SIOCBONDINFOQUERY && strcmp(request->ifr_name, "bond0") == 0 && self->is_bond) {
        *(struct ifbond *)(void *)request->ifr_data =
            (struct ifbond){.bond_mode = self->mode, .num_slaves = self->members};
        return 0;
    }
    if (what == SIOCBONDSLAVEINFOQUERY && strcmp(request->ifr_name, "bond0") == 0) {
        struct ifslave *member = (void *)request->ifr_data;

        snprintf(member->slave_name, sizeof member->slave_name, "eth%d", member->slave_id);
        member->state = member->slave_id == self->active ? BOND_STATE_ACTIVE : BOND_STATE_BACKUP;
        return 0;
    }
    errno = EOPNOTSUPP;
    return -1;
}

static struct kernel kernel;

static int set_up(void **state)
{
    (void)state;
    kernel = (struct kernel){.os = {.ask = ask, .context = &kernel},
                             .mode = BOND_MODE_ACTIVEBACKUP,
                             .active = 1,
                             .members = 2,
                             .is_bond = true};
    return 0;
}

static void bond_names_the_active_member_when_there_is_one(void **state)
{
    static const char *const names[] = {"bond0", "bond0.18"};
    struct mt_bond bond;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(mt_bond_find(&kernel.os, FD, names[i], &bond));
        assert_string_equal(bond.name, "bond0");
        assert_true(bond.is_backup);
        assert_int_equal(bond.count, 2);
        assert_int_equal(bond.active, 1);
        assert_string_equal(bond.members[bond.active], "eth1");
    }
    kernel.active = -1;
    assert_true(mt_bond_find(&kernel.os, FD, "bond0", &bond));
    assert_int_equal(bond.active, -1);
    kernel.mode = BOND_MODE_8023AD;
    assert_true(mt_bond_find(&kernel.os, FD, "bond0", &bond));
    assert_false(bond.is_backup);
    kernel.members = 100;
    assert_true(mt_bond_find(&kernel.os, FD, "bond0", &bond));
    assert_int_equal(bond.count, MT_BOND_MEMBERS);
}

static void bond_is_none_when_the_interface_is_no_bond(void **state)
{
    struct mt_bond bond;

    (void)state;
    assert_false(mt_bond_find(&kernel.os, FD, "eth0", &bond));
    kernel.is_bond = false;
    assert_false(mt_bond_find(&kernel.os, FD, "bond0.18", &bond));
}

/* ---- the clock ----------------------------------------------------------------------------- */

static const struct mt_clock_request request = {
    .kind = MT_CLOCK_PHC, .name = "p", .tai_utc_known = true, .tai_minus_utc_s = 37};

struct cards {
    struct machine machine;
    struct device devices[2];
    struct mt_phc *phcs[2];
    struct mt_hal_clock *clock;
};

/* Both are beside one machine, whose time only the first one makes pass. */
static void pass(struct cards *self, int64_t ns)
{
    struct machine alone = self->machine;

    device_pass(&self->devices[0], ns);
    self->devices[1].machine = &alone;
    device_pass(&self->devices[1], ns);
    self->devices[1].machine = &self->machine;
}

static void run(struct cards *self, int64_t ns)
{
    struct mt_applied applied;

    for (int64_t i = 0; i < ns; i += 125 * MS) {
        pass(self, 125 * MS);
        mt_phc_look(self->phcs[0]);
        mt_phc_look(self->phcs[1]);
        assert_false(self->clock->ops->disturbed(self->clock, &applied));
    }
}

static struct cards *cards_new(void)
{
    struct cards *self = calloc(1, sizeof *self);

    assert_non_null(self);
    machine_init(&self->machine);
    for (int i = 0; i < 2; i++) {
        device_init(&self->devices[i], &self->machine);
        self->devices[i].error = i == 0 ? 20e-6 : -31e-6;
        self->devices[i].read_ns = 0; /* or one's readings would make time pass for it alone */
        self->devices[i].freq = i == 0 ? 0 : 3 * 65536;
        self->phcs[i] = mt_phc_new(3, &self->devices[i].os, &self->machine.os);
        assert_non_null(self->phcs[i]);
    }
    self->devices[1].ns = 777;
    self->phcs[0]->owner = "p";
    self->clock = mt_clock_phc_new(&request, self->phcs[0], &self->machine.os);
    return self;
}

static void cards_free(struct cards *self)
{
    mt_phc_free(self->phcs[0]);
    mt_phc_free(self->phcs[1]);
    free(self->clock);
    free(self);
}

static void clock_goes_on_when_another_card_takes_over(void **state)
{
    struct cards *cards = cards_new();
    struct mt_applied applied;
    int64_t before_ns;

    (void)state;
    set_rate(cards->clock, -20e-6); /* as a discipline would */
    run(cards, 5 * SECOND);
    before_ns = cards->devices[0].ns;
    assert_true(mt_clock_phc_move(cards->clock, cards->phcs[1]));
    assert_string_equal(cards->phcs[1]->owner, "p");
    assert_null(cards->phcs[0]->owner);
    assert_between(cards->devices[1].ns - before_ns, -50, 50);
    run(cards, 10 * SECOND); /* nobody notices, and it runs as fast: a part in 10^9 */
    assert_between(cards->devices[1].ns - cards->devices[0].ns, -60, 60);
    applied = set_rate(cards->clock, -21e-6);
    assert_false(applied.is_refused);
    assert_between(applied.rate, -21.001e-6, -20.999e-6);
    before_ns = cards->devices[1].ns - cards->devices[0].ns;
    run(cards, 10 * SECOND); /* 1 ppm slower than it was */
    assert_between(cards->devices[1].ns - cards->devices[0].ns - before_ns, -10030, -9970);
    assert_true(read_clock(cards->clock).window_ns > 0);
    cards_free(cards);
}

/* Drivers set up the card anew, but say what they were told before. */
static void clock_goes_on_when_the_other_card_was_reset(void **state)
{
    struct cards *cards = cards_new();

    (void)state;
    cards->devices[1].has_forgotten = true;
    run(cards, 5 * SECOND);
    mt_phc_tell_again(cards->phcs[1]);
    run(cards, 5 * SECOND);
    assert_true(mt_clock_phc_move(cards->clock, cards->phcs[1]));
    run(cards, 10 * SECOND);
    assert_between(cards->devices[1].ns - cards->devices[0].ns, -60, 60);
    cards_free(cards);
}

static void clock_stays_where_it_is_when_the_other_card_may_not_be_adjusted(void **state)
{
    struct cards *cards = cards_new();

    (void)state;
    run(cards, 2 * SECOND);
    cards->devices[1].is_read_only = true;
    assert_false(mt_clock_phc_move(cards->clock, cards->phcs[1]));
    assert_non_null(cards->clock->refusal);
    assert_string_equal(cards->phcs[0]->owner, "p");
    assert_int_equal(local_ns(cards->clock), cards->devices[0].ns);
    cards_free(cards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bond_names_the_active_member_when_there_is_one, set_up),
        cmocka_unit_test_setup(bond_is_none_when_the_interface_is_no_bond, set_up),
        cmocka_unit_test(clock_goes_on_when_another_card_takes_over),
        cmocka_unit_test(clock_goes_on_when_the_other_card_was_reset),
        cmocka_unit_test(clock_stays_where_it_is_when_the_other_card_may_not_be_adjusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
