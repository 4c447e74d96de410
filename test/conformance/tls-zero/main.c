// Thread-local variables that are all zero at first: no octet of them is in
// the file.
#include "../raw.h"

__thread char zero[100];
__thread int number;

static char block[512] __attribute__((aligned(64)));

int solo5_app_main(const struct solo5_start_info *si)
{
    (void)si;
    memset(block, 0xee, sizeof block);
    CHECK(solo5_tls_size() >= 104 && solo5_tls_size() <= sizeof block);
    CHECK(solo5_tls_init((uintptr_t)block) == SOLO5_R_OK);
    CHECK(solo5_set_tls_base(solo5_tls_tp_offset((uintptr_t)block)) == SOLO5_R_OK);
    for (unsigned i = 0; i < sizeof zero; i++)
        CHECK(zero[i] == 0);
    CHECK(number == 0);
    number = 5, zero[99] = 9;
    CHECK(number == 5 && zero[99] == 9 && zero[98] == 0);
    return 0;
}
