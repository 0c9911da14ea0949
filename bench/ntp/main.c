/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: bench-ntp REQUESTS ROUNDS [NAME PORT[:KE_PORT:CA] COMMAND... ;]...
 * Requests a second of processor time that an echo answers, and each of the commands' servers, in
 * turns of so many requests, in as many rounds; the median of each as JSON: other work on the
 * machine, which comes and goes, makes figures smaller, but for all of them.  The servers share a
 * processor, where all but one have nothing to do, and what counts is the time that the threads of
 * that one have run there, as the kernel tells.
 * In a network namespace of its own.
 */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "../../tests/platform/netspace.h"
#include "keys.h"
#include "load.h"

#define BATCH       64
#define REQUEST_MAX 512
#define ROOM        128
#define SERVERS_MAX 8
#define ECHO_PORT   1123
#define START_TRIES 200 /* of 50 ms */
#define ROUNDS_MAX  1000
#define PAUSE_NS    5000000

struct server {
    const char *name;
    char **command; /* null: the echo */
    uint16_t port;
    const char *nts; /* where keys are exchanged, and who is trusted; null: it is plain NTP */
    uint8_t request[REQUEST_MAX];
    size_t size; /* of the request; 0: plain ones */
    pid_t pid;
    double rps[ROUNDS_MAX];
    double wall_rps[ROUNDS_MAX];
};

static void pin(bool is_server)
{
    static cpu_set_t allowed;
    cpu_set_t set;
    size_t first = 0;
    if (CPU_COUNT(&allowed) == 0) { /* before anybody is pinned */
        sched_getaffinity(0, sizeof allowed, &allowed);
    }
    if (CPU_COUNT(&allowed) < 2) {
        return;
    }
    while (!CPU_ISSET(first, &allowed)) {
        first++;
    }
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    if (!is_server) {
        set = allowed;
        CPU_CLR(first, &set);
    }
    sched_setaffinity(0, sizeof set, &set);
}

/* ---- the echo -------------------------------------------------------------------------------- */

static void echo(void)
{
    static uint8_t frames[BATCH][ROOM];
    static struct mmsghdr messages[BATCH];
    static struct iovec pieces[BATCH];
    static struct sockaddr_in peers[BATCH];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
    int size = 4 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("bench ntp: echo");
        _exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){frames[i], ROOM};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
                                              .msg_namelen = sizeof peers[i],
                                              .msg_iov = &pieces[i],
                                              .msg_iovlen = 1};
    }
    for (;;) {
        int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count; i++) {
            pieces[i].iov_len = messages[i].msg_len;
        }
        for (int done = 0; done < count;) {
            int sent = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
            done += sent > 0 ? sent : 1;
        }
        for (int i = 0; i < count; i++) {
            pieces[i].iov_len = ROOM;
        }
    }
}

/* ---- servers --------------------------------------------------------------------------------- */

static pid_t fork_server(const struct server *self)
{
    pid_t pid = fork();
    if (pid == 0) {
        pin(true);
        if (self->command == NULL) {
            echo();
        }
        if (freopen("/dev/null", "w", stdout) == NULL) {
            _exit(1);
        }
        execv(self->command[0], self->command);
        perror(self->command[0]);
        _exit(1);
    }
    return pid;
}

/* What all threads of a process have run, in seconds. */
static double ran_s(pid_t pid)
{
    char path[64];
    double sum_s = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    for (struct dirent *one; threads != NULL && (one = readdir(threads)) != NULL;) {
        char file[400];
        unsigned long long ns = 0;
        snprintf(file, sizeof file, "%s/%s/schedstat", path, one->d_name);
        FILE *in = one->d_name[0] != '.' ? fopen(file, "r") : NULL;
        if (in != NULL) {
            sum_s += fscanf(in, "%llu", &ns) == 1 ? (double)ns / 1e9 : 0;
            fclose(in);
        }
    }
    if (threads != NULL) {
        closedir(threads);
    }
    return sum_s;
}

