/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One line a value, in hexadecimal: a name, and what it is.  A file that lacks one, or has more, is
 * no file of keys: then there are new ones.
 */
#include "nts/nts_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX  1024
#define PATH_SIZE 4200
#define HEADING   "meantime cookie keys 1\n"

bool mt_nts_random(uint8_t *octets, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t more = getrandom(octets + done, length - done, 0);
        if (more < 0 && errno != EINTR) {
            return false;
        }
        done += more > 0 ? (size_t)more : 0;
    }
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

static size_t put_hex(char *text, const char *name, const uint8_t *octets, size_t length)
{
    size_t written = (size_t)sprintf(text, "%s ", name);
    for (size_t i = 0; i < length; i++) {
        written += (size_t)sprintf(text + written, "%02x", octets[i]);
    }
    written += (size_t)sprintf(text + written, "\n");
    return written;
}

static size_t put_key(char *text, const struct mt_nts_ring *ring, uint32_t id)
{
    const struct mt_nts_ring_key *key = &ring->keys[id % MT_NTS_RING];
    char name[24];
    if (!key->is_known || key->id != id) {
        return 0;
    }
    snprintf(name, sizeof name, "key %08" PRIx32, id);
    return put_hex(text, name, key->octets, sizeof key->octets);
}

static size_t write_text(const struct mt_nts_ring *ring, int64_t rotated_s, char text[TEXT_MAX])
{
    size_t length = (size_t)sprintf(text, HEADING "rotated %" PRId64 "\ncurrent %08" PRIx32 "\n",
                                    rotated_s, ring->current);
    length += put_hex(text + length, "secret", ring->secret, sizeof ring->secret);
    for (uint32_t i = 0; i < MT_NTS_RING; i++) {
        length += put_key(text + length, ring, ring->current - 2 + i);
    }
    return length;
}

static bool write_file(const char *path, const char *text, size_t length)
{
    (void)unlink(path); /* of somebody who was interrupted here */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool is_good = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return is_good;
}

bool mt_nts_store_save(const char *path, const struct mt_nts_ring *ring, int64_t rotated_s)
{
    char text[TEXT_MAX];
    char fresh[PATH_SIZE];
    size_t length = write_text(ring, rotated_s, text);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    bool is_good = write_file(fresh, text, length) && rename(fresh, path) == 0;
    int error = errno;
    if (!is_good) {
        (void)unlink(fresh);
    }
    explicit_bzero(text, sizeof text);
    errno = error;
    return is_good;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Steps over so many octets and the end of the line. */
static bool take_hex(const char **at, uint8_t *ret_octets, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int high = digit((*at)[0]);
        int low = high >= 0 ? digit((*at)[1]) : -1;
        if (low < 0) {
            return false;
        }
        ret_octets[i] = (uint8_t)(high << 4 | low);
        *at += 2;
    }
    return *(*at)++ == '\n';
}

static bool take_text(const char **at, const char *text)
{
    size_t length = strlen(text);
    bool is_there = strncmp(*at, text, length) == 0;
    *at += is_there ? length : 0;
    return is_there;
}

static bool take_key(const char **at, struct mt_nts_ring *ring)
{
    unsigned id;
    int length = 0;
    if (sscanf(*at, "key %8x %n", &id, &length) != 1 || length == 0 || ring->current - id + 1 > 3) {
        return false;
    }
    struct mt_nts_ring_key *key = &ring->keys[id % MT_NTS_RING];
    *at += length;
    key->is_known = true;
    key->id = id;
    return take_hex(at, key->octets, sizeof key->octets);
}

static bool parse(const char *text, struct mt_nts_ring *ring, int64_t *rotated_s)
{
    unsigned current;
    int length = 0;
    memset(ring, 0, sizeof *ring);
    if (!take_text(&text, HEADING) ||
        sscanf(text, "rotated %" SCNd64 " current %8x %n", rotated_s, &current, &length) != 2 ||
        length == 0) {
        return false;
    }
    text += length;
    ring->current = current;
    if (!take_text(&text, "secret ") || !take_hex(&text, ring->secret, sizeof ring->secret)) {
        return false;
    }
    while (*text != '\0') {
        if (!take_key(&text, ring)) {
            return false;
        }
    }
    return ring->keys[current % MT_NTS_RING].is_known &&
           ring->keys[(current + 1) % MT_NTS_RING].is_known;
}

static bool is_private(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

bool mt_nts_store_load(const char *path, struct mt_nts_ring *ret_ring, int64_t *ret_rotated_s)
{
    char text[TEXT_MAX];
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool may_be_read = is_private(fd);
    ssize_t length = may_be_read ? read(fd, text, sizeof text - 1) : -1;
    close(fd);
    if (length < 0) {
        errno = may_be_read ? EIO : EACCES;
        return false;
    }
    text[length] = '\0';
    struct mt_nts_ring ring;
    int64_t rotated_s;
    bool is_good = parse(text, &ring, &rotated_s);
    explicit_bzero(text, sizeof text);
    if (is_good) {
        *ret_ring = ring;
        *ret_rotated_s = rotated_s;
    }
    explicit_bzero(&ring, sizeof ring);
    errno = is_good ? 0 : EINVAL;
    return is_good;
}
