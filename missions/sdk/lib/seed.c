/* seed.c: the random octets of the extension record (package hvt). */
#include <perilune.h>
#include <string.h>

#include "hvt.h"

solo5_result_t perilune_seed(uint8_t out[PERILUNE_SEED_SIZE])
{
    const struct hvt_item *item = hvt_find_item("seed", HVT_SEED);

    if (!item || item->size < PERILUNE_SEED_SIZE)
        return SOLO5_R_EINVAL;
    memcpy(out, (const void *)(uintptr_t)item->gpa, PERILUNE_SEED_SIZE);
    return SOLO5_R_OK;
}