static void pause_for(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void stop(const struct server *servers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        kill(servers[i].pid, servers[i].command == NULL ? SIGKILL : SIGTERM);
        waitpid(servers[i].pid, NULL, 0);
    }
}

static bool exchange_keys(struct server *self)
{
    char *ca;
    uint16_t port = (uint16_t)strtoul(self->nts, &ca, 10);
    self->size = keys_make_request(LOAD_SERVER, port, ca + (*ca == ':'), self->request,
                                   sizeof self->request);
    const struct load load = {.port = self->port, .request = self->request, .size = self->size};
    return self->size > 0 && load_try(&load);
}

static bool start(struct server *self)
{
    const struct load load = {.port = self->port, .is_echo = self->command == NULL};
    self->pid = fork_server(self);
    for (int i = 0; i < START_TRIES; i++) {
        if (load_try(&load)) {
            return self->nts == NULL || exchange_keys(self);
        }
        pause_for(10 * PAUSE_NS);
    }
    fprintf(stderr, "bench ntp: %s does not answer\n", self->name);
    return false;
}

static void measure(struct server *self, uint64_t requests, int round)
{
    struct load load = {.port = self->port,
                        .is_echo = self->command == NULL,
                        .wanted = requests / 4,
                        .request = self->size > 0 ? self->request : NULL,
                        .size = self->size};
    load_run(&load); /* for caches, and processors to wake up */
    pause_for(PAUSE_NS);
    load.wanted = requests;
    double before_s = ran_s(self->pid);
    load_run(&load);
    pause_for(PAUSE_NS); /* until it sleeps, and its time is accounted for */
    self->rps[round] = (double)load.answered / (ran_s(self->pid) - before_s);
    self->wall_rps[round] = (double)load.answered / load.seconds;
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a;
    double other = *(const double *)b;
    return (one > other) - (one < other);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static unsigned find_servers(int count, char **arguments, struct server servers[SERVERS_MAX])
{
    unsigned found = 0;
    servers[found++] = (struct server){.name = "echo", .port = ECHO_PORT};
    for (int i = 3; i + 2 < count && found < SERVERS_MAX; i++) {
        servers[found++] = (struct server){.name = arguments[i],
                                           .port = (uint16_t)atoi(arguments[i + 1]),
                                           .command = &arguments[i + 2]};
        const char *nts = strchr(arguments[i + 1], ':');
        servers[found - 1].nts = nts != NULL ? nts + 1 : NULL;
        while (i < count && strcmp(arguments[i], ";") != 0) {
            i++;
        }
        if (i < count) {
            arguments[i] = NULL;
        }
    }
    return found;
}

int main(int count, char **arguments)
{
    static struct server servers[SERVERS_MAX];
    if (count < 3 || !netspace_enter() || !netspace_run("ip link set lo up")) {
        fprintf(stderr, "usage: bench-ntp REQUESTS ROUNDS [NAME PORT[:KE_PORT:CA] COMMAND... "
                        ";]...\n"
                        "It needs a network namespace.\n");
        return 1;
    }
    uint64_t requests = (uint64_t)atoll(arguments[1]);
    int rounds = atoi(arguments[2]);
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    unsigned found = find_servers(count, arguments, servers);
    pin(false);
    for (unsigned i = 0; i < found; i++) {
        if (!start(&servers[i])) {
            stop(servers, i + 1);
            return 1;
        }
    }
    for (int round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < found; i++) {
            measure(&servers[i], requests, round);
        }
    }
    stop(servers, found);
    for (unsigned i = 0; i < found; i++) {
        printf("%s\"%s_rps\": %.0f, \"%s_wall_rps\": %.0f", i == 0 ? "{" : ", ", servers[i].name,
               median(servers[i].rps, rounds), servers[i].name,
               median(servers[i].wall_rps, rounds));
    }
    printf("}\n");
    return 0;
}
