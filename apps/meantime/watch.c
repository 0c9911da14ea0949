/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime watch: the report, again and again.  On a terminal it is a window that follows its
 * size and can be scrolled; elsewhere one line each time, for a file or a pipe.  A daemon that is
 * away is said and waited for: whoever watches wants to see it come back. */
#include <math.h>
#include <ncurses.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/meantime/client.h"
#include "apps/meantime/render.h"

struct watch {
    const struct mt_tool *tool;
    double interval_s;
    long count;   /* 0: no end */
    int top;      /* first line shown */
    int left_out; /* lines of the report that have no room */
};

/* The report or the reason why there is none, as text. */
static void take_text(const struct watch *self, bool in_one_line, struct mt_text *out)
{
    char reason[MT_CLIENT_REASON_SIZE];
    cJSON *reply = mt_client_ask(self->tool, "{\"command\":\"status\"}", reason);
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(reply, "status");
    if (reply == NULL) {
        mt_text_say(out, MT_BAD "%s" MT_PLAIN, reason);
        if (!in_one_line) {
            mt_text_wrap(out, (size_t)COLS, 0);
        }
    } else if (in_one_line) {
        mt_render_line(out, report);
    } else {
        mt_render_report(out, report, (size_t)COLS);
    }
    cJSON_Delete(reply);
}

static void clock_text(const char *format, char *buffer, size_t size)
{
    time_t now = time(NULL);
    struct tm parts;
    if (localtime_r(&now, &parts) == NULL || strftime(buffer, size, format, &parts) == 0) {
        buffer[0] = '\0';
    }
}

/* ---- lines -------------------------------------------------------------------------------- */

static enum mt_exit watch_lines(const struct watch *self)
{
    const char *format = isatty(STDOUT_FILENO) != 0 ? "%T" : "%F %T"; /* a line has 80 columns */
    for (long n = 1;; n++) {
        char when[32];
        struct mt_text text = {0};
        clock_text(format, when, sizeof when);
        take_text(self, true, &text);
        printf("%s ", when);
        mt_text_print(&text, stdout, false);
        putchar('\n');
        mt_text_free(&text);
        if (fflush(stdout) != 0 || n == self->count) {
            return MT_EXIT_GOOD;
        }
        poll(NULL, 0, (int)(self->interval_s * 1000));
    }
}

/* ---- window ------------------------------------------------------------------------------- */

enum { PAIR_GOOD = 1, PAIR_WARN, PAIR_BAD };

static void open_window(void)
{
    initscr();
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    if (!has_colors()) {
        return;
    }
    start_color();
    use_default_colors();
    init_pair(PAIR_GOOD, COLOR_GREEN, -1);
    init_pair(PAIR_WARN, COLOR_YELLOW, -1);
    init_pair(PAIR_BAD, COLOR_RED, -1);
}

static bool set_style(char c)
{
    if (c < MT_PLAIN[0] || c > MT_FAINT[0]) {
        return false;
    }
    attrset(A_NORMAL);
    if (c == MT_BOLD[0]) {
        attrset(A_BOLD);
    } else if (c == MT_FAINT[0]) {
        attrset(A_DIM);
    } else if (c == MT_GOOD[0]) {
        attrset(COLOR_PAIR(PAIR_GOOD));
    } else if (c == MT_WARN[0]) {
        attrset(COLOR_PAIR(PAIR_WARN));
    } else if (c == MT_BAD[0]) {
        attrset(COLOR_PAIR(PAIR_BAD) | A_BOLD);
    }
    return true;
}

static int count_lines(const struct mt_text *text)
{
    return (int)mt_text_lines(text);
}

/* Leaves out what can be missed best until the rest has room, and returns how many lines that
 * were.  If there is no room even so, all of it stays, to be scrolled. */
static int fit(struct mt_text *text, int rows)
{
    static const struct {
        const char *title;
        size_t hang;
    } dispensable[] = {
        {"", SIZE_MAX},  {"identity", 5}, {"refused:", 9},   {"its rank", 5},
        {"own rank", 5}, {"samples", 5},  {"path delay", 5}, {"frequency", 5},
    };
    int lines = count_lines(text); /* that say something */
    struct mt_text shorter = {0};
    mt_text_say(&shorter, "%.*s", (int)text->length, text->bytes != NULL ? text->bytes : "");
    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++) {
        if (count_lines(&shorter) > rows) {
            mt_text_leave_out(&shorter, dispensable[i].title, dispensable[i].hang);
            lines = i == 0 ? count_lines(&shorter) : lines;
        }
    }
    int left = count_lines(&shorter);
    struct mt_text *loser = left <= rows ? text : &shorter;
    mt_text_free(loser);
    if (loser == text) {
        *text = shorter;
    }
    return left <= rows ? lines - left : 0;
}

