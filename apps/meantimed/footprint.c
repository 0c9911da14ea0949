/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The pages of a run directory are locked by the daemon that publishes there: the lock is looked
 * for before anything is made.  Whose lock it is the control socket knows: the kernel names the
 * process at its other end. */
#include "apps/meantimed/footprint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATH_SIZE 4200

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static const char *page_path(const struct mt_config *config, size_t clock, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/clock.%s", config->daemon.run_directory,
             config->clocks[clock].name);
    return path;
}

const char *mt_footprint_state_directory(const struct mt_config *config)
{
    bool was_asked_for = config->path != NULL;
    const char *directory = config->daemon.state_directory;
    return was_asked_for || exists(directory) ? directory : NULL;
}

/* ---- another daemon ------------------------------------------------------------------------ */

static bool is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool is_locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0) {
        close(fd);
    }
    return is_locked;
}

/* The process that listens on a socket; 0: nobody knows. */
static long listener_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct {
        pid_t pid;
        uid_t uid;
        gid_t gid;
    } peer = {0}; /* struct ucred */
    socklen_t size = sizeof peer;
    int fd = strlen(path) < sizeof address.sun_path ? socket(AF_UNIX, SOCK_STREAM, 0) : -1;
    if (fd < 0) {
        return 0;
    }
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        peer.pid = 0;
    }
    close(fd);
    return peer.pid;
}

bool mt_footprint_is_taken(const struct mt_config *config, char ret_reason[MT_HAL_REASON_SIZE])
{
    char path[PATH_SIZE];
    bool is_taken = false;
    char who[32] = "";
    for (size_t i = 0; i < config->clock_count; i++) {
        is_taken |= is_locked(page_path(config, i, path));
    }
    if (!is_taken) {
        return false;
    }
    snprintf(path, sizeof path, "%s/control", config->daemon.run_directory);
    long pid = listener_of(path);
    if (pid == 0) {
        pid = listener_of(config->daemon.control_socket);
    }
    if (pid != 0) {
        snprintf(who, sizeof who, " (pid %ld)", pid);
    }
    snprintf(ret_reason, MT_HAL_REASON_SIZE,
             "another meantimed%s runs in %.100s; stop it, or start this one with -c FILE, where "
             "[daemon] names another run_directory",
             who, config->daemon.run_directory);
    return true;
}

/* ---- a start that fails -------------------------------------------------------------------- */

void mt_footprint_take(struct mt_footprint *self, const struct mt_config *config,
                       const char *input_log)
{
    char path[PATH_SIZE];
    self->has_page = calloc(config->clock_count, sizeof *self->has_page);
    self->is_complete = self->has_page != NULL;
    self->has_run_directory = exists(config->daemon.run_directory);
    self->has_state_directory = exists(config->daemon.state_directory);
    self->input_log = input_log != NULL && !exists(input_log) ? input_log : NULL;
    for (size_t i = 0; self->is_complete && i < config->clock_count; i++) {
        self->has_page[i] = exists(page_path(config, i, path));
    }
}

void mt_footprint_remove_files(const struct mt_footprint *self, const struct mt_config *config)
{
    char path[PATH_SIZE];
    for (size_t i = 0; self->is_complete && i < config->clock_count; i++) {
        if (!self->has_page[i]) {
            unlink(page_path(config, i, path));
        }
    }
    if (self->is_complete && self->input_log != NULL) {
        unlink(self->input_log);
    }
}

void mt_footprint_remove_folders(const struct mt_footprint *self, const struct mt_config *config)
{
    if (self->is_complete && !self->has_run_directory) {
        rmdir(config->daemon.run_directory);
    }
    if (self->is_complete && !self->has_state_directory) {
        rmdir(config->daemon.state_directory);
    }
}

void mt_footprint_free(struct mt_footprint *self)
{
    free(self->has_page);
    self->has_page = NULL;
}
