// Tries what W^X forbids.
#include "../raw.h"

static const char words[] = "read-only";
static char data[4096] __attribute__((aligned(4096))) = {1};

int solo5_app_main(const struct solo5_start_info *si)
{
    const char *arg = si->cmdline;

    if (is(arg, "data"))
        return *(volatile char *)data += 1, data[0] == 2 ? 0 : 1;
    if (is(arg, "write-text"))
        *(volatile char *)(uintptr_t)solo5_app_main = 0;
    if (is(arg, "write-rodata"))
        *(volatile char *)(uintptr_t)words = 'R';
    if (is(arg, "call-text")) { // the tender is asked to do it
        volatile struct walltime *t = (void *)((uintptr_t)solo5_app_main & ~7ul);
        CALL(WALLTIME, t);
    }
    if (is(arg, "call-boot-info"))
        CALL(WALLTIME, 0x10000);
    printf("%s\n", words);
    return 42;
}