static void draw_status(const struct watch *self, const struct mt_text *text)
{
    char when[32];
    char more[48] = "";
    clock_text("%F %T", when, sizeof when);
    if (count_lines(text) > LINES - 1) {
        snprintf(more, sizeof more, ", arrows: scroll");
    } else if (self->left_out > 0) {
        snprintf(more, sizeof more, "; %d %s left out for want of room", self->left_out,
                 self->left_out == 1 ? "line" : "lines");
    }
    attrset(A_REVERSE);
    mvprintw(LINES - 1, 0, " %s   q: end%s ", when, more);
    attrset(A_NORMAL);
}

static void draw(struct watch *self, const struct mt_text *text)
{
    int lowest = count_lines(text) - (LINES - 1);
    int line = 0;
    int column = 0;
    if (self->top > lowest) {
        self->top = lowest;
    }
    if (self->top < 0) {
        self->top = 0;
    }
    erase();
    attrset(A_NORMAL);
    for (size_t i = 0; i < text->length; i++) {
        char c = text->bytes[i];
        if (set_style(c)) {
            continue;
        }
        int row = line - self->top;
        if (c == '\n') {
            line++;
        } else if (row >= 0 && row < LINES - 1 && column < COLS) {
            mvaddch(row, column, (chtype)(unsigned char)c);
        }
        column = c == '\n' ? 0 : column + 1;
    }
    draw_status(self, text);
    refresh();
}

/* True if the user wants to end. */
static bool take_key(struct watch *self, int key)
{
    if (key == KEY_DOWN || key == 'j') {
        self->top++;
    } else if (key == KEY_UP || key == 'k') {
        self->top--;
    } else if (key == KEY_NPAGE || key == ' ') {
        self->top += LINES - 2;
    } else if (key == KEY_PPAGE) {
        self->top -= LINES - 2;
    } else if (key == KEY_HOME) {
        self->top = 0;
    }
    return key == 'q' || key == 'Q' || key == 27;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Handles keys until it is time for the next report.  True if the user wants to end. */
static bool wait_for_keys(struct watch *self, const struct mt_text *text, double until_s)
{
    double left_s;
    while ((left_s = until_s - now_s()) > 0) {
        timeout((int)ceil(left_s * 1000));
        int key = getch();
        if (key == ERR) {
            continue;
        }
        if (take_key(self, key)) {
            return true;
        }
        draw(self, text);
    }
    return false;
}

static enum mt_exit watch_window(struct watch *self)
{
    bool is_over = false;
    open_window();
    for (long n = 1; !is_over; n++) {
        struct mt_text text = {0};
        double until_s = now_s() + self->interval_s;
        take_text(self, false, &text);
        self->left_out = fit(&text, LINES - 1);
        draw(self, &text);
        is_over = n == self->count || wait_for_keys(self, &text, until_s);
        mt_text_free(&text);
    }
    endwin();
    return MT_EXIT_GOOD;
}

/* ---- command ------------------------------------------------------------------------------ */

enum mt_exit mt_tool_watch(const struct mt_tool *tool, int count, char **arguments)
{
    struct watch self = {.tool = tool, .interval_s = 1};
    double reports = 0;
    for (int i = 0; i < count; i++) {
        const char *value;
        if ((value = mt_tool_option("--interval", count, arguments, &i)) != NULL) {
            if (!mt_tool_number(value, 0.05, 3600, &self.interval_s)) {
                return mt_tool_misuse("--interval: expected seconds from 0.05 to 3600");
            }
        } else if ((value = mt_tool_option("--count", count, arguments, &i)) != NULL) {
            if (!mt_tool_number(value, 1, 1e9, &reports)) {
                return mt_tool_misuse("--count: expected a number from 1 on");
            }
        } else {
            return mt_tool_misuse("watch: unexpected %s", arguments[i]);
        }
    }
    self.count = (long)reports;
    const char *terminal = getenv("TERM");
    bool has_window = isatty(STDOUT_FILENO) != 0 && isatty(STDIN_FILENO) != 0 && terminal != NULL &&
                      strcmp(terminal, "dumb") != 0;
    return has_window ? watch_window(&self) : watch_lines(&self);
}
