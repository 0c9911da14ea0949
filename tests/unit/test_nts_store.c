/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The file of cookie keys: what is saved is loaded, by its owner alone, and what is not whole is
 * not loaded at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nts/nts_store.h"

static char folder[] = "/tmp/nts_store_XXXXXX";
static char path[64];

static int begin(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct mt_nts_ring make_ring(unsigned turns)
{
    struct mt_nts_ring ring;
    uint8_t random[MT_NTS_RING_RANDOM];
    assert_true(mt_nts_random(random, sizeof random));
    mt_nts_ring_init(&ring, random);
    for (unsigned i = 0; i < turns; i++) {
        assert_true(mt_nts_random(random, MT_NTS_RING_KEY_SIZE));
        mt_nts_ring_rotate(&ring, random);
    }
    return ring;
}

static void nts_store_loads_what_it_saved_when_the_ring_is_new_or_full(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 6; turns++) {
        struct mt_nts_ring ring = make_ring(turns);
        struct mt_nts_ring loaded;
        struct stat status;
        int64_t rotated_s = 0;
        assert_true(mt_nts_store_save(path, &ring, 1800000000 + turns));
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        assert_true(mt_nts_store_load(path, &loaded, &rotated_s));
        assert_int_equal(rotated_s, 1800000000 + turns);
        assert_int_equal(loaded.current, ring.current);
        assert_memory_equal(loaded.secret, ring.secret, sizeof ring.secret);
        for (unsigned i = 0; i < MT_NTS_RING; i++) {
            assert_int_equal(loaded.keys[i].is_known, ring.keys[i].is_known);
            assert_int_equal(loaded.keys[i].id, ring.keys[i].id);
            assert_memory_equal(loaded.keys[i].octets, ring.keys[i].octets,
                                sizeof ring.keys[i].octets);
        }
    }
}

static void nts_store_loads_nothing_when_others_may_read_the_file(void **state)
{
    struct mt_nts_ring ring = make_ring(1);
    int64_t rotated_s;
    (void)state;
    assert_true(mt_nts_store_save(path, &ring, 1));
    assert_int_equal(chmod(path, 0640), 0);
    assert_false(mt_nts_store_load(path, &ring, &rotated_s));
    assert_int_equal(errno, EACCES);
    assert_int_equal(unlink(path), 0);
    assert_false(mt_nts_store_load(path, &ring, &rotated_s));
    assert_int_equal(errno, ENOENT);
}

static void write_file(const char *text, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void nts_store_loads_nothing_when_the_file_is_cut_or_has_more(void **state)
{
    const struct mt_nts_ring ring = make_ring(0);
    struct mt_nts_ring loaded;
    char text[1024];
    int64_t rotated_s;
    (void)state;
    assert_true(mt_nts_store_save(path, &ring, 1800000000));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 8, file);
    fclose(file);
    for (size_t cut = 0; cut < length; cut++) {
        write_file(text, cut);
        assert_false(mt_nts_store_load(path, &loaded, &rotated_s));
    }
    write_file(text, length);
    assert_true(mt_nts_store_load(path, &loaded, &rotated_s));
    memcpy(text + length, "more\n", 5);
    write_file(text, length + 5);
    assert_false(mt_nts_store_load(path, &loaded, &rotated_s));
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nts_store_loads_what_it_saved_when_the_ring_is_new_or_full),
        cmocka_unit_test(nts_store_loads_nothing_when_others_may_read_the_file),
        cmocka_unit_test(nts_store_loads_nothing_when_the_file_is_cut_or_has_more),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
