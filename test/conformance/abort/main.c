// Ends badly in the ways that a guest notices itself.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    const char *arg = si->cmdline;

    if (is(arg, "abort"))
        solo5_abort();
    if (is(arg, "null"))
        *(volatile int *)0 = 1;
    if (is(arg, "low")) // the tender's tables
        printf("%d\n", *(volatile int *)0x2000);
    if (is(arg, "high")) // above memory
        printf("%d\n", *(volatile int *)(hvt_boot->mem_size + 0x1000));
    if (is(arg, "boot-info")) // can be read, not written
        ((volatile struct boot *)(uintptr_t)hvt_boot)->mem_size = 1;
    if (is(arg, "undefined"))
        __builtin_trap();
    return 7;
}
