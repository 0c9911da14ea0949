/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Answers of meantime pmc for people: a field on each line, under the name of a list its entries,
 * and those that have several fields as a table. */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/pmc.h"

#define INDENT     4
#define FIELDS_MAX 12

/* Strings without quotes; to be freed. */
static char *text_of(const cJSON *item)
{
    return cJSON_IsString(item) ? strdup(item->valuestring) : cJSON_PrintUnformatted(item);
}

static void print_item(const cJSON *item, int indent, size_t width)
{
    char *text = text_of(item);
    printf("%*s%-*s %s\n", indent, "", (int)width, item->string != NULL ? item->string : "",
           text != NULL ? text : "");
    free(text);
}

/* The widths of the columns, which have the names of the first row's fields. */
static size_t measure(const cJSON *table, size_t widths[FIELDS_MAX])
{
    size_t count = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, table)
    {
        const cJSON *item;
        size_t column = 0;
        cJSON_ArrayForEach(item, row)
        {
            char *text = text_of(item);
            size_t width = text != NULL ? strlen(text) : 0;
            size_t head = strlen(item->string);
            if (column == FIELDS_MAX) {
                free(text);
                break;
            }
            width = width > head ? width : head;
            widths[column] = column < count && widths[column] > width ? widths[column] : width;
            count = column < count ? count : column + 1;
            column++;
            free(text);
        }
    }
    return count;
}

static void print_row(const cJSON *row, bool is_head, const size_t widths[FIELDS_MAX])
{
    const cJSON *item;
    size_t column = 0;
    printf("%*s", 2 * INDENT, "");
    cJSON_ArrayForEach(item, row)
    {
        char *text = is_head ? strdup(item->string) : text_of(item);
        bool is_last = item->next == NULL || column + 1 == FIELDS_MAX;
        printf("%-*s%s", is_last ? 0 : (int)widths[column], text != NULL ? text : "",
               is_last ? "\n" : "  ");
        free(text);
        if (++column == FIELDS_MAX) {
            break;
        }
    }
}

static void print_list(const cJSON *list)
{
    size_t widths[FIELDS_MAX] = {0};
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    const cJSON *row;
    printf("%*s%s%s\n", INDENT, "", list->string, first == NULL ? " none" : "");
    if (cJSON_IsObject(first)) {
        measure(list, widths);
        print_row(first, true, widths);
    }
    cJSON_ArrayForEach(row, list)
    {
        if (cJSON_IsObject(row)) {
            print_row(row, false, widths);
        } else {
            print_item(row, 2 * INDENT, 0);
        }
    }
}

void mt_pmc_print(const char *from, const char *action, const char *name, const cJSON *data)
{
    size_t width = 0;
    const cJSON *item;
    printf("%s  %s %s\n", from, action, name);
    cJSON_ArrayForEach(item, data)
    {
        width = strlen(item->string) > width ? strlen(item->string) : width;
    }
    cJSON_ArrayForEach(item, data)
    {
        if (cJSON_IsArray(item)) {
            print_list(item);
        } else {
            print_item(item, INDENT, width);
        }
    }
}
