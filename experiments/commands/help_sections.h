/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Help on the sections of a grid, for `passgrid help`. */
#ifndef PG_COMMANDS_HELP_SECTIONS_H
#define PG_COMMANDS_HELP_SECTIONS_H

#include <stdbool.h>

typedef struct pg_help_topic {
    const char *name;
    void (*print)(void);
    const char *list; /* the list of `passgrid list` with the names for this section; NULL: none */
} pg_help_topic;
extern const pg_help_topic pg_help_sections[]; /* ended by one without name */

/* Print one section; false if none has that name. */
bool pg_help_section(const char *name);

/* Print all of them. */
void pg_help_config(void);

#endif
