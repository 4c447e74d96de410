// Says hello, repeats its command line and its boot info, and exits with the
// status that its command line names.
#include "guest.h"
MANIFEST(0);

int run(const struct boot_info *bi, const char *arg)
{
    say("hello\n");
    if (is(arg, "0") || !*arg)
        return 0;
    if (is(arg, "1"))
        return 1;
    if (is(arg, "255"))
        return 255;
    if (is(arg, "boot")) {
        const struct mft *m = (const void *)bi->mft;
        say_number(bi->mem_size), say(" ");
        say_number(bi->kernel_end % 4096), say(" ");
        say_number(bi->cycle_freq > 1000000), say(" ");
        say_number(bi->host_features), say(" ");
        say_number(bi->net_ring), say(" ");
        say_number(m->version), say(" ");
        say_number(m->entries), say(" ");
        say_number(bi->mft - (uintptr_t)bi), say("\n");
        return 0;
    }
    if (is(arg, "time")) {
        say_number(now() / 1000000000), say("\n");
        return 0;
    }
    say(arg), say("\n");
    return 7;
}
