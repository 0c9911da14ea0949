/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The help, as data: a line for each command in the overview, and a page for each command with its
 * options and an example that can be pasted.  Lines have at most 80 characters. */
#include <stdio.h>
#include <string.h>

#include "apps/meantime/tool.h"
#include "config/schema.h"
#include "status/control.h"

#define WHERE_THE_DAEMON_IS                                                                        \
    "  --run-directory DIRECTORY  the daemon's run_directory (default /run/meantime)\n"

const struct mt_tool_help mt_tool_helps[] = {
    {"status", "[--json | --open-metrics]", "what the daemon is doing",
     "Shows clocks, instances and ports, and what is wrong with them.\n",
     "  --json                     for programs, see meantime-control(7)\n"
     "  --open-metrics             for monitoring systems such as Prometheus\n" WHERE_THE_DAEMON_IS
     "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime status --json"},
    {"watch", "[--interval S] [--count N]", "the same, live; q ends it",
     "On a terminal: what status shows, again and again; arrow keys scroll, q ends\n"
     "it.  Elsewhere: one line each time, for a file or a pipe.\n",
     "  --interval SECONDS         from one report to the next (default 1)\n"
     "  --count NUMBER             end after so many reports\n" WHERE_THE_DAEMON_IS
     "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime watch --interval 10 > watch.log"},
    {"clock", "[NAME] [--json] [--watch]", "the time now and how wrong it may be",
     "Prints the time of a clock that the daemon publishes, `main` if none is named,\n"
     "with its error bound.\n",
     "  --json                     an object for programs\n"
     "  --watch                    again every second\n"
     "  --interval SECONDS         or as often as this\n"
     "  --count NUMBER             so many times\n" WHERE_THE_DAEMON_IS,
     "meantime clock --watch --interval 0.1"},
    {"sources", "[CLOCK] [--json] [--watch]", "the sources of clocks and their worth",
     "A line for each source of each clock that has some to choose from: what the\n"
     "arbiter makes of it, offset, error bound, round trip, interval, and its share.\n",
     "  --json                     an object for programs\n"
     "  --watch                    again every second\n"
     "  --interval SECONDS         or as often as this\n"
     "  --count NUMBER             so many times\n" WHERE_THE_DAEMON_IS
     "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime sources --watch"},
    {"why", "[CLOCK] [--json]", "why a clock follows whom it follows",
     "Explains what each source says, drawn as an interval, who agrees, who cannot be\n"
     "right and by how much, and what the time is made of.\n",
     "  --json                     an object for programs\n" WHERE_THE_DAEMON_IS
     "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime why"},
    {"set", "KEY VALUE ... [--instance NAME]", "change the running daemon",
     "Changes what an instance announces until the daemon ends or reads its\n"
     "configuration again.  KEY=VALUE is understood too.  clock_class,\n"
     "offset_scaled_log_variance and utc_offset may be auto, as in the file.\n",
     "  --instance NAME            of that instance (default main)\n" WHERE_THE_DAEMON_IS
     "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime set priority1 100"},
    {"reload", "", "read the configuration again",
     "Has the daemon read its configuration file again, as SIGHUP does, and prints what\n"
     "has changed and what needs a restart.  If anything is wrong with the file, nothing\n"
     "changes.\n",
     WHERE_THE_DAEMON_IS "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime reload"},
    {"add", "ntp NAME [KEY=VALUE ...]", "ask an NTP server, until the next reload",
     "Adds what [ntp NAME] would be in the configuration file, with these keys of it,\n"
     "until the daemon ends or reads its file again.\n",
     WHERE_THE_DAEMON_IS "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime add ntp time.example.org min_poll=4"},
    {"remove", "ntp NAME", "ask it no more, until the next reload",
     "Takes [ntp NAME] away, whether it is in the configuration file or was added, until\n"
     "the daemon ends or reads its file again.\n",
     WHERE_THE_DAEMON_IS "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime remove ntp time.example.org"},
    {"events", "[--follow] [--json]", "what the daemon has told in its log",
     "Prints the last messages of the daemon's log, from the control socket.\n",
     "  --follow                   go on with what comes; Ctrl-C ends it\n"
     "  --json                     an object for each line\n" WHERE_THE_DAEMON_IS
     "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime events --follow"},
    {"wait", "[NAME] [--timeout S] [--bound T]", "wait until a clock is synchronised",
     "Ends when a clock, the first one if none is named, is synchronised, with exit\n"
     "status 0; and with 1 if that takes too long.  A daemon that is not there yet is\n"
     "waited for, too.\n",
     "  --timeout SECONDS          wait no longer than this (default: for ever)\n"
     "  --bound TIME               and its error bound is no larger, such as "
     "10us\n" WHERE_THE_DAEMON_IS
     "  --socket PATH              its control socket, if that is elsewhere\n",
     "meantime wait --timeout 60 --bound 100us && start-the-measurement"},
    {"check", "[--show] [FILE]", "find mistakes in a configuration file",
     "Tells each mistake with its line, the key, what was expected and the nearest\n"
     "name, also in the files of keys and certificates that it names, which you must\n"
     "be allowed to read.  FILE is /etc/meantime/meantime.conf if none is named.\n",
     "  --show                     print a good file with every key and its value\n",
     "meantime check ./meantime.conf"},
    {"explain", "[KEY]", "what a key of the configuration means",
     "Tells what a key means, its values, its default and where it belongs.  Names\n"
     "of ptp4l and chrony are found too.  Of a section such as [gnss] it lists the\n"
     "keys, without KEY of all.\n",
     "", "meantime explain slaveOnly"},
    {"import", "FILE|COMMAND ...", "files of other programs become ours",
     "Prints a configuration that does what a chrony.conf does, a ptp4l.conf, a\n"
     "timemaster.conf, a unit of systemd that starts ptp4l or phc2sys, or such a\n"
     "command line in quotes; or all of them, which become one.  What has no equal\n"
     "here is told with its line and what to do instead.  Files that are included\n"
     "are read, too.  Exit status 1: something could not be taken over.\n",
     "", "meantime import /etc/linuxptp/ptp4l.conf 'phc2sys -w -s eth0' > meantime.conf"},
    {"keys", "FILE", "what a security file holds, no secrets",
     "Lists the associations of a security_file, their keys and chains, finds\n"
     "mistakes, and derives the chain_anchor that receivers need from a chain_seed.\n",
     "", "meantime keys /etc/meantime/keys"},
    {"pmc", "[options] REQUEST ...", "ask or change a PTP node, as pmc does",
     "REQUEST is GET, SET or COMMAND and a management id, in the words of linuxptp's\n"
     "pmc: \"GET DEFAULT_DATA_SET\", \"SET PRIORITY1 100\", \"SET ID field value ...\";\n"
     "fields that are not named stay as they are.  Without --interface it asks the\n"
     "daemon of this machine.  A text with blanks is put in quotes.  -u, -s, -b and\n"
     "-d of linuxptp's pmc are understood.  Exit status 1: nobody answered, or with\n"
     "an error.\n",
     "  --list                     name all ids\n"
     "  --json                     an array for programs\n"
     "  --local PATH               another socket, such as /var/run/ptp4l\n"
     "  --interface NAME           all nodes behind it\n"
     "  --transport udp4|udp6|l2   of the network behind it (default udp4)\n"
     "  --address ADDRESS          one station behind it, or another group\n"
     "  --target CLOCK[-PORT]      this clock or port only, such as\n"
     "                             001122.fffe.334455-1\n"
     "  --domain NUMBER            domainNumber (default: the daemon's own, else 0)\n"
     "  --sdo-id NUMBER            sdoId (default 0)\n"
     "  --hops NUMBER              through so many boundary clocks (default: with\n"
     "                             --interface 1, else 0)\n"
     "  --timeout SECONDS          wait for answers as long as this (default "
     "1)\n" WHERE_THE_DAEMON_IS,
     "meantime pmc GET CURRENT_DATA_SET"},
    {"replay", "[--anew] FILE", "run again what meantimed --record wrote",
     "Runs the daemon's node again on a recorded log and prints state changes,\n"
     "corrections and estimates on the way.  It must do what was recorded, bit for\n"
     "bit; the first thing that differs is told, and the exit status is 1.\n",
     "  --every SECONDS            from one estimate to the next (default 1)\n"
     "  --samples                  an estimate with each sample, and what became of it\n"
     "  --from SECONDS, --to SECONDS  print this part only\n"
     "  --clock NAME               print this clock only\n"
     "  --json                     an object for each line\n"
     "  --plot FILE                draw offset and bound; FILE ends in .svg or .png\n"
     "  --anew                     take the inputs alone from the log: what would this\n"
     "                             program do?  Differences are no mistake then\n"
     "  --config                   print the recorded configuration, and end\n",
     "meantime replay input.log --every 10 --plot input.svg"},
    {"sim", "[options] TOPOLOGY", "simulate a network before you build it",
     "Runs the daemon's own code on every node of a network in virtual time, and tells\n"
     "how far each published time was from true time.  TOPOLOGY is a file\n"
     "(meantime-topology(5)) or the name of one that is shipped.  The same seed gives\n"
     "the same figures.  Exit status 1: an expectation of the file does not hold.\n",
     "  --list                     name the shipped topologies\n"
     "  --keys                     what a topology file may say\n"
     "  --duration SECONDS         so long, whatever the file says; or 10 min, 1 h ...\n"
     "  --seed NUMBER              another run of the same network\n"
     "  --seeds NUMBER             so many seeds from there on, spread over the cores\n"
     "  --jobs NUMBER              on so many cores\n"
     "  --set SECTION.KEY=VALUE    instead of what the file says, such as\n"
     "                             leaf-spine.servers=20 or \"link fibre.delay=1 us\"\n"
     "  --class A|B|C|D            of ITU-T G.8273.2, to judge against\n"
     "  --all                      a line for each node, however many there are\n"
     "  --clocks                   judge the steered clocks, too\n"
     "  --csv FILE, --json FILE    the results for other programs\n"
     "  --series FILE              every reading of the first seed\n"
     "  --plot FILE                error over time; FILE ends in .svg or .png\n"
     "  --plot KIND=FILE           KIND is time, mtie, tdev, adev or histogram\n"
     "  --record NODE:FILE         write the node's input log, for meantime replay\n"
     "  --quiet                    say nothing of the progress\n",
     "meantime sim data-centre --plot data-centre.svg"},
    {"version", "", "print the version", "", "", "meantime version"},
    {"help", "[COMMAND]", "print this, or the help of a command", "", "", "meantime help set"},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

void mt_tool_print_overview(FILE *out)
{
    fputs("usage: meantime [--run-directory DIRECTORY] [--socket PATH] COMMAND\n\n", out);
    for (const struct mt_tool_help *help = mt_tool_helps; help->name != NULL; help++) {
        char usage[64];
        snprintf(usage, sizeof usage, "%s %s", help->name, help->arguments);
        fprintf(out, "  %-37s %s\n", usage, help->purpose);
    }
    fputs("\n`meantime help COMMAND` tells more.  The daemon is meantimed(8); its file is\n"
          "described in meantime.conf(5).\n",
          out);
}

/* "Can be set: priority1, priority2, ..." in lines that fit. */
void mt_tool_print_settings(FILE *out)
{
    size_t column = (size_t)fprintf(out, "can be set:");
    for (unsigned i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        const char *name = mt_control_setting_name((enum mt_control_setting)i);
        if (column + strlen(name) + 2 > 78) {
            column = (size_t)fprintf(out, "\n   ") - 1;
        }
        column += (size_t)fprintf(out, " %s%s", name, i + 1 < MT_CONTROL_SETTING_COUNT ? "," : "");
    }
    fputc('\n', out);
}

static void print_page(const struct mt_tool_help *help, FILE *out)
{
    fprintf(out, "usage: meantime %s%s%s\n", help->name, help->arguments[0] != '\0' ? " " : "",
            help->arguments);
    fprintf(out, "%s%s", help->text[0] != '\0' ? "\n" : "", help->text);
    if (strcmp(help->name, "set") == 0) {
        fputc('\n', out);
        mt_tool_print_settings(out);
    }
    fprintf(out, "%s%s", help->options[0] != '\0' ? "\n" : "", help->options);
    fprintf(out, "\nexample: %s\n", help->example);
}

bool mt_tool_print_help_of(const char *name, FILE *out)
{
    for (const struct mt_tool_help *help = mt_tool_helps; help->name != NULL; help++) {
        if (strcmp(help->name, name) == 0) {
            print_page(help, out);
            return true;
        }
    }
    return false;
}
