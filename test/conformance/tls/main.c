// Thread-local variables, initialised and zero, in two blocks. Functions that are not
// inlined use them: within one, a compiler takes the base for a constant.
#include "../raw.h"

__thread int initialised = 42;
__thread char zero[100];
__thread uint64_t aligned __attribute__((aligned(64))) = 7;

static char block[2][1024] __attribute__((aligned(64)));

__attribute__((noinline)) static void use(int i)
{
    CHECK(initialised == 42 && aligned == 7 && zero[0] == 0 && zero[99] == 0);
    CHECK((uintptr_t)&aligned % 64 == 0);
    initialised = i, zero[99] = 'a' + i;
    solo5_clock_wall(); // the base outlives a hypercall
    CHECK(initialised == i && zero[99] == 'a' + i);
}

__attribute__((noinline)) static void again(int i)
{
    CHECK(initialised == i && zero[99] == 'a' + i);
}

int solo5_app_main(const struct solo5_start_info *si)
{
    (void)si;
    CHECK(solo5_tls_size() > 100 && solo5_tls_size() <= sizeof block[0]);
    for (int i = 0; i < 2; i++) {
        memset(block[i], 0xee, sizeof block[i]);
        CHECK(solo5_tls_init((uintptr_t)block[i]) == SOLO5_R_OK);
    }
    CHECK(solo5_tls_init((uintptr_t)block[0] + 1) == SOLO5_R_EINVAL);
    for (int i = 0; i < 2; i++) {
        CHECK(solo5_set_tls_base(solo5_tls_tp_offset((uintptr_t)block[i])) == SOLO5_R_OK);
        use(i);
    }
    for (int i = 0; i < 2; i++) {
        solo5_set_tls_base(solo5_tls_tp_offset((uintptr_t)block[i]));
        again(i);
    }
    return 0;
}
