/* The list of attacks. */
#include "attacks/attack.h"

#include <string.h>

const pg_attack *const pg_attacks[] = {&pg_attack_unchanged,
                                       &pg_attack_overwrite,
                                       &pg_attack_counterfeit_uchida,
                                       &pg_attack_counterfeit_triggers,
                                       &pg_attack_finetune,
                                       &pg_attack_prune,
                                       &pg_attack_fake1,
                                       &pg_attack_fake2,
                                       &pg_attack_fake3,
                                       &pg_attack_flip,
                                       &pg_attack_substitute,
                                       &pg_attack_permute,
                                       &pg_attack_invert,
                                       NULL};

const pg_attack *pg_attack_find(const char *name)
{
    for (int i = 0; pg_attacks[i]; i++) {
        const char *former = pg_attacks[i]->former_name;
        if (strcmp(pg_attacks[i]->name, name) == 0 || (former && strcmp(former, name) == 0)) return pg_attacks[i];
    }
    return NULL;
}
