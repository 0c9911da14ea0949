/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * usage: truth PCI_ADDRESS INTERVAL_MS DEVICE...
 *
 * Runs in a guest: reads the system's clock and devices /dev/ptpN against the host's, which the
 * counter of the reference card shows (MEANTIME_LAB_CARDS says "ref").  The card must not have a
 * driver; its registers are mapped.
 * A line for each reading: host ns, then for each clock what it reads more, and how long the
 * reading took: the tightest of several.  A device is read against the system's clock by its
 * driver, right around the register, and that against the host's: a system call in between would
 * take another time on each guest.
 */
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REGISTERS 0x20000
#define SYSTIML   (0xB600 / 4)
#define TRIES     9
#define DEVICES   8

static volatile const uint32_t *registers;

static int64_t host_ns(void)
{
    uint32_t low = registers[SYSTIML]; /* latches the upper half */

    return (int64_t)((uint64_t)registers[SYSTIML + 1] << 32 | low);
}

static int64_t system_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
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

struct reading {
    int64_t ahead_ns;
    int64_t width_ns;
};

/* The system's clock against the host's. */
static struct reading read_system(void)
{
    struct reading best = {0, INT64_MAX};

    for (int i = 0; i < TRIES; i++) {
        int64_t before_ns = host_ns();
        int64_t now_ns = system_ns();
        int64_t after_ns = host_ns();

        if (after_ns - before_ns < best.width_ns) {
            best.width_ns = after_ns - before_ns;
            best.ahead_ns = now_ns - before_ns - best.width_ns / 2;
        }
    }
    return best;
}

static int64_t ns_of(const struct ptp_clock_time *time)
{
    return time->sec * INT64_C(1000000000) + time->nsec;
}

/* A device against the system's clock. */
static struct reading read_device(int fd)
{
    struct ptp_sys_offset_extended many;
    struct reading best = {0, INT64_MAX};

    memset(&many, 0, sizeof many);
    many.n_samples = TRIES;
    if (ioctl(fd, PTP_SYS_OFFSET_EXTENDED, &many) < 0) {
        perror("PTP_SYS_OFFSET_EXTENDED");
        exit(1);
    }
    for (int i = 0; i < TRIES; i++) {
        int64_t before_ns = ns_of(&many.ts[i][0]);
        int64_t width_ns = ns_of(&many.ts[i][2]) - before_ns;

        if (width_ns >= 0 && width_ns < best.width_ns) {
            best.width_ns = width_ns;
            best.ahead_ns = ns_of(&many.ts[i][1]) - before_ns - width_ns / 2;
        }
    }
    return best;
}

static void print_line(const int *devices, int count)
{
    struct reading system = read_system();

    printf("%lld %lld %lld", (long long)host_ns(), (long long)system.ahead_ns,
           (long long)system.width_ns);
    for (int i = 0; i < count; i++) {
        struct reading device = read_device(devices[i]);

        printf(" %lld %lld", (long long)(system.ahead_ns + device.ahead_ns),
               (long long)(system.width_ns + device.width_ns));
    }
    printf("\n");
    fflush(stdout);
}

int main(int count, char **arguments)
{
    const struct sched_param priority = {.sched_priority = 10};
    int devices[DEVICES];
    int device_count = 0;

    if (count < 3 || count > 3 + DEVICES || !map(arguments[1])) {
        return 1;
    }
    for (int i = 3; i < count; i++) {
        devices[device_count++] = open(arguments[i], O_RDONLY);
    }
    (void)sched_setscheduler(0, SCHED_FIFO, &priority);
    for (;;) {
        print_line(devices, device_count);
        usleep((useconds_t)(1000 * atoi(arguments[2])));
    }
}
