/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One daemon for each run folder: it holds the file `lock` there for life, with its number in it.
 * Only its owner may open that file, so nobody else can hold the lock.  The pages are not locked:
 * everybody may open those, and whoever may open a file may lock it.
 *
 * The file is removed at the end, so the one that was locked may be gone from its name by then:
 * then the next one is tried. */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4200
#define TRIES     10

bool mt_linux_is_at(int fd, const char *path)
{
    struct stat opened;
    struct stat named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

static int close_with(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

/* -1 with errno; EAGAIN: somebody else has it */
static int take(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    for (int i = 0; i < TRIES; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0) {
            return -1;
        }
        if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
            return close_with(fd, errno == EACCES ? EAGAIN : errno);
        }
        if (mt_linux_is_at(fd, path)) {
            return fd;
        }
        close(fd);
    }
    errno = EAGAIN;
    return -1;
}

static bool sign(int fd)
{
    return fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0 &&
           dprintf(fd, "%ld\n", (long)getpid()) > 0;
}

/* The process that wrote its number into the file; 0: none did, or we may not see it. */
static long holder_of(const char *path)
{
    char text[24] = "";
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0) {
        ssize_t length = read(fd, text, sizeof text - 1);

        text[length > 0 ? length : 0] = 0;
        close(fd);
    }
    return strtol(text, 0, 10);
}

static void say_taken(const char *folder, const char *path, char reason[MT_HAL_REASON_SIZE])
{
    char who[40] = "";
    long pid = holder_of(path);

    if (pid > 0) {
        snprintf(who, sizeof who, " (pid %ld)", pid);
    }
    mt_linux_say(reason,
                 "another meantimed%s runs in %.100s; stop it, or start this one with "
                 "--run-directory DIRECTORY",
                 who, folder);
}

int mt_linux_lock(const char *folder, char reason[MT_HAL_REASON_SIZE])
{
    char path[PATH_SIZE];
    int error;
    int fd;

    snprintf(path, sizeof path, "%s/lock", folder);
    fd = take(path);
    if (fd >= 0 && sign(fd)) {
        return fd;
    }
    error = errno;
    if (fd >= 0) {
        mt_linux_unlock(folder, fd);
    }
    if (fd < 0 && error == EAGAIN) {
        say_taken(folder, path, reason);
    } else {
        mt_linux_say(reason,
                     "cannot lock %.110s: %s; start as its owner, or with --run-directory "
                     "DIRECTORY",
                     path, strerror(error));
    }
    return -1;
}

void mt_linux_unlock(const char *folder, int fd)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/lock", folder);
    if (mt_linux_is_at(fd, path)) {
        unlink(path);
    }
    close(fd);
}
