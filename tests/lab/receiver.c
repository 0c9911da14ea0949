/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * usage: receiver NAME DEVICE TAI_UTC_S DELAY_MS
 *
 * Runs in a guest: what a GNSS receiver says, on a pseudo-terminal that NAME leads to.  Its seconds
 * are those of the hardware clock DEVICE, which counts TAI and makes its pulses; each one is told
 * DELAY_MS later.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S       INT64_C(1000000000)
#define CLOCK_OF(fd)   ((~(clockid_t)(fd) << 3) | 3) /* as the kernel numbers them */
#define PAUSE_US       2000
#define SENTENCE_SIZE  128
#define SENTENCES_SIZE 512

static int terminal(const char *name)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    struct termios settings;
    int slave;

    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        return -1;
    }
    slave = open(ptsname(master), O_RDWR | O_NOCTTY); /* stays open, so it never hangs up */
    if (slave < 0 || tcgetattr(slave, &settings) != 0) {
        return -1;
    }
    cfmakeraw(&settings);
    tcsetattr(slave, TCSANOW, &settings);
    unlink(name);
    return symlink(ptsname(master), name) == 0 ? master : -1;
}

static void add(char *text, const char *body)
{
    size_t used = strlen(text);
    unsigned sum = 0;

    for (const char *at = body; *at; at++) {
        sum ^= (unsigned char)*at;
    }
    snprintf(text + used, SENTENCES_SIZE - used, "$%s*%02X\r\n", body, sum);
}

static void tell(int fd, time_t utc_s)
{
    char text[SENTENCES_SIZE] = "";
    char body[SENTENCE_SIZE];
    struct tm at;

    gmtime_r(&utc_s, &at);
    strftime(body, sizeof body, "GNRMC,%H%M%S.00,A,4807.038,N,01131.000,E,0.0,,%d%m%y,,,A", &at);
    add(text, body);
    strftime(body, sizeof body, "GNGGA,%H%M%S.00,4807.038,N,01131.000,E,1,09,0.9,545.4,M,46.9,M,,",
             &at);
    add(text, body);
    add(text, "GNGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1");
    if (write(fd, text, strlen(text)) < 0) {
        perror("write");
    }
}

int main(int count, char **arguments)
{
    int master = count == 5 ? terminal(arguments[1]) : -1;
    int device = count == 5 ? open(arguments[2], O_RDWR) : -1;
    int64_t told_s = 0;

    if (master < 0 || device < 0) {
        perror("receiver");
        return 1;
    }
    for (;;) {
        struct timespec now;
        int64_t s;

        clock_gettime(CLOCK_OF(device), &now);
        s = (now.tv_sec * NS_PER_S + now.tv_nsec - atoi(arguments[4]) * INT64_C(1000000)) /
            NS_PER_S;
        if (s > told_s) {
            tell(master, s - atoi(arguments[3]));
            told_s = s;
        }
        usleep(PAUSE_US);
    }
}
