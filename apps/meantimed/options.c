/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "apps/meantimed/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meantime_version.h"

static const char help[] =
    "meantimed - time synchronisation daemon\n"
    "\n"
    "usage: meantimed [-c FILE] [-i INTERFACE]... [--run-directory DIRECTORY]\n"
    "                 [--record FILE]\n"
    "\n"
    "  -c, --config FILE          configuration (/etc/meantime/meantime.conf)\n"
    "  -i, --interface INTERFACE  speak PTP on this interface; without -c no file is\n"
    "                             read and the machine's clock is left alone\n"
    "      --run-directory DIRECTORY\n"
    "                             of this daemon alone (default /run/meantime);\n"
    "                             meantime has the same option\n"
    "      --record FILE          write the input log to FILE\n"
    "  -V, --version              print the version\n"
    "  -h, --help                 print this\n"
    "\n"
    "meantimed stays in the foreground and logs to standard error; SIGHUP reads the\n"
    "configuration again, SIGTERM and SIGINT end it. `meantime check FILE` tells\n"
    "what is wrong with a file. See meantimed(8) and meantime.conf(5).\n";

static void end(struct mt_options *options, int status)
{
    options->is_done = true;
    options->status = status;
}

static bool is_named(const struct mt_options *options, const char *name)
{
    for (size_t i = 0; i < options->interface_count; i++) {
        if (strcmp(options->interfaces[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_interface(struct mt_options *options, const char *name)
{
    if (is_named(options, name)) {
        fprintf(stderr, "meantimed: warning: -i %s is given twice; it is one port\n", name);
        return;
    }
    if (options->interface_count == MT_OPTIONS_INTERFACES_MAX) {
        fprintf(stderr, "meantimed: more than %d interfaces\n", MT_OPTIONS_INTERFACES_MAX);
        end(options, EXIT_FAILURE);
        return;
    }
    options->interfaces[options->interface_count++] = name;
}

/* As the key of the configuration, which an input log writes down as such. */
static void set_run_directory(struct mt_options *options, const char *path)
{
    if (path[0] != '/' || strlen(path) > MT_OPTIONS_PATH_MAX) {
        fprintf(stderr, "meantimed: --run-directory %s: write the whole path, with / in front\n",
                path);
        end(options, 2);
        return;
    }
    options->run_directory = path;
    snprintf(options->control_socket, sizeof options->control_socket, "%s/control", path);
}

static void take(struct mt_options *options, int option)
{
    switch (option) {
    case 'c':
        options->config = optarg;
        break;
    case 'i':
        add_interface(options, optarg);
        break;
    case 'r':
        options->record = optarg;
        break;
    case 'd':
        set_run_directory(options, optarg);
        break;
    case 'V':
        puts("meantimed " MT_VERSION);
        end(options, EXIT_SUCCESS);
        break;
    case 'h':
        fputs(help, stdout);
        end(options, EXIT_SUCCESS);
        break;
    default:
        fputs("Try meantimed --help.\n", stderr);
        end(options, 2);
        break;
    }
}

void mt_options_read(int argc, char **argv, struct mt_options *ret_options)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"interface", required_argument, NULL, 'i'},
        {"run-directory", required_argument, NULL, 'd'},
        {"record", required_argument, NULL, 'r'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *ret_options = (struct mt_options){0};
    int option;
    while (!ret_options->is_done &&
           (option = getopt_long(argc, argv, "c:i:Vh", long_options, NULL)) != -1) {
        take(ret_options, option);
    }
    if (!ret_options->is_done && optind < argc) {
        fprintf(stderr, "meantimed: unexpected argument \"%s\"\nTry meantimed --help.\n",
                argv[optind]);
        end(ret_options, 2);
    }
}
