/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Serial lines and connections to GNSS receivers.
 */
#include "platform/linux/linux_gnss.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/linux_names.h"
#include "platform/linux/linux_private.h"

#define HOST_SIZE 128
#define SILENT_S  10 /* then the other side is asked whether it is there */

/* ---- serial lines -------------------------------------------------------------------------- */

static const struct {
    uint32_t baud;
    speed_t speed;
} speeds[] = {
    {300, B300},         {600, B600},         {1200, B1200},       {2400, B2400},
    {4800, B4800},       {9600, B9600},       {19200, B19200},     {38400, B38400},
    {57600, B57600},     {115200, B115200},   {230400, B230400},   {460800, B460800},
    {921600, B921600},   {1000000, B1000000}, {2000000, B2000000}, {3000000, B3000000},
    {4000000, B4000000},
};

static bool find_speed(uint32_t baud, speed_t *ret_speed)
{
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        if (speeds[i].baud == baud) {
            *ret_speed = speeds[i].speed;
            return true;
        }
    }
    return false;
}

static bool set_line(int fd, uint32_t baud, struct mt_linux_line *ret_line)
{
    struct termios wanted;
    speed_t speed;

    if (tcgetattr(fd, &ret_line->before) < 0) {
        return errno == ENOTTY;
    }
    if (!find_speed(baud, &speed)) {
        errno = EINVAL;
        return false;
    }
    wanted = ret_line->before;
    cfmakeraw(&wanted);
    wanted.c_cflag |= CLOCAL | CREAD;
    wanted.c_cflag &= ~(tcflag_t)CRTSCTS;
    cfsetispeed(&wanted, speed);
    cfsetospeed(&wanted, speed);
    if (tcsetattr(fd, TCSANOW, &wanted) < 0) {
        return false;
    }
    ret_line->is_changed = true;
    tcflush(fd, TCIFLUSH);
    return true;
}

int mt_linux_line_open(const char *path, uint32_t baud, struct mt_linux_line *ret_line,
                       char reason[MT_HAL_REASON_SIZE])
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    *ret_line = (struct mt_linux_line){.is_changed = false};
    if (fd < 0 && errno == EACCES) {
        fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    }
    if (fd < 0) {
        mt_linux_say(reason, "cannot open %.100s: %s%s", path, strerror(errno),
                     errno == EACCES ? "; give the daemon's user access to it" : "");
        return -1;
    }
    if (!set_line(fd, baud, ret_line)) {
        mt_linux_say(reason, "%.100s cannot be set to %u baud: %s", path, baud, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

void mt_linux_line_close(int fd, const struct mt_linux_line *line)
{
    if (line->is_changed) {
        tcsetattr(fd, TCSANOW, &line->before);
    }
    close(fd);
}

/* ---- connections --------------------------------------------------------------------------- */

/* "[::1]:2947" has its address in brackets. */
static bool split(const char *where, char host[HOST_SIZE], uint16_t *ret_port)
{
    const char *colon = strrchr(where, ':');
    bool has_brackets = where[0] == '[' && colon && colon > where + 1 && colon[-1] == ']';
    size_t length = colon ? (size_t)(colon - where) - (has_brackets ? 2 : 0) : 0;

    if (length == 0 || length >= HOST_SIZE) {
        return false;
    }
    memcpy(host, where + has_brackets, length);
    host[length] = 0;
    *ret_port = (uint16_t)atoi(colon + 1);
    return true;
}

/* Numbers need no resolver, and neither does this machine: there may be no network yet. */
static bool find_address(const char *host, struct mt_mono now, struct mt_address *ret_address)
{
    struct mt_hal_names *names = mt_linux_names();
    const char *text = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;

    *ret_address = (struct mt_address){.network = MT_NETWORK_NONE};
    if (inet_pton(AF_INET, text, ret_address->octets) == 1) {
        ret_address->network = MT_NETWORK_UDP_IPV4;
    } else if (inet_pton(AF_INET6, text, ret_address->octets) == 1) {
        ret_address->network = MT_NETWORK_UDP_IPV6;
    }
    return ret_address->network != MT_NETWORK_NONE ||
           names->ops->find_all(names, host, now, ret_address, 1) > 0;
}

static socklen_t name_of(const struct mt_address *address, uint16_t port,
                         struct sockaddr_storage *ret_name)
{
    struct sockaddr_in *in = (struct sockaddr_in *)ret_name;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_name;

    memset(ret_name, 0, sizeof *ret_name);
    if (address->network == MT_NETWORK_UDP_IPV6) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        memcpy(&in6->sin6_addr, address->octets, sizeof in6->sin6_addr);
        return sizeof *in6;
    }
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, address->octets, sizeof in->sin_addr);
    return sizeof *in;
}

/* Who only listens does not notice that the other side has lost its power, unless it asks. */
static void watch_peer(int fd)
{
    static const struct {
        int option;
        int value;
    } settings[] = {
        {TCP_KEEPIDLE, SILENT_S}, {TCP_KEEPINTVL, SILENT_S / 2}, {TCP_KEEPCNT, 3}, {TCP_SYNCNT, 3}};

    (void)mt_linux_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        (void)mt_linux_set_int(fd, IPPROTO_TCP, settings[i].option, settings[i].value);
    }
}

int mt_linux_stream_connect(const char *where, struct mt_mono now, char reason[MT_HAL_REASON_SIZE])
{
    char host[HOST_SIZE];
    struct mt_address address;
    struct sockaddr_storage name;
    socklen_t length;
    uint16_t port;
    int fd;

    if (!split(where, host, &port)) {
        mt_linux_say(reason, "%.100s is no HOST:PORT", where);
        return -1;
    }
    if (!find_address(host, now, &address)) {
        mt_linux_say(reason, "the address of %.100s is not known yet", host);
        return -1;
    }
    length = name_of(&address, port, &name);
    fd = socket(name.ss_family, SOCK_STREAM, 0);
    if (fd >= 0) {
        watch_peer(fd);
    }
    if (fd < 0 || !mt_linux_set_nonblocking(fd) ||
        (connect(fd, (struct sockaddr *)&name, length) < 0 && errno != EINPROGRESS)) {
        mt_linux_say(reason, "cannot connect to %.100s: %s", where, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}
