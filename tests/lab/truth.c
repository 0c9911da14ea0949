/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * usage: truth PCI_ADDRESS INTERVAL_MS CLOCK...     CLOCK: system, or a device /dev/ptpN
 *
 * Runs in a guest: reads clocks against the host's, which the counter of the reference card shows
 * (MEANTIME_LAB_CARDS says "ref").  The card must not have a driver; its registers are mapped.
 * A line for each reading: host ns, then for each clock what it reads more, and how long the
 * reading took: the tightest of several.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REGISTERS    0x20000
#define SYSTIML      (0xB600 / 4)
#define TRIES        9
#define CLOCKS       8
#define CLOCK_OF(fd) ((~(clockid_t)(fd) << 3) | 3)

static volatile const uint32_t *registers;

static int64_t host_ns(void)
{
    uint32_t low = registers[SYSTIML]; /* latches the upper half */

    return (int64_t)((uint64_t)registers[SYSTIML + 1] << 32 | low);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int map(const char *card)
{
    char path[256];
    int fd;
    void *mapped;

    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/enable", card);
    fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, "1", 1) != 1) {
        perror(path);
    }
    close(fd);
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/resource0", card);
    fd = open(path, O_RDWR | O_SYNC);
    mapped = fd < 0 ? MAP_FAILED : mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        perror(path);
        return 0;
    }
    registers = mapped;
    return 1;
}

static void print_reading(clockid_t clock)
{
    int64_t best_ns = INT64_MAX;
    int64_t ahead_ns = 0;

    for (int i = 0; i < TRIES; i++) {
        int64_t before_ns = host_ns();
        int64_t now_ns = clock_ns(clock);
        int64_t after_ns = host_ns();

        if (after_ns - before_ns < best_ns) {
            best_ns = after_ns - before_ns;
            ahead_ns = now_ns - before_ns - best_ns / 2;
        }
    }
    printf(" %lld %lld", (long long)ahead_ns, (long long)best_ns);
}

int main(int count, char **arguments)
{
    const struct sched_param priority = {.sched_priority = 10};
    clockid_t clocks[CLOCKS];
    int clock_count = 0;

    if (count < 4 || count > 3 + CLOCKS || !map(arguments[1])) {
        return 1;
    }
    for (int i = 3; i < count; i++) {
        int fd = open(arguments[i], O_RDWR);

        clocks[clock_count++] = strcmp(arguments[i], "system") == 0 ? CLOCK_REALTIME : CLOCK_OF(fd);
    }
    (void)sched_setscheduler(0, SCHED_FIFO, &priority);
    for (;;) {
        printf("%lld", (long long)host_ns());
        for (int i = 0; i < clock_count; i++) {
            print_reading(clocks[i]);
        }
        printf("\n");
        fflush(stdout);
        usleep((useconds_t)(1000 * atoi(arguments[2])));
    }
}
